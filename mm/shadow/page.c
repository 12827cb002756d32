// SPDX-License-Identifier: MIT
/*
 * page.c - the pool of shadow pages: named by (gfn, role) in a hash, in the order of their use in a
 * list, never more frames than the guest's limit. When there is no room the oldest page gives way;
 * a fault needs at most 25 pages (an instruction with 8 distinct operand pages, 3 tables each, and
 * the root) and the minimum holds 30, so what a fault has just filled is still there when the next
 * one comes.
 *
 * Parts: (i) finding, (ii) ending, (iii) making, (iv) the pool itself.
 */
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/shadow/private.h"

#define BUCKETS_PER_FRAME_BITS 10
#define RECLAIM_LOOK	       64 /* pages, of which the longest unused gives way */

/* ---- (i) finding ---- */

static u32 *bucket_of(const struct shadow *s, gfn_t gfn)
{
	u64 hash = gfn.v * 0x9e3779b97f4a7c15ul >> (64 - s->bucket_bits);

	return &s->buckets[hash >> BUCKETS_PER_FRAME_BITS]
			  [hash & ((1u << BUCKETS_PER_FRAME_BITS) - 1)];
}

static struct shadow_page *find(const struct shadow *s, struct page_key key)
{
	struct shadow_page *page;

	for (u32 n = *bucket_of(s, key.gfn); n; n = page->next) {
		page = page_of(s, n);
		if (key_equal(page->key, key) && page_is_live(s, page))
			return page;
	}
	return NULL;
}

struct shadow_page *page_next_table(const struct shadow *s, gfn_t gfn, struct shadow_page *after)
{
	u32 n = after ? after->next : *bucket_of(s, gfn);

	for (; n; n = page_of(s, n)->next) {
		struct shadow_page *page = page_of(s, n);

		if (gfn_equal(page->key.gfn, gfn) && !(page->key.role & ROLE_SPLIT))
			return page;
	}
	return NULL;
}

struct shadow_page *page_find_leaf(struct shadow *s, gfn_t gfn)
{
	struct shadow_page *page = NULL;

	while ((page = page_next_table(s, gfn, page)) && !page->table)
		;
	if (!page || role_level(page->key.role) != 1)
		return NULL;
	*recent_of(s, gfn) = page;
	return page;
}

/* ---- (ii) ending ---- */

void page_drop(struct shadow *s, struct shadow_page *page)
{
	page->generation = 0;
	s->stats.dropped++;
	list_remove(&page->use);
	list_add_tail(s->used.next, &page->use); /* before the first: it gives way next */
}

static void untrack(struct shadow *s, struct shadow_page *page)
{
	struct p2m_entry *e;

	if (!page->table)
		return;
	e = p2m_lookup_inline(s->config.p2m, page->key.gfn);
	BUG_ON(!e || !e->tables);
	if (page_is_loose(page))
		loose_forget(s, page, e);
	e->tables--;
	page->table = NULL;
}

static void unhash(struct shadow *s, struct shadow_page *page)
{
	u32 *at = bucket_of(s, page->key.gfn);

	while (*at != page->number)
		at = &page_of(s, *at)->next;
	*at = page->next;
}

static void withdraw_all(struct shadow *s, struct shadow_page *page)
{
	for (u64 groups = page->groups; groups; groups &= groups - 1) {
		unsigned slot = __builtin_ctzl(groups) * 8, end = slot + 8;

		for (; slot < end; slot++) {
			if (!page->sptes[slot])
				continue;
			if (page->links[slot])
				spte_withdraw(s, page, slot);
			else if (!page->pins) /* a CPU on it needs the switcher to leave */
				page->sptes[slot] = 0;
		}
	}
}

void page_free(struct shadow *s, struct shadow_page *page)
{
	page->generation = 0;
	withdraw_all(s, page);
	while (page->parents)
		spte_withdraw(s, page_of_spte(s, page->parents), slot_of_spte(page->parents));
	untrack(s, page);
	s->stale = true;
	if (page->pins)
		return; /* a vCPU lets go of it at its next shadow_root() */
	unhash(s, page);
	list_remove(&page->use);
	page->next = s->free;
	s->free = page->number;
}

/* ---- (iii) making ---- */

/* A fault stamps the pages that it fills, not what leads there: that is in use as long as they. */
static void stamp_parents(const struct shadow *s, const struct shadow_page *page)
{
	while (page->parents) {
		struct shadow_page *parent = page_of_spte(s, page->parents);

		if (parent->used >= page->used)
			break;
		parent->used = page->used;
		page = parent;
	}
}

/* The page longest unused among the first few; those looked at move to the end. NULL: all are
 * pinned. */
static __noinline struct shadow_page *choose_victim(struct shadow *s)
{
	struct shadow_page *victim = NULL;

	for (unsigned i = 0; i < RECLAIM_LOOK; i++) {
		struct shadow_page *page = list_entry(s->used.next, struct shadow_page, use);

		if (list_is_empty(&s->used) || page == victim)
			break; /* seen all */
		list_remove(&page->use);
		list_add_tail(&s->used, &page->use);
		stamp_parents(s, page);
		if (page->pins)
			continue;
		if (!page_is_live(s, page))
			return page;
		if (!victim || page->used < victim->used)
			victim = page;
	}
	return victim && victim->used < s->clock ? victim : NULL;
}

/* A frame of rows. */
static __cold int rows_add(struct shadow *s)
{
	mfn_t mfn = frame_alloc(FRAME_SHADOW, s->config.p2m->owner);

	if (mfn_is_none(mfn))
		return -ENOMEM;
	for (unsigned i = 0; i < PAGES_PER_FRAME; i += PAGES_PER_ROW)
		s->pages[(s->page_count + i) / PAGES_PER_ROW] =
		    (struct shadow_page *)machine_map(mfn) + i;
	frame_of(mfn)->link = s->rows.v;
	s->rows = mfn;
	s->frames++;
	return 0;
}

/* One more page in the pool, if limit and machine allow. */
static int page_add(struct shadow *s)
{
	unsigned rows = s->page_count % PAGES_PER_FRAME ? 0 : 1;
	struct shadow_page *page;
	mfn_t sptes, links;

	if (s->frames + rows + 2 > s->config.limit || s->page_count == PAGES_MAX)
		return -ENOSPC;
	sptes = frame_alloc(FRAME_SHADOW, s->config.p2m->owner);
	links = frame_alloc(FRAME_SHADOW, s->config.p2m->owner);
	if (mfn_is_none(sptes) || mfn_is_none(links) || (rows && rows_add(s))) {
		if (!mfn_is_none(sptes))
			frame_put(sptes);
		if (!mfn_is_none(links))
			frame_put(links);
		return -ENOMEM;
	}
	page = page_of(s, s->page_count);
	*page = (struct shadow_page){
	    .sptes = machine_map(sptes),
	    .links = machine_map(links),
	    .mfn = sptes,
	    .links_mfn = links,
	    .number = s->page_count++,
	    .next = s->free,
	};
	s->frames += 2;
	s->free = page->number;
	return 0;
}

static struct shadow_page *take_free(struct shadow *s)
{
	struct shadow_page *page;

	if (!s->free && page_add(s)) {
		page = choose_victim(s);
		if (!page)
			return NULL;
		page_free(s, page);
		s->stats.reclaimed++;
	}
	if (s->stale)
		stale_flush(s); /* no CPU walks the page any more */
	page = page_of(s, s->free);
	s->free = page->next;
	return page;
}

__noinline int page_track(struct shadow *s, struct shadow_page *page)
{
	struct p2m_entry *e = p2m_lookup_inline(s->config.p2m, page->key.gfn);
	struct shadow_page *other;

	if (!e || (e->word & (P2M_R | P2M_PUBLISHED)) != P2M_R)
		return 0; /* a CR3 that leads nowhere: nothing to protect yet */
	if (e->loose)
		for (other = NULL; (other = page_next_table(s, page->key.gfn, other));)
			if (page_is_loose(other))
				loose_tighten(s, other);
	if (s->config.policy == SHADOW_TRAPPED && !table_is_protected(s, e) &&
	    rmap_restrict(s, page->key.gfn, P2M_R | P2M_X))
		return -EAGAIN;
	e->tables++;
	page->table = gpte_of(e, 0);
	return 0;
}

/* Under SHADOW_NOTIFIED a table may be changed in silence while no root leads to it. */
static bool is_reached(const struct shadow *s, const struct shadow_page *page)
{
	if (!page_is_live(s, page))
		return false;
	if (role_level(page->key.role) == 4)
		return true;
	return page->parents && is_reached(s, page_of_spte(s, page->parents));
}

/* A page is about to be reached by a new way, and a CPU has nothing stale of that. */
static void settle_known(struct shadow *s, struct shadow_page *page)
{
	if (page_is_loose(page))
		loose_tighten(s, page);
	else if (s->config.policy == SHADOW_FORGETFUL)
		withdraw_all(s, page);
}

struct shadow_page *page_get(struct shadow *s, struct page_key key)
{
	struct shadow_page *page = find(s, key);

	if (page && s->config.policy == SHADOW_NOTIFIED && !is_reached(s, page)) {
		page_drop(s, page);
		page = NULL;
	}
	if (page) {
		settle_known(s, page);
		return page;
	}
	page = take_free(s);
	if (!page)
		return NULL;
	page->key = key;
	page->generation = s->generation;
	page->used = s->clock;
	page->parents = page->parent_count = page->present = page->pins = 0;
	page->floods = page->idle = page->loose = 0;
	page->groups = 0;
	page->written = false;
	page->table = NULL;
	page->next = *bucket_of(s, key.gfn);
	*bucket_of(s, key.gfn) = page->number;
	list_add_tail(&s->used, &page->use);
	if (!(key.role & ROLE_SPLIT) && page_track(s, page)) {
		page_free(s, page);
		return NULL;
	}
	return page;
}

/* ---- (iv) the pool ---- */

/* Its frames hold a pointer for each row that the limit allows. */
static unsigned directory_order(const struct shadow *s)
{
	u32 bytes = s->config.limit / 2 / PAGES_PER_ROW * sizeof(*s->pages);
	unsigned order = 0;

	while (PAGE_SIZE << order < bytes)
		order++;
	return order;
}

__cold int page_pool_init(struct shadow *s)
{
	u16 owner = s->config.p2m->owner;
	unsigned hash_frames = 1;
	mfn_t mfn = frame_alloc_run(directory_order(s), FRAME_SHADOW, owner);

	list_init(&s->used);
	s->rows = MFN_NONE;
	if (mfn_is_none(mfn))
		return -ENOMEM;
	s->pages = machine_map(mfn);
	s->directory = mfn;
	s->frames = 1u << directory_order(s);
	while (hash_frames < SHADOW_HASH_FRAMES && hash_frames * 2048 < s->config.limit)
		hash_frames *= 2;
	s->bucket_bits = BUCKETS_PER_FRAME_BITS + __builtin_ctz(hash_frames);
	for (unsigned i = 0; i < hash_frames; i++) {
		mfn = frame_alloc(FRAME_SHADOW, owner);
		if (mfn_is_none(mfn))
			return -ENOMEM;
		s->buckets[i] = machine_map(mfn);
		s->bucket_mfns[i] = mfn;
		s->frames++;
	}
	if (rows_add(s))
		return -ENOMEM;
	s->page_count = 1; /* number 0 means none */
	for (unsigned i = 0; i < ARRAY_SIZE(s->recent); i++)
		s->recent[i] = page_of(s, 0);
	while (s->frames + 2 <= SHADOW_FRAMES_MIN)
		if (page_add(s))
			return -ENOMEM;
	return 0;
}

static void page_release(struct shadow *s, struct shadow_page *page)
{
	frame_put(page->mfn);
	frame_put(page->links_mfn);
	s->frames -= 2;
}

__cold int page_pool_destroy(struct shadow *s)
{
	loose_release(s);
	for (unsigned piece = 0; s->page_count > 1; piece++) {
		if (piece == 32)
			return -EAGAIN;
		page_release(s, page_of(s, --s->page_count));
	}
	while (!mfn_is_none(s->rows)) {
		mfn_t mfn = s->rows;

		s->rows = MFN(frame_of(mfn)->link);
		frame_put(mfn);
		s->frames--;
	}
	for (unsigned i = 0; i < SHADOW_HASH_FRAMES && s->buckets[i]; i++) {
		frame_put(s->bucket_mfns[i]);
		s->buckets[i] = NULL;
		s->frames--;
	}
	for (u64 i = 0; s->pages && i < 1ul << directory_order(s); i++) {
		frame_put(MFN(s->directory.v + i));
		s->frames--;
	}
	s->pages = NULL;
	return 0;
}
