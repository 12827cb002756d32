// SPDX-License-Identifier: MIT
/*
 * access-test.c - every combination of the bits of one entry at each level, of P, W, U, NX at each
 * pair of levels, and the low bits of large entries, for every kind of access and mode: verdict,
 * error code, frame, A and D are what the oracle says.
 */
#include "tests/host/shadow/scene.h"

static u64 compared;

static bool agrees(gva_t gva, struct shadow_access access)
{
	struct oracle_answer o = oracle_access(&memory, &cpu, gva, access);
	struct shadow_result r = {0};
	mfn_t mfn;
	enum shadow_verdict verdict = scene_try(gva, access, &r, &mfn);

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

/* A large entry with one more bit: PAT, or one below its frame. */
static bool test_low_bits(u64 entries[5], unsigned level)
{
	u64 usual = entries[level];
	bool good = true;

	for (unsigned bit = 12; bit < 3 + 9 * level && good; bit++) {
		entries[level] = entry_with(level, 0x3f) | 1ul << bit;
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

	scene_begin(policy, SHADOW_FRAMES_MIN);
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
		CHECK(test_low_bits(entries, 2) && test_low_bits(entries, 3));
		for (unsigned high = 2; high <= 4; high++)
			for (unsigned low = 1; low < high; low++)
				CHECK(test_pair(entries, high, low));
	}
	scene_end();
}

int main(void)
{
	printf("access-test: no seed\n");
	host_machine_init(0x1000, 1024);
	test_permutations(SHADOW_TRAPPED);
	test_permutations(SHADOW_NOTIFIED);
	printf("  %lu accesses compared with the oracle\n", compared);
	host_machine_end();
	return host_finish();
}
