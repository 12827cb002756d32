/* SPDX-License-Identifier: MIT */
/*
 * p2m.h - a guest's physical memory: gfn -> mfn and rights. It is the only source of machine frames
 * for shadow tables and for guest-copy. A refusal is not an error but an answer, on which
 * introspection, copy-on-write clones, lent frames and dirty logs are built.
 *
 * Rules:
 * - P1: a frame is accepted only if it is some guest's RAM or published, with a reference to it;
 *   monitor, switcher, shadow, p2m and device frames never are. Who may lend to whom is judged
 * above.
 * - P2: no translation grants more than the entry. When rights shrink, and before a removed frame's
 *   reference is put, every translation of it is gone on every CPU.
 * - P3: a published frame has no x right.
 *
 * Tables grow only in p2m_insert(), whose gfns guests cannot choose; they shrink in p2m_destroy().
 */
#ifndef MM_P2M_H
#define MM_P2M_H

#include "mm/frame.h"
#include "mm/types.h"

/* Rights, and what an access intends: the same three bits. */
#define P2M_R	      1u
#define P2M_W	      2u
#define P2M_X	      4u
#define P2M_RIGHTS    7u
#define P2M_ON_DEMAND 8u  /* a missing right is to be supplied (POPULATE), not to be watched */
#define P2M_PUBLISHED 16u /* never a page table: p2m_insert() of FRAME_PUBLISHED, p2m_publish() */
#define P2M_PRESENT   32u /* set by p2m_insert() */
#define P2M_TABLE     64u /* p2m_set_table(): the guest says that this is a page table */

/* gfns end where 52-bit physical addresses do. */
#define P2M_GFN_LIMIT (1ul << 40)

/* The word holds mfn << 12 and the bits above. The other fields are mm/shadow's. */
struct p2m_entry {
	u64 word;   /* (p) */
	u32 rmap;   /* (s) the first translation of this gfn, 0: none */
	u16 tables; /* (s) shadows of this gfn as a table: they want to hear of writes to it */
	u16 loose;  /* (s) of these, out of sync: 0 or 1 */
};

/* What p2m asks of those who keep translations, and tells those who keep copies of tables. */
struct p2m_watcher {
	/* Withdraw from every translation of gfn what is not in rights, on every CPU. 0, or
	 * -EAGAIN: a bounded piece is done, call again. */
	int (*revoke)(struct p2m_watcher *w, gfn_t gfn, unsigned rights);
	/* The monitor has stored into the page of this entry, which says tables != 0. Returns 0,
	 * so that who stores can end with it. */
	int (*written)(struct p2m_watcher *w, const struct p2m_entry *e, gpa_t at, size_t size);
};

/* A radix tree of frames: inner ones hold 512 pointers, leaves 256 entries. */
struct p2m {
	u16 owner;		     /* (c) the guest's number */
	u8 height;		     /* (p) inner levels above the leaves */
	void **top;		     /* (p) */
	void **near;		     /* (c) the part for the first 256 GiB: two inner levels */
	struct p2m_watcher *watcher; /* (c) once mm/shadow has begun; NULL before */
	mfn_t nodes;		     /* (p) the tree's frames, a list through struct frame's link */
	u64 count;		     /* (p) frames present */
	u64 destroy_at;		     /* (p) the gfn that p2m_destroy() has come to */
};

#define P2M_LEAF_BITS  8
#define P2M_LEAF_SIZE  (1ul << P2M_LEAF_BITS) /* entries that lie side by side */
#define P2M_INNER_BITS 9
#define P2M_NEAR_BITS  (P2M_LEAF_BITS + 2 * P2M_INNER_BITS)

int p2m_init(struct p2m *p2m, u16 owner) __must_check;

/*
 * Take a reference and show the frame at gfn. -EINVAL: gfn beyond the limit, or x on a published
 * frame; -EPERM: P1; -EEXIST: the gfn is in use; -ENOMEM.
 */
int p2m_insert(struct p2m *p2m, gfn_t gfn, mfn_t mfn, unsigned rights) __must_check;

/* Change the rights (and P2M_ON_DEMAND). -ENOENT; -EAGAIN: rights are shrinking, call again. */
int p2m_set_rights(struct p2m *p2m, gfn_t gfn, unsigned rights) __must_check;

/*
 * A guest that maps its page tables read-only and says which they are (Xen's pinning) may store to
 * them all the same, as a kernel with CR0.WP=0 may. -ENOENT; -EAGAIN: call again.
 */
int p2m_set_table(struct p2m *p2m, gfn_t gfn, bool is_table) __must_check;

/* From now on the monitor keeps words of its own in this frame of the guest's RAM, and stores there
 * unheard: it is no page table any more, which the shadows are to be told behind it. -ENOENT. */
int p2m_publish(struct p2m *p2m, gfn_t gfn) __must_check;

/* Take the frame away and put its reference. -ENOENT; -EAGAIN: call again. */
int p2m_remove(struct p2m *p2m, gfn_t gfn) __must_check;

/* Remove all that is left and the tables, a bounded piece a call: -EAGAIN while there is more. */
int p2m_destroy(struct p2m *p2m) __must_check;

/* tour: frames and rights */
enum p2m_answer {
	P2M_GRANTED,
	P2M_POPULATE, /* nothing is there, or the missing right is on demand */
	P2M_WATCHED,  /* there, but not for this */
};
/* tour ends */

struct p2m_entry *p2m_lookup_far(const struct p2m *p2m, gfn_t gfn);

static inline bool p2m_is_near(gfn_t gfn)
{
	return !(gfn.v >> P2M_NEAR_BITS);
}

/* The entry's place, which may be empty (word 0), or NULL. It stays where it is until
 * p2m_destroy(). */
static inline struct p2m_entry *p2m_place(const struct p2m *p2m, gfn_t gfn)
{
	struct p2m_entry *leaf;
	void **node;

	if (unlikely(!p2m_is_near(gfn)))
		return p2m_lookup_far(p2m, gfn);
	node = p2m->near[gfn.v >> (P2M_LEAF_BITS + P2M_INNER_BITS)];
	if (unlikely(!node))
		return NULL;
	leaf = node[gfn.v >> P2M_LEAF_BITS & ((1 << P2M_INNER_BITS) - 1)];
	if (unlikely(!leaf))
		return NULL;
	return leaf + (gfn.v & ((1 << P2M_LEAF_BITS) - 1));
}

/* The entry, or NULL when nothing is there. */
struct p2m_entry *p2m_lookup(const struct p2m *p2m, gfn_t gfn);

/* The same, for ways that every fault takes. */
static __force_inline struct p2m_entry *p2m_lookup_inline(const struct p2m *p2m, gfn_t gfn)
{
	struct p2m_entry *e = p2m_place(p2m, gfn);

	return e && e->word ? e : NULL;
}

/* The first entry at or after *gfn, which moves to it; NULL: no more. */
struct p2m_entry *p2m_next(const struct p2m *p2m, gfn_t *gfn);

/* The frame for an access, if the rights cover all that it intends (P2M_R, P2M_W, P2M_X or
 * several). */
enum p2m_answer p2m_resolve(const struct p2m *p2m, gfn_t gfn, unsigned intent, mfn_t *mfn);

static inline mfn_t p2m_entry_mfn(const struct p2m_entry *e)
{
	return MFN(e->word >> PAGE_SHIFT);
}

static inline enum p2m_answer p2m_entry_answer(const struct p2m_entry *e, unsigned intent)
{
	if (!e)
		return P2M_POPULATE;
	if (likely((e->word & intent) == intent))
		return P2M_GRANTED;
	return e->word & P2M_ON_DEMAND ? P2M_POPULATE : P2M_WATCHED;
}

#endif
