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

#define LOOSE_MAX     8	 /* tables out of sync at a time: each resync may scan them all */
#define LOOSE_AFTER   2	 /* stores in a row that make a leaf table loose */
#define LOOSE_IDLE    4	 /* resyncs without a store that protect it again */
#define FLOOD_AFTER   32 /* stores in a row that no table gets: its shadows go */
#define FLOOD_FORGETS 8	 /* other faults after which stores are no longer in a row */

/* ---- one entry ---- */

/* An entry that the guest has just written is about to be used: set the spte before it faults. */
static void prefault(struct shadow *s, struct shadow_page *page, unsigned slot, u64 gpte)
{
	struct p2m_entry *target;
	u64 spte;

	if ((gpte & (PTE_P | PTE_A)) != (PTE_P | PTE_A) || !page_is_live(s, page))
		return;
	if (gpte_is_reserved(s, role_mode(page->key.role), 1, gpte))
		return;
	target = p2m_lookup(s->config.p2m, leaf_gfn(page, slot, gpte));
	spte = target ? leaf_spte(s, page, gpte, target, false) : 0;
	if (spte)
		spte_set_leaf(s, page, slot, spte, leaf_gfn(page, slot, gpte), target);
}

static void entry_changed(struct shadow *s, struct shadow_page *page, unsigned slot, u64 gpte)
{
	u64 spte = page->sptes[slot];

	if (role_level(page->key.role) == 4 && is_reserved_slot(s, slot))
		return;
	if (spte && spte_is_justified(s, page, slot, spte, gpte))
		return;
	if (spte)
		spte_withdraw(s, page, slot);
	if (role_level(page->key.role) == 1)
		prefault(s, page, slot, gpte);
}

static void entries_changed(struct shadow *s, gfn_t gfn, unsigned first, unsigned last)
{
	struct shadow_page *page = NULL;

	while ((page = page_next_table(s, gfn, page))) {
		if (page_is_loose(page))
			page->written = true;
		for (unsigned slot = first; slot <= last; slot++) {
			u64 gpte;

			if (gpte_read(s, gfn, slot, &gpte))
				entry_changed(s, page, slot, gpte);
		}
	}
}

void sync_written(struct p2m_watcher *w, gpa_t at, size_t size)
{
	struct shadow *s = container_of(w, struct shadow, watcher);
	unsigned first = (at.v & ~PAGE_MASK) / 8, last = ((at.v & ~PAGE_MASK) + size - 1) / 8;

	call_begin(s);
	entries_changed(s, gpa_to_gfn(at), first, last);
	call_end(s);
}

void shadow_notify(struct shadow *s, gpa_t entry)
{
	const struct p2m_entry *e = p2m_lookup(s->config.p2m, gpa_to_gfn(entry));
	unsigned slot = (entry.v & ~PAGE_MASK) / 8;

	if (!e || !e->tables)
		return;
	call_begin(s);
	s->stats.notified++;
	entries_changed(s, gpa_to_gfn(entry), slot, slot);
	call_end(s);
}

/* ---- tables that end ---- */

/* Free what shadows this table. A root that a vCPU runs on is emptied, and left at its next entry.
 */
static void unshadow(struct shadow *s, gfn_t gfn, bool only_dead)
{
	struct shadow_page *page = page_next_table(s, gfn, NULL), *next;

	for (; page; page = next) {
		bool dead =
		    !page_is_live(s, page) || (role_level(page->key.role) < 4 && !page->parents);

		next = page_next_table(s, gfn, page);
		if (dead || !only_dead)
			page_free(s, page);
	}
}

void shadow_forget_table(struct shadow *s, gfn_t table)
{
	call_begin(s);
	unshadow(s, table, false);
	call_end(s);
}

int sync_revoke(struct p2m_watcher *w, gfn_t gfn, unsigned rights)
{
	struct shadow *s = container_of(w, struct shadow, watcher);
	struct p2m_entry *e = p2m_lookup(s->config.p2m, gfn);
	int error;

	call_begin(s);
	if (!(rights & P2M_R) && e->tables)
		unshadow(s, gfn, false);
	error = rmap_restrict(s, e, rights);
	call_end(s);
	return error;
}

/* ---- loose tables ---- */

static void loosen(struct shadow *s, struct shadow_page *page, struct p2m_entry *e)
{
	if (s->loose_count == LOOSE_MAX)
		loose_tighten(s, list_entry(s->loose.next, struct shadow_page, loose));
	list_add_tail(&s->loose, &page->loose);
	s->loose_count++;
	s->stats.out_of_sync++;
	page->floods = page->idle = 0;
	page->written = false; /* the D of whatever maps it writable will say */
	e->loose = 1;
}

static void scan(struct shadow *s, struct shadow_page *page)
{
	unsigned left = page->present;

	s->stats.resynced++;
	page->written = false;
	for (unsigned slot = 0; left; slot++) {
		u64 spte = page->sptes[slot], gpte;

		if (!spte)
			continue;
		left--;
		if (!gpte_read(s, page->key.gfn, slot, &gpte) ||
		    !spte_is_justified(s, page, slot, spte, gpte))
			spte_withdraw(s, page, slot);
	}
}

void loose_tighten(struct shadow *s, struct shadow_page *page)
{
	struct p2m_entry *e = p2m_lookup(s->config.p2m, page->key.gfn);

	while (rmap_restrict(s, e, P2M_R | P2M_X))
		call_begin(s);
	e->loose = 0;
	list_remove(&page->loose);
	s->loose_count--;
	if (s->stale)
		stale_flush(s); /* no store comes after the scan */
	if (page->written)
		scan(s, page);
}

/* Each loose table becomes as true as the guest's, and is protected again when it has been quiet.
 */
void loose_resync(struct shadow *s)
{
	struct list *next;

	for (struct list *l = s->loose.next; l != &s->loose; l = next) {
		struct shadow_page *page = list_entry(l, struct shadow_page, loose);
		struct p2m_entry *e = p2m_lookup(s->config.p2m, page->key.gfn);

		next = l->next;
		if (rmap_take_dirty(s, e))
			page->written = true;
		if (page->written) {
			if (s->stale)
				stale_flush(s); /* D is set anew by the next store */
			page->idle = 0;
			scan(s, page);
		} else if (++page->idle >= LOOSE_IDLE) {
			loose_tighten(s, page);
		}
	}
}

void loose_resync_slot(struct shadow *s, struct shadow_page *page, unsigned slot)
{
	u64 gpte;

	if (!gpte_read(s, page->key.gfn, slot, &gpte) ||
	    !spte_is_justified(s, page, slot, page->sptes[slot], gpte))
		spte_withdraw(s, page, slot);
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
	struct shadow_page *page = NULL;

	unshadow(s, gfn, true);
	if (!table_is_protected(s, e))
		return true;
	do
		page = page_next_table(s, gfn, page);
	while (!page->tracked);
	if (e->tables == 1 && role_level(page->key.role) == 1) {
		if (!in_a_row(s, page, LOOSE_AFTER))
			return false;
		loosen(s, page, e);
		return true;
	}
	if (!in_a_row(s, page, FLOOD_AFTER) || page->pins)
		return false;
	unshadow(s, gfn, false);
	return !table_is_protected(s, e);
}
