// SPDX-License-Identifier: MIT
/*
 * memory.c - memory and address spaces of a Xen guest. Its machine frame numbers are its own frame
 * numbers: the map from one to the other is the identity, and a kernel that reads the features does
 * not even look at it. Pinning is no more than a hint, since tables are changed by plain copies:
 * entries.c.
 */
#include "hypercall/xen/xen.h"
#include "mm/frame.h"
#include "mm/guest-copy.h"
#include "mm/machine.h"
#include "mm/pte.h"

#define PIECE	128 /* operations done by one call before it starts again */
#define ENTRIES 512

/* ---- the table from machine frames to the guest's ---- */

static mfn_t take_table(struct guest *g)
{
	return frame_alloc(FRAME_SWITCHER, g->owner);
}

/* One page of the table: 512 numbers, each its own index. */
static int add_page(struct guest *g, struct xen *x, u64 page)
{
	mfn_t *table = &x->m2p_table[page / ENTRIES], mfn;
	u64 *numbers;

	if (page % ENTRIES == 0) {
		*table = take_table(g);
		if (mfn_is_none(*table))
			return -ENOMEM;
		((u64 *)machine_map(x->m2p_top[1]))[page / ENTRIES] =
		    mfn_to_maddr(*table).v | PTE_P | PTE_W | PTE_A;
	}
	mfn = frame_alloc(FRAME_PUBLISHED, g->owner);
	if (mfn_is_none(mfn))
		return -ENOMEM;
	numbers = machine_map(mfn);
	for (u64 i = 0; i < ENTRIES; i++)
		numbers[i] = page * ENTRIES + i;
	((u64 *)machine_map(*table))[page % ENTRIES] =
	    mfn_to_maddr(mfn).v | PTE_P | PTE_A | PTE_NX;
	x->m2p_pages++;
	return 0;
}

int xen_m2p_make(struct guest *g)
{
	struct xen *x = xen_of(g);
	u64 pages = ALIGN_UP(g->config.memory_size >> PAGE_SHIFT, ENTRIES) / ENTRIES;

	if (pages > XEN_M2P_TABLES * ENTRIES)
		return -ENOMEM;
	for (unsigned i = 0; i < 2; i++) {
		x->m2p_top[i] = take_table(g);
		if (mfn_is_none(x->m2p_top[i]))
			return -ENOMEM;
	}
	*(u64 *)machine_map(x->m2p_top[0]) = mfn_to_maddr(x->m2p_top[1]).v | PTE_P | PTE_W | PTE_A;
	for (u64 i = 0; i < pages; i++)
		if (add_page(g, x, i))
			return -ENOMEM;
	shadow_set_slot(&g->vcpu.shadow, XEN_M2P_SLOT,
			mfn_to_maddr(x->m2p_top[0]).v | PTE_P | PTE_W | PTE_A);
	return 0;
}

void xen_m2p_free(struct guest *g)
{
	struct xen *x = xen_of(g);

	for (u64 i = 0; i < x->m2p_pages; i++) {
		u64 *table = machine_map(x->m2p_table[i / ENTRIES]);

		frame_put(MFN((table[i % ENTRIES] & PTE_FRAME) >> PAGE_SHIFT));
	}
	for (u64 i = 0; i < ALIGN_UP(x->m2p_pages, ENTRIES) / ENTRIES; i++)
		frame_put(x->m2p_table[i]);
	for (unsigned i = 0; i < 2; i++)
		if (!mfn_is_none(x->m2p_top[i]))
			frame_put(x->m2p_top[i]);
}

struct call_result xen_memory_op(struct guest *g, u64 *a)
{
	u64 pages = g->config.memory_size >> PAGE_SHIFT;

	if (a[0] == XEN_MACHPHYS_MAPPING) {
		const u64 mapping[3] = {XEN_M2P_START, XEN_M2P_START + pages * 8, pages - 1};

		return call_done(xen_put(g, a[1], mapping, sizeof(mapping)) ? 0 : -EFAULT);
	}
	if (a[0] == XEN_MEMORY_MAP) {
		const struct xen_e820_entry ram = {0, g->config.memory_size, 1};
		struct {
			u32 count, pad;
			u64 buffer;
		} map;

		if (!xen_get(g, a[1], &map, sizeof(map)))
			return call_done(-EFAULT);
		if (map.count < 1)
			return call_done(-EINVAL);
		map.count = 1;
		if (!xen_put(g, map.buffer, &ram, sizeof(ram)) ||
		    !xen_put(g, a[1], &map.count, sizeof(map.count)))
			return call_done(-EFAULT);
		return call_done(0);
	}
	return call_done(-ENOSYS);
}

/* ---- address spaces ---- */

static int set_table(struct guest *g, u64 gfn, bool is_table)
{
	int error = p2m_set_table(&g->p2m, GFN(gfn), is_table);

	return error == -ENOENT ? -EINVAL : error;
}

/* The tables that the loader has built count as pinned: the guest maps them read-only already. */
void xen_pin_boot_tables(struct guest *g, u64 count)
{
	for (u64 i = 0; i < count && i < g->config.memory_size >> PAGE_SHIFT; i++)
		(void)set_table(g, (g->vcpu.cr3 >> PAGE_SHIFT) + i, true);
}

static int extended(struct guest *g, const struct xen_mmuext_op *op)
{
	struct vcpu *v = &g->vcpu;

	switch (op->cmd) {
	case XEN_MMUEXT_PIN_L1 ... XEN_MMUEXT_PIN_L4:
		return set_table(g, op->arg1, true);
	case XEN_MMUEXT_NEW_USER_BASEPTR: /* one root serves both halves */
		return 0;
	case XEN_MMUEXT_UNPIN:
		shadow_forget_table(&g->shadow, GFN(op->arg1));
		return set_table(g, op->arg1, false);
	case XEN_MMUEXT_NEW_BASEPTR:
		if (op->arg1 >= g->config.memory_size >> PAGE_SHIFT)
			return -EINVAL;
		vcpu_load_cr3(v, op->arg1 << PAGE_SHIFT);
		return 0;
	case XEN_MMUEXT_INVLPG_LOCAL:
	case XEN_MMUEXT_INVLPG_MULTI:
	case XEN_MMUEXT_INVLPG_ALL:
		shadow_invlpg(&v->shadow, GVA(op->arg1));
		return 0;
	case XEN_MMUEXT_TLB_FLUSH_LOCAL:
	case XEN_MMUEXT_TLB_FLUSH_MULTI:
	case XEN_MMUEXT_TLB_FLUSH_ALL:
		shadow_flush(&v->shadow);
		return 0;
	case XEN_MMUEXT_SET_LDT:
		return xen_set_ldt(g, op->arg1, op->arg2);
	default:
		return -ENOSYS;
	}
}

/* How much of a piece an operation is: an LDT has as many descriptors as a piece has updates, and
 * what forgets tables or a whole address space withdraws many translations. */
static unsigned share(u32 cmd)
{
	switch (cmd) {
	case XEN_MMUEXT_SET_LDT:
		return PIECE;
	case XEN_MMUEXT_UNPIN:
	case XEN_MMUEXT_NEW_BASEPTR:
	case XEN_MMUEXT_TLB_FLUSH_LOCAL:
	case XEN_MMUEXT_TLB_FLUSH_MULTI:
	case XEN_MMUEXT_TLB_FLUSH_ALL:
		return PIECE / 16;
	default:
		return 1;
	}
}

struct call_result xen_mmuext_op(struct guest *g, u64 *a)
{
	u64 count = a[1] & XEN_COUNT_MASK;
	struct xen_mmuext_op op __uninitialized;

	for (unsigned done = 0; count && done < PIECE; count--, a[0] += sizeof(op)) {
		int error;

		if (!xen_get(g, a[0], &op, sizeof(op)))
			return call_done(-EFAULT);
		done += share(op.cmd);
		error = extended(g, &op);
		if (error == -EAGAIN)
			break; /* a piece of this operation is done */
		if (error)
			return call_done(error);
	}
	a[1] = count;
	return count ? (struct call_result){0, CALL_AGAIN} : call_done(0);
}
