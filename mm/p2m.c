// SPDX-License-Identifier: MIT
/*
 * p2m.c - gfn -> mfn and rights as a radix tree whose leaves are 256 entries of 16 bytes, and whose
 * height grows with the highest key, from three levels on: so all guests below 256 GiB pay the same
 * per lookup.
 *
 * The way back, mfn -> gfn: a guest's own frame keeps its gfn in the table of frames; for the few
 * that are another's or published, a second tree of the same kind has the mfn as its key. Keys
 * never come from a guest at will; lookups may be of anything.
 */
#include "lib/errno.h"
#include "mm/machine.h"
#include "mm/p2m.h"

#define LEAF_BITS     8
#define INNER_BITS    9
#define LEAF_SLOTS    (1u << LEAF_BITS)
#define HEIGHT_MIN    2 /* inner levels */
#define HEIGHT_MAX    4
#define DESTROY_PIECE 64 /* frames that p2m_destroy() gives back in one call */

_Static_assert(sizeof(struct p2m_entry) * LEAF_SLOTS == PAGE_SIZE, "a leaf fills a frame");
_Static_assert(1ul << (LEAF_BITS + HEIGHT_MAX * INNER_BITS) >= P2M_GFN_LIMIT, "keys end sooner");

/* ---- a radix tree: inner nodes hold pointers to nodes one level down ---- */

static unsigned key_bits(unsigned height)
{
	return LEAF_BITS + height * INNER_BITS;
}

static struct p2m_entry *tree_find(void *node, unsigned height, u64 key)
{
	if (unlikely(!node || key >> key_bits(height)))
		return NULL;
	for (; height; height--) {
		node = ((void **)node)[key >> key_bits(height - 1) & 511];
		if (!node)
			return NULL;
	}
	return (struct p2m_entry *)node + (key & (LEAF_SLOTS - 1));
}

/* Inner nodes hold pointers; the list that destroy needs goes through the nodes' rows in the table.
 */
static void *node_new(struct p2m *p2m)
{
	mfn_t mfn = frame_alloc(FRAME_P2M, p2m->owner);

	if (mfn_is_none(mfn))
		return NULL;
	frame_of(mfn)->link = p2m->nodes.v;
	p2m->nodes = mfn;
	return machine_map(mfn);
}

/* The same, made where it is missing; NULL: no memory. */
static struct p2m_entry *tree_make(struct p2m *p2m, void **root, u8 *height, u64 key)
{
	void **at = root;

	while (!*root || key >> key_bits(*height)) {
		void *top = node_new(p2m);

		if (!top)
			return NULL;
		if (*root) {
			((void **)top)[0] = *root;
			(*height)++;
		}
		*root = top;
	}
	for (unsigned h = *height; h; h--) {
		at = (void **)*at + (key >> key_bits(h - 1) & 511);
		if (!*at)
			*at = node_new(p2m);
		if (!*at)
			return NULL;
	}
	return (struct p2m_entry *)*at + (key & (LEAF_SLOTS - 1));
}

/* ---- lookups ---- */

struct p2m_entry *p2m_lookup(const struct p2m *p2m, gfn_t gfn)
{
	struct p2m_entry *e = tree_find(p2m->by_gfn, p2m->height, gfn.v);

	return e && e->word ? e : NULL;
}

enum p2m_answer p2m_resolve(const struct p2m *p2m, gfn_t gfn, unsigned intent, mfn_t *mfn)
{
	struct p2m_entry *e = p2m_lookup(p2m, gfn);
	enum p2m_answer answer = p2m_entry_answer(e, intent);

	*mfn = answer == P2M_GRANTED ? p2m_entry_mfn(e) : MFN_NONE;
	return answer;
}

/* A frame of ours that is not shown, or is another's, has a gfn in its row that does not lead back.
 */
gfn_t p2m_gfn_of(const struct p2m *p2m, mfn_t mfn)
{
	const struct frame *f = frame_of(mfn);
	struct p2m_entry *e;

	if (!f)
		return GFN_NONE;
	if (f->type == FRAME_GUEST && f->owner == p2m->owner) {
		e = p2m_lookup(p2m, GFN(f->link));
		return e && mfn_equal(p2m_entry_mfn(e), mfn) ? GFN(f->link) : GFN_NONE;
	}
	e = tree_find(p2m->foreign, p2m->foreign_height, mfn.v);
	return e && e->word ? GFN(e->word >> PAGE_SHIFT) : GFN_NONE;
}

/* The first leaf at or after *key, which moves to it; NULL: none. */
static struct p2m_entry *next_leaf(const struct p2m *p2m, u64 *key)
{
	*key &= ~(u64)(LEAF_SLOTS - 1);
	while (!(*key >> key_bits(p2m->height))) {
		void *node = p2m->by_gfn;
		unsigned h = p2m->height;

		while (h && node) {
			node = ((void **)node)[*key >> key_bits(h - 1) & 511];
			h--;
		}
		if (node)
			return node;
		*key = ((*key >> key_bits(h)) + 1) << key_bits(h);
	}
	return NULL;
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

/* ---- changes ---- */

int p2m_init(struct p2m *p2m, u16 owner)
{
	*p2m = (struct p2m){
	    .owner = owner,
	    .height = HEIGHT_MIN,
	    .foreign_height = HEIGHT_MIN,
	    .nodes = MFN_NONE,
	};
	p2m->by_gfn = node_new(p2m);
	p2m->foreign = node_new(p2m);
	if (p2m->by_gfn && p2m->foreign)
		return 0;
	while (p2m_destroy(p2m))
		;
	return -ENOMEM;
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

static bool is_own(const struct p2m *p2m, const struct frame *f)
{
	return f->type == FRAME_GUEST && f->owner == p2m->owner;
}

int p2m_insert(struct p2m *p2m, gfn_t gfn, mfn_t mfn, unsigned rights)
{
	int error = gfn.v < P2M_GFN_LIMIT ? check_frame(mfn, rights) : -EINVAL;
	struct p2m_entry *e, *back = NULL;
	struct frame *f;

	if (error)
		return error;
	f = frame_of(mfn);
	if (!gfn_is_none(p2m_gfn_of(p2m, mfn)))
		return -EEXIST;
	e = tree_make(p2m, &p2m->by_gfn, &p2m->height, gfn.v);
	if (e && !is_own(p2m, f))
		back = tree_make(p2m, &p2m->foreign, &p2m->foreign_height, mfn.v);
	if (!e || (!back && !is_own(p2m, f)))
		return -ENOMEM;
	if (e->word)
		return -EEXIST;

	frame_get(mfn);
	if (back)
		back->word = gfn_to_gpa(gfn).v | P2M_PRESENT;
	else
		f->link = gfn.v;
	if (f->type == FRAME_PUBLISHED)
		rights |= P2M_PUBLISHED;
	e->word = mfn_to_maddr(mfn).v | rights | P2M_PRESENT;
	p2m->count++;
	return 0;
}

static int revoke(struct p2m *p2m, gfn_t gfn, const struct p2m_entry *e, unsigned rights)
{
	if ((!e->rmap && !e->tables) || !p2m->watcher)
		return 0;
	return p2m->watcher->revoke(p2m->watcher, gfn, rights);
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
	return old & ~rights & P2M_RIGHTS ? revoke(p2m, gfn, e, rights & P2M_RIGHTS) : 0;
}

/* The rights go first, so that nothing is translated anew while the old translations go in pieces.
 */
static int remove_entry(struct p2m *p2m, gfn_t gfn, struct p2m_entry *e)
{
	mfn_t mfn = p2m_entry_mfn(e);
	int error;

	e->word &= ~(u64)P2M_RIGHTS;
	error = revoke(p2m, gfn, e, 0);
	if (error)
		return error;
	if (!is_own(p2m, frame_of(mfn)))
		tree_find(p2m->foreign, p2m->foreign_height, mfn.v)->word = 0;
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
	p2m->by_gfn = p2m->foreign = NULL;
	for (unsigned piece = 0; piece < DESTROY_PIECE; piece++) {
		mfn_t mfn = p2m->nodes;

		if (mfn_is_none(mfn))
			return 0;
		p2m->nodes = MFN(frame_of(mfn)->link);
		frame_put(mfn);
	}
	return -EAGAIN;
}
