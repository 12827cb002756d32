// SPDX-License-Identifier: MIT
/*
 * operations-memory.c - the emulator's accesses to guest memory, with the rights of the
 * instruction's CPL. A guest has one vCPU, which is in the monitor now: what must be atomic is so
 * against nobody but the accesses of other guests to shared frames, and those of 1, 2, 4 and 8
 * aligned bytes are truly atomic.
 */
#include "arch/x86/vcpu/emulator.h"
#include "lib/errno.h"
#include "lib/string.h"

static enum emulate_verdict refused(struct emulate *e, const struct vcpu_copy_result *result)
{
	struct emulator *owner = e->owner;

	if (result->verdict == SHADOW_REFLECT)
		return emulate_page_fault(e, result->at, result->shadow.error_code);
	owner->stop = *result;
	return EMULATE_SHUTDOWN;
}

static struct shadow_access access_of(struct emulate *e, bool write, bool fetch)
{
	return (struct shadow_access){
	    .write = write,
	    .fetch = fetch,
	    .user = e->registers->cpl == 3,
	    .ac = e->registers->rflags & RFLAGS_AC,
	};
}

enum emulate_verdict memory_fetch(struct emulate *e, u64 linear, u8 *to, size_t size)
{
	struct vcpu *v = emulator_vcpu(e);
	struct vcpu_copy_result result;

	if (linear - GN_CODE_AREA < GN_CODE_SIZE && e->registers->cpl == 0 &&
	    size <= PAGE_SIZE - (linear & ~PAGE_MASK)) {
		memcpy(to, window_code(v->window, linear), size);
		return EMULATE_OK;
	}
	if (!is_guest_address(linear) && is_canonical(linear))
		return EMULATE_UNHANDLED; /* ours: in none of the guest's tables */
	if (vcpu_copy_as(v, linear, to, size, access_of(e, false, true), &result))
		return refused(e, &result);
	return EMULATE_OK;
}

/* Check a store, and where it goes; of what crosses a page's end, the beginning. */
static int find_store(struct emulate *e, u64 linear, size_t size, struct vcpu_copy_result *result)
{
	const struct emulator *owner = e->owner;

	if (owner->store && owner->store->gva == linear && size <= PAGE_SIZE - linear % PAGE_SIZE) {
		result->shadow.gpa = owner->store->gpa;
		return 0;
	}
	return vcpu_probe(owner->vcpu, linear, size, access_of(e, true, false), result);
}

enum emulate_verdict memory_read(struct emulate *e, u64 linear, void *to, size_t size,
				 enum emulate_access access)
{
	struct vcpu *v = emulator_vcpu(e);
	struct vcpu_copy_result result;
	u64 offset = linear - GN_VCPU_PAGE;

	if (offset <= PAGE_SIZE - size && e->registers->cpl == 0) {
		memcpy(to, (const char *)v->page + offset, size);
		return EMULATE_OK;
	}
	/* The fault is that of the store, before any effect. */
	if (access == ACCESS_READ_TO_WRITE && find_store(e, linear, size, &result))
		return refused(e, &result);
	if (vcpu_copy_as(v, linear, to, size, access_of(e, false, false), &result))
		return refused(e, &result);
	return EMULATE_OK;
}

enum emulate_verdict memory_write(struct emulate *e, u64 linear, const void *from, size_t size)
{
	struct vcpu *v = emulator_vcpu(e);
	struct vcpu_copy_result result;
	u64 offset = linear - GN_VCPU_PAGE;

	if (offset <= PAGE_SIZE - size && e->registers->cpl == 0) {
		memcpy((char *)v->page + offset, from, size);
		return EMULATE_OK;
	}
	if (find_store(e, linear, size, &result))
		return refused(e, &result);
	if (size <= PAGE_SIZE - linear % PAGE_SIZE)
		return guest_copy_write(v->shadow.shadow->config.p2m, result.shadow.gpa, from, size,
					NULL)
			   ? EMULATE_UNHANDLED
			   : EMULATE_OK;
	if (vcpu_copy_as(v, linear, (void *)from, size, access_of(e, true, false), &result))
		return refused(e, &result);
	return EMULATE_OK;
}

enum emulate_verdict memory_compare_exchange(struct emulate *e, u64 linear, const void *from,
					     const void *to, size_t size)
{
	struct vcpu *v = emulator_vcpu(e);
	struct vcpu_copy_result result;
	u64 old = 0, new = 0, expected;
	char now[64];

	if (size <= 8 && !(linear & (size - 1))) {
		if (find_store(e, linear, size, &result))
			return refused(e, &result);
		memcpy(&old, from, size);
		memcpy(&new, to, size);
		expected = old;
		if (guest_copy_cmpxchg(v->shadow.shadow->config.p2m, result.shadow.gpa, size, &old,
				       new, NULL))
			return EMULATE_UNHANDLED;
		return old == expected ? EMULATE_OK : EMULATE_AGAIN;
	}
	if (size > sizeof(now))
		return EMULATE_UNHANDLED;
	if (vcpu_copy_as(v, linear, now, size, access_of(e, false, false), &result))
		return refused(e, &result);
	return memcmp(now, from, size) ? EMULATE_AGAIN : memory_write(e, linear, to, size);
}

/* The guest's registers are in the CPU: nothing of the monitor uses them. */
enum emulate_verdict memory_read_vector(struct emulate *e, unsigned number, u8 to[16])
{
	struct fpu_state *fpu = emulator_vcpu(e)->fpu;

	if (number > 15)
		return EMULATE_UNHANDLED;
	fpu_save(fpu);
	memcpy(to, &fpu->bytes[FPU_XMM + 16 * number], 16);
	return EMULATE_OK;
}
