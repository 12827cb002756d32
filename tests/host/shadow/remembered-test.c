// SPDX-License-Identifier: MIT
/*
 * remembered-test.c - what the shadows have learnt of one entry, table, frame or address is asked
 * of another, for which it does not hold, or no more.
 */
#include "mm/machine.h"
#include "tests/host/shadow/scene.h"

/* An entry like the last one, of a frame that is a table meanwhile, or of other rights, or under
 * another mode, or with a reserved bit among those of the frame. */
static void test_like_entries(void)
{
	const u64 reserved = 1ul << 46;

	scene_begin(SHADOW_TRAPPED, SHADOW_FRAMES_MIN);
	map_first();
	CHECK(is_reached(0x1000, store, DATA + 1));
	set_entry(L2, 1, entry(DATA + 20, ALL_BITS));
	set_entry(DATA + 20, 0, entry(DATA, ALL_BITS));
	CHECK(is_reached(1ul << 21, load, DATA));
	set_entry(L1, 2, entry(DATA + 9, ALL_BITS));
	set_entry(L1, 3, entry(DATA + 20, ALL_BITS)); /* the table */
	CHECK(scene_touch(0x3000, true) == SHADOW_EMULATE);
	CHECK(shadow_is_sound(&shadow, true));

	set_entry(L1, 2, entry(DATA + 10, ALL_BITS));
	memory.rights[DATA + 11] = P2M_R;
	CHECK(p2m_set_rights(&p2m, GFN(DATA + 11), P2M_R) == 0);
	set_entry(L1, 2, entry(DATA + 11, ALL_BITS));
	CHECK(is_reached(0x2000, load, DATA + 11));
	CHECK(shadow_is_sound(&shadow, true));

	set_entry(L1, 2, entry(DATA + 10, ALL_BITS));
	set_entry(L1, 2, entry(DATA + 12, ALL_BITS) | reserved);
	CHECK(is_refused(0x2000, load));
	set_entry(L1, 2, entry(DATA + 12, ALL_BITS) | NX);
	CHECK(is_reached(0x2000, load, DATA + 12) && is_refused(0x2000, fetch));
	cpu.mode.nxe = false;
	shadow_set_mode(&sv, cpu.mode);
	set_entry(L1, 4, entry(DATA + 13, ALL_BITS) | NX);
	CHECK(is_refused(0x4000, load));
	CHECK(shadow_is_sound(&shadow, true));
	scene_end();
}

/* A frame goes, and comes back as another; the page that shadowed a table is another's. */
static void test_frames_go(enum shadow_policy policy)
{
	struct shadow_result r;
	mfn_t mfn;

	scene_begin(policy, SHADOW_FRAMES_MIN);
	map_first();
	for (unsigned i = 0; i < 40; i++) {
		u64 table = i & 1 ? L1 : SPACES + i % 5, gfn = DATA + i % 7;

		set_entry(table, 5, entry(gfn, ALL_BITS));
		set_entry(L2, 0, entry(table, i % 3 ? ALL_BITS : ALL_BITS & ~4ul));
		if (policy == SHADOW_NOTIFIED)
			shadow_load_cr3(&sv, 0);
		CHECK(is_reached(0x5000, store, gfn));
		/* The table goes between two faults at one address, and is another frame. */
		while (p2m_remove(&p2m, GFN(table)))
			;
		memory.mfn[table] = MFN_NONE;
		CHECK(scene_try(GVA(0x5000), store, &r, &mfn) == SHADOW_POPULATE);
		CHECK(scene_try(GVA(0x6000), load, &r, &mfn) == SHADOW_POPULATE);
		memory.mfn[table] = frame_alloc(FRAME_GUEST, 1);
		CHECK(p2m_insert(&p2m, GFN(table), memory.mfn[table], P2M_RIGHTS) == 0);
		frame_put(memory.mfn[table]);
		CHECK(is_refused(0x5000, store)); /* it is empty */
		set_entry(table, 5, entry(gfn + 1, ALL_BITS));
		CHECK(is_reached(0x5000, store, gfn + 1));
		/* And as a page of its own, at once a table of two levels. */
		set_entry(L3, 1 + i, entry(table, ALL_BITS));
		set_entry(table, 0, entry(gfn, ALL_BITS));
		if (policy == SHADOW_NOTIFIED)
			shadow_load_cr3(&sv, 0);
		CHECK(is_reached(0, store, gfn));
		CHECK(scene_touch((1 + i) << 30, false) != SHADOW_KILL);
		set_entry(table, 5, entry(gfn + 2, ALL_BITS));
		CHECK(is_reached(0x5000, store, gfn + 2));
		set_entry(L3, 1 + i, 0);
		CHECK(shadow_is_sound(&shadow, policy == SHADOW_TRAPPED));
		if (i % 8 == 7)
			shadow_drop_all(&shadow);
	}
	scene_end();
}

/* The way to what maps a table stands; then what is mapped, or may be done with it, is another. */
static void test_stored_tables(void)
{
	const u64 kernel = ALL_BITS & ~4ul, at = 1ul << 21;
	struct shadow_result r;
	mfn_t mfn;

	scene_begin(SHADOW_TRAPPED, SHADOW_FRAMES_MIN);
	map_first();
	set_entry(L2, 1, entry(SPACES, ALL_BITS));
	set_entry(SPACES, 0, entry(L2, kernel));
	CHECK(is_reached(0x1000, load, DATA + 1) && is_reached(at, load, L2));
	CHECK(scene_try(GVA(at | 0x18), store, &r, &mfn) == SHADOW_EMULATE);
	CHECK(r.gpa.v == (L2 << 12 | 0x18));
	set_entry(SPACES, 0, entry(L3, kernel));
	CHECK(scene_try(GVA(at | 8), store, &r, &mfn) == SHADOW_EMULATE);
	CHECK(r.gpa.v == (L3 << 12 | 8));
	CHECK(is_refused(at, (struct shadow_access){.user = true, .write = true}));
	set_entry(SPACES, 0, entry(L3, kernel & ~0x40ul)); /* D is to be set */
	CHECK(scene_touch(at, true) == SHADOW_EMULATE && *word(SPACES, 0) & 0x40);
	set_entry(SPACES, 0, entry(L3, kernel & ~2ul));
	CHECK(is_refused(at, store));
	set_entry(SPACES, 0, entry(L3, kernel));
	CHECK(scene_touch(at, true) == SHADOW_EMULATE);
	set_entry(L2, 1, entry(SPACES, ALL_BITS & ~2ul)); /* read-only further up */
	CHECK(is_reached(at, load, L3) && is_refused(at, store));
	set_entry(L2, 1, entry(SPACES, ALL_BITS));
	CHECK(is_reached(at, load, L3));
	memory.rights[L3] = P2M_R | P2M_X;
	CHECK(p2m_set_rights(&p2m, GFN(L3), P2M_R | P2M_X) == 0);
	CHECK(scene_touch(at, true) == SHADOW_WATCHED);
	memory.rights[L3] = P2M_RIGHTS;
	CHECK(p2m_set_rights(&p2m, GFN(L3), P2M_RIGHTS) == 0);
	CHECK(scene_touch(at, true) == SHADOW_EMULATE);
	cpu.mode.nxe = false;
	shadow_set_mode(&sv, cpu.mode);
	CHECK(is_reached(at, load, L3));
	set_entry(SPACES, 1, entry(L2, kernel));
	CHECK(is_reached(at | 0x1000, load, L2));
	set_entry(SPACES, 1, entry(L3, kernel) | NX); /* reserved */
	CHECK(is_refused(at | 0x1000, store));
	CHECK(shadow_is_sound(&shadow, true));
	scene_end();
}

/* An entry of a loose table is no more what its spte was made from, when a store by it faults. */
static void test_stores_by_loose_entries(void)
{
	const struct shadow_access user_store = {.user = true, .write = true};
	const u64 reserved = 1ul << 46, at = 18ul << 12, next = 19ul << 12;
	struct shadow_result r;
	mfn_t mfn;

	scene_begin_loose(SHADOW_FRAMES_MIN);
	set_entry(L1, 18, entry(L2, ALL_BITS & ~4ul)); /* a protected table */
	CHECK(scene_touch(at, true) == SHADOW_EMULATE && shadow.loose_count == 1);
	*word(L1, 18) &= ~0x20ul; /* A */
	CHECK(scene_touch(at, true) == SHADOW_EMULATE && *word(L1, 18) & 0x20);
	*word(L1, 18) |= reserved;
	CHECK(scene_try(GVA(at), store, &r, &mfn) == SHADOW_REFLECT && r.error_code == 11);
	*word(L1, 18) &= ~(reserved | 1);
	CHECK(scene_try(GVA(at), store, &r, &mfn) == SHADOW_REFLECT && r.error_code == 2);
	*word(L1, 18) = entry(1ul << 30, ALL_BITS & ~4ul);
	CHECK(scene_touch(at, true) == SHADOW_POPULATE);
	set_entry(L1, 19, entry(DATA + 19, ALL_BITS & ~2ul)); /* a page of the user's */
	CHECK(is_reached(next, user, DATA + 19));
	CHECK(scene_try(GVA(next), user_store, &r, &mfn) == SHADOW_REFLECT && r.error_code == 7);
	*word(L1, 19) |= reserved;
	CHECK(scene_try(GVA(next), user_store, &r, &mfn) == SHADOW_REFLECT && r.error_code == 15);
	*word(L1, 19) &= ~(reserved | 1);
	CHECK(scene_try(GVA(next), user_store, &r, &mfn) == SHADOW_REFLECT && r.error_code == 6);
	*word(L1, 19) |= 3;
	CHECK(is_reached(next, user_store, DATA + 19) && shadow.loose_count == 1);
	scene_end();
}

/* Loads are refused by nothing that refuses stores, nor made by the monitor. */
static void test_loads(void)
{
	scene_begin(SHADOW_TRAPPED, SHADOW_FRAMES_MIN);
	shadow.config.without = SHADOW_PREFAULT;
	map_first();
	CHECK(is_reached(0x2000, load, DATA + 2) && is_reached(0x3000, load, DATA + 3));
	set_entry(L1, 1, entry(DATA + 9, ALL_BITS & ~2ul));
	CHECK(is_reached(0x1000, user, DATA + 9) && faults == 1);
	set_entry(L1, 2, entry(L3, ALL_BITS & ~4ul));
	CHECK(is_reached(0x2000, load, L3) && faults == 1);
	set_entry(L1, 3, entry(L3, ALL_BITS & ~4ul));
	CHECK(is_reached(0x3000, fetch, L3) && scene_touch(0x3000, true) == SHADOW_EMULATE);
	CHECK(shadow_is_sound(&shadow, true));
	scene_end();
}

/* The entry known of a large page's parts says where the first is. */
static void test_stores_in_large(void)
{
	const u64 at = 4ul << 21;
	struct shadow_result r;
	mfn_t mfn;

	scene_begin(SHADOW_TRAPPED, SHADOW_FRAMES_MIN);
	map_first();
	set_entry(L2, 4, entry(0, (ALL_BITS & ~4ul) | 0x80));
	CHECK(is_reached(0x1000, load, DATA + 1) && is_reached(at | L2 << 12, load, L2));
	CHECK(scene_try(GVA(at | L2 << 12 | 0x18), store, &r, &mfn) == SHADOW_EMULATE);
	CHECK(r.gpa.v == (L2 << 12 | 0x18));
	CHECK(is_reached(at | (DATA + 1) << 12, store, DATA + 1));
	scene_end();
}

/* Two faults at one place, and no way to it any more. */
static void test_way_goes(enum shadow_policy policy)
{
	scene_begin(policy, SHADOW_FRAMES_MIN);
	map_first();
	set_entry(L1, 3, 0);
	CHECK(is_reached(0x1000, load, DATA + 1) && is_refused(0x3000, load));
	set_entry(L2, 0, 0);
	set_entry(L1, 3, entry(DATA + 3, ALL_BITS & ~0x60ul)); /* A is not set: no prefault */
	CHECK(is_refused(0x3000, load) && is_refused(0x1000, load));
	set_entry(SPACES, 3, entry(DATA + 4, ALL_BITS));
	set_entry(L2, 0, entry(SPACES, ALL_BITS));
	if (policy == SHADOW_NOTIFIED)
		shadow_flush(&sv);
	CHECK(is_reached(0x3000, store, DATA + 4) && is_refused(0x1000, load));
	scene_end();
}

/* Of two shadows of a table the one that was stored to last goes. */
static void test_one_of_two(void)
{
	const u64 second = 2ul << 21;

	scene_begin(SHADOW_TRAPPED, SHADOW_FRAMES_MIN);
	map_first();
	set_entry(L1, 30, entry(L1, ALL_BITS & ~4ul));
	CHECK(is_reached(0x1000, load, DATA + 1));
	set_entry(L1, 1, entry(DATA + 2, ALL_BITS));
	set_entry(L2, 2, entry(L1, ALL_BITS & ~4ul));
	CHECK(is_reached(second | 0x1000, load, DATA + 2));
	set_entry(L2, 0, 0);
	CHECK(scene_touch(second | 30ul << 12, true) != SHADOW_KILL);
	set_entry(L1, 1, entry(DATA + 3, ALL_BITS));
	CHECK(is_reached(second | 0x1000, load, DATA + 3));
	CHECK(shadow_is_sound(&shadow, true));
	scene_end();
}

int main(void)
{
	printf("remembered-test: no seed\n");
	host_machine_init(0x1000, 2048);
	test_like_entries();
	test_frames_go(SHADOW_TRAPPED);
	test_frames_go(SHADOW_NOTIFIED);
	test_stored_tables();
	test_stores_by_loose_entries();
	test_loads();
	test_stores_in_large();
	test_way_goes(SHADOW_TRAPPED);
	test_way_goes(SHADOW_NOTIFIED);
	test_one_of_two();
	host_machine_end();
	return host_finish();
}
