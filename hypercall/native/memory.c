// SPDX-License-Identifier: MIT
/*
 * memory.c - calls about address spaces and page tables. Any address is safe here: the shadows
 * judge what it leads to. What waits in the ring comes before what flushes.
 */
#include "hypercall/native/native.h"
#include "lib/errno.h"
#include "mm/guest-copy.h"

struct call_result native_load_cr3(struct guest *g, struct gn_args_load_cr3 *a)
{
	if (a->cr3 >> 52) /* as MOV to CR3 without PCID: SDM 3A 4.5 */
		return call_done(-EINVAL);
	hypercall_settle(g);
	vcpu_load_cr3(&g->vcpu, a->cr3);
	return call_done(0);
}

struct call_result native_invalidate_page(struct guest *g, struct gn_args_invalidate_page *a)
{
	hypercall_settle(g);
	shadow_invlpg(&g->vcpu.shadow, GVA(a->address));
	return call_done(0);
}

struct call_result native_flush_tlb(struct guest *g, struct gn_args_flush_tlb *a)
{
	(void)a;
	hypercall_settle(g);
	shadow_flush(&g->vcpu.shadow);
	return call_done(0);
}

/* No translation of a guest's is global. */
struct call_result native_flush_tlb_global(struct guest *g, struct gn_args_flush_tlb_global *a)
{
	(void)a;
	return native_flush_tlb(g, NULL);
}

struct call_result native_drain(struct guest *g, struct gn_args_drain *a)
{
	(void)a;
	return call_done(hypercall_drain(g));
}

/* ---- page tables ---- */

struct call_result native_pte_changed(struct guest *g, struct gn_args_pte_changed *a)
{
	return call_done(shadow_notify(&g->shadow, &a->physical, 1, 1) ? -EFAULT : 0);
}

struct call_result native_pte_write(struct guest *g, struct gn_args_pte_write *a)
{
	return call_done(guest_copy_store(&g->p2m, GPA(a->physical), a->value));
}

/* What the frame was a table for before, if the guest has not said so: forgotten. What it holds now
 * is read when it is used. */
struct call_result native_table_allocate(struct guest *g, struct gn_args_table_allocate *a)
{
	return native_table_release(g, (struct gn_args_table_release *)a);
}

struct call_result native_table_release(struct guest *g, struct gn_args_table_release *a)
{
	u64 level = a->kind & GN_TABLE_LEVEL;

	if (level < 1 || level > 4 ||
	    a->kind & ~(u64)(GN_TABLE_LEVEL | GN_TABLE_ZEROED | GN_TABLE_CLONE))
		return call_done(-EINVAL);
	if (!p2m_lookup(&g->p2m, gpa_to_gfn(GPA(a->physical))))
		return call_done(-EFAULT);
	shadow_forget_table(&g->shadow, gpa_to_gfn(GPA(a->physical)));
	return call_done(0);
}
