// SPDX-License-Identifier: MIT
/* tables.c - calls that load what the processor keeps: gates, descriptors, entry points, stacks,
 * bases. */
#include "hypercall/native/native.h"
#include "lib/errno.h"

#define PIECE 32 /* gates or descriptors copied by one entry */

struct call_result native_set_idt(struct guest *g, struct gn_args_set_idt *a)
{
	struct vcpu_copy_result result;
	u64 gates[PIECE][2], count = MIN(a->count, PIECE);

	if (a->first > 256 || a->count > 256 - a->first)
		return call_done(-EINVAL);
	if (vcpu_read(&g->vcpu, a->address, gates, count * sizeof(gates[0]), &result))
		return call_done(-EFAULT);
	if (vcpu_set_gates(&g->vcpu, a->first, gates, count))
		return call_done(-EINVAL);
	a->address += count * sizeof(gates[0]);
	a->first += count;
	a->count -= count;
	return a->count ? (struct call_result){0, CALL_AGAIN} : call_done(0);
}

struct call_result native_set_gdt(struct guest *g, struct gn_args_set_gdt *a)
{
	struct vcpu_copy_result result;
	u64 descriptors[PIECE], count = MIN(a->count, PIECE);

	if (a->first > GN_GDT_ENTRIES || a->count > GN_GDT_ENTRIES - a->first)
		return call_done(-EINVAL);
	if (vcpu_read(&g->vcpu, a->address, descriptors, count * sizeof(u64), &result))
		return call_done(-EFAULT);
	if (vcpu_set_descriptors(&g->vcpu, a->first, descriptors, count))
		return call_done(-EINVAL);
	a->address += count * sizeof(u64);
	a->first += count;
	a->count -= count;
	return a->count ? (struct call_result){0, CALL_AGAIN} : call_done(0);
}

/* No descriptor that may be looks like an error: those have the bits of conforming code. */
struct call_result native_get_descriptor(struct guest *g, struct gn_args_get_descriptor *a)
{
	if (a->selector >= GN_GDT_ENTRIES * 8)
		return call_done(-EINVAL);
	return call_done(vcpu_written_descriptor(&g->vcpu, a->selector & ~7u));
}

struct call_result native_set_syscall_entry(struct guest *g, struct gn_args_set_syscall_entry *a)
{
	if (!is_guest_address(a->rip))
		return call_done(-EINVAL);
	vcpu_set_syscall_entry(&g->vcpu, a->rip, a->fmask);
	return call_done(0);
}

struct call_result native_set_kernel_stack(struct guest *g, struct gn_args_set_kernel_stack *a)
{
	if (!is_guest_address(a->rsp))
		return call_done(-EINVAL);
	g->vcpu.ist[0] = a->rsp;
	return call_done(0);
}

struct call_result native_set_ist(struct guest *g, struct gn_args_set_ist *a)
{
	if (a->index < 1 || a->index > 7 || !is_guest_address(a->rsp))
		return call_done(-EINVAL);
	g->vcpu.ist[a->index & 7] = a->rsp;
	return call_done(0);
}

struct call_result native_set_segment_base(struct guest *g, struct gn_args_set_segment_base *a)
{
	if (a->which > GN_BASE_GS || !is_canonical(a->base) ||
	    vcpu_set_base(&g->vcpu, a->which, a->base))
		return call_done(-EINVAL);
	return call_done(0);
}
