// SPDX-License-Identifier: MIT
/*
 * rmap.c - the only file that stores into sptes of pages in use, so that no spte is without its
 * link and no link without its spte. A link stands in the list of its spte's target, and the list's
 * head is in the p2m entry (translations of a gfn) or in the shadow page (its parents).
 *
 * May assume that the caller has decided that the spte is right (spte.c). The CPU sets A and D in
 * sptes at any moment, so they are taken away by exchange and narrowed by an atomic AND.
 */
#include "lib/errno.h"
#include "mm/shadow/private.h"

/* How long a list may be for its sptes to be narrowed in place; a longer one is withdrawn, in
 * pieces. */
#define NARROW_MAX 512

static struct link *link_of(const struct shadow *s, u32 number)
{
	return &page_of(s, number >> 9)->links[number & 511];
}

static bool is_leaf(const struct shadow_page *page)
{
	return page->key.role.level == 1;
}

struct shadow_page *spte_child(const struct shadow *s, u64 spte)
{
	return page_of(s, frame_of(MFN((spte & PTE_FRAME) >> PAGE_SHIFT))->link);
}

/* Invariant I3 says that the entry exists. */
static struct p2m_entry *target_of(const struct shadow *s, u64 spte)
{
	const struct p2m *p2m = s->config.p2m;
	gfn_t gfn = p2m_gfn_of(p2m, MFN((spte & PTE_FRAME) >> PAGE_SHIFT));
	struct p2m_entry *e = p2m_lookup(p2m, gfn);

	BUG_ON(!e);
	return e;
}

static void insert(struct shadow *s, struct shadow_page *page, unsigned slot, u32 *head)
{
	struct link *l = &page->links[slot];
	u32 number = spte_number(page, slot);

	l->next = *head;
	l->previous = 0;
	if (*head)
		link_of(s, *head)->previous = number;
	*head = number;
}

void spte_set_leaf(struct shadow *s, struct shadow_page *page, unsigned slot, u64 spte,
		   struct p2m_entry *target)
{
	ASSERT(!page->sptes[slot]);
	insert(s, page, slot, &target->rmap);
	page->present++;
	s->stats.fills++;
	WRITE_ONCE(page->sptes[slot], spte);
}

/* What the levels above grant is in the child's role, so an spte between pages grants everything,
 * but where the top level forces U=0. */
void spte_set_child(struct shadow *s, struct shadow_page *page, unsigned slot,
		    struct shadow_page *child)
{
	u64 spte = mfn_to_maddr(child->mfn).v | PTE_P | PTE_W | PTE_U | PTE_A;

	ASSERT(!page->sptes[slot]);
	if (page->key.role.level == 4 && slot >= s->config.supervisor_from_slot)
		spte &= ~PTE_U;
	if (child->parent_count == PARENTS_MAX)
		spte_withdraw(s, page_of(s, child->parents >> 9), child->parents & 511);
	insert(s, page, slot, &child->parents);
	child->parent_count++;
	page->present++;
	WRITE_ONCE(page->sptes[slot], spte);
}

static void forget_link(struct shadow *s, struct shadow_page *page, unsigned slot, u64 spte)
{
	struct link l = page->links[slot];

	if (l.previous)
		link_of(s, l.previous)->next = l.next;
	else if (is_leaf(page))
		target_of(s, spte)->rmap = l.next;
	else
		spte_child(s, spte)->parents = l.next;
	if (l.next)
		link_of(s, l.next)->previous = l.previous;
}

/* A writable way to a loose table goes: what its D says must not be lost. */
static void keep_dirty(struct shadow *s, u64 spte)
{
	gfn_t gfn = p2m_gfn_of(s->config.p2m, MFN((spte & PTE_FRAME) >> PAGE_SHIFT));

	list_for_each (l, &s->loose) {
		struct shadow_page *page = list_entry(l, struct shadow_page, loose);

		if (gfn_equal(page->key.gfn, gfn))
			page->written = true;
	}
}

void spte_withdraw(struct shadow *s, struct shadow_page *page, unsigned slot)
{
	u64 spte = __atomic_exchange_n(&page->sptes[slot], 0, __ATOMIC_SEQ_CST);

	forget_link(s, page, slot, spte);
	page->present--;
	s->stale = true;
	s->stats.zapped++;
	if (s->budget)
		s->budget--;
	if (is_leaf(page)) {
		if (unlikely(spte & SPTE_LOOSE && spte & PTE_D))
			keep_dirty(s, spte);
		return;
	}
	page = spte_child(s, spte);
	page->parent_count--;
	/* Nobody tells us what happens to a table that leads nowhere, unless it is protected. */
	if (!page->parent_count && s->config.policy != SHADOW_TRAPPED)
		page_drop(s, page);
}

/* Another view of the same gfn. */
void spte_change(struct shadow *s, struct shadow_page *page, unsigned slot, u64 spte)
{
	u64 old = __atomic_exchange_n(&page->sptes[slot], spte, __ATOMIC_SEQ_CST);

	if (old & ~spte & (PTE_W | PTE_U) || spte & ~old & PTE_NX)
		s->stale = true;
	if (old & SPTE_LOOSE && old & PTE_D)
		keep_dirty(s, old);
	s->stats.fills++;
}

static void narrow(struct shadow *s, u32 number, unsigned rights)
{
	struct shadow_page *page = page_of(s, number >> 9);
	u64 *spte = &page->sptes[number & 511], old = *spte;

	if (!(rights & P2M_W) && old & PTE_W) {
		old = __atomic_fetch_and(spte, ~(PTE_W | PTE_D | SPTE_LOOSE), __ATOMIC_SEQ_CST);
		if (old & SPTE_LOOSE && old & PTE_D)
			keep_dirty(s, old);
		s->stale = true;
	}
	if (!(rights & P2M_X) && !(old & PTE_NX)) {
		__atomic_fetch_or(spte, PTE_NX, __ATOMIC_SEQ_CST);
		s->stale = true;
	}
}

int rmap_restrict(struct shadow *s, struct p2m_entry *e, unsigned rights)
{
	unsigned length = 0;

	if (rights & P2M_R) {
		for (u32 n = e->rmap; n && length < NARROW_MAX; n = link_of(s, n)->next, length++)
			narrow(s, n, rights);
		if (length < NARROW_MAX)
			return 0;
	}
	while (e->rmap) {
		if (!s->budget)
			return -EAGAIN;
		spte_withdraw(s, page_of(s, e->rmap >> 9), e->rmap & 511);
	}
	return 0;
}

bool rmap_take_dirty(struct shadow *s, struct p2m_entry *e)
{
	bool dirty = false;

	for (u32 n = e->rmap; n; n = link_of(s, n)->next) {
		u64 *spte = &page_of(s, n >> 9)->sptes[n & 511];

		if (!(*spte & SPTE_LOOSE) || !(*spte & PTE_D))
			continue;
		__atomic_fetch_and(spte, ~PTE_D, __ATOMIC_SEQ_CST);
		dirty = s->stale = true;
	}
	return dirty;
}

void stale_flush(struct shadow *s)
{
	s->stale = false;
	machine_flush_guests();
}
