/* SPDX-License-Identifier: MIT */
/*
 * p2m.h - a guest's physical memory: gfn -> mfn and rights. It is the only source of machine frames
 * for shadow tables and for guest-copy. A refusal is not an error but an answer, on which
 * introspection, copy-on-write clones, lent frames and dirty logs are built.
 *
 * Rules:
 *   P1  A frame is accepted only if it is the guest's own RAM, another guest's RAM or a published
 * frame with a reference for the purpose; monitor, switcher, shadow, p2m and device frames never
 * are. P2  A frame has at most one gfn in one p2m, so that a translation can be found from its
 * frame. P3  No translation grants more than the entry. When rights shrink, and before a removed
 * frame's reference is put, every translation of it is gone on every CPU. P4  A published frame has
 * no x right.
 *
 * Tables grow only in p2m_insert(), which guests cannot call at will; they shrink in p2m_destroy().
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
#define P2M_PUBLISHED 16u /* set by p2m_insert() for FRAME_PUBLISHED */
#define P2M_PRESENT   32u /* set by p2m_insert() */

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
	/* The monitor has stored into guest memory; the entry said tables != 0. */
	void (*written)(struct p2m_watcher *w, gpa_t at, size_t size);
};

struct p2m {
	u16 owner;		     /* (c) the guest's number */
	u8 height;		     /* (p) inner levels above the leaves of by_gfn */
	u8 foreign_height;	     /* (p) the same for foreign */
	void *by_gfn;		     /* (p) gfn -> struct p2m_entry */
	void *foreign;		     /* (p) mfn -> gfn of frames whose owner is not this guest */
	struct p2m_watcher *watcher; /* (c) once mm/shadow has begun; NULL before */
	mfn_t nodes;		     /* (p) the trees' frames, a list through struct frame's link */
	u64 count;		     /* (p) frames present */
	u64 destroy_at;		     /* (p) the gfn that p2m_destroy() has come to */
};

int p2m_init(struct p2m *p2m, u16 owner) __must_check;

/*
 * Take a reference and show the frame at gfn. -EINVAL: gfn beyond the limit, or x on a published
 * frame; -EPERM: P1; -EEXIST: gfn or frame is in use here (P2); -ENOMEM.
 */
int p2m_insert(struct p2m *p2m, gfn_t gfn, mfn_t mfn, unsigned rights) __must_check;

/* Change the rights (and P2M_ON_DEMAND). -ENOENT; -EAGAIN: rights are shrinking, call again. */
int p2m_set_rights(struct p2m *p2m, gfn_t gfn, unsigned rights) __must_check;

/* Take the frame away and put its reference. -ENOENT; -EAGAIN: call again. */
int p2m_remove(struct p2m *p2m, gfn_t gfn) __must_check;

/* Remove all that is left and the tables, a bounded piece a call: -EAGAIN while there is more. */
int p2m_destroy(struct p2m *p2m) __must_check;

enum p2m_answer {
	P2M_GRANTED,
	P2M_POPULATE, /* nothing is there, or the missing right is on demand */
	P2M_WATCHED,  /* there, but not for this */
};

/* The entry, or NULL when nothing is there. It stays where it is until p2m_destroy(). */
struct p2m_entry *p2m_lookup(const struct p2m *p2m, gfn_t gfn);

/* The first entry at or after *gfn, which moves to it; NULL: no more. */
struct p2m_entry *p2m_next(const struct p2m *p2m, gfn_t *gfn);

/* The frame for an access, if the rights cover all that it intends (P2M_R, P2M_W, P2M_X or
 * several). */
enum p2m_answer p2m_resolve(const struct p2m *p2m, gfn_t gfn, unsigned intent, mfn_t *mfn);

/* Where this guest sees a frame; GFN_NONE: nowhere. */
gfn_t p2m_gfn_of(const struct p2m *p2m, mfn_t mfn);

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
