// SPDX-License-Identifier: MIT
/* tables.c - calls that load what the processor keeps: gates, descriptors, entry points, stacks,
 * bases. */
#include "hypercall/native/native.h"
#include "lib/errno.h"

#define PIECE 32 /* gates or descriptors copied by one entry */

/* A table of the processor's: so many entries of so many words; how some of them are set. */
struct table {
	unsigned entries, words;
	int (*set)(struct vcpu *v, unsigned first, const u64 *from, unsigned count);
};

static int set_gates(struct vcpu *v, unsigned first, const u64 *from, unsigned count)
{
	return vcpu_set_gates(v, first, (const u64(*)[2])from, count);
}

static const struct table idt = {256, 2, set_gates};
static const struct table gdt = {GN_GDT_ENTRIES, 1, vcpu_set_descriptors};
static const struct table ldt = {VCPU_LDT_ENTRIES, 1, vcpu_set_locals};

/* Set one piece, and move the arguments behind it. */
static struct call_result set_entries(struct guest *g, const struct table *table, u64 *address,
				      u64 *first, u64 *count)
{
	struct vcpu_copy_result result;
	u64 entries[PIECE * 2], n = MIN(*count, PIECE), size = n * table->words * sizeof(u64);
	int error;

	if (*first > table->entries || *count > table->entries - *first)
		return call_done(-EINVAL);
	if (vcpu_read(&g->vcpu, *address, entries, size, &result))
		return call_done(-EFAULT);
	error = table->set(&g->vcpu, *first, entries, n);
	if (error)
		return call_done(error);
	*address += size;
	*first += n;
	*count -= n;
	return *count ? (struct call_result){0, CALL_AGAIN} : call_done(0);
}

struct call_result native_set_idt(struct guest *g, struct gn_args_set_idt *a)
{
	return set_entries(g, &idt, &a->address, &a->first, &a->count);
}

struct call_result native_set_gdt(struct guest *g, struct gn_args_set_gdt *a)
{
	return set_entries(g, &gdt, &a->address, &a->first, &a->count);
}

struct call_result native_set_ldt(struct guest *g, struct gn_args_set_ldt *a)
{
	return set_entries(g, &ldt, &a->address, &a->first, &a->count);
}

/* No descriptor that may be looks like an error: those have the bits of conforming code. */
struct call_result native_get_descriptor(struct guest *g, struct gn_args_get_descriptor *a)
{
	if (a->selector >= (a->selector & 4 ? VCPU_LDT_ENTRIES : GN_GDT_ENTRIES) * 8)
		return call_done(-EINVAL);
	return call_done(vcpu_written_descriptor(&g->vcpu, a->selector));
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
