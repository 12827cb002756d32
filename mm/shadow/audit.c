// SPDX-License-Identifier: MIT
/*
 * audit.c - the invariants of README.md, derived again from scratch, each under its number. It
 * trusts no counter and no list: it walks every entry of every page, and every entry of the p2m.
 */
#include "lib/log.h"
#include "mm/shadow/private.h"

#define HOLDS(condition)                                                                           \
	do {                                                                                       \
		if (unlikely(!(condition))) {                                                      \
			log_error("shadow audit: %s (audit.c:%d)", #condition, __LINE__);          \
			return false;                                                              \
		}                                                                                  \
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
	return page_of(s, number >> 9)->sptes[number & 511];
}

static struct p2m_entry *entry_of(const struct shadow *s, u64 spte)
{
	gfn_t gfn = p2m_gfn_of(s->config.p2m, MFN((spte & PTE_FRAME) >> PAGE_SHIFT));

	return p2m_lookup(s->config.p2m, gfn);
}

/* I1: what an spte grants, p2m grants, of a frame that may be granted at all. I4: no protected
 * table is writable. */
static bool leaf_is_sound(const struct shadow *s, u64 spte)
{
	const struct p2m_entry *e = entry_of(s, spte);
	const struct frame *f = frame_of(MFN((spte & PTE_FRAME) >> PAGE_SHIFT));

	HOLDS(spte & PTE_P);
	HOLDS(e && f && f->refs);
	HOLDS(f->type == FRAME_GUEST || f->type == FRAME_PUBLISHED);
	HOLDS(e->word & P2M_R);
	HOLDS(!(spte & PTE_W) || e->word & P2M_W);
	HOLDS(spte & PTE_NX || e->word & P2M_X);
	HOLDS(!(spte & PTE_W) || !table_is_protected(s, e));
	HOLDS(!(spte & PTE_W) || !e->loose || spte & SPTE_LOOSE);
	return true;
}

/* I3: the link of an spte stands in the list of the spte's target. */
static bool link_is_sound(const struct shadow *s, const struct shadow_page *page, unsigned slot)
{
	u64 spte = page->sptes[slot];
	u32 number = spte_number(page, slot);
	const struct link *l = &page->links[slot];
	u32 head =
	    page->key.role.level == 1 ? entry_of(s, spte)->rmap : spte_child(s, spte)->parents;

	if (l->previous) {
		HOLDS(!((spte_at(s, l->previous) ^ spte) & PTE_FRAME));
		HOLDS(page_of(s, l->previous >> 9)->links[l->previous & 511].next == number);
	} else {
		HOLDS(head == number);
	}
	if (l->next) {
		HOLDS(!((spte_at(s, l->next) ^ spte) & PTE_FRAME));
		HOLDS(page_of(s, l->next >> 9)->links[l->next & 511].previous == number);
	}
	return true;
}

/* I2: between pages of one guest, downwards by one level, and U=0 where the top level forces it. */
static bool child_is_sound(const struct shadow *s, const struct shadow_page *page, unsigned slot)
{
	u64 spte = page->sptes[slot];
	const struct frame *f = frame_of(MFN((spte & PTE_FRAME) >> PAGE_SHIFT));
	const struct shadow_page *child;
	bool force = page->key.role.level == 4 && slot >= s->config.supervisor_from_slot;

	HOLDS(f && f->type == FRAME_SHADOW && f->owner == s->config.p2m->owner);
	child = spte_child(s, spte);
	HOLDS(child->mfn.v << PAGE_SHIFT == (spte & PTE_FRAME));
	HOLDS(child->key.role.level == page->key.role.level - 1);
	HOLDS(!force || !(spte & PTE_U));
	HOLDS(!force || !(child->key.role.access & ACCESS_U));
	HOLDS(is_in_use(s, child));
	return true;
}

/* I6: where the table is in sync, the guest's entry supports the spte. */
static bool agrees(const struct shadow *s, const struct shadow_page *page, unsigned slot)
{
	u64 gpte = 0;

	if (!page->key.role.split)
		HOLDS(gpte_read(s, page->key.gfn, slot, &gpte));
	HOLDS(spte_is_justified(s, page, slot, page->sptes[slot], gpte));
	return true;
}

static unsigned list_length(const struct shadow *s, u32 first)
{
	unsigned length = 0;

	for (; first; first = page_of(s, first >> 9)->links[first & 511].next)
		length++;
	return length;
}

static bool page_is_sound(const struct shadow *s, const struct shadow_page *page, bool in_sync)
{
	bool is_root = page->key.role.level == 4;
	unsigned present = 0;

	HOLDS(page->key.role.level >= 1 && page->key.role.level <= 4);
	HOLDS(!page->generation || page->generation <= s->generation);
	if (page_is_loose(page) || !page->tracked)
		in_sync = page->key.role.split;
	for (unsigned slot = 0; slot < SHADOW_SLOTS; slot++) {
		if (!page->sptes[slot] || (is_root && is_reserved_slot(s, slot)))
			continue;
		present++;
		HOLDS(page->key.role.level == 1 ? leaf_is_sound(s, page->sptes[slot])
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
		tracked += page->tracked;
		loose += page_is_loose(page);
		HOLDS(!page_is_loose(page) || (page->tracked && page->key.role.level == 1));
	}
	HOLDS(e->tables == tracked);
	HOLDS(e->loose == loose && loose <= 1);
	HOLDS(!loose || tracked == 1);
	if (e->rmap) {
		HOLDS(entry_of(s, spte_at(s, e->rmap)) == e);
		HOLDS(!page_of(s, e->rmap >> 9)->links[e->rmap & 511].previous);
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
