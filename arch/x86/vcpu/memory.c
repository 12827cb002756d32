// SPDX-License-Identifier: MIT
/*
 * memory.c - a guest's memory by its virtual addresses, a page at a time: walk its tables with the
 * checks of the access, then copy by guest physical address; or, where the shadows grant the access
 * already, without a walk.
 */
#include "arch/x86/vcpu/vcpu.h"
#include "lib/errno.h"

static int translate(struct vcpu *v, u64 gva, struct shadow_access access,
		     struct vcpu_copy_result *result)
{
	result->at = gva;
	if (!is_canonical(gva)) {
		result->verdict = SHADOW_REFLECT;
		result->shadow.error_code = 0;
		return -EFAULT;
	}
	result->verdict = shadow_translate(&v->shadow, GVA(gva), access, &result->shadow);
	return result->verdict == SHADOW_FIXED ? 0 : -EFAULT;
}

static size_t piece_of(u64 gva, size_t size)
{
	return MIN(size, PAGE_SIZE - (gva & ~PAGE_MASK));
}

int vcpu_probe(struct vcpu *v, u64 gva, size_t size, struct shadow_access access,
	       struct vcpu_copy_result *result)
{
	struct vcpu_copy_result second;
	size_t piece = piece_of(gva, size);

	if (translate(v, gva, access, result))
		return -EFAULT;
	if (piece == size || !translate(v, gva + piece, access, &second))
		return 0;
	*result = second;
	return -EFAULT;
}

static __noinline int copy_by_walk(struct vcpu *v, u64 gva, void *bytes, size_t size,
				   struct shadow_access access, struct vcpu_copy_result *result)
{
	struct p2m *p2m = v->shadow.shadow->config.p2m;
	struct guest_copy_refusal why;
	char *at = bytes;

	while (size) {
		size_t piece = piece_of(gva, size);
		int error;

		if (translate(v, gva, access, result))
			return -EFAULT;
		error = access.write ? guest_copy_write(p2m, result->shadow.gpa, at, piece, &why)
				     : guest_copy_read(p2m, result->shadow.gpa, at, piece, &why);
		if (error) {
			result->verdict =
			    why.answer == P2M_POPULATE ? SHADOW_POPULATE : SHADOW_WATCHED;
			result->shadow.gfn = why.gfn;
			result->shadow.intent = why.intent;
			return -EFAULT;
		}
		gva += piece;
		at += piece;
		size -= piece;
	}
	return 0;
}

int vcpu_copy_as(struct vcpu *v, u64 gva, void *bytes, size_t size, struct shadow_access access,
		 struct vcpu_copy_result *result)
{
	if (likely(shadow_copy(&v->shadow, GVA(gva), access, bytes, size)))
		return 0;
	return copy_by_walk(v, gva, bytes, size, access, result);
}

static struct shadow_access present_access(const struct vcpu *v, bool write)
{
	return (struct shadow_access){
	    .write = write,
	    .user = vcpu_is_user(v),
	    .ac = v->regs.rflags & RFLAGS_AC,
	};
}

int vcpu_read(struct vcpu *v, u64 gva, void *to, size_t size, struct vcpu_copy_result *result)
{
	return vcpu_copy_as(v, gva, to, size, present_access(v, false), result);
}

int vcpu_write(struct vcpu *v, u64 gva, const void *from, size_t size,
	       struct vcpu_copy_result *result)
{
	return vcpu_copy_as(v, gva, (void *)from, size, present_access(v, true), result);
}
