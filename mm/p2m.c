// SPDX-License-Identifier: MIT
/*
 * p2m.c - gfn -> mfn and rights as a radix tree that grows upwards with the highest gfn. Its first
 * 256 GiB keep their place when it grows, so a lookup there costs the same in every guest. Only
 * p2m_insert() makes nodes; lookups may be of anything.
 */
#include "lib/errno.h"
#include "mm/machine.h"
#include "mm/p2m.h"

#define LEAF_SLOTS    (1u << P2M_LEAF_BITS)
#define INNER_SLOTS   (1u << P2M_INNER_BITS)
#define HEIGHT_MIN    2 /* inner levels */
#define HEIGHT_MAX    4
#define DESTROY_PIECE 64 /* frames that p2m_destroy() gives back in one call */

_Static_assert(sizeof(struct p2m_entry) * LEAF_SLOTS == PAGE_SIZE, "a leaf fills a frame");
_Static_assert(1ul << (P2M_LEAF_BITS + HEIGHT_MAX * P2M_INNER_BITS) >= P2M_GFN_LIMIT,
	       "gfns end sooner");

/* The bits of a gfn that a node of this height is looked up by, and all below. */
static unsigned gfn_bits(unsigned height)
{
	return P2M_LEAF_BITS + height * P2M_INNER_BITS;
}

static unsigned slot_at(u64 gfn, unsigned height)
{
	return gfn >> gfn_bits(height - 1) & (INNER_SLOTS - 1);
}

/* ---- the tree ---- */

/* Inner nodes hold pointers; the list that destroy needs goes through the frames' rows. */
static void *node_new(struct p2m *p2m)
{
	mfn_t mfn = frame_alloc(FRAME_P2M, p2m->owner);

	if (mfn_is_none(mfn))
		return NULL;
	frame_of(mfn)->link = p2m->nodes.v;
	p2m->nodes = mfn;
	return machine_map(mfn);
}

/* The place of a gfn's entry, made where it is missing; NULL: no memory. */
static struct p2m_entry *entry_make(struct p2m *p2m, u64 gfn)
{
	void **at = (void **)&p2m->top;

	while (gfn >> gfn_bits(p2m->height)) {
		void **top = node_new(p2m);

		if (!top)
			return NULL;
		top[0] = p2m->top;
		p2m->top = top;
		p2m->height++;
	}
	for (unsigned height = p2m->height; height; height--) {
		at = (void **)*at + slot_at(gfn, height);
		if (!*at)
			*at = node_new(p2m);
		if (!*at)
			return NULL;
	}
	return (struct p2m_entry *)*at + (gfn & (LEAF_SLOTS - 1));
}

/* The first leaf at or after *gfn, which moves to it; NULL: none. */
static struct p2m_entry *next_leaf(const struct p2m *p2m, u64 *gfn)
{
	*gfn &= ~(u64)(LEAF_SLOTS - 1);
	while (!(*gfn >> gfn_bits(p2m->height))) {
		unsigned height = p2m->height;
		void *node = p2m->top;

		while (height && node) {
			node = ((void **)node)[slot_at(*gfn, height)];
			height--;
		}
		if (node)
			return node;
		*gfn = ((*gfn >> gfn_bits(height)) + 1) << gfn_bits(height);
	}
	return NULL;
}

/* ---- lookups ---- */

struct p2m_entry *p2m_lookup_far(const struct p2m *p2m, gfn_t gfn)
{
	void *node = p2m->top;
	struct p2m_entry *e;

	if (gfn.v >> gfn_bits(p2m->height))
		return NULL;
	for (unsigned height = p2m->height; height && node; height--)
		node = ((void **)node)[slot_at(gfn.v, height)];
	if (!node)
		return NULL;
	e = (struct p2m_entry *)node + (gfn.v & (LEAF_SLOTS - 1));
	return e->word ? e : NULL;
}

struct p2m_entry *p2m_lookup(const struct p2m *p2m, gfn_t gfn)
{
	return p2m_lookup_inline(p2m, gfn);
}

struct p2m_entry *p2m_next(const struct p2m *p2m, gfn_t *gfn)
{
	struct p2m_entry *leaf;
	u64 base = gfn->v;

	while ((leaf = next_leaf(p2m, &base))) {
		for (gfn->v = MAX(gfn->v, base); gfn->v < base + LEAF_SLOTS; gfn->v++)
			if (leaf[gfn->v - base].word)
				return &leaf[gfn->v - base];
		base += LEAF_SLOTS;
	}
	return NULL;
}

enum p2m_answer p2m_resolve(const struct p2m *p2m, gfn_t gfn, unsigned intent, mfn_t *mfn)
{
	struct p2m_entry *e = p2m_lookup(p2m, gfn);
	enum p2m_answer answer = p2m_entry_answer(e, intent);

	*mfn = answer == P2M_GRANTED ? p2m_entry_mfn(e) : MFN_NONE;
	return answer;
}

/* ---- changes ---- */

int p2m_init(struct p2m *p2m, u16 owner)
{
	*p2m = (struct p2m){.owner = owner, .height = HEIGHT_MIN, .nodes = MFN_NONE};
	p2m->top = p2m->near = node_new(p2m);
	return p2m->top ? 0 : -ENOMEM;
}

static int check_frame(mfn_t mfn, unsigned rights)
{
	const struct frame *f = frame_of(mfn);

	if (rights & ~(P2M_RIGHTS | P2M_ON_DEMAND))
		return -EINVAL;
	if (!f || !f->refs)
		return -EPERM;
	if (f->type == FRAME_PUBLISHED)
		return rights & P2M_X ? -EINVAL : 0;
	return f->type == FRAME_GUEST && f->owner != FRAME_OWNER_MONITOR ? 0 : -EPERM;
}

int p2m_insert(struct p2m *p2m, gfn_t gfn, mfn_t mfn, unsigned rights)
{
	int error = gfn.v < P2M_GFN_LIMIT ? check_frame(mfn, rights) : -EINVAL;
	struct p2m_entry *e;

	if (error)
		return error;
	e = entry_make(p2m, gfn.v);
	if (!e)
		return -ENOMEM;
	if (e->word)
		return -EEXIST;
	frame_get(mfn);
	if (frame_of(mfn)->type == FRAME_PUBLISHED)
		rights |= P2M_PUBLISHED;
	e->word = mfn_to_maddr(mfn).v | rights | P2M_PRESENT;
	p2m->count++;
	return 0;
}

static int revoke(struct p2m *p2m, gfn_t gfn, unsigned rights)
{
	return p2m->watcher ? p2m->watcher->revoke(p2m->watcher, gfn, rights) : 0;
}

int p2m_set_rights(struct p2m *p2m, gfn_t gfn, unsigned rights)
{
	struct p2m_entry *e = p2m_lookup(p2m, gfn);
	int error = e ? check_frame(p2m_entry_mfn(e), rights) : -ENOENT;
	u64 old;

	if (error)
		return error;
	old = e->word;
	e->word = (old & ~(u64)(P2M_RIGHTS | P2M_ON_DEMAND)) | rights;
	return old & ~rights & P2M_RIGHTS ? revoke(p2m, gfn, rights & P2M_RIGHTS) : 0;
}

int p2m_set_table(struct p2m *p2m, gfn_t gfn, bool is_table)
{
	struct p2m_entry *e = p2m_lookup(p2m, gfn);

	if (!e)
		return -ENOENT;
	if (is_table) {
		e->word |= P2M_TABLE;
		return 0;
	}
	e->word &= ~(u64)P2M_TABLE;
	return revoke(p2m, gfn, P2M_R | P2M_X);
}

int p2m_publish(struct p2m *p2m, gfn_t gfn)
{
	struct p2m_entry *e = p2m_lookup(p2m, gfn);

	if (!e)
		return -ENOENT;
	e->word |= P2M_PUBLISHED;
	return 0;
}

/* The rights go first, so that nothing is translated anew while the old translations go in pieces.
 */
static int remove_entry(struct p2m *p2m, gfn_t gfn, struct p2m_entry *e)
{
	mfn_t mfn = p2m_entry_mfn(e);
	int error;

	e->word &= ~(u64)P2M_RIGHTS;
	error = revoke(p2m, gfn, 0);
	if (error)
		return error;
	e->word = 0;
	p2m->count--;
	frame_put(mfn);
	return 0;
}

int p2m_remove(struct p2m *p2m, gfn_t gfn)
{
	struct p2m_entry *e = p2m_lookup(p2m, gfn);

	return e ? remove_entry(p2m, gfn, e) : -ENOENT;
}

/* A bounded piece of removing every entry: -EAGAIN while there are more. */
static int destroy_entries(struct p2m *p2m)
{
	gfn_t gfn = GFN(p2m->destroy_at);

	for (unsigned piece = 0; p2m->count; piece++) {
		struct p2m_entry *e = p2m_next(p2m, &gfn);

		BUG_ON(!e);
		p2m->destroy_at = gfn.v;
		if (piece == DESTROY_PIECE || remove_entry(p2m, gfn, e))
			return -EAGAIN;
	}
	return 0;
}

int p2m_destroy(struct p2m *p2m)
{
	int error = destroy_entries(p2m);

	if (error)
		return error;
	p2m->top = p2m->near = NULL;
	for (unsigned piece = 0; piece < DESTROY_PIECE; piece++) {
		mfn_t mfn = p2m->nodes;

		if (mfn_is_none(mfn))
			return 0;
		p2m->nodes = MFN(frame_of(mfn)->link);
		frame_put(mfn);
	}
	return -EAGAIN;
}
