// SPDX-License-Identifier: MIT
/*
 * loose.c - leaf tables that are left writable while their sptes stand: out of sync, as a TLB is
 * with tables that were written since. A copy of each table keeps the entries that the sptes were
 * made from; INVLPG, flush and CR3 load look again where entry and copy differ. Whether the table
 * was written at all, the D bit of whatever maps it writable tells, so those sptes begin with D
 * clear.
 *
 * A loose table has one shadow only. When it is to have another, when it is quiet, or when there
 * are too many, it is protected again.
 */
#include "lib/string.h"
#include "mm/shadow/private.h"

#define SCAN_BATCH 64 /* entries that are followed together */
#define IDLE_MAX   4  /* resyncs without a store after which a table is protected again */

/* A place to remember a table in, or NULL. */
static struct shadow_loose *find_place(struct shadow *s)
{
	struct shadow_loose *place = s->loose;

	if (s->loose_count == SHADOW_LOOSE_MAX)
		loose_tighten(s, s->loose[s->clock % SHADOW_LOOSE_MAX].page);
	while (place->page)
		place++;
	if (place->entries)
		return place;
	if (s->frames == s->config.limit)
		return NULL;
	place->mfn = frame_alloc(FRAME_SHADOW, s->config.p2m->owner);
	if (mfn_is_none(place->mfn))
		return NULL;
	place->entries = machine_map(place->mfn);
	s->frames++;
	return place;
}

bool loose_begin(struct shadow *s, struct shadow_page *page, struct p2m_entry *e)
{
	struct shadow_loose *place = find_place(s);

	if (!place)
		return false;
	memcpy(place->entries, page->table, PAGE_SIZE);
	place->page = page;
	page->loose = place - s->loose + 1;
	page->floods = page->idle = 0;
	page->written = false;
	e->loose = 1;
	s->loose_count++;
	s->stats.out_of_sync++;
	return true;
}

void loose_forget(struct shadow *s, struct shadow_page *page, struct p2m_entry *e)
{
	s->loose[page->loose - 1].page = NULL;
	s->loose_count--;
	page->loose = 0;
	e->loose = 0;
}

/* The first slot from this one on where entry and copy differ, or SHADOW_SLOTS. */
static unsigned next_difference(const u64 *table, const u64 *known, unsigned slot)
{
	const u64 *at = table + slot;
	u64 left = SHADOW_SLOTS - slot;
	bool differs;

	known += slot;
	if (!left)
		return SHADOW_SLOTS;
	__asm__ volatile("repe cmpsq"
			 : "+S"(at), "+D"(known), "+c"(left), "=@ccne"(differs)
			 :
			 : "memory");
	return differs ? at - table - 1 : SHADOW_SLOTS;
}

static void scan(struct shadow *s, struct shadow_page *page)
{
	const u64 *table = page->table, *known = s->loose[page->loose - 1].entries;
	u64 changed[SCAN_BATCH] __uninitialized;
	unsigned slot = 0, count = 0;

	s->stats.resynced++;
	page->written = false;
	while ((slot = next_difference(table, known, slot)) < SHADOW_SLOTS) {
		do { /* what has changed has neighbours that have */
			changed[count++] = gfn_to_gpa(page->key.gfn).v + slot * sizeof(u64);
			if (count == ARRAY_SIZE(changed)) {
				leaves_changed(s, page, changed, 1, count);
				count = 0;
			}
		} while (++slot < SHADOW_SLOTS && READ_ONCE(table[slot]) != known[slot]);
	}
	if (count)
		leaves_changed(s, page, changed, 1, count);
}

void loose_tighten(struct shadow *s, struct shadow_page *page)
{
	struct p2m_entry *e = p2m_lookup(s->config.p2m, page->key.gfn);

	while (rmap_restrict(s, page->key.gfn, P2M_R | P2M_X))
		call_begin(s);
	if (s->stale)
		stale_flush(s); /* no store comes after the scan */
	e->loose = 0; /* nor by an entry that leads to the table itself, and is found by it */
	if (page->written)
		scan(s, page);
	loose_forget(s, page, e);
}

/* Every loose table becomes as true as the guest's. */
void loose_resync(struct shadow *s)
{
	for (unsigned i = 0, left = s->loose_count; left; i++) {
		struct shadow_page *page = s->loose[i].page;

		if (!page)
			continue;
		left--;
		if (rmap_take_dirty(s, p2m_lookup(s->config.p2m, page->key.gfn)))
			page->written = true;
		if (page->written) {
			if (s->stale)
				stale_flush(s); /* the next store sets D anew */
			page->idle = 0;
			scan(s, page);
		} else if (++page->idle == IDLE_MAX) {
			loose_tighten(s, page);
		}
	}
}

void loose_resync_slot(struct shadow *s, struct shadow_page *page, unsigned slot)
{
	leaf_changed(s, page, slot);
}

void loose_release(struct shadow *s)
{
	for (unsigned i = 0; i < SHADOW_LOOSE_MAX && s->loose[i].entries; i++) {
		frame_put(s->loose[i].mfn);
		s->loose[i].entries = NULL;
		s->frames--;
	}
}
