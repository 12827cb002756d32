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

static u64 *link_of(const struct shadow *s, u32 number)
{
	return &page_of_spte(s, number)->links[slot_of_spte(number)];
}

static u32 next_of(const struct shadow *s, u32 number)
{
	return *link_of(s, number) >> LINK_NEXT_SHIFT;
}

/* owner: the gfn or the page's number that the list belongs to. */
static __force_inline void put_in(struct shadow *s, struct shadow_page *page, unsigned slot,
				  u32 *head, u64 owner)
{
	u32 number = spte_number(page, slot), next = *head;

	page->links[slot] = (u64)next << LINK_NEXT_SHIFT | LINK_HEAD | owner;
	if (next) {
		u64 *l = link_of(s, next);

		*l = (*l & ~LINK_LOW) | number;
	}
	*head = number;
}

static __force_inline void insert(struct shadow *s, struct shadow_page *page, unsigned slot,
				  u32 *head, u64 owner)
{
	put_in(s, page, slot, head, owner);
	page->present++;
	page_note_slot(page, slot);
}

static __force_inline void set_leaf(struct shadow *s, struct shadow_page *page, unsigned slot,
				    u64 spte, gfn_t gfn, struct p2m_entry *target)
{
	ASSERT(!page->sptes[slot]);
	insert(s, page, slot, &target->rmap, gfn.v);
	s->stats.fills++;
	WRITE_ONCE(page->sptes[slot], spte);
}

void spte_set_leaf(struct shadow *s, struct shadow_page *page, unsigned slot, u64 spte, gfn_t gfn,
		   struct p2m_entry *target)
{
	set_leaf(s, page, slot, spte, gfn, target);
}

/* What the levels above grant is in the child's role, so an spte between pages grants everything,
 * but where the top level forces U=0. */
void spte_set_child(struct shadow *s, struct shadow_page *page, unsigned slot,
		    struct shadow_page *child)
{
	u64 spte = spte_to(child) | PTE_P | PTE_W | PTE_U | PTE_A;

	ASSERT(!page->sptes[slot]);
	if (role_level(page->key.role) == 4 && slot >= s->config.supervisor_from_slot)
		spte &= ~PTE_U;
	if (child->parent_count == PARENTS_MAX)
		spte_withdraw(s, page_of_spte(s, child->parents), slot_of_spte(child->parents));
	insert(s, page, slot, &child->parents, child->number);
	child->parent_count++;
	WRITE_ONCE(page->sptes[slot], spte);
}

/* What is behind this link, if anything, is now behind what was before it. */
static __force_inline u32 join_next(struct shadow *s, u64 link)
{
	u32 next = link >> LINK_NEXT_SHIFT;

	if (next) {
		u64 *n = link_of(s, next);

		*n = (*n & ~LINK_LOW) | (link & LINK_LOW);
	}
	return next;
}

/* Its link stays: to be cleared, or put into another list. */
static __force_inline void take_out(struct shadow *s, struct shadow_page *page, unsigned slot,
				    bool leaf)
{
	u64 l = page->links[slot];
	u32 next = join_next(s, l);

	if (!(l & LINK_HEAD)) {
		u64 *previous = link_of(s, l & LINK_VALUE);

		*previous = (*previous & LINK_LOW) | (l & ~LINK_LOW);
	} else if (leaf) {
		struct p2m_entry *e = lookup_near(s, GFN(l & LINK_VALUE));

		BUG_ON(!e); /* I1 */
		e->rmap = next;
	} else {
		page_of(s, l & LINK_VALUE)->parents = next;
	}
}

/* A writable way to a loose table goes: what its D says must not be lost. */
static __cold void keep_dirty(struct shadow *s, u64 spte)
{
	for (unsigned i = 0, left = s->loose_count; left; i++) {
		struct shadow_page *page = s->loose[i].page;

		if (!page)
			continue;
		left--;
		if (!((p2m_lookup(s->config.p2m, page->key.gfn)->word ^ spte) & PTE_FRAME))
			page->written = true;
	}
}

/* What was known of the way is forgotten. Nobody tells us what happens to a table that leads
 * nowhere, unless it is protected. */
static __cold void lost_parent(struct shadow *s, struct shadow_page *child)
{
	s->links++;
	child->parent_count--;
	if (!child->parent_count && s->config.policy != SHADOW_TRAPPED)
		page_drop(s, child);
}

void spte_withdraw(struct shadow *s, struct shadow_page *page, unsigned slot)
{
	u64 spte = __atomic_exchange_n(&page->sptes[slot], 0, __ATOMIC_SEQ_CST);
	bool leaf = spte_is_leaf(page, spte);

	take_out(s, page, slot, leaf);
	page->links[slot] = 0;
	page->present--;
	s->stale = true;
	s->stats.zapped++;
	if (s->budget)
		s->budget--;
	if (unlikely(!leaf))
		lost_parent(s, spte_child(s, spte));
	else if (unlikely((spte & (SPTE_LOOSE | PTE_D)) == (SPTE_LOOSE | PTE_D)))
		keep_dirty(s, spte);
}

/* Another view of the same frame. Both are right by the guest's tables, so a CPU may keep the old.
 */
void spte_change(struct shadow *s, struct shadow_page *page, unsigned slot, u64 spte)
{
	u64 old = __atomic_exchange_n(&page->sptes[slot], spte, __ATOMIC_SEQ_CST);

	if (unlikely((old & (SPTE_LOOSE | PTE_D)) == (SPTE_LOOSE | PTE_D)))
		keep_dirty(s, old);
	s->stats.fills++;
}

/* ---- entries of a leaf table that have changed ---- */

struct p2m_entry *lookup_far(struct shadow *s, gfn_t gfn)
{
	u64 in_leaf = gfn.v & (P2M_LEAF_SIZE - 1);
	struct p2m_entry *e = p2m_lookup_inline(s->config.p2m, gfn);

	if (e) {
		s->near_first = gfn.v - in_leaf;
		s->near_leaf = e - in_leaf;
	}
	return e;
}

/* Is what a changed entry grants to be set before it faults? */
static inline bool may_prefault(const struct shadow *s, const struct shadow_page *page)
{
	return page_is_live(s, page) && !(s->config.without & SHADOW_PREFAULT);
}

/*
 * What a batch of them has learnt. In most batches frames are neighbours, so that their p2m entries
 * lie in one leaf, and entries differ in nothing but the frame. Both are compared, not assumed.
 */
struct batch {
	u64 only;		    /* link of the first frame in old_leaf, were its spte alone */
	struct p2m_entry *old_leaf; /* where p2m has frames that were mapped */
	u64 first;		    /* gfn of the first frame in new_leaf */
	struct p2m_entry *new_leaf; /* and frames that are */
	u64 gpte, word, spte;	    /* of one entry of these, without frames; gpte 0: of none */
	bool prefault;
	unsigned withdrawn; /* still to be counted */
};

/* Is one of the frames whose p2m entries lie side by side from this one on a loose table? Then the
 * D of what maps it must be kept. */
static bool is_loose_among(const struct shadow *s, u64 first)
{
	for (unsigned i = 0, left = s->loose_count; left; i++) {
		if (!s->loose[i].page)
			continue;
		if ((s->loose[i].page->key.gfn.v & ~(P2M_LEAF_SIZE - 1)) == first)
			return true;
		left--;
	}
	return false;
}

/* The spte's link has taught nothing yet: false, if it never will. */
static __noinline bool learn_old(struct shadow *s, u64 link, struct batch *b)
{
	u64 in_leaf = link & (P2M_LEAF_SIZE - 1);
	struct p2m_entry *e;

	if (!(link & LINK_HEAD) || is_loose_among(s, (link & LINK_VALUE) - in_leaf))
		return false;
	e = p2m_lookup_inline(s->config.p2m, GFN(link & LINK_VALUE));
	BUG_ON(!e); /* I1 */
	b->only = (link & LINK_LOW) - in_leaf;
	b->old_leaf = e - in_leaf;
	return true;
}

/* One that is not the only spte of its frame, or of a frame of which nothing is learnt yet. */
static __noinline void withdraw_other(struct shadow *s, struct shadow_page *page, u64 slot,
				      struct batch *b)
{
	u64 link = page->links[slot], in_leaf = link & (P2M_LEAF_SIZE - 1);

	if ((link & LINK_LOW) - in_leaf != b->only && !learn_old(s, link, b)) {
		spte_withdraw(s, page, slot);
		return;
	}
	b->old_leaf[in_leaf].rmap = join_next(s, link);
	page->links[slot] = 0;
	__atomic_exchange_n(&page->sptes[slot], 0, __ATOMIC_SEQ_CST);
	b->withdrawn++;
}

static inline void withdraw_leaf(struct shadow *s, struct shadow_page *page, u64 slot,
				 struct batch *b)
{
	u64 *link = &page->links[slot], in_leaf = *link & (P2M_LEAF_SIZE - 1);

	if (unlikely(*link - in_leaf != b->only)) {
		withdraw_other(s, page, slot, b);
		return;
	}
	b->old_leaf[in_leaf].rmap = 0;
	*link = 0;
	__atomic_exchange_n(&page->sptes[slot], 0, __ATOMIC_SEQ_CST);
	b->withdrawn++;
}

/* What a present entry grants, and of which frame (NULL: of none). */
static __noinline struct p2m_entry *learn(struct shadow *s, struct shadow_page *page, u64 gpte,
					  gfn_t gfn, struct batch *b)
{
	struct p2m_entry *target = p2m_lookup_inline(s->config.p2m, gfn);
	u64 in_leaf = gfn.v & (P2M_LEAF_SIZE - 1);

	b->gpte = b->spte = 0;
	if (!target || gpte_is_reserved(s, role_mode(page->key.role), 1, gpte))
		return NULL;
	b->spte = leaf_spte(s, page->key.role, gpte, target, false) & ~PTE_FRAME;
	if (target->tables)
		return target; /* from a table nothing is learnt: the next may be no table */
	b->first = gfn.v - in_leaf;
	b->new_leaf = target - in_leaf;
	b->gpte = gpte & ~PTE_FRAME;
	b->word = target->word & ~PTE_FRAME;
	if (b->only == ~0ul &&
	    !is_loose_among(s, b->first)) { /* old frames may be neighbours, too */
		b->only = LINK_HEAD | b->first;
		b->old_leaf = b->new_leaf;
	}
	return target;
}

/* The frame is the same, the rights are others. */
static __noinline void change_rights(struct shadow *s, struct shadow_page *page, u64 slot, u64 old,
				     u64 now)
{
	spte_change(s, page, slot, now);
	if (old & ~now & (PTE_W | PTE_U) || now & ~old & PTE_NX)
		s->stale = true;
}

/* tour: an entry has changed */
/* What a present entry grants now takes the place of what it granted. If that was nothing, it is
 * about to be used: the translation is set before it faults. */
static inline void replace_leaf(struct shadow *s, struct shadow_page *page, u64 slot, u64 gpte,
				struct batch *b)
{
	gfn_t gfn = GFN(gpte << 12 >> (12 + PAGE_SHIFT)); /* bits 12 to 51 */
	u64 in_leaf = gfn.v & (P2M_LEAF_SIZE - 1), old = page->sptes[slot], now;
	struct p2m_entry *target;

	if (likely((gpte & ~PTE_FRAME) == b->gpte && gfn.v - in_leaf == b->first &&
		   (b->new_leaf[in_leaf].word & ~PTE_FRAME) == b->word &&
		   !b->new_leaf[in_leaf].tables))
		target = &b->new_leaf[in_leaf];
	else
		target = learn(s, page, gpte, gfn, b);
	now = b->spte ? b->spte | (target->word & PTE_FRAME) : 0;
	if (unlikely(!((old ^ now) & PTE_FRAME)) && old && now) {
		if ((old ^ now) & ~PTE_D)
			change_rights(s, page, slot, old, now);
		return;
	}
	if (old)
		withdraw_leaf(s, page, slot, b);
	if (now && b->prefault)
		set_leaf(s, page, slot, now, gfn, target);
}

unsigned leaves_changed(struct shadow *s, struct shadow_page *page, const u64 *at, unsigned stride,
			unsigned count)
{
	const u64 *first = at, *end = at + count * stride;
	u64 address = READ_ONCE(*at);
	struct batch b __uninitialized;

	b.only = ~0ul;
	b.gpte = 0;
	b.prefault = may_prefault(s, page);
	b.withdrawn = 0;
	do {
		u64 slot = address / 8 & (SHADOW_SLOTS - 1);
		u64 gpte = READ_ONCE(page->table[slot]);

		loose_note(s, page, slot, gpte);
		if ((gpte & (PTE_P | PTE_A)) == (PTE_P | PTE_A))
			replace_leaf(s, page, slot, gpte, &b);
		else if (page->sptes[slot])
			withdraw_leaf(s, page, slot, &b);
		at += stride;
	} while (at != end && (address = READ_ONCE(*at)) >> PAGE_SHIFT == page->key.gfn.v);

	page->present -= b.withdrawn;
	s->stats.zapped += b.withdrawn;
	s->stale |= b.withdrawn != 0;
	return at - first;
}
/* tour ends */

/* The spte's frame is another: it goes from list to list without being absent in between. */
static inline void replace_frame(struct shadow *s, struct shadow_page *page, unsigned slot,
				 u64 spte, gfn_t gfn, struct p2m_entry *target)
{
	u64 old = __atomic_exchange_n(&page->sptes[slot], spte, __ATOMIC_SEQ_CST);

	take_out(s, page, slot, true);
	put_in(s, page, slot, &target->rmap, gfn.v);
	s->stale = true;
	s->stats.zapped++;
	s->stats.fills++;
	if (unlikely((old & (SPTE_LOOSE | PTE_D)) == (SPTE_LOOSE | PTE_D)))
		keep_dirty(s, old);
}

/* One entry by itself, of which nothing is to be learnt. */
void leaf_changed(struct shadow *s, struct shadow_page *page, unsigned slot)
{
	u64 gpte = READ_ONCE(page->table[slot]), old = page->sptes[slot], now = 0;
	gfn_t gfn = GFN((gpte & PTE_FRAME) >> PAGE_SHIFT);
	struct p2m_entry *target = NULL;

	loose_note(s, page, slot, gpte);
	if ((gpte & (PTE_P | PTE_A)) == (PTE_P | PTE_A))
		target = lookup_near(s, gfn);
	if (likely(target && may_prefault(s, page)))
		now = leaf_grant(s, page->key.role, gpte, target);
	if (!old) {
		if (now)
			set_leaf(s, page, slot, now, gfn, target);
	} else if (!now) {
		spte_withdraw(s, page, slot);
	} else if ((old ^ now) & PTE_FRAME) {
		replace_frame(s, page, slot, now, gfn, target);
	} else if ((old ^ now) & ~PTE_D) {
		change_rights(s, page, slot, old, now);
	}
}

/* ---- all translations of a frame ---- */

static void narrow(struct shadow *s, u32 number, unsigned rights)
{
	u64 *spte = &page_of_spte(s, number)->sptes[slot_of_spte(number)], old = *spte;

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

static int withdraw_list(struct shadow *s, struct p2m_entry *e)
{
	while (e->rmap) {
		if (!s->budget)
			return -EAGAIN;
		spte_withdraw(s, page_of_spte(s, e->rmap), slot_of_spte(e->rmap));
	}
	return 0;
}

/* Large translations stand in the list of their first gfn. */
static int withdraw_large(struct shadow *s, struct p2m_entry *e)
{
	unsigned length = 0;
	u32 next;

	for (u32 n = e->rmap; n; n = next) {
		struct shadow_page *page = page_of_spte(s, n);

		if (++length > NARROW_MAX)
			return withdraw_list(s, e);
		next = next_of(s, n);
		if (page->sptes[slot_of_spte(n)] & PTE_PS)
			spte_withdraw(s, page, slot_of_spte(n));
	}
	return 0;
}

int rmap_restrict(struct shadow *s, gfn_t gfn, unsigned rights)
{
	struct p2m_entry *e = p2m_lookup_inline(s->config.p2m, gfn);
	struct p2m_entry *block = p2m_lookup_inline(s->config.p2m, GFN(gfn.v & ~(LARGE_GFNS - 1)));
	unsigned length = 0;

	if (block && block->rmap && withdraw_large(s, block))
		return -EAGAIN;
	if (!(rights & P2M_R))
		return withdraw_list(s, e);
	for (u32 n = e->rmap; n; n = next_of(s, n)) {
		if (++length > NARROW_MAX)
			return withdraw_list(s, e);
		narrow(s, n, rights);
	}
	return 0;
}

bool rmap_take_dirty(struct shadow *s, struct p2m_entry *e)
{
	bool dirty = false;

	for (u32 n = e->rmap; n; n = next_of(s, n)) {
		u64 *spte = &page_of_spte(s, n)->sptes[slot_of_spte(n)];

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
	s->flushed = true;
	machine_flush_guests();
}
