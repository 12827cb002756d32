// SPDX-License-Identifier: MIT
/*
 * reach-test.c - what the monitor asks of a guest's addresses: where the leaf entry is, which error
 * an access gets, what may be copied by the sptes alone; and what is remembered of the way, asked
 * once it is another.
 */
#include "mm/machine.h"
#include "tests/host/shadow/scene.h"

static const u64 high = 0xffff800000000000;

/* Each frame holds its own number. */
static void begin(enum shadow_policy policy)
{
	scene_begin(policy, SHADOW_FRAMES_MIN);
	for (u64 gfn = DATA; gfn < SPACES; gfn++)
		*word(gfn, 0) = gfn;
	map_first();
}

static bool is_copied(u64 gva, struct shadow_access access, u64 gfn)
{
	u64 got = 0;

	return shadow_copy(&sv, GVA(gva), access, &got, sizeof(got)) && got == gfn;
}

/* Nothing is copied, in neither direction. */
static bool is_left(u64 gva, struct shadow_access access)
{
	u64 bytes = 0x123;

	return !shadow_copy(&sv, GVA(gva), access, &bytes, sizeof(bytes)) && bytes == 0x123;
}

static bool entry_is(u64 gva, u64 gpa)
{
	gpa_t at;

	return shadow_find_entry(&sv, GVA(gva), &at) && at.v == gpa;
}

static bool entry_is_unknown(u64 gva)
{
	gpa_t at;

	return !shadow_find_entry(&sv, GVA(gva), &at);
}

/* ---- where the entry is ---- */

static void test_entry(void)
{
	begin(SHADOW_TRAPPED);
	set_entry(L2, 4, entry(0, ALL_BITS | 0x80));
	shadow_load_cr3(&sv, 0);
	CHECK(entry_is_unknown(0x1000));
	CHECK(is_reached(0x1000, load, DATA + 1));
	CHECK(entry_is(0x1000, L1 << 12 | 8) && entry_is(0x1ff008, L1 << 12 | 0xff8));
	CHECK(entry_is_unknown(1ul << 21) && entry_is_unknown(1ul << 48 | 0x1000));
	CHECK(entry_is_unknown(270ul << 39));
	CHECK(is_reached(4ul << 21 | DATA << 12, load, DATA)); /* split: no table */
	CHECK(entry_is_unknown(4ul << 21 | DATA << 12));
	set_entry(L2, 0, 0);
	CHECK(entry_is_unknown(0x1000));
	scene_end();
}

/* A guest that does not let us hear of every store may have another table there. */
static void test_entry_untold(enum shadow_policy policy)
{
	begin(policy);
	CHECK(is_reached(0x1000, load, DATA + 1) && is_copied(0x1000, load, DATA + 1));
	CHECK(entry_is_unknown(0x1000));
	scene_end();
}

/* ---- what is copied ---- */

/* The upper half repeats the lower one; between them is nothing, whatever bits 12 to 47 say. */
static void test_canonical(void)
{
	begin(SHADOW_TRAPPED);
	set_entry(L4, 256, entry(L3, ALL_BITS));
	CHECK(is_reached(0x1000, load, DATA + 1) && is_reached(high | 0x1000, load, DATA + 1));
	CHECK(is_left(1ul << 48 | 0x1000, load) && is_left(1ul << 63 | 0x1000, load));
	CHECK(is_left((high | 0x1000) & ~(1ul << 48), load));
	CHECK(is_copied(0x1000, load, DATA + 1) && is_copied(high | 0x1000, load, DATA + 1));
	CHECK(is_left(1ul << 48 | 0x1000, load) && is_left(high & ~(1ul << 63), load));
	scene_end();
}

/* What the spte alone cannot decide is left. */
static void test_copied_by_rights(void)
{
	const struct shadow_access user_store = {.user = true, .write = true};

	begin(SHADOW_TRAPPED);
	set_entry(L1, 1, entry(DATA + 1, ALL_BITS & ~2ul));
	set_entry(L1, 2, entry(DATA + 2, ALL_BITS & ~4ul));
	set_entry(L1, 3, entry(DATA + 3, ALL_BITS & ~4ul) | NX);
	for (u64 slot = 0; slot < 4; slot++)
		CHECK(is_reached(slot << 12, load, DATA + slot));
	CHECK(is_copied(0, load, DATA) && is_copied(0, user, DATA) && is_left(0, fetch));
	CHECK(is_copied(0x1000, user, DATA + 1) && is_left(0x1000, store) &&
	      is_left(0x1000, user_store));
	CHECK(is_copied(0x2000, load, DATA + 2) && is_left(0x2000, user) &&
	      is_copied(0x2000, fetch, DATA + 2));
	CHECK(is_copied(0x3000, load, DATA + 3) && is_left(0x3000, fetch));
	CHECK(is_left(0xffc, load) && is_left(0xff9, load) && is_copied(0xff8, load, 0));
	cpu.mode.smap = hw.smap = true;
	shadow_set_mode(&sv, cpu.mode);
	CHECK(is_reached(0, user, DATA) && is_left(0, load) && is_copied(0, user, DATA));
	CHECK(is_copied(0, (struct shadow_access){.ac = true}, DATA));
	CHECK(is_reached(0x2000, load, DATA + 2) && is_copied(0x2000, load, DATA + 2));
	scene_end();
}

/* Where the guest's kernel alone may store for the moment, as its CR0.WP says. */
static void test_copied_by_view(void)
{
	begin(SHADOW_TRAPPED);
	cpu.mode.wp = false;
	shadow_set_mode(&sv, cpu.mode);
	set_entry(L1, 1, entry(DATA + 1, ALL_BITS & ~2ul));
	CHECK(is_reached(0x1000, load, DATA + 1) && is_copied(0x1000, load, DATA + 1));
	CHECK(is_reached(0x1000, store, DATA + 1));
	CHECK(is_left(0x1000, load) && is_left(0x1000, store) && is_left(0x1000, user));
	scene_end();
}

/* Under notices each store may be to a table, of which nobody would hear. */
static void test_stores_untold(void)
{
	begin(SHADOW_NOTIFIED);
	CHECK(is_reached(0x1000, store, DATA + 1));
	CHECK(is_copied(0x1000, load, DATA + 1) && is_left(0x1000, store));
	scene_end();
}

/* ---- what is remembered ---- */

/* Two regions that have one place to be remembered in; another space; another table. */
static void test_way_changes(void)
{
	const u64 other = SPACES, far = 16ul << 21;

	begin(SHADOW_TRAPPED);
	set_entry(other, 1, entry(DATA + 9, ALL_BITS));
	set_entry(L2, 16, entry(other, ALL_BITS));
	set_entry(SPACES + 1, 0, entry(SPACES + 2, ALL_BITS)); /* the space: a table each level */
	set_entry(SPACES + 2, 0, entry(SPACES + 3, ALL_BITS));
	set_entry(SPACES + 3, 0, entry(other, ALL_BITS));
	CHECK(is_reached(0x1000, load, DATA + 1) && is_reached(far | 0x1000, load, DATA + 9));
	for (unsigned i = 0; i < 3; i++) {
		CHECK(is_copied(0x1000, load, DATA + 1));
		CHECK(is_copied(far | 0x1000, load, DATA + 9));
		CHECK(entry_is(0x1000, L1 << 12 | 8) && entry_is(far, other << 12));
	}
	CHECK(is_copied(0x1000, load, DATA + 1));
	shadow_load_cr3(&sv, (SPACES + 1) << 12);
	CHECK(is_left(0x1000, load));
	CHECK(is_reached(0x1000, load, DATA + 9) && is_copied(0x1000, load, DATA + 9));
	shadow_load_cr3(&sv, 0);
	CHECK(is_copied(0x1000, load, DATA + 1));
	set_entry(L2, 0, entry(other, ALL_BITS));
	CHECK(is_left(0x1000, load));
	CHECK(is_reached(0x1000, load, DATA + 9) && is_copied(0x1000, load, DATA + 9));
	scene_end();
}

/* What has ended once does not hold again when something else ends, too. */
static void test_way_ends_twice(void)
{
	begin(SHADOW_TRAPPED);
	set_entry(L2, 1, entry(L1, ALL_BITS));
	CHECK(is_reached(0x1000, load, DATA + 1) && is_copied(0x1000, load, DATA + 1));
	set_entry(L2, 0, 0);
	CHECK(is_left(0x1000, load));
	shadow_load_cr3(&sv, 0);
	CHECK(is_left(0x1000, load));
	CHECK(is_reached(0x201000, load, DATA + 1) && is_copied(0x201000, load, DATA + 1));
	shadow_load_cr3(&sv, SPACES << 12);
	CHECK(is_left(0x201000, load));
	set_entry(L3, 0, 0);
	CHECK(is_left(0x201000, load));
	set_entry(L3, 0, entry(L2, ALL_BITS));
	shadow_load_cr3(&sv, 0);
	CHECK(is_reached(0x201000, load, DATA + 1) && is_copied(0x201000, load, DATA + 1));
	shadow_drop_all(&shadow);
	CHECK(is_left(0x201000, load));
	CHECK(shadow_root(&sv).v && is_left(0x201000, load));
	scene_end();
}

/* Of a guest whose shadows live till it loads CR3, what was learnt does not live longer. */
static void test_forgotten(void)
{
	begin(SHADOW_FORGETFUL);
	for (u64 i = 1; i < 4; i++) {
		CHECK(is_reached(0x1000, load, DATA + i) && is_copied(0x1000, load, DATA + i));
		*word(L1, 1) = entry(DATA + i + 1, ALL_BITS);
		shadow_load_cr3(&sv, 0);
		CHECK(is_left(0x1000, load));
	}
	CHECK(is_reached(0x1000, load, DATA + 4) && is_copied(0x1000, load, DATA + 4));
	*word(L2, 0) = entry(SPACES, ALL_BITS);
	*word(SPACES, 1) = entry(DATA + 9, ALL_BITS);
	shadow_invlpg(&sv, GVA(0x1000));
	CHECK(is_left(0x1000, load));
	CHECK(is_reached(0x1000, load, DATA + 9) && is_copied(0x1000, load, DATA + 9));
	scene_end();
}

/* ---- which error ---- */

/* What is in our slots is not there for the guest; its entries do not matter. */
static void test_reserved(void)
{
	begin(SHADOW_TRAPPED);
	set_entry(L4, 270, entry(L3, ALL_BITS));
	set_entry(L4, 271, entry(L3, ALL_BITS));
	for (unsigned slot = 270; slot < 272; slot++)
		for (unsigned i = 0; i < 4; i++) {
			struct shadow_access access = {.write = i & 1, .user = i & 2};
			struct shadow_result r = {.error_code = ~0u};
			gva_t gva = GVA(0xffff000000000000 | (u64)slot << 39 | 0x1000);

			CHECK(shadow_translate(&sv, gva, access, &r) == SHADOW_REFLECT);
			CHECK(r.error_code == i << 1);
			CHECK(is_left(gva.v, access));
		}
	scene_end();
}

int main(void)
{
	printf("reach-test: no seed\n");
	host_machine_init(0x1000, 2048);
	test_entry();
	test_entry_untold(SHADOW_NOTIFIED);
	test_entry_untold(SHADOW_FORGETFUL);
	test_canonical();
	test_copied_by_rights();
	test_copied_by_view();
	test_stores_untold();
	test_way_changes();
	test_way_ends_twice();
	test_forgotten();
	test_reserved();
	host_machine_end();
	return host_finish();
}
