// SPDX-License-Identifier: MIT
/*
 * audit.c - the invariants of README.md, derived again from scratch, each under its number. It
 * trusts no counter and no list: it walks every entry of every page, and every entry of the p2m.
 */
#include "lib/log.h"
#include "mm/shadow/private.h"

static __cold bool violated(const char *what)
{
	log_error("shadow audit: %s", what);
	return false;
}

#define HOLDS(condition)                                                                           \
	do {                                                                                       \
		if (unlikely(!(condition)))                                                        \
			return violated(#condition " (audit.c:" TEXT_OF_VALUE(__LINE__) ")");      \
	} while (0)

static bool is_in_use(const struct shadow *s, const struct shadow_page *page)
{
	list_for_each (l, &s->used)
		if (l == &page->use)
			return true;
	return false;
}

static u64 spte_at(const struct shadow *s, u32 number)
{
	return page_of_spte(s, number)->sptes[slot_of_spte(number)];
}

static u32 next_of(const struct shadow *s, u32 number)
{
	return page_of_spte(s, number)->links[slot_of_spte(number)] >> LINK_NEXT_SHIFT;
}

/* Whose list an spte stands in, by the head of the list: a gfn or a page's number. */
static u64 owner_of(const struct shadow *s, u32 number)
{
	for (unsigned i = 0; i < PAGES_MAX * SHADOW_SLOTS; i++) {
		u64 l = page_of_spte(s, number)->links[slot_of_spte(number)];

		if (l & LINK_HEAD)
			return l & LINK_VALUE;
		number = l & LINK_VALUE;
	}
	return ~0ul;
}

/* I1: what an spte grants, p2m grants, of a frame that may be granted at all. I4: no protected
 * table is writable. */
static bool grant_is_sound(const struct shadow *s, u64 spte, u64 mfn, gfn_t gfn)
{
	const struct p2m_entry *e = p2m_lookup(s->config.p2m, gfn);
	const struct frame *f = frame_of(MFN(mfn));

	HOLDS(spte & PTE_P);
	HOLDS(e && f && f->refs);
	HOLDS(p2m_entry_mfn(e).v == mfn);
	HOLDS(f->type == FRAME_GUEST || f->type == FRAME_PUBLISHED);
	HOLDS(e->word & P2M_R);
	HOLDS(!(spte & PTE_W) || e->word & P2M_W);
	HOLDS(spte & PTE_NX || e->word & P2M_X);
	HOLDS(!(spte & PTE_W) || !table_is_protected(s, e));
	HOLDS(!(spte & PTE_W) || !e->loose || spte & SPTE_LOOSE);
	return true;
}

static bool leaf_is_sound(const struct shadow *s, const struct shadow_page *page, unsigned slot)
{
	u64 spte = page->sptes[slot], mfn = (spte & PTE_FRAME) >> PAGE_SHIFT;
	u64 gfn = owner_of(s, spte_number(page, slot)), count = spte & PTE_PS ? LARGE_GFNS : 1;

	HOLDS(!((mfn | gfn) & (count - 1)));
	HOLDS(count == 1 || role_level(page->key.role) == 2);
	for (u64 i = 0; i < count; i++)
		HOLDS(grant_is_sound(s, spte, mfn + i, GFN(gfn + i)));
	return true;
}

/* I3: the link of an spte stands in the list of the spte's target. */
static bool link_is_sound(const struct shadow *s, const struct shadow_page *page, unsigned slot)
{
	u64 l = page->links[slot], spte = page->sptes[slot];
	bool leaf = spte_is_leaf(page, spte);
	u32 number = spte_number(page, slot), next = l >> LINK_NEXT_SHIFT;

	if (!(l & LINK_HEAD)) {
		HOLDS(!((spte_at(s, l & LINK_VALUE) ^ spte) & PTE_FRAME));
		HOLDS(next_of(s, l & LINK_VALUE) == number);
	} else if (leaf) {
		HOLDS(p2m_lookup(s->config.p2m, GFN(l & LINK_VALUE))->rmap == number);
	} else {
		HOLDS(page_of(s, l & LINK_VALUE) == spte_child(s, spte));
		HOLDS(spte_child(s, spte)->parents == number);
	}
	if (next) {
		HOLDS(!((spte_at(s, next) ^ spte) & PTE_FRAME));
		HOLDS((page_of_spte(s, next)->links[slot_of_spte(next)] & LINK_LOW) == number);
	}
	return true;
}

/* A root that is dropped may be of the time before shadow_set_upper_half(). */
static bool is_current_root(const struct shadow *s, const struct shadow_page *page)
{
	return role_level(page->key.role) == 4 && page_is_live(s, page);
}

/* I2: between pages of one guest, downwards by one level, and U=0 where the top level forces it. */
static bool child_is_sound(const struct shadow *s, const struct shadow_page *page, unsigned slot)
{
	u64 spte = page->sptes[slot];
	const struct frame *f = frame_of(MFN((spte & PTE_FRAME) >> PAGE_SHIFT));
	const struct shadow_page *child;
	bool force = is_current_root(s, page) && slot >= s->config.supervisor_from_slot;

	HOLDS(f && f->type == FRAME_SHADOW && f->owner == s->config.p2m->owner);
	child = spte_child(s, spte);
	HOLDS(child->mfn.v << PAGE_SHIFT == (spte & PTE_FRAME));
	HOLDS(role_level(child->key.role) == role_level(page->key.role) - 1);
	HOLDS(!force || !(spte & PTE_U));
	HOLDS(!force || !(role_access(child->key.role) & ACCESS_U));
	HOLDS(is_in_use(s, child));
	return true;
}

/* I6: where the table is in sync, the guest's entry supports the spte. */
static bool agrees(const struct shadow *s, const struct shadow_page *page, unsigned slot)
{
	u64 gpte = page->table ? READ_ONCE(page->table[slot]) : 0;

	HOLDS(spte_is_justified(s, page, slot, page->sptes[slot], gpte));
	return true;
}

static unsigned list_length(const struct shadow *s, u32 first)
{
	unsigned length = 0;

	for (; first; first = next_of(s, first))
		length++;
	return length;
}

static bool page_is_sound(const struct shadow *s, const struct shadow_page *page, bool in_sync)
{
	bool is_root = role_level(page->key.role) == 4;
	unsigned present = 0;

	HOLDS(role_level(page->key.role) >= 1 && role_level(page->key.role) <= 4);
	HOLDS(!page->generation || page->generation <= s->generation);
	if (page_is_loose(page) || !page->table)
		in_sync = page->key.role & ROLE_SPLIT;
	if (is_root && !is_current_root(s, page))
		in_sync = false;
	for (unsigned slot = 0; slot < SHADOW_SLOTS; slot++) {
		if (!page->sptes[slot] || (is_root && !page->links[slot]))
			continue;
		present++;
		HOLDS(spte_is_leaf(page, page->sptes[slot]) ? leaf_is_sound(s, page, slot)
							    : child_is_sound(s, page, slot));
		HOLDS(link_is_sound(s, page, slot));
		HOLDS(!in_sync || agrees(s, page, slot));
	}
	HOLDS(present == page->present);
	HOLDS(list_length(s, page->parents) == page->parent_count);
	HOLDS(!is_root || !page->parents);
	return true;
}

/* I5: the p2m entry counts the shadows of its gfn; I3 from the other end. */
static bool entry_is_sound(const struct shadow *s, gfn_t gfn, const struct p2m_entry *e)
{
	struct shadow_page *page = NULL;
	unsigned tracked = 0, loose = 0;

	while ((page = page_next_table(s, gfn, page))) {
		tracked += !!page->table;
		HOLDS(!page->table || (e->word & P2M_R && page->table == gpte_of(e, 0)));
		loose += page_is_loose(page);
		HOLDS(!page_is_loose(page) || (page->table && role_level(page->key.role) == 1));
	}
	HOLDS(e->tables == tracked);
	HOLDS(e->loose == loose && loose <= 1);
	HOLDS(!loose || tracked == 1);
	if (e->rmap) {
		HOLDS(spte_at(s, e->rmap));
		HOLDS(page_of_spte(s, e->rmap)->links[slot_of_spte(e->rmap)] & LINK_HEAD);
		HOLDS(owner_of(s, e->rmap) == gfn.v);
	}
	return true;
}

/* I7: no more frames than allowed; each page is in use or free. */
static bool pool_is_sound(const struct shadow *s)
{
	u32 count = 0;

	for (u32 n = s->free; n; n = page_of(s, n)->next, count++) {
		HOLDS(!page_of(s, n)->pins);
		for (unsigned slot = 0; slot < SHADOW_SLOTS; slot++)
			HOLDS(!page_of(s, n)->sptes[slot]);
	}
	list_for_each (l, &s->used)
		count++;
	HOLDS(count == s->page_count - 1);
	HOLDS(s->frames <= s->config.limit);
	return true;
}

bool shadow_is_sound(struct shadow *s, bool in_sync)
{
	struct p2m_entry *e;
	gfn_t gfn = GFN(0);

	HOLDS(pool_is_sound(s));
	list_for_each (l, &s->used)
		HOLDS(page_is_sound(s, list_entry(l, struct shadow_page, use), in_sync));
	for (; (e = p2m_next(s->config.p2m, &gfn)); gfn.v++)
		HOLDS(entry_is_sound(s, gfn, e));
	return true;
}
