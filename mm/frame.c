// SPDX-License-Identifier: MIT
/*
 * frame.c - the table of frames and the allocator behind it: free runs of 1 << order frames,
 * aligned to their size, in one list per order; a freed run joins its neighbour ("buddy") of the
 * same size.
 *
 * The table is an array per range of RAM, so a hole below 4 GiB costs nothing. May assume that
 * callers are one at a time. Frame numbers come from our own tables, never from a guest.
 */
#include "lib/compiler.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/machine.h"

#define NO_FRAME   0xffffffffu
#define NOT_A_HEAD 0xff /* order of a free frame inside a run */
#define SMALL_GAP  1024 /* frames: cheaper to keep in the table than a range more to search */

static struct {
	struct {
		u64 first, count;
		struct frame *row;  /* (c) of first */
	} ranges[FRAME_RANGES_MAX]; /* (c) */
	unsigned range_count;	    /* (c) */
	u32 free[FRAME_ORDER_MAX + 1];
	u64 free_count;
} frames;

struct frame *frame_of(mfn_t mfn)
{
	for (unsigned i = 0; i < frames.range_count; i++)
		if (mfn.v - frames.ranges[i].first < frames.ranges[i].count)
			return frames.ranges[i].row + (mfn.v - frames.ranges[i].first);
	return NULL;
}

u64 frame_count_free(void)
{
	return frames.free_count;
}

/* ---- the table ---- */

static bool joins(const struct frame_range *before, const struct frame_range *r)
{
	return r->first.v - (before->first.v + before->count) < SMALL_GAP;
}

__init size_t frame_table_size(const struct frame_range *ram, unsigned count)
{
	u64 rows = 0;
	unsigned ranges = 0;

	for (unsigned i = 0; i < count; i++) {
		u64 start = ram[i].first.v, end = start + ram[i].count;

		if (end < start || end > FRAME_MFN_LIMIT)
			return 0;
		if (i && joins(&ram[i - 1], &ram[i]))
			start = ram[i - 1].first.v + ram[i - 1].count;
		else if (++ranges > FRAME_RANGES_MAX)
			return 0;
		rows += end - start;
	}
	return rows * sizeof(struct frame);
}

__init void frame_init(void *table, const struct frame_range *ram, unsigned count)
{
	size_t size = frame_table_size(ram, count);
	struct frame *row = table;

	BUG_ON(!size);
	memset(table, 0, size); /* FRAME_RESERVED is 0 */
	memset(&frames, 0, sizeof(frames));
	for (unsigned order = 0; order <= FRAME_ORDER_MAX; order++)
		frames.free[order] = NO_FRAME;
	for (unsigned i = 0; i < count; i++) {
		u64 end = ram[i].first.v + ram[i].count;
		unsigned last = frames.range_count - 1;

		if (i && joins(&ram[i - 1], &ram[i])) {
			row += end - frames.ranges[last].first - frames.ranges[last].count;
			frames.ranges[last].count = end - frames.ranges[last].first;
			continue;
		}
		frames.ranges[last + 1].first = ram[i].first.v;
		frames.ranges[last + 1].count = ram[i].count;
		frames.ranges[last + 1].row = row;
		frames.range_count++;
		row += ram[i].count;
	}
}

/* ---- free runs ---- */

static struct frame *row_of(u64 mfn)
{
	struct frame *f = frame_of(MFN(mfn));

	BUG_ON(!f);
	return f;
}

static u32 next_of(const struct frame *f)
{
	return (u32)f->link;
}

static u32 previous_of(const struct frame *f)
{
	return (u32)(f->link >> 32);
}

static void set_neighbours(struct frame *f, u32 previous, u32 next)
{
	f->link = (u64)previous << 32 | next;
}

static void push_run(u64 mfn, unsigned order)
{
	struct frame *f = row_of(mfn);
	u32 next = frames.free[order];

	f->order = order;
	set_neighbours(f, NO_FRAME, next);
	if (next != NO_FRAME)
		set_neighbours(row_of(next), mfn, next_of(row_of(next)));
	frames.free[order] = mfn;
}

static void unlink_run(u64 mfn)
{
	struct frame *f = row_of(mfn);
	u32 next = next_of(f), previous = previous_of(f);

	if (previous == NO_FRAME)
		frames.free[f->order] = next;
	else
		set_neighbours(row_of(previous), previous_of(row_of(previous)), next);
	if (next != NO_FRAME)
		set_neighbours(row_of(next), previous, next_of(row_of(next)));
	f->order = NOT_A_HEAD;
}

/* Frames that are marked free already become a run, joined with its free neighbours. */
static void add_run(u64 mfn, unsigned order)
{
	frames.free_count += 1ul << order;
	for (; order < FRAME_ORDER_MAX; order++) {
		u64 buddy = mfn ^ 1ul << order;
		struct frame *f = frame_of(MFN(buddy));

		if (!f || f->type != FRAME_FREE || f->order != order)
			break;
		unlink_run(buddy);
		mfn &= ~(1ul << order);
	}
	push_run(mfn, order);
}

static void mark_free(struct frame *f)
{
	f->type = FRAME_FREE;
	f->order = NOT_A_HEAD;
	f->owner = FRAME_OWNER_MONITOR;
	f->link = 0;
}

void frame_add_free(mfn_t first, u64 count)
{
	u64 mfn = first.v, end = first.v + count;

	for (u64 m = mfn; m < end; m++) {
		BUG_ON(row_of(m)->type != FRAME_RESERVED);
		mark_free(row_of(m));
	}
	while (mfn < end) {
		unsigned order = 0;

		while (order < FRAME_ORDER_MAX && !(mfn & 1ul << order) &&
		       mfn + (2ul << order) <= end)
			order++;
		add_run(mfn, order);
		mfn += 1ul << order;
	}
}

__init void frame_claim(mfn_t first, u64 count, enum frame_type type)
{
	for (u64 m = first.v; m < first.v + count; m++) {
		BUG_ON(row_of(m)->type != FRAME_RESERVED);
		row_of(m)->type = type;
		row_of(m)->refs = 1;
	}
}

/* ---- allocation ---- */

static u64 take_run(unsigned order)
{
	unsigned have = order;
	u64 mfn;

	while (frames.free[have] == NO_FRAME)
		if (++have > FRAME_ORDER_MAX)
			return NO_FRAME;
	mfn = frames.free[have];
	unlink_run(mfn);
	while (have > order) {
		have--;
		push_run(mfn + (1ul << have), have);
	}
	frames.free_count -= 1ul << order;
	return mfn;
}

mfn_t frame_alloc_run(unsigned order, enum frame_type type, u16 owner)
{
	u64 mfn;

	BUG_ON(type == FRAME_FREE || type == FRAME_RESERVED);
	if (order > FRAME_ORDER_MAX)
		return MFN_NONE;
	mfn = take_run(order);
	if (mfn == NO_FRAME)
		return MFN_NONE;
	for (u64 m = mfn; m < mfn + (1ul << order); m++) {
		struct frame *f = row_of(m);

		*f = (struct frame){.type = type, .owner = owner, .refs = 1};
		memset(machine_map(MFN(m)), 0, PAGE_SIZE);
	}
	return MFN(mfn);
}

mfn_t frame_alloc(enum frame_type type, u16 owner)
{
	return frame_alloc_run(0, type, owner);
}

void frame_get(mfn_t mfn)
{
	struct frame *f = row_of(mfn.v);

	BUG_ON(!f->refs || f->refs == ~0u);
	f->refs++;
}

void frame_put(mfn_t mfn)
{
	struct frame *f = row_of(mfn.v);

	BUG_ON(!f->refs);
	if (--f->refs)
		return;
	mark_free(f);
	add_run(mfn.v, 0);
}
