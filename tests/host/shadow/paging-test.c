// SPDX-License-Identifier: MIT
/*
 * paging-test.c - what random worlds would meet too seldom: every combination of the bits of one
 * entry and of pairs of entries, for every kind of access and mode; and one scene for each promise
 * of the door.
 */
#include <string.h>
#include "lib/errno.h"
#include "mm/machine.h"
#include "tests/host/mm/host.h"
#include "tests/host/shadow/hardware.h"
#include "tests/host/shadow/oracle.h"

#define GUEST_FRAMES 64
#define L4	     0 /* gfns of the first address space's tables */
#define L3	     1
#define L2	     2
#define L1	     3
#define DATA	     8

#define ALL_BITS 0x67ul /* P W U A D */
#define NX	 (1ul << 63)

static struct p2m p2m;
static struct shadow shadow;
static struct shadow_vcpu sv;
static struct oracle_memory memory;
static struct oracle_cpu cpu;
static struct hardware hw;
static u64 free_before;

static void begin(enum shadow_policy policy, u32 limit)
{
	struct shadow_config config = {
	    .p2m = &p2m,
	    .policy = policy,
	    .limit = limit,
	    .reserved_first = 270,
	    .reserved_last = 271,
	    .supervisor_from_slot = 512,
	    .physical_bits = 46,
	    .has_1g_pages = true,
	};

	free_before = frame_count_free();
	CHECK(p2m_init(&p2m, 1) == 0);
	memset(&memory, 0, sizeof(memory));
	for (u64 gfn = 0; gfn < ORACLE_GFNS; gfn++)
		memory.mfn[gfn] = MFN_NONE;
	for (u64 gfn = 0; gfn < GUEST_FRAMES; gfn++) {
		memory.mfn[gfn] = frame_alloc(FRAME_GUEST, 1);
		memory.rights[gfn] = P2M_RIGHTS;
		CHECK(p2m_insert(&p2m, GFN(gfn), memory.mfn[gfn], P2M_RIGHTS) == 0);
		frame_put(memory.mfn[gfn]);
	}
	CHECK(shadow_init(&shadow, &config) == 0);
	CHECK(shadow_vcpu_init(&sv, &shadow, 0) == 0);
	cpu = (struct oracle_cpu){
	    .supervisor_from_slot = 512,
	    .physical_bits = 46,
	    .has_1g_pages = true,
	    .mode = {.wp = true, .nxe = true},
	};
	shadow_set_mode(&sv, cpu.mode);
	hw.smep = hw.smap = false;
	hardware_flush(&hw);
}

static void end(void)
{
	CHECK(shadow_is_sound(&shadow, shadow.config.policy == SHADOW_TRAPPED));
	shadow_vcpu_exit(&sv);
	while (shadow_destroy(&shadow))
		;
	while (p2m_destroy(&p2m))
		;
	CHECK(frame_count_free() == free_before);
}

static u64 *word(u64 gfn, unsigned slot)
{
	return (u64 *)machine_map(memory.mfn[gfn]) + slot;
}

/* The guest's entry changes, and the policy hears of it as it should. */
static void set_entry(u64 table, unsigned slot, u64 entry)
{
	u64 gpa = table << 12 | slot * 8;

	if (shadow.config.policy == SHADOW_TRAPPED) {
		CHECK(guest_copy_write(&p2m, GPA(gpa), &entry, 8, NULL) == 0);
		return;
	}
	*word(table, slot) = entry;
	shadow_notify(&shadow, &GPA(gpa), 1);
}

static u64 entry(u64 gfn, u64 bits)
{
	return gfn << 12 | bits;
}

static void map_first(void)
{
	set_entry(L4, 0, entry(L3, ALL_BITS));
	set_entry(L3, 0, entry(L2, ALL_BITS));
	set_entry(L2, 0, entry(L1, ALL_BITS));
	for (unsigned slot = 0; slot < 32; slot++)
		set_entry(L1, slot, entry(DATA + slot, ALL_BITS));
}

static unsigned faults; /* by the last access */

static enum shadow_verdict try(gva_t gva, struct shadow_access access, struct shadow_result *r,
			       mfn_t *mfn)
{
	for (faults = 0; faults < 5; faults++) {
		struct hardware_answer a;
		enum shadow_verdict verdict;

		hardware_flush(&hw);
		a = hardware_access(&hw, shadow_root(&sv), gva, access);
		*mfn = a.mfn;
		if (a.ok)
			return SHADOW_FIXED;
		verdict = shadow_fault(&sv, gva, a.error_code, access.user, access.ac, r);
		if (verdict != SHADOW_FIXED)
			return verdict;
	}
	return SHADOW_KILL;
}

static enum shadow_verdict touch(u64 gva, bool write)
{
	struct shadow_result r;
	mfn_t mfn;

	return try(GVA(gva), (struct shadow_access){.write = write}, &r, &mfn);
}

/* ---- every combination ---- */

static u64 compared;

static bool agrees(gva_t gva, struct shadow_access access)
{
	struct oracle_answer o = oracle_access(&memory, &cpu, gva, access);
	struct shadow_result r = {0};
	mfn_t mfn;
	enum shadow_verdict verdict = try(gva, access, &r, &mfn);

	compared++;
	if (verdict == SHADOW_EMULATE) /* a supervisor's store with WP=0 and SMAP on */
		return o.verdict == SHADOW_FIXED && access.write && cpu.mode.smap && !cpu.mode.wp;
	if (verdict != o.verdict)
		return false;
	if (verdict == SHADOW_REFLECT)
		return r.error_code == o.error_code;
	if (verdict != SHADOW_FIXED)
		return gfn_equal(r.gfn, o.gfn) && r.intent == o.intent;
	return mfn_equal(mfn, memory.mfn[o.translation.gfn.v]) &&
	       oracle_is_marked(&memory, &cpu, gva, access.write);
}

static const u64 bit_of[8] = {1, 2, 4, 0x20, 0x40, 0x80, NX, 1ul << 50};

static u64 entry_with(unsigned level, unsigned bits)
{
	static const u64 target[5] = {0, DATA, L1, L2, L3};
	u64 e = entry(bits & 32 && level > 1 ? 0 : target[level], 0);

	for (unsigned i = 0; i < 8; i++)
		if (bits & 1u << i)
			e |= bit_of[i];
	return e;
}

/* Page DATA of the address space is the gfn DATA through a leaf and through a large entry alike. */
static bool agrees_for_all_accesses(const u64 entries[5])
{
	for (unsigned a = 0; a < 3 * 2 * 2; a++) {
		struct shadow_access access = {
		    .write = a % 3 == 1,
		    .fetch = a % 3 == 2,
		    .user = a / 3 & 1,
		    .ac = a / 6,
		};

		if (access.ac && !cpu.mode.smap)
			continue;
		for (unsigned level = 4; level; level--)
			set_entry(4 - level, level == 1 ? DATA : 0, entries[level]);
		shadow_flush(&sv);
		if (!agrees(GVA(DATA << 12), access)) {
			printf("  entries %lx %lx %lx %lx, w%d x%d u%d ac%d, wp%d nxe%d smep%d "
			       "smap%d\n",
			       entries[4], entries[3], entries[2], entries[1], access.write,
			       access.fetch, access.user, access.ac, cpu.mode.wp, cpu.mode.nxe,
			       cpu.mode.smep, cpu.mode.smap);
			return false;
		}
	}
	return true;
}

static bool test_single(u64 entries[5], unsigned level)
{
	u64 usual = entries[level];
	bool good = true;

	for (unsigned bits = 0; bits < 256 && good; bits++) {
		entries[level] = entry_with(level, bits);
		good = agrees_for_all_accesses(entries);
	}
	entries[level] = usual;
	return good;
}

/* P W U NX of two levels at once. */
static bool test_pair(u64 entries[5], unsigned high, unsigned low)
{
	u64 usual_high = entries[high], usual_low = entries[low];
	bool good = true;

	for (unsigned bits = 0; bits < 256 && good; bits++) {
		entries[high] = entry_with(high, 0x18 | (bits & 7) | (bits & 8) << 3);
		entries[low] = entry_with(low, 0x18 | (bits >> 4 & 7) | (bits & 128) >> 1);
		good = agrees_for_all_accesses(entries);
	}
	entries[high] = usual_high;
	entries[low] = usual_low;
	return good;
}

static void test_permutations(enum shadow_policy policy)
{
	u64 entries[5];

	begin(policy, SHADOW_FRAMES_MIN);
	for (unsigned level = 1; level <= 4; level++)
		entries[level] = entry_with(level, 0x1f);
	for (unsigned mode = 0; mode < 16; mode++) {
		cpu.mode = (struct shadow_mode){
		    .wp = mode & 1, .nxe = mode & 2, .smep = mode & 4, .smap = mode & 8};
		hw.smep = cpu.mode.smep;
		hw.smap = cpu.mode.smap;
		shadow_set_mode(&sv, cpu.mode);
		for (unsigned level = 1; level <= 4; level++)
			CHECK(test_single(entries, level));
		for (unsigned high = 2; high <= 4; high++)
			for (unsigned low = 1; low < high; low++)
				CHECK(test_pair(entries, high, low));
	}
	end();
}

/* ---- scenes ---- */

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
	begin(SHADOW_TRAPPED, SHADOW_FRAMES_MIN);
	for (unsigned i = 0; i < 3; i++)
		*(u64 *)machine_map(ours[i]) = ours[i + 1].v << 12 | (i == 2 ? 0x21 : 0x23);
	shadow_set_slot(&sv, 270, ours[0].v << 12 | 0x23);
	map_first();
	set_entry(L4, 270, entry(L3, ALL_BITS));
	set_entry(L4, 271, entry(L3, ALL_BITS));
	for (u64 cr3 = 0; cr3 < 3; cr3++) {
		shadow_load_cr3(&sv, cr3 << 12);
		CHECK(try(GVA(window), (struct shadow_access){0}, &r, &mfn) == SHADOW_FIXED);
		CHECK(mfn_equal(mfn, ours[3]) && faults == 0);
		CHECK(try(GVA(window), (struct shadow_access){.write = true}, &r, &mfn) ==
			  SHADOW_REFLECT &&
		      r.error_code == 3);
		CHECK(try(GVA(window), (struct shadow_access){.user = true}, &r, &mfn) ==
			  SHADOW_REFLECT &&
		      r.error_code == 5);
		CHECK(try(GVA(other), (struct shadow_access){.write = true}, &r, &mfn) ==
			  SHADOW_REFLECT &&
		      r.error_code == 2);
		CHECK(shadow_translate(&sv, GVA(window), (struct shadow_access){0}, &r) ==
		      SHADOW_REFLECT);
	}
	shadow_set_slot(&sv, 271, ours[0].v << 12 | 0x23);
	CHECK(try(GVA(other), (struct shadow_access){0}, &r, &mfn) == SHADOW_FIXED);
	shadow_drop_all(&shadow);
	CHECK(try(GVA(other), (struct shadow_access){0}, &r, &mfn) == SHADOW_FIXED && !faults);
	end();
	for (unsigned i = 0; i < 4; i++)
		frame_put(ours[i]);
}

static void test_known_space(enum shadow_policy policy)
{
	u64 fills = 0;

	begin(policy, SHADOW_FRAMES_MIN);
	map_first();
	set_entry(4, 0, entry(L3, ALL_BITS)); /* gfn 4: a second top-level table */
	for (unsigned i = 0; i < 4; i++) {
		shadow_load_cr3(&sv, (i & 1 ? 4ul : L4) << 12);
		CHECK(touch(0x1000, true) == SHADOW_FIXED);
		CHECK(faults == (i < 2)); /* the second space finds the leaf, not the way to it */
		if (i == 1)
			fills = shadow.stats.fills;
	}
	CHECK(shadow.stats.fills == fills);
	end();
}

/* The second store in a row to a leaf table leaves it writable; INVLPG and CR3 load make it true.
 */
static void test_loose(void)
{
	u64 table = 0x10000, zero = 0;
	struct shadow_result r;
	mfn_t mfn;

	begin(SHADOW_TRAPPED, SHADOW_FRAMES_MIN);
	map_first();
	set_entry(L1, 16, entry(L1, ALL_BITS)); /* page 16 shows the table itself */
	shadow_load_cr3(&sv, 0);
	CHECK(touch(0x1000, false) == SHADOW_FIXED && touch(0x2000, false) == SHADOW_FIXED);
	CHECK(touch(table, true) == SHADOW_EMULATE);
	set_entry(L1, 5, 0);
	CHECK(touch(table, true) == SHADOW_FIXED && shadow.loose_count == 1);
	CHECK(try(GVA(table), (struct shadow_access){.write = true}, &r, &mfn) == SHADOW_FIXED);
	CHECK(faults == 0 && mfn_equal(mfn, memory.mfn[L1]));
	*word(L1, 1) = *word(L1, 2) = zero;	     /* stores that nobody sees */
	CHECK(touch(0x1000, false) == SHADOW_FIXED); /* as a TLB would */
	shadow_invlpg(&sv, GVA(0x1000));
	CHECK(touch(0x1000, false) == SHADOW_REFLECT);
	CHECK(touch(0x2000, false) == SHADOW_FIXED);
	shadow_load_cr3(&sv, 0);
	CHECK(touch(0x2000, false) == SHADOW_REFLECT);
	for (unsigned i = 0; i < 8; i++)
		shadow_load_cr3(&sv, 0);
	CHECK(shadow.loose_count == 0); /* quiet for long enough */
	end();
}

/* Tables are built and torn down under the least limit, by a guest that frees them without a word.
 */
static void test_churn(enum shadow_policy policy, unsigned rounds)
{
	bool good = true;
	u32 most = 0;

	begin(policy, SHADOW_FRAMES_MIN);
	map_first();
	for (unsigned i = 0; i < rounds && good; i++) {
		unsigned table = 40 + i % 20, slot = 1 + i % 37;
		u64 gva = (u64)slot << 21 | 0x3000;

		set_entry(table, 3, entry(DATA + i % 8, ALL_BITS));
		set_entry(L2, slot, entry(table, ALL_BITS));
		good &= touch(gva, i & 1) == SHADOW_FIXED;
		set_entry(table, 3, 0);
		set_entry(L2, slot, 0);
		shadow_invlpg(&sv, GVA(gva));
		good &= touch(gva, false) == SHADOW_REFLECT;
		most = MAX(most, shadow.frames);
	}
	CHECK(good);
	CHECK(most <= SHADOW_FRAMES_MIN);
	printf("  %u tables built and torn down, at most %u frames, %lu reclaimed\n", rounds, most,
	       shadow.stats.reclaimed);
	end();
}

/* A large page of the guest over a run of frames is one spte, till something within stands against.
 */
static void test_large(enum shadow_policy policy)
{
	mfn_t run, mfn;
	struct shadow_result r;
	struct shadow_access store = {.write = true};

	begin(policy, 256);
	run = frame_alloc_run(9, FRAME_GUEST, 1);
	for (u64 i = 0; i < 512; i++) {
		memory.mfn[512 + i] = MFN(run.v + i);
		memory.rights[512 + i] = P2M_RIGHTS;
		CHECK(p2m_insert(&p2m, GFN(512 + i), MFN(run.v + i), P2M_RIGHTS) == 0);
	}
	map_first();
	set_entry(L2, 4, entry(512, ALL_BITS | 0x80));
	shadow_load_cr3(&sv, 0);
	CHECK(touch(4ul << 21, true) == SHADOW_FIXED && faults == 1);
	CHECK(try(GVA((4ul << 21) + 0x1ff000), store, &r, &mfn) == SHADOW_FIXED && faults == 0);
	CHECK(mfn.v == run.v + 511 && shadow.stats.large == 1);
	CHECK(shadow_is_sound(&shadow, true));

	/* A frame within loses a right, and gets it back: the large page is split, and whole. */
	CHECK(p2m_set_rights(&p2m, GFN(512 + 7), P2M_R | P2M_X) == 0);
	CHECK(try(GVA((4ul << 21) + 0x7000), store, &r, &mfn) == SHADOW_WATCHED);
	CHECK(try(GVA((4ul << 21) + 0x8000), store, &r, &mfn) == SHADOW_FIXED);
	CHECK(mfn.v == run.v + 8 && shadow.stats.large == 1);
	CHECK(p2m_set_rights(&p2m, GFN(512 + 7), P2M_RIGHTS) == 0);
	set_entry(L2, 4, 0);
	shadow_invlpg(&sv, GVA(4ul << 21));
	set_entry(L2, 4, entry(512, ALL_BITS | 0x80));
	CHECK(touch((4ul << 21) + 0x7000, true) == SHADOW_FIXED && shadow.stats.large == 2);

	/* A frame within becomes a table. */
	set_entry(512 + 9, 0, entry(DATA, ALL_BITS));
	set_entry(L2, 5, entry(512 + 9, ALL_BITS));
	CHECK(touch(5ul << 21, true) == SHADOW_FIXED);
	CHECK(touch((4ul << 21) + 0x9000, true) ==
	      (policy == SHADOW_TRAPPED ? SHADOW_EMULATE : SHADOW_FIXED));
	CHECK(shadow_is_sound(&shadow, true));
	CHECK(p2m_remove(&p2m, GFN(512 + 511)) == 0);
	CHECK(touch((4ul << 21) + 0x1ff000, true) == SHADOW_POPULATE);
	for (u64 i = 0; i < 512; i++)
		frame_put(MFN(run.v + i));
	end();
}

/* A table whose gfn differs from another's only above bit 31, mapping such a page. */
static void test_far_gfns(enum shadow_policy policy)
{
	const u64 far = 1ul << 32;
	mfn_t table, page, mfn;
	struct shadow_result r;

	begin(policy, SHADOW_FRAMES_MIN);
	table = frame_alloc(FRAME_GUEST, 1);
	page = frame_alloc(FRAME_GUEST, 1);
	CHECK(p2m_insert(&p2m, GFN(far + L1), table, P2M_RIGHTS) == 0);
	CHECK(p2m_insert(&p2m, GFN(far + DATA), page, P2M_RIGHTS) == 0);
	map_first();
	CHECK(touch(0, true) == SHADOW_FIXED);
	*(u64 *)machine_map(table) = entry(far + DATA, ALL_BITS);
	set_entry(L2, 6, entry(far + L1, ALL_BITS));
	CHECK(try(GVA(6ul << 21), (struct shadow_access){.write = true}, &r, &mfn) == SHADOW_FIXED);
	CHECK(mfn_equal(mfn, page));
	CHECK(p2m_remove(&p2m, GFN(far + DATA)) == 0);
	CHECK(try(GVA(6ul << 21), (struct shadow_access){0}, &r, &mfn) == SHADOW_POPULATE);
	CHECK(r.gfn.v == far + DATA);
	CHECK(touch(0, true) == SHADOW_FIXED && faults == 0);
	frame_put(table);
	frame_put(page);
	end();
}

static void test_rights(void)
{
	struct shadow_result r;
	mfn_t mfn;

	begin(SHADOW_TRAPPED, SHADOW_FRAMES_MIN);
	map_first();
	shadow_load_cr3(&sv, 0);
	CHECK(touch(0, true) == SHADOW_FIXED);
	CHECK(p2m_set_rights(&p2m, GFN(DATA), P2M_R | P2M_X) == 0);
	CHECK(touch(0, false) == SHADOW_FIXED && faults == 0); /* narrowed, not withdrawn */
	CHECK(try(GVA(0), (struct shadow_access){.write = true}, &r, &mfn) == SHADOW_WATCHED);
	CHECK(r.gfn.v == DATA && r.intent == P2M_W);
	CHECK(p2m_set_rights(&p2m, GFN(DATA), P2M_R | P2M_ON_DEMAND) == 0);
	CHECK(try(GVA(0), (struct shadow_access){.fetch = true}, &r, &mfn) == SHADOW_POPULATE);
	CHECK(r.gfn.v == DATA && r.intent == P2M_X);
	CHECK(p2m_remove(&p2m, GFN(DATA)) == 0);
	CHECK(touch(0, false) == SHADOW_POPULATE);
	CHECK(p2m_remove(&p2m, GFN(L1)) == 0); /* a table goes */
	CHECK(try(GVA(0x1000), (struct shadow_access){0}, &r, &mfn) == SHADOW_POPULATE);
	CHECK(r.gfn.v == L1 && r.intent == P2M_R);
	CHECK(p2m_remove(&p2m, GFN(L4)) == 0); /* and the one that a vCPU stands on */
	CHECK(touch(0, false) == SHADOW_POPULATE);
	CHECK(shadow_is_sound(&shadow, true));
	end();
}

/* One frame with very many translations: it goes, in pieces, and faults are answered meanwhile. */
static void test_long_list(void)
{
	unsigned pieces = 1;

	begin(SHADOW_NOTIFIED, 256);
	map_first();
	for (unsigned table = 40; table < 60; table++) {
		set_entry(L2, table, entry(table, ALL_BITS));
		for (unsigned slot = 0; slot < 512; slot++)
			set_entry(table, slot, entry(DATA, ALL_BITS));
		for (u64 slot = 0; slot < 512; slot++)
			if (touch((u64)table << 21 | slot << 12, true) != SHADOW_FIXED)
				CHECK(!"a page is not reached");
	}
	while (p2m_remove(&p2m, GFN(DATA)) == -EAGAIN) {
		CHECK(touch(59ul << 21 | 511ul << 12, false) == SHADOW_WATCHED);
		pieces++;
	}
	CHECK(pieces > 5);
	CHECK(touch(40ul << 21, false) == SHADOW_POPULATE);
	end();
}

/* A notified guest drops a subtree by one notified store, and uses the tables again without a word.
 */
static void test_unreached(void)
{
	begin(SHADOW_NOTIFIED, SHADOW_FRAMES_MIN);
	map_first();
	CHECK(touch(0x1000, true) == SHADOW_FIXED);
	set_entry(L4, 0, 0);
	*word(L1, 1) = 0;
	set_entry(L4, 5, entry(L3, ALL_BITS));
	CHECK(touch(5ul << 39 | 0x1000, true) == SHADOW_REFLECT);
	end();
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
	test_large(SHADOW_TRAPPED);
	test_large(SHADOW_NOTIFIED);
	test_far_gfns(SHADOW_TRAPPED);
	test_far_gfns(SHADOW_NOTIFIED);
	test_rights();
	test_long_list();
	test_unreached();
	test_churn(SHADOW_TRAPPED, rounds);
	test_churn(SHADOW_NOTIFIED, rounds);
	test_permutations(SHADOW_TRAPPED);
	test_permutations(SHADOW_NOTIFIED);
	printf("  %lu accesses compared with the oracle\n", compared);
	host_machine_end();
	return host_finish();
}
