// SPDX-License-Identifier: MIT
/*
 * multicall.c - several calls in one. Linux collects what a change of process or of many page-table
 * entries needs, so this is on the way of every fork and exec.
 */
#include "hypercall/xen/xen.h"

#define PIECE  128 /* that of mmu_update */
#define RESULT offsetof(struct xen_multicall_entry, result)

/* The result, and the arguments as far as they have come. */
static __noinline bool put_back(struct guest *g, u64 at, const struct xen_multicall_entry *entry)
{
	return xen_put(g, at + RESULT, &entry->result, sizeof(*entry) - RESULT);
}

/* How much of a piece a call within is: all of them together are to take no longer than one. What
 * nobody batches may be long. */
static u64 share(const struct xen_multicall_entry *entry)
{
	switch (entry->op) {
	case XEN_CALL_MMU_UPDATE:
	case XEN_CALL_MMUEXT_OP:
		return MAX(entry->args[1], PIECE / 16);
	case XEN_CALL_STACK_SWITCH:
	case XEN_CALL_FPU_TASKSWITCH:
	case XEN_CALL_UPDATE_DESCRIPTOR:
	case XEN_CALL_UPDATE_VA_MAPPING:
	case XEN_CALL_SET_SEGMENT_BASE:
		return PIECE / 16;
	default:
		return PIECE;
	}
}

/* A call within that has only done a piece writes its progress into its entry, and all begins again
 * there: what is in the guest's memory is judged afresh. Linux puts at most 32 entries into one. */
struct call_result xen_multicall(struct guest *g, u64 *a)
{
	struct xen_multicall_entry entry __uninitialized;
	bool yield = false;

	for (u64 left = PIECE; a[1] && left; a[0] += sizeof(entry), a[1]--) {
		struct call_result result = {-ENOSYS, CALL_DONE};

		if (!xen_get(g, a[0], &entry, sizeof(entry)))
			return call_done(-EFAULT);
		left -= MIN(left, share(&entry));
		if (entry.op < XEN_CALL_COUNT && entry.op != 13 && entry.op != 23)
			result = xen_calls[entry.op & index_mask(entry.op, XEN_CALL_COUNT)](
			    g, entry.args);
		entry.result = result.value;
		if (unlikely(result.action == CALL_AGAIN))
			return put_back(g, a[0], &entry) ? result : call_done(-EFAULT);
		if (!xen_put(g, a[0] + RESULT, &entry.result, sizeof(entry.result)))
			return call_done(-EFAULT);
		yield |= result.action == CALL_YIELD;
	}
	if (a[1])
		return (struct call_result){0, CALL_AGAIN};
	return (struct call_result){0, yield ? CALL_YIELD : CALL_DONE};
}
