// SPDX-License-Identifier: MIT
/*
 * corners-test.c - what random worlds seldom meet: a table that changes in the moment in which it
 * is protected, a root's page that serves at another level later, a machine that is out of frames,
 * tables that end, large pages whose rights shrink, tables that a guest tells of, what was learnt
 * and holds no more. Generated faults that nothing else noticed led to most of these.
 */
#include "lib/errno.h"
#include "mm/machine.h"
#include "tests/host/shadow/scene.h"

/* ---- another CPU stores into a table just before it is protected ---- */

static u64 *race_cell, race_value;

static void race(void)
{
	*race_cell = race_value;
	host_on_flush = NULL;
}

/* Through slot 1 of the top level the kernel sees the table with a right to store; then a walk
 * comes to that table, and its entry changes while the right is withdrawn. */
static void race_for(u64 table, u64 value)
{
	const u64 way[4] = {L4, SPACES, SPACES + 1, SPACES + 2};
	struct shadow_result r;

	for (unsigned i = 0; i < 3; i++)
		set_entry(way[i], !i, entry(way[i + 1], ALL_BITS));
	set_entry(SPACES + 2, 0, entry(table, ALL_BITS));
	CHECK(is_reached(1ul << 39, store, table));
	race_cell = word(table, 0);
	race_value = value;
	host_on_flush = race;
	CHECK(shadow_fault(&sv, GVA(0), 0, false, false, &r) == SHADOW_FIXED && !host_on_flush);
	CHECK(shadow_is_sound(&shadow, true));
}

static void test_races(void)
{
	scene_begin(SHADOW_TRAPPED, SHADOW_FRAMES_MIN);
	map_first();
	race_for(L1, entry(DATA + 5, ALL_BITS));
	CHECK(is_reached(0, load, DATA + 5));
	scene_end();

	/* A table further up: other ways through it make no link again that is out of date. */
	scene_begin(SHADOW_TRAPPED, SHADOW_FRAMES_MIN);
	map_first();
	set_entry(L3, 1, entry(L2, ALL_BITS));
	set_entry(SPACES + 4, 0, entry(SPACES + 5, ALL_BITS));
	set_entry(SPACES + 5, 0, entry(DATA + 6, ALL_BITS));
	race_for(L3, entry(SPACES + 4, ALL_BITS));
	CHECK(is_reached(1ul << 30, load, DATA));
	CHECK(is_reached(0, load, DATA + 6));
	scene_end();
}

/* ---- memory ---- */

/* What stood in the reserved slots of a root is not there when its page shadows another table. */
static void test_root_reused(void)
{
	mfn_t ours = frame_alloc(FRAME_SWITCHER, 0);

	scene_begin(SHADOW_TRAPPED, SHADOW_FRAMES_MIN);
	map_first();
	shadow_set_slot(&sv, 270, ours.v << 12 | 0x23);
	for (u64 i = 0; i < 20; i++) {
		set_entry(SPACES + i % 8, 0, entry(L3, ALL_BITS));
		shadow_load_cr3(&sv, (SPACES + i % 8) << 12);
		CHECK(is_reached(0, load, DATA));
	}
	shadow_load_cr3(&sv, 0);
	for (u64 i = 1; i < 128; i++) { /* one table for all slots: its shadows differ by access */
		set_entry(L3, i, entry(L2, i & 1 ? ALL_BITS : ALL_BITS & ~2ul));
		set_entry(L2, i, entry(L1, i & 1 ? ALL_BITS : ALL_BITS & ~4ul));
		CHECK(is_reached(i << 30, load, DATA) && is_reached(i << 21, load, DATA));
	}
	CHECK(shadow.stats.reclaimed == 0);
	for (u64 i = 0; i < 40; i++) {
		u64 table = SPACES + i % 16;

		set_entry(table, 1, entry(DATA, ALL_BITS));
		set_entry(L2, 200 + i, entry(table, ALL_BITS));
		CHECK(is_reached((200 + i) << 21 | 0x1000, load, DATA));
		CHECK(is_refused((200 + i) << 21 | 270 << 12, load));
	}
	CHECK(shadow_is_sound(&shadow, true));
	scene_end();
	frame_put(ours);
}

/* Each reserved slot holds what it was last given, in the present root and in those to come. */
static void test_slots_given(enum shadow_policy policy)
{
	const u64 window = 0x1000023, switcher = 0x2000023, later = 0x3000023;
	const u64 *root;

	scene_begin(policy, SHADOW_FRAMES_MIN);
	shadow_load_cr3(&sv, 0);
	shadow_set_slot(&sv, 270, window);
	shadow_set_slot(&sv, 271, switcher);
	shadow_set_slot(&sv, 271, later);
	for (u64 cr3 = 0; cr3 < 3; cr3++) {
		root = machine_map(shadow_root(&sv));
		CHECK(root[270] == window && root[271] == later);
		shadow_invlpg(&sv, GVA(0xffff870000000000)); /* theirs are not the guest's */
		CHECK(root[270] == window && shadow_is_sound(&shadow, policy == SHADOW_TRAPPED));
		shadow_load_cr3(&sv, (cr3 + 1) << 12);
	}
	scene_end();
}

/* A vCPU that has no root yet has nothing to forget. */
static void test_no_root(enum shadow_policy policy)
{
	struct shadow_vcpu fresh;

	scene_begin(policy, 2 * SHADOW_FRAMES_MIN);
	CHECK(shadow_vcpu_init(&fresh, &shadow, 1) == 0);
	shadow_invlpg(&fresh, GVA(0));
	CHECK(!mfn_equal(shadow_root(&fresh), shadow_root(&sv)));
	shadow_vcpu_exit(&fresh);
	scene_end();
}

/* What the statistics say of its frames is what it has taken. */
static void test_frames_counted(u32 limit)
{
	struct shadow_stats before, after;
	u64 free;

	scene_begin(SHADOW_TRAPPED, limit);
	map_first();
	shadow_get_stats(&shadow, &before);
	free = frame_count_free();
	for (u64 i = 0; i < 20; i++) {
		set_entry(SPACES + i, 1, entry(DATA + i, ALL_BITS));
		set_entry(L2, i + 1, entry(SPACES + i, ALL_BITS));
	}
	for (u64 i = 0; i < 8; i++) /* L2 and each table below it, by inherited access */
		set_entry(L3, i, entry(L2, (ALL_BITS & ~6ul) | (i & 3) << 1 | (i & 4) << 61));
	for (u64 i = 0; i < 8 * 20; i++)
		CHECK(is_reached(i / 20 << 30 | (i % 20 + 1) << 21 | 0x1000, load, DATA + i % 20));
	shadow_get_stats(&shadow, &after);
	CHECK(after.frames > 300 && after.frames - before.frames == free - frame_count_free());
	scene_end();
}

/* Every allocation fails once: what was there serves, and no frame is lost. */
static void test_out_of_frames(enum shadow_policy policy)
{
	static mfn_t hog[4096];

	for (unsigned left = 0; left < 12; left++) {
		unsigned count = 0;

		scene_begin(policy, 512);
		map_first();
		while (frame_count_free() > left)
			hog[count++] = frame_alloc(FRAME_GUEST, 2);
		for (u64 i = 0; i < 16; i++) {
			set_entry(SPACES + i, 1, entry(DATA + i, ALL_BITS));
			set_entry(L2, i + 1, entry(SPACES + i, ALL_BITS));
			set_entry(L3, i + 1, entry(L2, ALL_BITS & ~((i & 1) << 1 | (i & 2) << 1)));
		}
		for (u64 i = 0; i < 256; i++) {
			u64 low = host_random() % 16, high = host_random() % 17;
			u64 gva = high << 30 | (low + 1) << 21 | 0x1000;

			CHECK(is_reached(gva, load, DATA + low));
		}
		while (count)
			frame_put(hog[--count]);
		scene_end();
	}
}

/* ---- tables that end ---- */

static unsigned shadows_of(u64 gfn)
{
	return p2m_lookup(&p2m, GFN(gfn))->tables;
}

/* A second way, by which the kernel may store to this frame. */
static const u64 view = 1ul << 39;

static void begin_view(u64 gfn, u64 bits)
{
	scene_begin(SHADOW_TRAPPED, SHADOW_FRAMES_MIN);
	map_first();
	set_entry(L4, 1, entry(SPACES, ALL_BITS));
	set_entry(SPACES, 0, entry(SPACES + 1, ALL_BITS));
	set_entry(SPACES + 1, 0, entry(SPACES + 2, ALL_BITS));
	set_entry(SPACES + 2, 0, entry(gfn, bits));
}

/* A table to which nothing leads any more, or that is forgotten with all others, is a frame like
 * any from its first store on. */
static void test_dead_tables(u64 bits)
{
	for (u64 table = L3; table <= L1; table++)
		for (unsigned dropped = 0; dropped < 2; dropped++) {
			begin_view(table, bits);
			CHECK(is_reached(0x1000, load, DATA + 1) && is_reached(view, load, table));
			CHECK(scene_touch(view, true) == SHADOW_EMULATE);
			if (dropped)
				shadow_drop_all(&shadow);
			else
				set_entry(table - 1, 0, 0);
			CHECK(shadows_of(table) == 1);
			CHECK(is_reached(view, store, table) && shadows_of(table) == 0);
			CHECK(shadow_is_sound(&shadow, true));
			scene_end();
		}
}

/* With a table end those of the user's half to which it alone led. */
static void test_tables_below(bool is_loaded)
{
	const u64 other = SPACES + 8, high = 0xffff800000000000;

	scene_begin(SHADOW_TRAPPED, SHADOW_FRAMES_MIN);
	shadow_set_upper_half(&shadow, 270, 271, 256);
	map_first();
	set_entry(L3, 300, entry(SPACES, ALL_BITS));
	set_entry(SPACES, 511, entry(SPACES + 1, ALL_BITS));
	set_entry(SPACES + 1, 0, entry(DATA + 2, ALL_BITS));
	set_entry(L4, 255, entry(SPACES + 2, ALL_BITS)); /* has a way from another root, too */
	set_entry(other, 0, entry(SPACES + 2, ALL_BITS));
	set_entry(SPACES + 2, 0, entry(SPACES + 3, ALL_BITS));
	set_entry(SPACES + 3, 0, entry(SPACES + 4, ALL_BITS));
	set_entry(SPACES + 4, 0, entry(DATA + 3, ALL_BITS));
	set_entry(L4, 256, entry(SPACES + 5, ALL_BITS)); /* the kernel's half */
	set_entry(L4, 511, entry(SPACES + 6, ALL_BITS));
	set_entry(SPACES + 5, 0, entry(SPACES + 7, ALL_BITS));
	set_entry(SPACES + 6, 0, entry(SPACES + 7, ALL_BITS));
	set_entry(SPACES + 7, 0, entry(SPACES + 4, ALL_BITS));
	shadow_load_cr3(&sv, other << 12);
	CHECK(is_reached(0, load, DATA + 3));
	shadow_load_cr3(&sv, 0);
	CHECK(is_reached(0x1000, load, DATA + 1) && is_reached(255ul << 39, load, DATA + 3));
	CHECK(is_reached(300ul << 30 | 511ul << 21, load, DATA + 2));
	CHECK(is_reached(high, load, DATA + 3) && is_reached(high | 255ul << 39, load, DATA + 3));
	if (!is_loaded)
		shadow_load_cr3(&sv, other << 12);
	CHECK(shadows_of(L4) && shadows_of(SPACES) == 1 && shadows_of(SPACES + 1) == 1);
	shadow_forget_table(&shadow, GFN(L4));
	for (u64 gfn = L4; gfn <= L1; gfn++)
		CHECK(shadows_of(gfn) == 0);
	CHECK(shadows_of(SPACES) == 0 && shadows_of(SPACES + 1) == 0);
	for (u64 gfn = SPACES + 2; gfn <= SPACES + 7; gfn++)
		CHECK(shadows_of(gfn) > 0);
	CHECK(shadow_is_sound(&shadow, true));
	shadow_load_cr3(&sv, 0);
	CHECK(is_reached(0x1000, load, DATA + 1));
	scene_end();
}

/* ---- rights ---- */

static u64 begin_large(enum shadow_policy policy)
{
	mfn_t run;

	scene_begin(policy, 256);
	run = frame_alloc_run(9, FRAME_GUEST, 1);
	for (u64 i = 512; i--;) { /* the p2m's leaves do not lie in order */
		memory.mfn[512 + i] = MFN(run.v + i);
		memory.rights[512 + i] = P2M_RIGHTS;
		CHECK(p2m_insert(&p2m, GFN(512 + i), MFN(run.v + i), P2M_RIGHTS) == 0);
		frame_put(MFN(run.v + i));
	}
	map_first();
	set_entry(L2, 4, entry(512, ALL_BITS | 0x80));
	return 4ul << 21;
}

/* One right after another goes from a large page that the CPU may have as one spte. */
static void test_large_narrowed(enum shadow_policy policy)
{
	const struct {
		u64 bits;
		struct shadow_access access;
	} narrower[] = {
	    {ALL_BITS & ~2ul, store},
	    {ALL_BITS & ~4ul, user},
	    {ALL_BITS | NX, fetch},
	    {0, load},
	};
	u64 gva = begin_large(policy), page = gva + 0x1ff000;

	for (unsigned i = 0; i < ARRAY_SIZE(narrower); i++) {
		set_entry(L2, 4, entry(512, ALL_BITS | 0x80));
		CHECK(is_reached(page, narrower[i].access, 512 + 511) &&
		      is_reached(gva, store, 512) && shadow.stats.large > i);
		set_entry(L2, 4, entry(512, narrower[i].bits | 0x80));
		shadow_invlpg(&sv, GVA(gva));
		CHECK(is_refused(page, narrower[i].access) && is_refused(gva, narrower[i].access));
	}
	set_entry(L2, 4, entry(512, ALL_BITS | 0x80));
	CHECK(is_reached(page, store, 512 + 511));
	set_entry(L2, 4, entry(0, ALL_BITS | 0x80)); /* elsewhere */
	shadow_invlpg(&sv, GVA(gva));
	CHECK(is_reached(gva + (DATA << 12), load, DATA));
	scene_end();
}

/* What p2m takes it takes, and no more: the rest does not even fault. */
static void test_rights_left(void)
{
	struct shadow_result r;
	mfn_t mfn;

	scene_begin(SHADOW_TRAPPED, SHADOW_FRAMES_MIN);
	map_first();
	CHECK(is_reached(0x1000, store, DATA + 1));
	CHECK(p2m_set_rights(&p2m, GFN(DATA + 1), P2M_R | P2M_X) == 0);
	CHECK(is_reached(0x1000, fetch, DATA + 1) && faults == 0);
	CHECK(scene_try(GVA(0x1000), store, &r, &mfn) == SHADOW_WATCHED);
	CHECK(p2m_set_rights(&p2m, GFN(DATA + 1), P2M_RIGHTS) == 0);
	CHECK(is_reached(0x1000, store, DATA + 1));
	CHECK(p2m_set_rights(&p2m, GFN(DATA + 1), P2M_R | P2M_W) == 0);
	CHECK(is_reached(0x1000, store, DATA + 1) && faults == 0);
	CHECK(scene_try(GVA(0x1000), fetch, &r, &mfn) == SHADOW_WATCHED);
	scene_end();
}

/* A kernel may store to its own read-only view of what it has told to be a table; nobody else may,
 * and nothing else. */
static void test_told_table(void)
{
	scene_begin(SHADOW_TRAPPED, SHADOW_FRAMES_MIN);
	map_first();
	cpu.mode.smap = hw.smap = true;
	shadow_set_mode(&sv, cpu.mode);
	CHECK(p2m_set_table(&p2m, GFN(DATA + 1), true) == 0);
	set_entry(L1, 1, entry(DATA + 1, (ALL_BITS & ~6ul) | NX)); /* read-only, the kernel's */
	CHECK(is_reached(0x1000, store, DATA + 1));
	CHECK(is_refused(0x1000, fetch));
	CHECK(is_refused(0x1000, (struct shadow_access){.user = true, .write = true}));
	CHECK(is_refused(0x1000, user));
	set_entry(L1, 1, entry(DATA + 1, ALL_BITS & ~2ul)); /* read-only, the user's */
	CHECK(is_refused(0x1000, (struct shadow_access){.write = true, .ac = true}));
	CHECK(is_refused(0x1000, load)); /* SMAP */
	CHECK(is_refused(0x1000, (struct shadow_access){.user = true, .write = true}));
	CHECK(p2m_set_table(&p2m, GFN(DATA + 1), false) == 0);
	set_entry(L1, 1, entry(DATA + 1, (ALL_BITS & ~6ul)));
	CHECK(is_refused(0x1000, store));
	scene_end();
}

/* A page of the guest's RAM in which the monitor stores unheard is a table no more. */
static void test_published_ram(void)
{
	struct shadow_result r;
	mfn_t mfn;

	scene_begin(SHADOW_TRAPPED, SHADOW_FRAMES_MIN);
	map_first();
	CHECK(is_reached(0x1000, load, DATA + 1));
	CHECK(p2m_publish(&p2m, GFN(GUEST_FRAMES + 1)) == -ENOENT);
	CHECK(p2m_publish(&p2m, GFN(L1)) == 0);
	shadow_forget_table(&shadow, GFN(L1));
	*word(L1, 1) = 0;
	CHECK(scene_try(GVA(0x1000), load, &r, &mfn) == SHADOW_REFLECT && r.error_code == 9);
	CHECK(shadow_is_sound(&shadow, true));
	scene_end();
}

/* A guest's upper half becomes another, while a root of before has user pages there. */
static void test_upper_half_changes(void)
{
	const u64 high = 0xffff800000001000;

	scene_begin(SHADOW_TRAPPED, SHADOW_FRAMES_MIN);
	map_first();
	set_entry(L4, 256, *word(L4, 0));
	shadow_load_cr3(&sv, 0);
	CHECK(is_reached(high, user, DATA + 1));
	shadow_set_upper_half(&shadow, 270, 271, 256);
	CHECK(shadow_is_sound(&shadow, true));
	CHECK(is_reached(high, load, DATA + 1) && is_refused(high, user));
	CHECK(shadow_is_sound(&shadow, true));
	scene_end();
}

/* A loose table is written by way of an spte that then goes, changes, or leads elsewhere: the store
 * is not forgotten with it. */
static void test_dirty_kept(u64 becomes)
{
	scene_begin_loose(SHADOW_FRAMES_MIN);
	set_entry(SPACES, 0, entry(L1, ALL_BITS));
	set_entry(L2, 1, entry(SPACES, ALL_BITS));
	CHECK(is_reached(0x1000, load, DATA + 1));
	shadow_load_cr3(&sv, 0); /* what was written so far is seen */
	CHECK(is_reached(1ul << 21, store, L1) && shadow.loose_count == 1);
	*word(L1, 1) = entry(DATA + 9, ALL_BITS);
	set_entry(SPACES, 0, becomes);
	CHECK(shadow.loose_count == 1);
	shadow_load_cr3(&sv, 0);
	CHECK(is_reached(0x1000, load, DATA + 9));
	scene_end();
}

/* The same, and the way stands in a loose table itself, which is looked through first. */
static void test_dirty_kept_of_two(void)
{
	scene_begin(SHADOW_TRAPPED, 2 * SHADOW_FRAMES_MIN);
	map_first();
	set_entry(SPACES, 0, entry(L1, ALL_BITS));
	set_entry(SPACES, 1, entry(SPACES, ALL_BITS));
	set_entry(L2, 1, entry(SPACES, ALL_BITS));
	CHECK(is_reached(0x1000, load, DATA + 1));
	shadow_load_cr3(&sv, 0);
	for (u64 gva = 0x201000; gva >= 0x200000; gva -= 0x1000) {
		CHECK(scene_touch(gva, true) == SHADOW_EMULATE);
		CHECK(scene_touch(gva, true) == SHADOW_FIXED);
	}
	CHECK(shadow.loose_count == 2);
	shadow_load_cr3(&sv, 0); /* what was written so far is seen */
	CHECK(is_reached(0x200000, store, L1) && is_reached(0x201000, store, SPACES));
	*word(L1, 1) = entry(DATA + 9, ALL_BITS);
	*word(SPACES, 0) = entry(DATA + 3, ALL_BITS);
	shadow_load_cr3(&sv, 0);
	CHECK(is_reached(0x1000, load, DATA + 9) && is_reached(0x200000, load, DATA + 3));
	scene_end();
}

static void forget_all(void)
{
	hardware_flush(&hw);
}

/* An entry leads to another frame: no CPU keeps the old one. */
static void test_replaced(enum shadow_policy policy)
{
	scene_begin(policy, SHADOW_FRAMES_MIN);
	map_first();
	host_on_flush = forget_all;
	for (unsigned i = 1; i < 5; i++) {
		struct hardware_answer a;

		CHECK(is_reached(0x1000, store, DATA + i));
		set_entry(L1, 1, entry(DATA + i + 1, ALL_BITS));
		a = hardware_access(&hw, shadow_root(&sv), GVA(0x1000), load);
		CHECK(a.ok && mfn_equal(a.mfn, memory.mfn[DATA + i + 1]));
	}
	host_on_flush = NULL;
	scene_end();
}

/* What is found in a loose table when it is protected again is a way to the table itself. */
static void test_loose_leads_to_itself(void)
{
	scene_begin_loose(SHADOW_FRAMES_MIN);
	*word(L1, 5) = entry(L1, ALL_BITS);
	CHECK(is_reached(16ul << 12, store, L1)); /* D says that the table was written */
	set_entry(L2, 1, entry(L1, ALL_BITS & ~2ul)); /* another role: no table stays loose */
	CHECK(is_reached(0x201000, load, DATA + 1) && shadow.loose_count == 0);
	CHECK(shadow_is_sound(&shadow, true));
	scene_end();
}

/* ---- how many faults it takes ---- */

/* One, though the walk has protected tables that were mapped writable, and flushed the CPUs. */
static void test_one_fault(void)
{
	begin_view(L1, ALL_BITS);
	CHECK(is_reached(view, store, L1));
	CHECK(is_reached(0x1000, load, DATA + 1) && faults == 1);
	CHECK(scene_touch(view, true) == SHADOW_EMULATE);
	scene_end();
}

/* None in the kernel's half, where a new space has the entries of the last; those that differ lead
 * where they say. */
static void test_inherited(void)
{
	const u64 slots[] = {256, 257, 300, 511}, next = SPACES, reserved = 1ul << 46;

	scene_begin(SHADOW_TRAPPED, SHADOW_FRAMES_MIN);
	shadow_set_upper_half(&shadow, 270, 271, 256);
	map_first();
	set_entry(SPACES + 1, 0, entry(SPACES + 2, ALL_BITS));
	set_entry(SPACES + 2, 0, entry(SPACES + 3, ALL_BITS));
	set_entry(SPACES + 3, 1, entry(DATA + 9, ALL_BITS));
	shadow_load_cr3(&sv, 0);
	for (unsigned i = 0; i < ARRAY_SIZE(slots); i++) {
		set_entry(L4, slots[i], entry(L3, ALL_BITS));
		CHECK(is_reached(0xfffful << 48 | slots[i] << 39 | 0x1000, load, DATA + 1));
	}
	set_entry(next, 256, entry(L3, ALL_BITS));
	set_entry(next, 257, entry(SPACES + 1, ALL_BITS));
	set_entry(next, 300, entry(L3, ALL_BITS) | reserved);
	set_entry(next, 511, entry(L3, ALL_BITS) | NX);
	shadow_load_cr3(&sv, next << 12);
	CHECK(is_reached(0xffff800000001000, load, DATA + 1) && faults == 0);
	CHECK(is_refused(0xffff800000001000, user));
	CHECK(is_reached(0xffff808000001000, load, DATA + 9));
	CHECK(is_refused(0xffff960000001000, load));
	CHECK(is_refused(0xffffff8000001000, fetch));
	CHECK(shadow_is_sound(&shadow, true));
	scene_end();
}

/* INVLPG forgets what a TLB would, of a guest that has not told, too. */
static void test_invlpg_untold(void)
{
	scene_begin(SHADOW_NOTIFIED, SHADOW_FRAMES_MIN);
	map_first();
	CHECK(is_reached(0x1000, store, DATA + 1));
	*word(L1, 1) = entry(DATA + 2, ALL_BITS);
	shadow_invlpg(&sv, GVA(0x1000));
	CHECK(is_reached(0x1000, store, DATA + 2));
	scene_end();
}

static void test_physical_bits(void)
{
	for (unsigned bits = 31; bits <= 53; bits++) {
		struct shadow_config config = {
		    .p2m = &p2m, .limit = SHADOW_FRAMES_MIN, .physical_bits = bits};
		int error;

		CHECK(p2m_init(&p2m, 1) == 0);
		error = shadow_init(&shadow, &config);
		CHECK(error == (bits < 32 || bits > 52 ? -EINVAL : 0));
		while (!error && shadow_destroy(&shadow))
			;
		while (p2m_destroy(&p2m))
			;
	}
}

int main(void)
{
	printf("corners-test: no seed\n");
	host_machine_init(0x1000, 2048);
	test_races();
	test_root_reused();
	test_slots_given(SHADOW_TRAPPED);
	test_slots_given(SHADOW_NOTIFIED);
	test_slots_given(SHADOW_FORGETFUL);
	test_no_root(SHADOW_TRAPPED);
	test_no_root(SHADOW_NOTIFIED);
	test_frames_counted(512);
	test_frames_counted(SHADOW_FRAMES_MAX); /* directory and hash of several frames */
	test_out_of_frames(SHADOW_TRAPPED);
	test_out_of_frames(SHADOW_NOTIFIED);
	test_dead_tables(ALL_BITS);
	test_dead_tables(ALL_BITS & ~4ul);
	test_tables_below(false);
	test_tables_below(true);
	test_large_narrowed(SHADOW_TRAPPED);
	test_large_narrowed(SHADOW_NOTIFIED);
	test_rights_left();
	test_told_table();
	test_published_ram();
	test_upper_half_changes();
	test_dirty_kept(0);
	test_dirty_kept(entry(L1, ALL_BITS & ~4ul));
	test_dirty_kept(entry(DATA + 3, ALL_BITS));
	test_dirty_kept_of_two();
	test_replaced(SHADOW_TRAPPED);
	test_replaced(SHADOW_NOTIFIED);
	test_loose_leads_to_itself();
	test_one_fault();
	test_inherited();
	test_invlpg_untold();
	test_physical_bits();
	host_machine_end();
	return host_finish();
}
