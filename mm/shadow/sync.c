// SPDX-License-Identifier: MIT
/*
 * sync.c - shadows follow tables that have changed. Changes are heard of in three ways: the monitor
 * stored into a table (sync_written, called through p2m), the guest says so (shadow_notify), or the
 * guest stored into a leaf table that was left writable, "loose", and loose_resync() compares.
 *
 * A store of the guest to a protected table is emulated, unless it shows that the frame is no table
 * any more (then its shadows go), or is one of many to a leaf table (then it becomes loose).
 */
#include "lib/errno.h"
#include "mm/shadow/private.h"

#define LOOSE_AFTER   2	 /* stores in a row that make a leaf table loose */
#define FLOOD_AFTER   32 /* stores in a row that no table gets: its shadows go */
#define FLOOD_FORGETS 8	 /* other faults after which stores are no longer in a row */

/* ---- one entry ---- */

static void entry_changed(struct shadow *s, struct shadow_page *page, unsigned slot)
{
	u64 spte = page->sptes[slot];

	if (role_level(page->key.role) == 1) {
		leaf_changed(s, page, slot);
		return;
	}
	if (!spte || (role_level(page->key.role) == 4 && is_reserved_slot(s, slot)))
		return;
	if (!spte_is_justified(s, page, slot, spte, READ_ONCE(page->table[slot])))
		spte_withdraw(s, page, slot);
}

static void entries_changed(struct shadow *s, gfn_t gfn, unsigned first, unsigned last)
{
	struct shadow_page *page = NULL;

	while ((page = page_next_table(s, gfn, page))) {
		for (unsigned slot = first; page->table && slot <= last; slot++)
			entry_changed(s, page, slot);
	}
}

/* Stores that are not of one entry, or not to the lone shadow of a leaf table. */
static __noinline void written(struct shadow *s, gpa_t at, size_t size)
{
	u64 offset = at.v & ~PAGE_MASK;

	entries_changed(s, gpa_to_gfn(at), offset / sizeof(u64), (offset + size - 1) / sizeof(u64));
}

int sync_written(struct p2m_watcher *w, const struct p2m_entry *e, gpa_t at, size_t size)
{
	struct shadow *s = container_of(w, struct shadow, watcher);
	struct shadow_page *page = page_lone_leaf(s, e, gpa_to_gfn(at));

	call_begin(s);
	if (likely(page && size == sizeof(u64) && !(at.v & 7)))
		leaf_changed(s, page, at.v / sizeof(u64) & (SHADOW_SLOTS - 1));
	else
		written(s, at, size);
	call_end(s);
	return 0;
}

/* Entries come by tables: what one has found of its table serves the next. */
unsigned shadow_notify(struct shadow *s, const u64 *at, unsigned stride, unsigned count)
{
	unsigned done, nowhere = 0;

	call_begin(s);
	s->stats.notified += count;
	for (; count; count -= done, at += done * stride) {
		gpa_t entry = GPA(READ_ONCE(*at));
		gfn_t gfn = gpa_to_gfn(entry);
		const struct p2m_entry *e = p2m_lookup_inline(s->config.p2m, gfn);
		struct shadow_page *page = e ? page_lone_leaf(s, e, gfn) : NULL;
		unsigned slot = entry.v / 8 & (SHADOW_SLOTS - 1);

		done = 1;
		if (page)
			done = leaves_changed(s, page, at, stride, count) / stride;
		else if (e)
			entries_changed(s, gfn, slot, slot);
		else
			nowhere++;
	}
	call_end(s);
	return nowhere;
}

/* ---- tables that end ---- */

/* Free what shadows this table. A root that a vCPU runs on is emptied, and left at its next entry.
 * Returns the first that stays and wants to hear of stores. */
static struct shadow_page *unshadow(struct shadow *s, gfn_t gfn, bool only_dead)
{
	struct shadow_page *page = page_next_table(s, gfn, NULL), *next, *kept = NULL;

	for (; page; page = next) {
		bool dead =
		    !page_is_live(s, page) || (role_level(page->key.role) < 4 && !page->parents);

		next = page_next_table(s, gfn, page);
		if (dead || !only_dead)
			page_free(s, page);
		else if (page->table && !kept)
			kept = page;
	}
	return kept;
}

/* Tables that only this one led to end with it, in the guest's user half at least: free them as far
 * as this call's share of work goes. The others give way at their first store. */
static void free_below(struct shadow *s, struct shadow_page *page)
{
	unsigned level = role_level(page->key.role);
	u64 groups = page->groups;

	if (level == 4 && s->config.supervisor_from_slot < SHADOW_SLOTS)
		groups &= (1ul << s->config.supervisor_from_slot / 8) - 1;
	for (; level > 1 && groups; groups &= groups - 1) {
		unsigned slot = __builtin_ctzl(groups) * 8, end = slot + 8;

		for (; slot < end && s->budget; slot++) {
			u64 spte = page->sptes[slot];
			struct shadow_page *child;

			if (!page->links[slot] || spte_is_leaf(page, spte))
				continue;
			child = spte_child(s, spte);
			spte_withdraw(s, page, slot);
			if (child->parents || child->pins)
				continue;
			free_below(s, child);
			page_free(s, child);
		}
	}
}

void shadow_forget_table(struct shadow *s, gfn_t table)
{
	struct shadow_page *page = NULL;

	call_begin(s);
	while ((page = page_next_table(s, table, page)))
		free_below(s, page);
	unshadow(s, table, false);
	call_end(s);
}

int sync_revoke(struct p2m_watcher *w, gfn_t gfn, unsigned rights)
{
	struct shadow *s = container_of(w, struct shadow, watcher);
	struct p2m_entry *e = p2m_lookup_inline(s->config.p2m, gfn);
	int error;

	call_begin(s);
	if (!(rights & P2M_R) && e->tables)
		unshadow(s, gfn, false);
	error = rmap_restrict(s, gfn, rights);
	call_end(s);
	return error;
}

/* ---- a store to a protected table ---- */

static bool in_a_row(struct shadow *s, struct shadow_page *page, unsigned limit)
{
	if (s->clock - page->wrote > FLOOD_FORGETS)
		page->floods = 0;
	page->wrote = s->clock;
	return ++page->floods >= limit;
}

bool table_allow_write(struct shadow *s, struct p2m_entry *e, gfn_t gfn)
{
	struct shadow_page *page = page_lone_leaf(s, e, gfn);

	if (unlikely(!page || !page_is_live(s, page) || !page->parents)) {
		page = unshadow(s, gfn, true);
		if (!table_is_protected(s, e))
			return true;
	}
	if (e->tables == 1 && role_level(page->key.role) == 1 &&
	    !(s->config.without & SHADOW_LOOSE)) {
		if (!in_a_row(s, page, e->word & P2M_TABLE ? 1 : LOOSE_AFTER))
			return false;
		return loose_begin(s, page, e);
	}
	if (!in_a_row(s, page, FLOOD_AFTER) || page->pins)
		return false;
	unshadow(s, gfn, false);
	return !table_is_protected(s, e);
}
