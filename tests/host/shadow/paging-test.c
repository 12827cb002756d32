// SPDX-License-Identifier: MIT
/* paging-test.c - what random worlds meet too seldom: a scene for each promise of the door. */
#include "lib/errno.h"
#include "mm/machine.h"
#include "tests/host/shadow/scene.h"

static void test_bad_config(void)
{
	struct shadow_config good = {.p2m = &p2m,
				     .limit = 64,
				     .reserved_first = 270,
				     .reserved_last = 271,
				     .supervisor_from_slot = 512,
				     .physical_bits = 46};
	struct shadow_config c = good;
	struct shadow_vcpu second;

	CHECK(p2m_init(&p2m, 1) == 0);
	c.limit = 63;
	CHECK(shadow_init(&shadow, &c) == -EINVAL);
	c = good;
	c.limit = SHADOW_FRAMES_MAX + 1;
	CHECK(shadow_init(&shadow, &c) == -EINVAL);
	c = good;
	c.reserved_last = 512;
	CHECK(shadow_init(&shadow, &c) == -EINVAL);
	c = good;
	c.physical_bits = 53;
	CHECK(shadow_init(&shadow, &c) == -EINVAL);
	CHECK(shadow_init(&shadow, &good) == 0);
	CHECK(shadow_vcpu_init(&sv, &shadow, 0) == 0);
	CHECK(shadow_vcpu_init(&second, &shadow, 1) == -ENOSPC);
	shadow_vcpu_exit(&sv);
	while (shadow_destroy(&shadow))
		;
	while (p2m_destroy(&p2m))
		;
}

/* The reserved slots hold what they are given, in every root, and the guest's own entries count
 * not. */
static void test_reserved_slots(void)
{
	mfn_t ours[4];
	u64 window = 270ul << 39 | 0xffff000000000000, other = 271ul << 39 | 0xffff000000000000;
	struct shadow_result r;
	mfn_t mfn;

	for (unsigned i = 0; i < 4; i++)
		ours[i] = frame_alloc(FRAME_SWITCHER, 0);
	scene_begin(SHADOW_TRAPPED, SHADOW_FRAMES_MIN);
	for (unsigned i = 0; i < 3; i++)
		*(u64 *)machine_map(ours[i]) = ours[i + 1].v << 12 | (i == 2 ? 0x21 : 0x23);
	shadow_set_slot(&sv, 270, ours[0].v << 12 | 0x23);
	map_first();
	set_entry(L4, 270, entry(L3, ALL_BITS));
	set_entry(L4, 271, entry(L3, ALL_BITS));
	for (u64 cr3 = 0; cr3 < 3; cr3++) {
		shadow_load_cr3(&sv, cr3 << 12);
		CHECK(scene_try(GVA(window), (struct shadow_access){0}, &r, &mfn) == SHADOW_FIXED);
		CHECK(mfn_equal(mfn, ours[3]) && faults == 0);
		CHECK(scene_try(GVA(window), (struct shadow_access){.write = true}, &r, &mfn) ==
			  SHADOW_REFLECT &&
		      r.error_code == 3);
		CHECK(scene_try(GVA(window), (struct shadow_access){.user = true}, &r, &mfn) ==
			  SHADOW_REFLECT &&
		      r.error_code == 5);
		CHECK(scene_try(GVA(other), (struct shadow_access){.write = true}, &r, &mfn) ==
			  SHADOW_REFLECT &&
		      r.error_code == 2);
		CHECK(shadow_translate(&sv, GVA(window), (struct shadow_access){0}, &r) ==
		      SHADOW_REFLECT);
	}
	shadow_set_slot(&sv, 271, ours[0].v << 12 | 0x23);
	CHECK(scene_try(GVA(other), (struct shadow_access){0}, &r, &mfn) == SHADOW_FIXED);
	shadow_drop_all(&shadow);
	CHECK(scene_try(GVA(other), (struct shadow_access){0}, &r, &mfn) == SHADOW_FIXED &&
	      !faults);
	scene_end();
	for (unsigned i = 0; i < 4; i++)
		frame_put(ours[i]);
}

static void test_known_space(enum shadow_policy policy)
{
	u64 fills = 0;

	scene_begin(policy, SHADOW_FRAMES_MIN);
	map_first();
	set_entry(4, 0, entry(L3, ALL_BITS)); /* gfn 4: a second top-level table */
	for (unsigned i = 0; i < 4; i++) {
		shadow_load_cr3(&sv, (i & 1 ? 4ul : L4) << 12);
		CHECK(scene_touch(0x1000, true) == SHADOW_FIXED);
		CHECK(faults == (i < 2)); /* the second space finds the leaf, not the way to it */
		if (i == 1)
			fills = shadow.stats.fills;
	}
	CHECK(shadow.stats.fills == fills);
	scene_end();
}

/* The second store in a row to a leaf table leaves it writable; INVLPG and CR3 load make it true.
 */
static void test_loose(void)
{
	u64 table = 0x10000, zero = 0;
	struct shadow_result r;
	mfn_t mfn;

	scene_begin(SHADOW_TRAPPED, SHADOW_FRAMES_MIN);
	map_first();
	set_entry(L1, 16, entry(L1, ALL_BITS)); /* page 16 shows the table itself */
	shadow_load_cr3(&sv, 0);
	CHECK(scene_touch(0x1000, false) == SHADOW_FIXED &&
	      scene_touch(0x2000, false) == SHADOW_FIXED);
	CHECK(scene_touch(table, true) == SHADOW_EMULATE);
	set_entry(L1, 5, 0);
	CHECK(scene_touch(table, true) == SHADOW_FIXED && shadow.loose_count == 1);
	CHECK(scene_try(GVA(table), (struct shadow_access){.write = true}, &r, &mfn) ==
	      SHADOW_FIXED);
	CHECK(faults == 0 && mfn_equal(mfn, memory.mfn[L1]));
	*word(L1, 1) = *word(L1, 2) = zero;		   /* stores that nobody sees */
	CHECK(scene_touch(0x1000, false) == SHADOW_FIXED); /* as a TLB would */
	shadow_invlpg(&sv, GVA(0x1000));
	CHECK(scene_touch(0x1000, false) == SHADOW_REFLECT);
	CHECK(scene_touch(0x2000, false) == SHADOW_FIXED);
	shadow_load_cr3(&sv, 0);
	CHECK(scene_touch(0x2000, false) == SHADOW_REFLECT);
	for (unsigned i = 0; i < 8; i++)
		shadow_load_cr3(&sv, 0);
	CHECK(shadow.loose_count == 0); /* quiet for long enough */
	scene_end();
}

/* An entry changes unseen, is looked at, and changes back unseen: what it was in between goes. */
static void test_loose_there_and_back(void)
{
	struct shadow_result r;
	mfn_t mfn;

	scene_begin_loose(SHADOW_FRAMES_MIN);
	*word(L1, 1) = entry(DATA + 20, ALL_BITS);
	shadow_invlpg(&sv, GVA(0x1000));
	CHECK(scene_try(GVA(0x1000), (struct shadow_access){0}, &r, &mfn) == SHADOW_FIXED);
	CHECK(mfn_equal(mfn, memory.mfn[DATA + 20]));
	*word(L1, 1) = entry(DATA + 1, ALL_BITS);
	shadow_load_cr3(&sv, 0);
	CHECK(scene_try(GVA(0x1000), (struct shadow_access){0}, &r, &mfn) == SHADOW_FIXED);
	CHECK(mfn_equal(mfn, memory.mfn[DATA + 1]));
	scene_end();
}

/* A loose table that is only read is not compared, though what maps it is writable. */
static void test_loose_unwritten(void)
{
	u64 resynced;

	scene_begin_loose(SHADOW_FRAMES_MIN);
	shadow_load_cr3(&sv, 0);
	resynced = shadow.stats.resynced;
	CHECK(resynced > 0);
	CHECK(scene_touch(0x11000, false) == SHADOW_FIXED && faults == 1);
	shadow_load_cr3(&sv, 0);
	CHECK(shadow.loose_count == 1 && shadow.stats.resynced == resynced);
	scene_end();
}

/* A loose table with an unseen store is reached by a new way, of which no CPU has anything old. */
static void test_loose_new_way(void)
{
	struct shadow_result r;
	mfn_t mfn;

	scene_begin_loose(SHADOW_FRAMES_MIN);
	*word(L1, 1) = entry(DATA + 20, ALL_BITS);
	set_entry(L2, 7, entry(L1, ALL_BITS));
	CHECK(scene_touch(7ul << 21 | 0x2000, false) == SHADOW_FIXED);
	CHECK(scene_try(GVA(7ul << 21 | 0x1000), (struct shadow_access){0}, &r, &mfn) ==
	      SHADOW_FIXED);
	CHECK(mfn_equal(mfn, memory.mfn[DATA + 20]));
	scene_end();
}

/* What the sptes grant, the monitor copies by them; but tables, loose ones too, want to hear. */
static void test_copy(void)
{
	struct shadow_access read = {0}, write = {.write = true}, user = {.user = true};
	u64 value = 0x1234567, got = 0;

	scene_begin_loose(SHADOW_FRAMES_MIN);
	CHECK(!shadow_copy(&sv, GVA(0x2000), read, &got, 8)); /* not filled yet */
	CHECK(scene_touch(0x2000, true) == SHADOW_FIXED);
	CHECK(shadow_copy(&sv, GVA(0x2008), write, &value, 8) && *word(DATA + 2, 1) == value);
	CHECK(shadow_copy(&sv, GVA(0x2008), user, &got, 8) && got == value);
	CHECK(!shadow_copy(&sv, GVA(0x2ffc), read, &got, 8));
	CHECK(shadow_copy(&sv, GVA(0x10000), read, &got, 8) && got == *word(L1, 0));
	CHECK(!shadow_copy(&sv, GVA(0x10000), write, &value, 8));
	shadow_drop_all(&shadow);
	CHECK(!shadow_copy(&sv, GVA(0x2008), read, &got, 8));
	scene_end();
}

/* One way to a table leads to another now; what is filled there, users of the first do not see. */
static void test_other_table(void)
{
	const u64 other = 40;

	scene_begin(SHADOW_FORGETFUL, SHADOW_FRAMES_MIN);
	map_first();
	*word(L2, 1) = entry(L1, ALL_BITS);
	*word(L1, 5) = 0;
	*word(other, 5) = entry(DATA + 9, ALL_BITS);
	shadow_load_cr3(&sv, 0);
	CHECK(scene_touch(0x1000, false) == SHADOW_FIXED);
	CHECK(scene_touch(1ul << 21 | 0x1000, false) == SHADOW_FIXED);
	*word(L2, 0) = entry(other, ALL_BITS);
	CHECK(scene_touch(0x5000, false) == SHADOW_FIXED);
	CHECK(scene_touch(1ul << 21 | 0x5000, false) == SHADOW_REFLECT);
	scene_end();
}

/* The root of a vCPU that sleeps is the oldest page, and stays while others come and go. */
static void test_idle_vcpu(void)
{
	struct shadow_vcpu idle;
	mfn_t root;

	scene_begin(SHADOW_TRAPPED, 2 * SHADOW_FRAMES_MIN);
	map_first();
	CHECK(shadow_vcpu_init(&idle, &shadow, 1) == 0);
	root = shadow_load_cr3(&idle, 0);
	for (u64 table = 4; table < 64; table++) {
		*word(table, 0) = entry(L3, ALL_BITS);
		shadow_load_cr3(&sv, table << 12);
		CHECK(scene_touch(0x1000, false) == SHADOW_FIXED);
	}
	CHECK(shadow.stats.reclaimed > 0);
	CHECK(mfn_equal(shadow_root(&idle), root));
	CHECK(shadow_is_sound(&shadow, true));
	shadow_vcpu_exit(&idle);
	scene_end();
}

/* With WP=0 and AC a store to a read-only user page is permitted; AC goes, and so does access. */
static void test_smap_and_stores(void)
{
	struct shadow_access store = {.write = true, .ac = true}, read = {0};
	struct shadow_result r;
	mfn_t mfn;

	scene_begin(SHADOW_NOTIFIED, SHADOW_FRAMES_MIN);
	map_first();
	set_entry(L1, 1, entry(DATA + 1, ALL_BITS & ~2ul));
	shadow_set_mode(&sv, (struct shadow_mode){.nxe = true, .smap = true});
	hw.smap = true;
	CHECK(scene_try(GVA(0x1000), store, &r, &mfn) == SHADOW_EMULATE);
	CHECK(scene_try(GVA(0x1000), read, &r, &mfn) == SHADOW_REFLECT);
	scene_end();
}

/* Tables are built and torn down under the least limit, by a guest that frees them without a word.
 */
static void test_churn(enum shadow_policy policy, unsigned rounds)
{
	bool good = true;
	u32 most = 0;

	scene_begin(policy, SHADOW_FRAMES_MIN);
	map_first();
	for (unsigned i = 0; i < rounds && good; i++) {
		unsigned table = 40 + i % 20, slot = 1 + i % 37;
		u64 gva = (u64)slot << 21 | 0x3000;

		set_entry(table, 3, entry(DATA + i % 8, ALL_BITS));
		set_entry(L2, slot, entry(table, ALL_BITS));
		good &= scene_touch(gva, i & 1) == SHADOW_FIXED;
		set_entry(table, 3, 0);
		set_entry(L2, slot, 0);
		shadow_invlpg(&sv, GVA(gva));
		good &= scene_touch(gva, false) == SHADOW_REFLECT;
		most = MAX(most, shadow.frames);
	}
	CHECK(good);
	CHECK(most <= SHADOW_FRAMES_MIN);
	printf("  %u tables built and torn down, at most %u frames, %lu reclaimed\n", rounds, most,
	       shadow.stats.reclaimed);
	scene_end();
}

/* A large page of the guest over a run of frames is one spte, till something within stands against.
 */
static void test_large(enum shadow_policy policy)
{
	mfn_t run, mfn;
	struct shadow_result r;
	struct shadow_access store = {.write = true};

	scene_begin(policy, 256);
	run = frame_alloc_run(9, FRAME_GUEST, 1);
	for (u64 i = 0; i < 512; i++) {
		memory.mfn[512 + i] = MFN(run.v + i);
		memory.rights[512 + i] = P2M_RIGHTS;
		CHECK(p2m_insert(&p2m, GFN(512 + i), MFN(run.v + i), P2M_RIGHTS) == 0);
	}
	map_first();
	set_entry(L2, 4, entry(512, ALL_BITS | 0x80));
	shadow_load_cr3(&sv, 0);
	CHECK(scene_touch(4ul << 21, true) == SHADOW_FIXED && faults == 1);
	CHECK(scene_try(GVA((4ul << 21) + 0x1ff000), store, &r, &mfn) == SHADOW_FIXED &&
	      faults == 0);
	CHECK(mfn.v == run.v + 511 && shadow.stats.large == 1);
	CHECK(shadow_is_sound(&shadow, true));

	/* A frame within loses a right, and gets it back: the large page is split, and whole. */
	CHECK(p2m_set_rights(&p2m, GFN(512 + 7), P2M_R | P2M_X) == 0);
	CHECK(scene_try(GVA((4ul << 21) + 0x7000), store, &r, &mfn) == SHADOW_WATCHED);
	CHECK(scene_try(GVA((4ul << 21) + 0x8000), store, &r, &mfn) == SHADOW_FIXED);
	CHECK(mfn.v == run.v + 8 && shadow.stats.large == 1);
	CHECK(p2m_set_rights(&p2m, GFN(512 + 7), P2M_RIGHTS) == 0);
	set_entry(L2, 4, 0);
	shadow_invlpg(&sv, GVA(4ul << 21));
	set_entry(L2, 4, entry(512, ALL_BITS | 0x80));
	CHECK(scene_touch((4ul << 21) + 0x7000, true) == SHADOW_FIXED && shadow.stats.large == 2);

	/* A frame within becomes a table. */
	set_entry(512 + 9, 0, entry(DATA, ALL_BITS));
	set_entry(L2, 5, entry(512 + 9, ALL_BITS));
	CHECK(scene_touch(5ul << 21, true) == SHADOW_FIXED);
	CHECK(scene_touch((4ul << 21) + 0x8000, true) == SHADOW_FIXED); /* its neighbour */
	CHECK(scene_touch((4ul << 21) + 0x9000, true) ==
	      (policy == SHADOW_TRAPPED ? SHADOW_EMULATE : SHADOW_FIXED));
	CHECK(shadow_is_sound(&shadow, true));
	CHECK(p2m_remove(&p2m, GFN(512 + 511)) == 0);
	CHECK(scene_touch((4ul << 21) + 0x1ff000, true) == SHADOW_POPULATE);
	for (u64 i = 0; i < 512; i++)
		frame_put(MFN(run.v + i));
	scene_end();
}

/* A table whose gfn differs from another's only above bit 31, mapping such a page. */
static void test_far_gfns(enum shadow_policy policy)
{
	const u64 far = 1ul << 32;
	mfn_t table, page, mfn;
	struct shadow_result r;

	scene_begin(policy, SHADOW_FRAMES_MIN);
	table = frame_alloc(FRAME_GUEST, 1);
	page = frame_alloc(FRAME_GUEST, 1);
	CHECK(p2m_insert(&p2m, GFN(far + L1), table, P2M_RIGHTS) == 0);
	CHECK(p2m_insert(&p2m, GFN(far + DATA), page, P2M_RIGHTS) == 0);
	map_first();
	CHECK(scene_touch(0, true) == SHADOW_FIXED);
	*(u64 *)machine_map(table) = entry(far + DATA, ALL_BITS);
	set_entry(L2, 6, entry(far + L1, ALL_BITS));
	CHECK(scene_try(GVA(6ul << 21), (struct shadow_access){.write = true}, &r, &mfn) ==
	      SHADOW_FIXED);
	CHECK(mfn_equal(mfn, page));
	CHECK(p2m_remove(&p2m, GFN(far + DATA)) == 0);
	CHECK(scene_try(GVA(6ul << 21), (struct shadow_access){0}, &r, &mfn) == SHADOW_POPULATE);
	CHECK(r.gfn.v == far + DATA);
	CHECK(scene_touch(0, true) == SHADOW_FIXED && faults == 0);
	frame_put(table);
	frame_put(page);
	scene_end();
}

static void test_rights(void)
{
	struct shadow_result r;
	mfn_t mfn;

	scene_begin(SHADOW_TRAPPED, SHADOW_FRAMES_MIN);
	map_first();
	shadow_load_cr3(&sv, 0);
	CHECK(scene_touch(0, true) == SHADOW_FIXED);
	CHECK(p2m_set_rights(&p2m, GFN(DATA), P2M_R | P2M_X) == 0);
	CHECK(scene_touch(0, false) == SHADOW_FIXED && faults == 0); /* narrowed, not withdrawn */
	CHECK(scene_try(GVA(0), (struct shadow_access){.write = true}, &r, &mfn) == SHADOW_WATCHED);
	CHECK(r.gfn.v == DATA && r.intent == P2M_W);
	CHECK(p2m_set_rights(&p2m, GFN(DATA), P2M_R | P2M_ON_DEMAND) == 0);
	CHECK(scene_try(GVA(0), (struct shadow_access){.fetch = true}, &r, &mfn) ==
	      SHADOW_POPULATE);
	CHECK(r.gfn.v == DATA && r.intent == P2M_X);
	CHECK(p2m_remove(&p2m, GFN(DATA)) == 0);
	CHECK(scene_touch(0, false) == SHADOW_POPULATE);
	CHECK(p2m_remove(&p2m, GFN(L1)) == 0); /* a table goes */
	CHECK(scene_try(GVA(0x1000), (struct shadow_access){0}, &r, &mfn) == SHADOW_POPULATE);
	CHECK(r.gfn.v == L1 && r.intent == P2M_R);
	CHECK(p2m_remove(&p2m, GFN(L4)) == 0); /* and the one that a vCPU stands on */
	CHECK(scene_touch(0, false) == SHADOW_POPULATE);
	CHECK(shadow_is_sound(&shadow, true));
	scene_end();
}

/* One frame with very many translations: it goes, in pieces, and faults are answered meanwhile. */
static void test_long_list(void)
{
	unsigned pieces = 1;

	scene_begin(SHADOW_NOTIFIED, 256);
	map_first();
	for (unsigned table = 40; table < 60; table++) {
		set_entry(L2, table, entry(table, ALL_BITS));
		for (unsigned slot = 0; slot < 512; slot++)
			set_entry(table, slot, entry(DATA, ALL_BITS));
		for (u64 slot = 0; slot < 512; slot++)
			if (scene_touch((u64)table << 21 | slot << 12, true) != SHADOW_FIXED)
				CHECK(!"a page is not reached");
	}
	while (p2m_remove(&p2m, GFN(DATA)) == -EAGAIN) {
		CHECK(scene_touch(59ul << 21 | 511ul << 12, false) == SHADOW_WATCHED);
		pieces++;
	}
	CHECK(pieces > 5);
	CHECK(scene_touch(40ul << 21, false) == SHADOW_POPULATE);
	scene_end();
}

/* A notified guest drops a subtree by one notified store, and uses the tables again without a word.
 */
static void test_unreached(void)
{
	scene_begin(SHADOW_NOTIFIED, SHADOW_FRAMES_MIN);
	map_first();
	CHECK(scene_touch(0x1000, true) == SHADOW_FIXED);
	set_entry(L4, 0, 0);
	*word(L1, 1) = 0;
	set_entry(L4, 5, entry(L3, ALL_BITS));
	CHECK(scene_touch(5ul << 39 | 0x2000, true) == SHADOW_FIXED); /* makes the way down */
	CHECK(scene_touch(5ul << 39 | 0x1000, true) == SHADOW_REFLECT);
	scene_end();
}

/* A notified guest owes the notice of an upper entry, and faults where the old way ends early. */
static void test_owed_notice(void)
{
	const u64 middle = 40, leaf = 41;

	scene_begin(SHADOW_NOTIFIED, SHADOW_FRAMES_MIN);
	map_first();
	CHECK(scene_touch(0x1000, true) == SHADOW_FIXED);
	*word(leaf, 0) = entry(DATA, ALL_BITS);
	*word(middle, 2) = entry(leaf, ALL_BITS);
	*word(L3, 0) = entry(middle, ALL_BITS);
	CHECK(scene_touch(2ul << 21, true) == SHADOW_FIXED);
	scene_end();
}

static unsigned flushes;

static void count_flush(void)
{
	flushes++;
}

static void expect_frame(u64 gva, bool write, u64 gfn)
{
	struct shadow_result r;
	mfn_t mfn;

	CHECK(scene_try(GVA(gva), (struct shadow_access){.write = write}, &r, &mfn) ==
		  SHADOW_FIXED &&
	      faults == 0);
	CHECK(mfn_equal(mfn, p2m_entry_mfn(p2m_lookup(&p2m, GFN(gfn)))));
}

/* Notices come in batches, whose entries may differ in all that they mostly share. */
static void test_batch(void)
{
	const u64 other = 40, far = 256 + DATA, weak = DATA + 20;
	const u64 now[] = {
	    entry(DATA + 25, ALL_BITS), entry(weak, ALL_BITS),		      /* rights of p2m */
	    entry(DATA + 11, ALL_BITS), entry(DATA + 12, ALL_BITS & ~2ul),    /* bits */
	    entry(DATA + 13, ALL_BITS), entry(far, ALL_BITS),		      /* p2m leaf */
	    entry(L1, ALL_BITS),	entry(1ul << 30, ALL_BITS),	      /* a table; none */
	    entry(DATA + 8, ALL_BITS & ~0x40ul), 0,
	};
	u64 queue[ARRAY_SIZE(now) + 3] = {1ul << 40, other << 12, other << 12 | 8};
	mfn_t mfn = frame_alloc(FRAME_GUEST, 1);

	scene_begin(SHADOW_NOTIFIED, 256);
	free_before++; /* the far frame goes with the p2m */
	CHECK(p2m_insert(&p2m, GFN(far), mfn, P2M_RIGHTS) == 0);
	frame_put(mfn);
	CHECK(p2m_set_rights(&p2m, GFN(weak), P2M_R | P2M_X) == 0);
	map_first();
	set_entry(L2, 1, entry(other, ALL_BITS));
	set_entry(other, 0, entry(DATA + 30, ALL_BITS));
	set_entry(L1, 16, entry(DATA + 2, ALL_BITS)); /* has two sptes */
	for (u64 page = 0; page < 17; page++)
		CHECK(scene_touch(page << 12, true) == SHADOW_FIXED);
	CHECK(scene_touch(1ul << 21, true) == SHADOW_FIXED);
	*word(other, 0) = 0;
	*word(other, 1) = entry(DATA + 14, ALL_BITS);
	for (unsigned slot = 0; slot < ARRAY_SIZE(now); slot++) {
		*word(L1, slot) = now[slot];
		queue[slot + 3] = L1 << 12 | slot * 8;
	}
	host_on_flush = count_flush;
	flushes = 0;
	CHECK(shadow_notify(&shadow, queue, 1, ARRAY_SIZE(queue)) == 1); /* is no memory */
	CHECK(flushes == 1 && shadow_is_sound(&shadow, true));
	*word(L1, 0) = 0;
	shadow_notify(&shadow, &queue[3], 1, 1);
	CHECK(flushes == 2 && shadow_is_sound(&shadow, true));
	host_on_flush = NULL;
	CHECK(scene_touch(0, false) == SHADOW_REFLECT);
	expect_frame(0x1000, false, weak);
	CHECK(scene_touch(0x1000, true) == SHADOW_WATCHED);
	expect_frame(0x2000, true, DATA + 11);
	expect_frame(0x3000, false, DATA + 12);
	CHECK(scene_touch(0x3000, true) == SHADOW_REFLECT);
	expect_frame(0x5000, true, far);
	expect_frame(0x6000, true, L1);
	CHECK(scene_touch(0x7000, false) == SHADOW_POPULATE);
	expect_frame(0x8000, false, DATA + 8);
	CHECK(scene_touch(0x9000, false) == SHADOW_REFLECT);
	expect_frame(0x10000, true, DATA + 2);
	expect_frame(1ul << 21 | 0x1000, true, DATA + 14);
	CHECK(scene_touch(1ul << 21, false) == SHADOW_REFLECT);
	scene_end();
}

/* At the limit a table that the guest has unlinked gives way before those still in use, though it
 * was the last one used. */
static void test_unlinked_gives_way(void)
{
	const u64 first = 33;
	u64 table = first;

	scene_begin(SHADOW_NOTIFIED, SHADOW_FRAMES_MIN);
	map_first();
	for (; shadow.free; table++) {
		set_entry(L2, table, entry(table, ALL_BITS));
		set_entry(table, 0, entry(DATA, ALL_BITS));
		CHECK(scene_touch(table << 21, false) == SHADOW_FIXED);
	}
	set_entry(L2, table - 1, 0);
	set_entry(L2, table, entry(table, ALL_BITS));
	set_entry(table, 0, entry(DATA, ALL_BITS));
	CHECK(scene_touch(table << 21, false) == SHADOW_FIXED);
	CHECK(shadow.stats.reclaimed == 1);
	CHECK(scene_touch(first << 21, false) == SHADOW_FIXED && faults == 0);
	scene_end();
}

int main(int argc, char **argv)
{
	unsigned rounds = argc > 1 ? atoi(argv[1]) : 100000;

	printf("paging-test: no seed\n");
	host_machine_init(0x1000, 2048);
	test_bad_config();
	test_reserved_slots();
	test_known_space(SHADOW_TRAPPED);
	test_known_space(SHADOW_NOTIFIED);
	test_loose();
	test_loose_there_and_back();
	test_loose_unwritten();
	test_loose_new_way();
	test_copy();
	test_other_table();
	test_idle_vcpu();
	test_smap_and_stores();
	test_large(SHADOW_TRAPPED);
	test_large(SHADOW_NOTIFIED);
	test_far_gfns(SHADOW_TRAPPED);
	test_far_gfns(SHADOW_NOTIFIED);
	test_rights();
	test_long_list();
	test_unreached();
	test_owed_notice();
	test_batch();
	test_unlinked_gives_way();
	test_churn(SHADOW_TRAPPED, rounds);
	test_churn(SHADOW_NOTIFIED, rounds);
	host_machine_end();
	return host_finish();
}
