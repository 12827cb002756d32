// SPDX-License-Identifier: MIT
/*
 * memory.c - a guest's memory by its virtual addresses, a page at a time: walk its tables with the
 * checks of the access, then copy by guest physical address.
 */
#include "arch/x86/vcpu/vcpu.h"
#include "lib/errno.h"

static int copy(struct vcpu *v, u64 gva, char *bytes, size_t size, bool write,
		struct vcpu_copy_result *result)
{
	struct shadow_access access = {
		.write = write,
		.user = vcpu_is_user(v),
		.ac = v->regs.rflags & RFLAGS_AC,
	};
	struct guest_copy_refusal why;

	while (size) {
		size_t piece = MIN(size, PAGE_SIZE - (gva & ~PAGE_MASK));
		gpa_t gpa;
		int error;

		result->at = gva;
		result->verdict = shadow_translate(&v->shadow, GVA(gva), access, &result->shadow);
		if (result->verdict != SHADOW_FIXED)
			return -EFAULT;
		gpa = result->shadow.gpa;
		error = write ? guest_copy_write(v->shadow.shadow->config.p2m, gpa, bytes, piece, &why)
			      : guest_copy_read(v->shadow.shadow->config.p2m, gpa, bytes, piece, &why);
		if (error) {
			result->verdict = why.answer == P2M_POPULATE ? SHADOW_POPULATE : SHADOW_WATCHED;
			result->shadow.gfn = why.gfn;
			result->shadow.intent = why.intent;
			return -EFAULT;
		}
		gva += piece;
		bytes += piece;
		size -= piece;
	}
	return 0;
}

int vcpu_read(struct vcpu *v, u64 gva, void *to, size_t size, struct vcpu_copy_result *result)
{
	return copy(v, gva, to, size, false, result);
}

int vcpu_write(struct vcpu *v, u64 gva, const void *from, size_t size, struct vcpu_copy_result *result)
{
	return copy(v, gva, (char *)from, size, true, result);
}
