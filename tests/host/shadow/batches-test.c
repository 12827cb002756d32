// SPDX-License-Identifier: MIT
/*
 * batches-test.c - entries of a table that change together: by notices, by one long store, unseen
 * in a loose table. Each spte becomes what its own entry grants, whatever was found of the one
 * before, and leaves the list in which it stood.
 */
#include <string.h>
#include "mm/machine.h"
#include "tests/host/shadow/scene.h"

static u64 told[64];
static unsigned told_count;

static void change(u64 table, unsigned slot, u64 value)
{
	*word(table, slot) = value;
	told[told_count++] = table << 12 | slot * 8;
}

/* The notice of all that was changed. */
static void tell(void)
{
	CHECK(shadow_notify(&shadow, told, 1, told_count) == 0);
	told_count = 0;
	CHECK(shadow_is_sound(&shadow, true));
}

/* The spte stands before the access comes. */
static bool is_there(u64 gva, struct shadow_access access, u64 gfn)
{
	return is_reached(gva, access, gfn) && faults == 0;
}

/* A frame that the scene has not. */
static void insert(u64 gfn)
{
	memory.mfn[gfn] = frame_alloc(FRAME_GUEST, 1);
	memory.rights[gfn] = P2M_RIGHTS;
	CHECK(p2m_insert(&p2m, GFN(gfn), memory.mfn[gfn], P2M_RIGHTS) == 0);
	frame_put(memory.mfn[gfn]);
}

/* ---- the lists ---- */

/* Of three entries that map one frame any go, in any order, each behind one whose frame is its own:
 * the others stay, and whoever looks for the frame's translations finds them. */
static void test_shared_frame(u64 becomes)
{
	const u64 shared = DATA + 20;
	struct shadow_result r;
	mfn_t mfn;

	scene_begin(SHADOW_NOTIFIED, SHADOW_FRAMES_MIN);
	map_first();
	CHECK(is_reached(0, load, DATA));
	set_entry(L1, 20, 0);
	for (unsigned which = 0; which < 27; which++) {
		const unsigned order[] = {which % 3, which / 3 % 3, which / 9};
		unsigned gone = 0;

		for (u64 i = 0; i < 3; i++) {
			set_entry(L1, i, entry(DATA + i, ALL_BITS));
			set_entry(L1, 10 + i, entry(shared, ALL_BITS));
		}
		for (u64 i = 0; i < 3; i++) {
			change(L1, i, becomes ? entry(DATA + 27 + i, ALL_BITS) : 0);
			change(L1, 10 + order[i], becomes);
			gone |= 1 << order[i];
		}
		tell();
		CHECK(p2m_set_rights(&p2m, GFN(shared), P2M_R | P2M_X) == 0);
		for (u64 i = 0; i < 3; i++) {
			u64 gva = (10 + i) << 12;

			if (!(gone & 1 << i)) {
				CHECK(is_there(gva, load, shared));
				CHECK(scene_try(GVA(gva), store, &r, &mfn) == SHADOW_WATCHED);
			} else if (becomes) {
				CHECK(is_there(gva, store, becomes >> 12));
			} else {
				CHECK(is_refused(gva, load));
			}
		}
		CHECK(p2m_set_rights(&p2m, GFN(shared), P2M_RIGHTS) == 0);
	}
	scene_end();
}

/* Frames come in turn from both ends of leaves of the p2m, which do not lie in order; together, or
 * one by one. */
static void test_far_frames(enum shadow_policy policy)
{
	const u64 gfns[] = {DATA, 767, 256, 255, 512, 511, DATA + 1, 513, 257, 0};
	const unsigned count = ARRAY_SIZE(gfns);

	scene_begin(policy, SHADOW_FRAMES_MIN);
	for (unsigned i = 1; i < count - 1; i++)
		if (gfns[i] >= GUEST_FRAMES)
			insert(gfns[i]);
	map_first();
	CHECK(is_reached(0, load, DATA));
	for (u64 round = 0; round < 40; round++) {
		for (u64 slot = 0; slot < 16; slot++) {
			u64 gfn = gfns[(slot + round * (1 + slot % 3)) % count];

			if (policy == SHADOW_TRAPPED)
				set_entry(L1, slot, gfn ? entry(gfn, ALL_BITS) : 0);
			else
				change(L1, slot, gfn ? entry(gfn, ALL_BITS) : 0);
		}
		tell();
		for (u64 slot = 0; slot < 16; slot++) {
			u64 gfn = *word(L1, slot) >> 12;

			CHECK(gfn ? is_there(slot << 12, store, gfn)
				  : is_refused(slot << 12, load));
		}
	}
	scene_end();
}

/* ---- rights ---- */

static void forget_all(void)
{
	hardware_flush(&hw);
}

/* An entry grants less of the same frame: no CPU keeps what it was granted; and more again. */
static void test_rights_go(enum shadow_policy policy)
{
	const struct {
		u64 bits;
		struct shadow_access access;
	} narrower[] = {
	    {ALL_BITS & ~2ul, store},
	    {ALL_BITS & ~4ul, user},
	    {ALL_BITS | NX, fetch},
	};

	scene_begin(policy, SHADOW_FRAMES_MIN);
	map_first();
	host_on_flush = forget_all;
	for (unsigned i = 0; i < ARRAY_SIZE(narrower); i++) {
		struct shadow_access access = narrower[i].access;

		CHECK(is_reached(0x1000, access, DATA + 1));
		set_entry(L1, 1, entry(DATA + 1, narrower[i].bits));
		CHECK(!hardware_access(&hw, shadow_root(&sv), GVA(0x1000), access).ok);
		CHECK(is_refused(0x1000, access));
		set_entry(L1, 1, entry(DATA + 1, ALL_BITS));
		CHECK(is_there(0x1000, access, DATA + 1));
	}
	set_entry(L1, 1, entry(DATA + 1, ALL_BITS & ~0x40ul)); /* D is to be set anew */
	CHECK(!hardware_access(&hw, shadow_root(&sv), GVA(0x1000), store).ok);
	CHECK(is_reached(0x1000, store, DATA + 1) && *word(L1, 1) & 0x40);
	host_on_flush = NULL;
	scene_end();
}

/* The same frames with other rights, one beside the other. */
static void test_rights_side_by_side(void)
{
	const u64 bits[] = {ALL_BITS,	     ALL_BITS & ~2ul, ALL_BITS | NX,   ALL_BITS | 0x10,
			    ALL_BITS & ~4ul, ALL_BITS,	      ALL_BITS & ~6ul, ALL_BITS | 0x100};
	const unsigned count = ARRAY_SIZE(bits);

	scene_begin(SHADOW_NOTIFIED, SHADOW_FRAMES_MIN);
	map_first();
	CHECK(is_reached(0, load, DATA));
	for (u64 round = 0; round < count; round++) {
		for (u64 slot = 0; slot < count; slot++)
			change(L1, slot, entry(DATA + slot, bits[(slot * 3 + round) % count]));
		tell();
		for (u64 slot = 0; slot < count; slot++) {
			u64 have = *word(L1, slot), gva = slot << 12, gfn = DATA + slot;

			CHECK(have & 2 ? is_there(gva, store, gfn) : is_refused(gva, store));
			CHECK(have & 4 ? is_there(gva, user, gfn) : is_refused(gva, user));
			CHECK(have & NX ? is_refused(gva, fetch) : is_there(gva, fetch, gfn));
		}
	}
	scene_end();
}

/* ---- which entries ---- */

/* Every second word is an address; they go from table to table, of all levels and of none. */
static void test_from_table_to_table(void)
{
	const u64 other = SPACES, nothing = ~0ul;
	const u64 pairs[] = {
	    L1 << 12 | 8,     nothing, other << 12 | 8, nothing, L2 << 12 | 16, nothing,
	    1ul << 40,	      nothing, L1 << 12 | 16,	nothing, L1 << 12 | 24, nothing,
	    other << 12 | 16, nothing, DATA << 12,	nothing,
	};

	scene_begin(SHADOW_NOTIFIED, SHADOW_FRAMES_MIN);
	map_first();
	set_entry(L2, 1, entry(other, ALL_BITS));
	set_entry(L2, 2, entry(other, ALL_BITS));
	set_entry(other, 2, entry(DATA + 2, ALL_BITS));
	CHECK(is_reached(0, load, DATA) && is_reached(1ul << 21 | 0x2000, load, DATA + 2));
	CHECK(is_reached(2ul << 21 | 0x2000, load, DATA + 2));
	for (u64 slot = 1; slot < 4; slot++)
		*word(L1, slot) = entry(DATA + 10 + slot, ALL_BITS);
	*word(other, 1) = entry(DATA + 20, ALL_BITS);
	*word(other, 2) = 0;
	*word(L2, 2) = 0;
	CHECK(shadow_notify(&shadow, pairs, 2, ARRAY_SIZE(pairs) / 2) == 1);
	CHECK(shadow_is_sound(&shadow, true));
	for (u64 slot = 1; slot < 4; slot++)
		CHECK(is_there(slot << 12, store, DATA + 10 + slot));
	CHECK(is_there(1ul << 21 | 0x1000, store, DATA + 20));
	CHECK(is_refused(1ul << 21 | 0x2000, load) && is_refused(2ul << 21 | 0x1000, load));
	scene_end();
}

/* A table that is reached with and without a right has two shadows, and both hear. */
static void test_two_shadows(enum shadow_policy policy)
{
	scene_begin(policy, SHADOW_FRAMES_MIN);
	map_first();
	set_entry(L2, 1, entry(L1, ALL_BITS & ~2ul));
	CHECK(is_reached(0x1000, store, DATA + 1) && is_reached(0x201000, load, DATA + 1));
	set_entry(L1, 1, entry(DATA + 9, ALL_BITS));
	CHECK(is_there(0x1000, store, DATA + 9) && is_there(0x201000, load, DATA + 9));
	CHECK(is_refused(0x201000, store));
	set_entry(L1, 1, 0);
	CHECK(is_refused(0x1000, load) && is_refused(0x201000, load));
	CHECK(shadow_is_sound(&shadow, true));
	scene_end();
}

/* Without the convenience, what changes is withdrawn, and nothing comes before its fault. */
static void test_no_prefault(enum shadow_policy policy)
{
	scene_begin(policy, SHADOW_FRAMES_MIN);
	shadow.config.without = SHADOW_PREFAULT;
	map_first();
	CHECK(is_reached(0x1000, store, DATA + 1) && is_reached(0x2000, store, DATA + 2));
	set_entry(L1, 1, entry(DATA + 9, ALL_BITS));
	CHECK(is_reached(0x1000, store, DATA + 9) && faults == 1);
	set_entry(L1, 2, 0);
	CHECK(is_refused(0x2000, load));
	scene_end();
}

/* ---- stores of other sizes than an entry's ---- */

static void write_at(u64 gpa, const void *from, size_t size)
{
	CHECK(guest_copy_write(&p2m, GPA(gpa), from, size, NULL) == 0);
	CHECK(shadow_is_sound(&shadow, true));
}

/* The monitor stores for the guest: parts of entries, several, across two tables, all. */
static void test_stores_of_any_size(void)
{
	const u64 next = L1 + 1, at = L1 << 12, end = 511ul << 12;
	u64 two[] = {entry(DATA + 5, ALL_BITS), entry(DATA + 6, ALL_BITS)}, page[512] = {0};
	u8 byte = entry(DATA + 4, ALL_BITS) >> 8;

	scene_begin(SHADOW_TRAPPED, SHADOW_FRAMES_MIN);
	map_first();
	set_entry(L2, 1, entry(next, ALL_BITS));
	set_entry(next, 0, entry(DATA + 30, ALL_BITS));
	CHECK(is_reached(0, load, DATA) && is_reached(1ul << 21, load, DATA + 30));
	write_at(at | 8, two, sizeof(two));
	CHECK(is_there(0x1000, store, DATA + 5) && is_there(0x2000, store, DATA + 6));
	write_at(at | 0xff8, two, sizeof(two));
	CHECK(is_there(end, store, DATA + 5) && is_there(1ul << 21, store, DATA + 6));
	two[0] |= NX;
	two[1] = entry(DATA + 9, ALL_BITS);
	write_at(at | 12, (char *)two + 4, 8); /* half of each */
	CHECK(is_refused(0x1000, fetch) && is_there(0x1000, store, DATA + 5));
	CHECK(is_there(0x2000, store, DATA + 9));
	write_at(at | 25, &byte, 1);
	CHECK(is_there(0x3000, store, DATA + 4));
	for (u64 slot = 0; slot < 32; slot++)
		page[slot] = entry(DATA + slot * 5 % 32, ALL_BITS);
	write_at(at, page, sizeof(page));
	for (u64 slot = 0; slot < 32; slot++)
		CHECK(is_there(slot << 12, store, DATA + slot * 5 % 32));
	CHECK(is_refused(end, load));
	memset(page, 0, sizeof(page));
	write_at(L2 << 12, page, sizeof(page));
	CHECK(is_refused(0x1000, load) && is_refused(1ul << 21, load));
	scene_end();
}

/* ---- a loose table, looked through at once ---- */

/* Among its new entries are ways to a protected table and to itself. */
static void test_loose_leads_to_tables(void)
{
	scene_begin_loose(SHADOW_FRAMES_MIN);
	for (u64 slot = 1; slot < 6; slot++)
		CHECK(is_reached(slot << 12, load, DATA + slot));
	CHECK(is_reached(0x10000, store, L1));
	*word(L1, 1) = entry(DATA + 9, ALL_BITS);
	*word(L1, 2) = entry(L2, ALL_BITS);
	*word(L1, 3) = entry(DATA + 10, ALL_BITS);
	*word(L1, 4) = entry(L1, ALL_BITS);
	*word(L1, 5) = entry(DATA + 11, ALL_BITS & ~2ul);
	shadow_load_cr3(&sv, 0);
	CHECK(shadow_is_sound(&shadow, true) && shadow.loose_count == 1);
	CHECK(is_there(0x1000, store, DATA + 9) && is_there(0x3000, store, DATA + 10));
	CHECK(is_there(0x5000, load, DATA + 11) && is_refused(0x5000, store));
	CHECK(is_there(0x2000, load, L2) && scene_touch(0x2000, true) == SHADOW_EMULATE);
	CHECK(is_there(0x4000, store, L1) && shadow.loose_count == 1);
	*word(L1, 6) = entry(DATA + 12, ALL_BITS); /* by that new way */
	shadow_load_cr3(&sv, 0);
	CHECK(is_there(0x6000, load, DATA + 12));
	scene_end();
}

/* More entries than are followed at once. */
static void test_loose_all_changed(void)
{
	scene_begin_loose(SHADOW_FRAMES_MIN);
	for (u64 round = 1; round < 4; round++) {
		CHECK(is_reached(0x10000, store, L1));
		for (u64 slot = 18; slot < 512; slot++)
			*word(L1, slot) = entry(DATA + (slot + round) % 40, ALL_BITS);
		shadow_load_cr3(&sv, 0);
		CHECK(shadow_is_sound(&shadow, true) && shadow.loose_count == 1);
		for (u64 slot = 18; slot < 512; slot++)
			CHECK(is_there(slot << 12, store, DATA + (slot + round) % 40));
	}
	scene_end();
}

int main(void)
{
	printf("batches-test: no seed\n");
	host_machine_init(0x1000, 2048);
	test_shared_frame(0);
	test_shared_frame(entry(DATA + 25, ALL_BITS));
	test_far_frames(SHADOW_NOTIFIED);
	test_far_frames(SHADOW_TRAPPED);
	test_rights_go(SHADOW_TRAPPED);
	test_rights_go(SHADOW_NOTIFIED);
	test_rights_side_by_side();
	test_from_table_to_table();
	test_two_shadows(SHADOW_TRAPPED);
	test_two_shadows(SHADOW_NOTIFIED);
	test_no_prefault(SHADOW_TRAPPED);
	test_no_prefault(SHADOW_NOTIFIED);
	test_stores_of_any_size();
	test_loose_leads_to_tables();
	test_loose_all_changed();
	host_machine_end();
	return host_finish();
}
