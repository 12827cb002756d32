/* SPDX-License-Identifier: MIT */
/*
 * private.h - what the files of mm/shadow share. A shadow page is one frame of entries (sptes) for
 * the CPU and one frame of links, one per spte. By its link an spte stands in the list of all sptes
 * that have the same target: the translations of a gfn (the head is in its p2m entry) or the
 * parents of a shadow page (the head is in the page). Both lists are doubly linked, so an spte
 * leaves its list at once.
 *
 * - page.c: pages are found, made, dropped, reclaimed
 * - rmap.c: sptes are set and withdrawn, with their links
 * - walk.c: the guest's tables
 * - spte.c: what an spte may grant
 * - fault.c: one fault
 * - sync.c: tables that have changed; loose.c: leaf tables that the guest writes unseen
 * - root.c: vCPUs and their roots
 * - reach.c: accesses of the monitor by the sptes
 * - audit.c: the invariants
 * - shadow.c: begin and end
 */
#ifndef MM_SHADOW_PRIVATE_H
#define MM_SHADOW_PRIVATE_H

#include "lib/bug.h"
#include "mm/pte.h"
#include "mm/machine.h"
#include "mm/shadow/shadow.h"

/* #PF error code (SDM volume 3, 4.7). */
#define PF_P	1u
#define PF_W	2u
#define PF_U	4u
#define PF_RSVD 8u
#define PF_I	16u

/* ---- roles: what, beside the gfn, makes two shadows of a table different ---- */

#define ACCESS_W   1u
#define ACCESS_U   2u
#define ACCESS_X   4u
#define ACCESS_ALL 7u

#define MODE_WP	  1u
#define MODE_NXE  2u
#define MODE_SMEP 4u
#define MODE_SMAP SHADOW_MODE_SMAP

#define ROLE_LEVEL	  7u	     /* 4: root */
#define ROLE_ACCESS_SHIFT 3	     /* ACCESS_*: what the levels above grant */
#define ROLE_MODE_SHIFT	  6	     /* MODE_* */
#define ROLE_SPLIT	  (1u << 10) /* part of a large page of the guest: the gfn is no table */
#define ROLE_DIRTY	  (1u << 11) /* split: the large entry has D */
#define ROLE_VCPU_SHIFT	  16	     /* roots: whose */
#define ROLE_VCPU	  (0xffffu << ROLE_VCPU_SHIFT)

static inline unsigned role_level(u32 role)
{
	return role & ROLE_LEVEL;
}

static inline unsigned role_access(u32 role)
{
	return role >> ROLE_ACCESS_SHIFT & ACCESS_ALL;
}

static inline unsigned role_mode(u32 role)
{
	return role >> ROLE_MODE_SHIFT & 15;
}

/* The name of a shadow page. */
struct page_key {
	gfn_t gfn;
	u32 role;
};

static inline bool key_equal(struct page_key a, struct page_key b)
{
	return gfn_equal(a.gfn, b.gfn) && a.role == b.role;
}

/* ---- pages ---- */

/*
 * A link: the next spte's number above, and below either the previous one's, or (LINK_HEAD: there
 * is none) whose list it is: a gfn, or the number of a shadow page.
 */
#define LINK_NEXT_SHIFT 41
#define LINK_HEAD	(1ul << 40)
#define LINK_LOW	((1ul << LINK_NEXT_SHIFT) - 1)
#define LINK_VALUE	(LINK_HEAD - 1)

struct shadow_page {
	u64 *sptes;	     /* (c) the CPU sets A and D in them */
	u64 *links;	     /* (s) 0: no spte, or one of a reserved slot */
	u64 *table;	     /* (s) the guest's, counted in its p2m entry; NULL: split, or no RAM */
	mfn_t mfn;	     /* (c) of sptes */
	mfn_t links_mfn;     /* (c) */
	struct page_key key; /* (s) */
	u64 generation;	     /* (s) != shadow->generation: dropped */
	u64 used;	     /* (s) shadow->clock when a fault last came through */
	struct list use;     /* (s) in shadow->used */
	u64 wrote;	     /* (s) shadow->clock at the last emulated write */
	u64 groups;	     /* (s) bit i: of sptes 8i to 8i+7 some may be set */
	u32 number;	     /* (c) */
	u32 next;	     /* (s) in the hash bucket or the free list */
	u32 parents;	     /* (s) first spte that points here */
	u16 parent_count;    /* (s) */
	u16 present;	     /* (s) sptes != 0, without those of reserved slots */
	u16 pins;	     /* (s) vCPUs that have it as their root */
	u8 floods;	     /* (s) writes emulated in a row */
	u8 idle;	     /* (s) loose: resyncs in a row that found nothing written */
	u8 loose;	     /* (s) its place in shadow->loose + 1, or 0 */
	bool written;	     /* (s) loose: to be scanned at the next resync */
} __aligned(128);

#define LARGE_GFNS 512ul /* in a page of 2 MiB */

#define PAGES_PER_ROW	8u
#define PAGES_PER_FRAME 32u
#define PAGES_MAX	(SHADOW_FRAMES_MAX / 2)
#define PARENTS_MAX   1024 /* links beyond it push out older ones: no page takes long to free */
#define CALL_BUDGET   1536 /* entries that one call withdraws before it answers "again" */

_Static_assert(sizeof(struct shadow_page) * PAGES_PER_FRAME == PAGE_SIZE, "they fill a frame");
_Static_assert(PAGES_MAX *SHADOW_SLOTS <= 1ul << (64 - LINK_NEXT_SHIFT), "numbers fit in links");
_Static_assert(P2M_GFN_LIMIT <= LINK_HEAD, "gfns fit in links");

static inline struct shadow_page *page_of(const struct shadow *s, u32 number)
{
	return s->pages[number / PAGES_PER_ROW] + number % PAGES_PER_ROW;
}

static inline u32 spte_number(const struct shadow_page *page, unsigned slot)
{
	return page->number << 9 | slot;
}

static inline struct shadow_page *page_of_spte(const struct shadow *s, u32 number)
{
	return page_of(s, number >> 9);
}

static inline unsigned slot_of_spte(u32 number)
{
	return number & (SHADOW_SLOTS - 1);
}

/* An spte between pages carries its child's number in the 14 bits that the CPU ignores there: the
 * row in 52 to 62, the place in the row in 9 to 11. */
static inline u64 spte_to(const struct shadow_page *child)
{
	return mfn_to_maddr(child->mfn).v | (u64)(child->number % PAGES_PER_ROW) << 9 |
	       (u64)(child->number / PAGES_PER_ROW) << 52;
}

static inline struct shadow_page *spte_child(const struct shadow *s, u64 spte)
{
	return s->pages[spte >> 52] + (spte >> 9 & (PAGES_PER_ROW - 1));
}

_Static_assert(PAGES_PER_ROW == 8 && PAGES_MAX / PAGES_PER_ROW <= 1 << 11, "a number fits");

static inline void page_note_slot(struct shadow_page *page, unsigned slot)
{
	page->groups |= 1ul << slot / 8;
}

/* Otherwise it leads to a shadow page. */
static inline bool spte_is_leaf(const struct shadow_page *page, u64 spte)
{
	return spte & PTE_PS || role_level(page->key.role) == 1;
}

static inline bool page_is_live(const struct shadow *s, const struct shadow_page *page)
{
	return page->generation == s->generation;
}

static inline bool page_is_loose(const struct shadow_page *page)
{
	return page->loose;
}

static inline bool is_reserved_slot(const struct shadow *s, unsigned slot)
{
	return slot >= s->config.reserved_first && slot <= s->config.reserved_last;
}

/* page.c. The live page of this name, made empty if there is none; the oldest give way. NULL: this
 * call has done its share of work, and is to be made again. */
struct shadow_page *page_get(struct shadow *s, struct page_key key);

/* The next page, dropped ones included, that shadows this gfn as a table; NULL begins and ends. */
struct shadow_page *page_next_table(const struct shadow *s, gfn_t gfn, struct shadow_page *after);

/*
 * The one shadow of a leaf table, as most tables have; NULL: it is not so simple. Stores to tables
 * come in rows, so some are remembered. A page that has been given another name says so itself: of
 * those that hear of stores the entry counts one, and this is it.
 */
struct shadow_page *page_find_leaf(struct shadow *s, gfn_t gfn);

static inline struct shadow_page **recent_of(struct shadow *s, gfn_t gfn)
{
	return &s->recent[gfn.v % ARRAY_SIZE(s->recent)];
}

static inline struct shadow_page *page_lone_leaf(struct shadow *s, const struct p2m_entry *e,
						 gfn_t gfn)
{
	struct shadow_page *page = *recent_of(s, gfn);

	if (unlikely(e->tables != 1))
		return NULL;
	if (likely(gfn_equal(page->key.gfn, gfn) && page->table && role_level(page->key.role) == 1))
		return page;
	return page_find_leaf(s, gfn);
}

/* Nobody finds it any more; its frames come back as they are needed. */
void page_drop(struct shadow *s, struct shadow_page *page);

/* Withdraw all that it translates and all that leads to it; it is free then, unless it is pinned.
 */
void page_free(struct shadow *s, struct shadow_page *page);

/* Count it in its p2m entry, write-protected if the policy says so. -EAGAIN as page_get's NULL. */
int page_track(struct shadow *s, struct shadow_page *page) __must_check;

int page_pool_init(struct shadow *s) __must_check;
int page_pool_destroy(struct shadow *s) __must_check; /* -EAGAIN: call again */

/* rmap.c. An spte appears, with a gfn or a shadow page as its target, and goes. */
void spte_set_leaf(struct shadow *s, struct shadow_page *page, unsigned slot, u64 spte, gfn_t gfn,
		   struct p2m_entry *target);
void spte_set_child(struct shadow *s, struct shadow_page *page, unsigned slot,
		    struct shadow_page *child);
void spte_withdraw(struct shadow *s, struct shadow_page *page, unsigned slot);
void spte_change(struct shadow *s, struct shadow_page *page, unsigned slot, u64 spte);

/* Entries of a leaf table have changed: their sptes become what they grant now. leaves_changed()
 * has addresses, stride words apart, of which the first and how many more, at most count in all,
 * it answers, are of this table. */
void leaf_changed(struct shadow *s, struct shadow_page *page, unsigned slot);
unsigned leaves_changed(struct shadow *s, struct shadow_page *page, const u64 *at, unsigned stride,
			unsigned count);

/* Take from every translation of a gfn what is not in rights (P2M_*), large ones that hold it among
 * others included. -EAGAIN: again. */
int rmap_restrict(struct shadow *s, gfn_t gfn, unsigned rights) __must_check;

/* Whether a writable translation of a loose table was used since the last call (D is cleared). */
bool rmap_take_dirty(struct shadow *s, struct p2m_entry *e);

/* What was withdrawn is forgotten by every CPU when this returns. */
void stale_flush(struct shadow *s);

/* spte.c. What entries may grant: pure functions of guest entry, role and p2m entry. */
bool large_is_reserved(const struct shadow *s, unsigned level, u64 gpte);
struct page_key child_key(const struct shadow *s, const struct shadow_page *page, unsigned slot,
			  u64 gpte);
u64 leaf_spte(const struct shadow *s, u32 role, u64 gpte, const struct p2m_entry *target,
	      bool kernel_view);
u64 large_spte(const struct shadow *s, struct page_key block);
bool spte_is_justified(const struct shadow *s, const struct shadow_page *page, unsigned slot,
		       u64 spte, u64 gpte);

static inline unsigned gpte_access(u64 gpte)
{
	return (gpte >> 1 & (ACCESS_W | ACCESS_U)) | (gpte & PTE_NX ? 0 : ACCESS_X);
}

/* SDM volume 3, 4.5.4. */
static inline bool gpte_is_reserved(const struct shadow *s, unsigned mode, unsigned level, u64 gpte)
{
	if (unlikely(gpte & (s->reserved_bits | (mode & MODE_NXE ? 0 : PTE_NX))))
		return true;
	return unlikely(gpte & PTE_PS) && level > 1 && large_is_reserved(s, level, gpte);
}

/* What a present entry grants in the user view; 0 also if it has reserved bits. Entries differ
 * mostly in nothing but the frame, so what the last one granted is remembered. */
u64 leaf_grant_learn(struct shadow *s, u32 role, u64 gpte, const struct p2m_entry *target);

static inline u64 leaf_grant(struct shadow *s, u32 role, u64 gpte, const struct p2m_entry *target)
{
	const struct shadow_grant *last = &s->grant;

	if (likely((gpte & (~PTE_FRAME | s->reserved_bits)) == last->gpte &&
		   (target->word & ~PTE_FRAME) == last->word && role == last->role &&
		   !target->tables))
		return last->spte | (target->word & PTE_FRAME);
	return leaf_grant_learn(s, role, gpte, target);
}

/* p2m_lookup(). Frames come as neighbours, whose entries lie side by side for as long as there is
 * the p2m. */
struct p2m_entry *lookup_far(struct shadow *s, gfn_t gfn);

static inline struct p2m_entry *lookup_near(struct shadow *s, gfn_t gfn)
{
	u64 in_leaf = gfn.v & (P2M_LEAF_SIZE - 1);

	if (unlikely(gfn.v - in_leaf != s->near_first))
		return lookup_far(s, gfn);
	return s->near_leaf[in_leaf].word ? &s->near_leaf[in_leaf] : NULL;
}

static inline gfn_t leaf_gfn(const struct shadow_page *page, unsigned slot, u64 gpte)
{
	if (unlikely(page->key.role & ROLE_SPLIT))
		return GFN(page->key.gfn.v + slot);
	return GFN((gpte & PTE_FRAME) >> PAGE_SHIFT);
}

static inline bool table_is_protected(const struct shadow *s, const struct p2m_entry *e)
{
	return e->tables > e->loose && s->config.policy == SHADOW_TRAPPED;
}

static inline u64 *gpte_of(const struct p2m_entry *table, unsigned slot)
{
	return (u64 *)machine_map(p2m_entry_mfn(table)) + slot;
}

/* Where a walk of the guest's tables begins: the last shadow page that is known to be on its way,
 * and the entry that the table has there now. page NULL: at CR3. */
struct known {
	struct shadow_page *page;
	u64 gpte;
};

/* walk.c. The guest's tables, as they are now. */
struct walk {
	u64 gpte[5];   /* by level, from top down to level */
	gfn_t table;   /* that the top entry was read from */
	u8 top, level; /* level: of the entry that maps the page */
	u8 access;     /* ACCESS_* of all levels together */
	bool accessed; /* A is set at all levels */
	gfn_t gfn;
};

/* Walk, ask p2m for the page itself, set A and D. *target: the p2m entry of the page. */
enum shadow_verdict walk_resolve(struct shadow_vcpu *sv, gva_t gva, struct shadow_access access,
				 struct known known, struct walk *w, struct p2m_entry **target,
				 struct shadow_result *result);

/* Whether the entries still say what the walk has read, A and D aside. */
bool walk_holds(const struct shadow_vcpu *sv, gva_t gva, const struct walk *w);

/* reach.c. The page of level 1 that sptes lead to; NULL: they do not. Remembered ones are so till a
 * way between pages is withdrawn. */
#define REGION_SHIFT 21
struct shadow_page *leaf_page_find(struct shadow_vcpu *sv, gva_t gva);

static inline struct shadow_near *near_of(struct shadow_vcpu *sv, gva_t gva)
{
	return &sv->near[(gva.v >> REGION_SHIFT) % ARRAY_SIZE(sv->near)];
}

static inline void leaf_page_remember(struct shadow_vcpu *sv, gva_t gva, struct shadow_page *page)
{
	if (!(sv->shadow->config.without & SHADOW_REACH))
		*near_of(sv, gva) =
		    (struct shadow_near){gva.v >> REGION_SHIFT, sv->shadow->links, page};
}

static inline struct shadow_page *leaf_page_near(struct shadow_vcpu *sv, gva_t gva)
{
	const struct shadow_near *near = near_of(sv, gva);

	if (unlikely(near->region != gva.v >> REGION_SHIFT || near->links != sv->shadow->links))
		return NULL;
	return near->page;
}

static inline struct shadow_page *leaf_page(struct shadow_vcpu *sv, gva_t gva)
{
	return leaf_page_near(sv, gva) ?: leaf_page_find(sv, gva);
}

/* root.c. Afterwards sv->root is a live root of the vCPU's present address space. */
void root_settle(struct shadow_vcpu *sv);

/* sync.c. A store of the guest to a protected table: true, if the guest may now make it itself. */
bool table_allow_write(struct shadow *s, struct p2m_entry *e, gfn_t gfn);
int sync_revoke(struct p2m_watcher *w, gfn_t gfn, unsigned rights);
int sync_written(struct p2m_watcher *w, const struct p2m_entry *e, gpa_t at, size_t size);

/* loose.c. Leave a leaf table writable; false: there is no memory to remember it. */
bool loose_begin(struct shadow *s, struct shadow_page *page, struct p2m_entry *e);
void loose_forget(struct shadow *s, struct shadow_page *page, struct p2m_entry *e);
void loose_tighten(struct shadow *s, struct shadow_page *page);
void loose_resync(struct shadow *s);
void loose_resync_slot(struct shadow *s, struct shadow_page *page, unsigned slot);
void loose_release(struct shadow *s); /* the frames, at the end */

/* An spte of a loose table has been made from this entry. */
static inline void loose_note(struct shadow *s, const struct shadow_page *page, unsigned slot,
			      u64 gpte)
{
	if (unlikely(page->loose))
		s->loose[page->loose - 1].entries[slot] = gpte;
}

static inline unsigned slot_of(gva_t gva, unsigned level)
{
	return gva.v >> (PAGE_SHIFT - 9 + 9 * level) & (SHADOW_SLOTS - 1);
}

/* Each public call begins and ends with these. */
static inline void call_begin(struct shadow *s)
{
	s->budget = CALL_BUDGET;
}

static inline void call_end(struct shadow *s)
{
	if (s->stale)
		stale_flush(s);
}

#endif
