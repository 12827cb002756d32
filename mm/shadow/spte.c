// SPDX-License-Identifier: MIT
/*
 * spte.c - what an spte may grant, derived from the guest's entry, the role of the page it stands
 * in, and the p2m entry of its target. No side effects: a fault fills by these functions, a resync
 * and the audit compare with them.
 *
 * The views. A page of the guest's user (U=1 at all levels) is normally mapped as it is: the "user
 * view". Where the guest's kernel may do more with it than the CPU would let it (write to a
 * read-only page with CR0.WP=0, execute it with SMEP off while the CPU has it on), it is mapped U=0
 * for the kernel alone until its user comes again: the "kernel view".
 */
#include "mm/shadow/private.h"

bool is_reserved_slot(const struct shadow *s, unsigned slot)
{
	return slot >= s->config.reserved_first && slot <= s->config.reserved_last;
}

/* SDM volume 3, 4.5.4 and table 4-15 to 4-20. */
bool gpte_is_reserved(const struct shadow *s, unsigned mode, unsigned level, u64 gpte)
{
	u64 reserved = s->reserved_bits;

	if (!(mode & MODE_NXE))
		reserved |= PTE_NX;
	if (gpte & PTE_PS && level > 1) {
		if (level == 4 || (level == 3 && !s->config.has_1g_pages))
			return true;
		/* Bit 12 is PAT; the frame's bits from 13 up to the page's size. */
		reserved |= ((1ul << (PAGE_SHIFT + 9 * (level - 1))) - 1) & ~((1ul << 13) - 1);
	}
	return gpte & reserved;
}

unsigned gpte_access(u64 gpte)
{
	return (gpte & PTE_W ? ACCESS_W : 0) | (gpte & PTE_U ? ACCESS_U : 0) |
	       (gpte & PTE_NX ? 0 : ACCESS_X);
}

bool table_is_protected(const struct shadow *s, const struct p2m_entry *e)
{
	return s->config.policy == SHADOW_TRAPPED && e->tables > e->loose;
}

static u64 frames_below(const struct shadow_page *page)
{
	return 1ul << 9 * (page->key.role.level - 1);
}

/* The shadow page that belongs under a slot. gpte is not looked at in a split page. */
struct page_key child_key(const struct shadow *s, const struct shadow_page *page, unsigned slot,
			  u64 gpte)
{
	struct page_key key = page->key;

	key.role.level--;
	key.role.vcpu = 0;
	if (page->key.role.split) {
		key.gfn.v += slot * frames_below(page);
		return key;
	}
	key.role.access &= gpte_access(gpte);
	if (page->key.role.level == 4 && slot >= s->config.supervisor_from_slot)
		key.role.access &= ~ACCESS_U;
	key.gfn.v = (gpte & PTE_FRAME) >> PAGE_SHIFT;
	if (gpte & PTE_PS && page->key.role.level < 4) {
		key.role.split = 1;
		key.role.dirty = !!(gpte & PTE_D);
		key.gfn.v &= ~(frames_below(page) - 1);
	}
	return key;
}

gfn_t leaf_gfn(const struct shadow_page *page, unsigned slot, u64 gpte)
{
	if (page->key.role.split)
		return GFN(page->key.gfn.v + slot);
	return GFN((gpte & PTE_FRAME) >> PAGE_SHIFT);
}

/* Everything that the guest and p2m grant; 0 if that is nothing. */
u64 leaf_spte(const struct shadow *s, const struct shadow_page *page, u64 gpte,
	      const struct p2m_entry *target, bool kernel_view)
{
	union role role = page->key.role;
	unsigned access = role.split ? role.access : role.access & gpte_access(gpte);
	bool dirty = role.split ? role.dirty : gpte & PTE_D;
	bool user = access & ACCESS_U && !kernel_view;
	u64 spte = mfn_to_maddr(p2m_entry_mfn(target)).v | PTE_P | PTE_A;

	if (!(target->word & P2M_R))
		return 0;
	if (!(role.mode & MODE_WP) && !user)
		access |= ACCESS_W;
	if (kernel_view && role.mode & MODE_SMEP)
		access &= ~ACCESS_X;
	if (access & ACCESS_W && dirty && target->word & P2M_W && !table_is_protected(s, target))
		spte |= target->loose ? PTE_W | SPTE_LOOSE : PTE_W | PTE_D;
	if (user)
		spte |= PTE_U;
	if (!(access & ACCESS_X && target->word & P2M_X))
		spte |= PTE_NX;
	return kernel_view ? spte | SPTE_KERNEL_VIEW : spte;
}

static bool leaf_is_justified(const struct shadow *s, const struct shadow_page *page, unsigned slot,
			      u64 spte, u64 gpte)
{
	const struct p2m_entry *e = p2m_lookup(s->config.p2m, leaf_gfn(page, slot, gpte));
	u64 most;

	if (!e)
		return false;
	if (!page->key.role.split && !(gpte & PTE_A))
		return false;
	most = leaf_spte(s, page, gpte, e, spte & SPTE_KERNEL_VIEW);
	return most && !((spte ^ most) & PTE_FRAME) && !(spte & ~most & (PTE_W | PTE_U)) &&
	       !(most & ~spte & PTE_NX);
}

/* Whether the guest's entry, as it is now, supports all that the spte grants. */
bool spte_is_justified(const struct shadow *s, const struct shadow_page *page, unsigned slot,
		       u64 spte, u64 gpte)
{
	union role role = page->key.role;
	struct page_key want;
	struct shadow_page *child;

	if (!role.split && (!(gpte & PTE_P) || gpte_is_reserved(s, role.mode, role.level, gpte)))
		return false;
	if (role.level == 1)
		return leaf_is_justified(s, page, slot, spte, gpte);
	if (!role.split && !(gpte & PTE_A))
		return false;
	want = child_key(s, page, slot, gpte);
	child = spte_child(s, spte);
	want.role.dirty &= child->key.role.dirty; /* D may have been set since: that takes nothing */
	return gfn_equal(child->key.gfn, want.gfn) && child->key.role.word == want.role.word;
}
