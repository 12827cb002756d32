// SPDX-License-Identifier: MIT
/*
 * vcpus-test.c - what two vCPUs of one guest may expect of each other. The second one runs on a CPU
 * whose TLB outlives what the first one does: only a flush that the shadows ask for, or its own way
 * out of the guest, empties it.
 */
#include "mm/machine.h"
#include "tests/host/shadow/scene.h"

static struct shadow_vcpu second;
static struct hardware other; /* its CPU */

static void flush_other(void)
{
	hardware_flush(&other);
}

static void second_begin(void)
{
	CHECK(shadow_vcpu_init(&second, &shadow, 1) == 0);
	shadow_set_mode(&second, cpu.mode);
	hardware_flush(&other);
	host_on_flush = flush_other;
}

static void second_end(void)
{
	host_on_flush = NULL;
	shadow_vcpu_exit(&second);
	scene_end();
}

static bool second_reaches(u64 gva, struct shadow_access access)
{
	struct shadow_result r;

	for (unsigned i = 0; i < 5; i++) {
		struct hardware_answer a =
		    hardware_access(&other, shadow_root(&second), GVA(gva), access);

		if (a.ok)
			return true;
		hardware_flush(&other); /* it leaves the guest */
		if (shadow_fault(&second, GVA(gva), a.error_code, access.user, access.ac, &r) !=
		    SHADOW_FIXED)
			return false;
	}
	return false;
}

/* R2: each has a root of its own, with its own window, though CR3 and mode are equal. */
static void test_own_roots(void)
{
	const u64 windows[2] = {0x1000023, 0x2000023};
	mfn_t roots[2];

	scene_begin(SHADOW_TRAPPED, 2 * SHADOW_FRAMES_MIN);
	map_first();
	second_begin();
	shadow_set_slot(&sv, 270, windows[0]);
	shadow_set_slot(&second, 270, windows[1]);
	roots[0] = shadow_load_cr3(&sv, 0);
	roots[1] = shadow_load_cr3(&second, 0);
	for (unsigned i = 0; i < 2; i++)
		CHECK(((u64 *)machine_map(roots[i]))[270] == windows[i]);
	second_end();
}

/* An entry that the shadows hear of takes a right away: no CPU has it any more, so an INVLPG or
 * flush of any vCPU has nothing left to do. */
static void test_narrowed(enum shadow_policy policy)
{
	static const struct {
		struct shadow_access access;
		u64 before, bits;
	} rights[] = {
	    {{.write = true}, ALL_BITS, ALL_BITS & ~2ul},
	    {{.write = true}, ALL_BITS & ~4ul, ALL_BITS & ~6ul},
	    {{.user = true}, ALL_BITS, ALL_BITS & ~4ul},
	    {{.user = true}, ALL_BITS & ~2ul, ALL_BITS & ~6ul},
	    {{.fetch = true}, ALL_BITS, ALL_BITS | NX},
	};

	scene_begin(policy, 2 * SHADOW_FRAMES_MIN);
	map_first();
	second_begin();
	for (unsigned i = 0; i < ARRAY_SIZE(rights); i++) {
		set_entry(L1, 1, entry(DATA + 1, rights[i].before));
		CHECK(second_reaches(0x1000, rights[i].access));
		set_entry(L1, 1, entry(DATA + 1, rights[i].bits));
		CHECK(!second_reaches(0x1000, rights[i].access));
	}
	second_end();
}

/* The CPU has the D of a loose table's mapping in its TLB; after the first vCPU's resync it must
 * say again that it stores there. */
static void test_loose_other_cpu(void)
{
	struct shadow_access store = {.write = true};

	scene_begin_loose(2 * SHADOW_FRAMES_MIN);
	second_begin();
	CHECK(second_reaches(0x10000, store));
	shadow_load_cr3(&sv, 0);
	CHECK(second_reaches(0x10000, store));
	*word(L1, 1) = 0;
	shadow_load_cr3(&sv, 0);
	CHECK(shadow.loose_count == 1);
	CHECK(scene_touch(0x1000, false) == SHADOW_REFLECT);
	second_end();
}

int main(void)
{
	printf("vcpus-test: no seed\n");
	host_machine_init(0x1000, 2048);
	test_own_roots();
	test_narrowed(SHADOW_TRAPPED);
	test_narrowed(SHADOW_NOTIFIED);
	test_loose_other_cpu();
	host_machine_end();
	return host_finish();
}
