// SPDX-License-Identifier: MIT
/* frame-test.c - the allocator against a naive copy of what it should hold. */
#include <string.h>
#include "mm/machine.h"
#include "tests/host/mm/host.h"

#define FIRST 0x100
#define COUNT 1500

static u8 taken[COUNT];

static bool is_zero(mfn_t mfn)
{
	const u64 *words = machine_map(mfn);

	for (unsigned i = 0; i < PAGE_SIZE / 8; i++)
		if (words[i])
			return false;
	return true;
}

static void take(unsigned order, unsigned owner)
{
	mfn_t mfn = frame_alloc_run(order, FRAME_GUEST, owner);
	bool good = true;

	if (mfn_is_none(mfn))
		return;
	good &= !(mfn.v & ((1ul << order) - 1));
	for (u64 m = mfn.v; m < mfn.v + (1ul << order); m++) {
		const struct frame *f = frame_of(MFN(m));

		good &= f->type == FRAME_GUEST && f->owner == owner && f->refs == 1;
		good &= is_zero(MFN(m)) && !taken[m - FIRST];
		taken[m - FIRST] = 1;
		memset(machine_map(MFN(m)), 0x5a, PAGE_SIZE);
	}
	CHECK(good);
}

static u64 count_free(void)
{
	u64 count = 0;

	for (unsigned i = 1; i < COUNT; i++)
		count += !taken[i];
	return count;
}

static void test_random(void)
{
	for (unsigned i = 0; i < 20000; i++) {
		unsigned frame = 1 + host_random() % (COUNT - 1);

		if (host_random() % 3 == 0) {
			take(host_random() % 6, 1 + host_random() % 3);
		} else if (taken[frame]) {
			frame_get(MFN(FIRST + frame));
			frame_put(MFN(FIRST + frame));
			CHECK(frame_of(MFN(FIRST + frame))->refs == 1);
			frame_put(MFN(FIRST + frame));
			CHECK(frame_of(MFN(FIRST + frame))->type == FRAME_FREE);
			taken[frame] = 0;
		}
		CHECK(frame_count_free() == count_free());
	}
	for (unsigned i = 1; i < COUNT; i++)
		if (taken[i]) {
			frame_put(MFN(FIRST + i));
			taken[i] = 0;
		}
	/* All joined again: 0x200 and 0x400 begin runs of 512 frames, and there is none of 1024. */
	take(9, 1);
	take(9, 1);
	take(10, 1);
	CHECK(count_free() == COUNT - 1 - 1024);
}

static void test_ranges(void)
{
	static _Alignas(16) char table[1 << 20];
	const struct frame_range ram[] = {
	    {MFN(0), 0x9f}, {MFN(0x100), 0x1000}, {MFN(0x100000), 0x100}};
	const struct frame_range beyond = {MFN(FRAME_MFN_LIMIT - 1), 2};
	const struct frame_range wraps = {MFN(~0ul - 1), 8};

	CHECK(frame_table_size(ram, 3) == (0x1100 + 0x100) * sizeof(struct frame));
	CHECK(frame_table_size(&beyond, 1) == 0);
	CHECK(frame_table_size(&wraps, 1) == 0);
	memset(table, 0xff, sizeof(table));
	frame_init(table, ram, 3);
	CHECK(frame_of(MFN(0x9f))->type == FRAME_RESERVED);
	CHECK(frame_of(MFN(0x10ff)) == frame_of(MFN(0)) + 0x10ff);
	CHECK(frame_of(MFN(0x1100)) == NULL);
	CHECK(frame_of(MFN(0xfffff)) == NULL);
	CHECK(frame_of(MFN(0x100000)) == frame_of(MFN(0)) + 0x1100);
	CHECK(frame_of(MFN(0x100100)) == NULL);
	CHECK(frame_of(MFN(1ul << 32)) == NULL);
	CHECK(frame_of(MFN_NONE) == NULL);
	CHECK(mfn_is_none(frame_alloc(FRAME_GUEST, 1)));
	frame_claim(MFN(0x100), 16, FRAME_MONITOR);
	CHECK(frame_of(MFN(0x10f))->refs == 1 && frame_of(MFN(0x110))->refs == 0);
}

/* Frames for two runs of the longest, given at once or back one by one: those do not join. */
static void test_longest_run(void)
{
	const u64 count = 2ul << FRAME_ORDER_MAX;
	const struct frame_range ram = {MFN(0), 2 * count};
	void *table = aligned_alloc(16, frame_table_size(&ram, 1));

	frame_init(table, &ram, 1);
	frame_claim(MFN(0), count, FRAME_GUEST);
	frame_add_free(MFN(count), count);
	CHECK(frame_count_free() == count);
	for (u64 mfn = 0; mfn < count; mfn++)
		frame_put(MFN(mfn));
	CHECK(frame_count_free() == 2 * count);
	free(table);
}

int main(void)
{
	host_seed = 20240817;
	printf("frame-test: seed %lu\n", host_seed);
	host_machine_init(FIRST, COUNT);
	test_random();
	test_ranges();
	test_longest_run();
	host_machine_end();
	return host_finish();
}
