// SPDX-License-Identifier: MIT
/* ranges.c - a set of disjoint ranges in an array: a few dozen members, used while booting. */
#include "lib/compiler.h"
#include "lib/ranges.h"
#include "lib/string.h"

static void delete_at(struct range_set *set, u32 i)
{
	set->count--;
	memmove(&set->range[i], &set->range[i + 1], (set->count - i) * sizeof(set->range[0]));
}

static void forget_smallest(struct range_set *set)
{
	u32 smallest = 0;

	for (u32 i = 1; i < set->count; i++)
		if (set->range[i].end - set->range[i].start <
		    set->range[smallest].end - set->range[smallest].start)
			smallest = i;
	delete_at(set, smallest);
	set->overflowed = true;
}

static void insert_sorted(struct range_set *set, u64 start, u64 end)
{
	u32 i;

	if (set->count == RANGE_MAX)
		forget_smallest(set);
	for (i = set->count; i > 0 && set->range[i - 1].start > start; i--)
		set->range[i] = set->range[i - 1];
	set->range[i] = (struct range){start, end};
	set->count++;
}

void range_add(struct range_set *set, u64 start, u64 end)
{
	if (start >= end)
		return;
	/* Swallow every member that touches the new one. */
	for (u32 i = 0; i < set->count;) {
		struct range *r = &set->range[i];

		if (r->start > end || r->end < start) {
			i++;
			continue;
		}
		start = MIN(start, r->start);
		end = MAX(end, r->end);
		delete_at(set, i);
	}
	insert_sorted(set, start, end);
}

void range_remove(struct range_set *set, u64 start, u64 end)
{
	if (start >= end)
		return;
	for (u32 i = 0; i < set->count;) {
		struct range old = set->range[i];

		if (old.start >= end || old.end <= start) {
			i++;
			continue;
		}
		/* What is left lies outside start..end: meeting it again does nothing. */
		delete_at(set, i);
		if (old.start < start)
			insert_sorted(set, old.start, start);
		if (old.end > end)
			insert_sorted(set, end, old.end);
	}
}

bool range_contains(const struct range_set *set, u64 start, u64 end)
{
	for (u32 i = 0; i < set->count; i++)
		if (set->range[i].start <= start && start < end && end <= set->range[i].end)
			return true;
	return false;
}

u64 range_total(const struct range_set *set)
{
	u64 total = 0;

	for (u32 i = 0; i < set->count; i++)
		total += set->range[i].end - set->range[i].start;
	return total;
}

u64 range_take(struct range_set *set, u64 size, u64 align, u64 limit)
{
	for (u32 i = set->count; i-- > 0;) {
		const struct range *r = &set->range[i];
		u64 end = MIN(r->end, limit);
		u64 start;

		if (end < r->start || end - r->start < size)
			continue;
		start = ALIGN_DOWN(end - size, align);
		if (start < r->start)
			continue;
		range_remove(set, start, start + size);
		return start;
	}
	return ~0ul;
}
