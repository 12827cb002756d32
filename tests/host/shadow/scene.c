// SPDX-License-Identifier: MIT
/* scene.c - see scene.h. */
#include <string.h>
#include "mm/machine.h"
#include "tests/host/shadow/scene.h"

struct p2m p2m;
struct shadow shadow;
struct shadow_vcpu sv;
struct oracle_memory memory;
struct oracle_cpu cpu;
struct hardware hw;
u64 free_before;

void scene_begin(enum shadow_policy policy, u32 limit)
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

void scene_end(void)
{
	CHECK(shadow_is_sound(&shadow, shadow.config.policy == SHADOW_TRAPPED));
	shadow_vcpu_exit(&sv);
	while (shadow_destroy(&shadow))
		;
	while (p2m_destroy(&p2m))
		;
	CHECK(frame_count_free() == free_before);
}

u64 *word(u64 gfn, unsigned slot)
{
	return (u64 *)machine_map(memory.mfn[gfn]) + slot;
}

/* The guest's entry changes, and the policy hears of it as it should. */
void set_entry(u64 table, unsigned slot, u64 entry)
{
	u64 gpa = table << 12 | slot * 8;

	if (shadow.config.policy == SHADOW_TRAPPED) {
		CHECK(guest_copy_write(&p2m, GPA(gpa), &entry, 8, NULL) == 0);
		return;
	}
	*word(table, slot) = entry;
	shadow_notify(&shadow, (const u64 *)&gpa, 1, 1);
}

u64 entry(u64 gfn, u64 bits)
{
	return gfn << 12 | bits;
}

void map_first(void)
{
	set_entry(L4, 0, entry(L3, ALL_BITS));
	set_entry(L3, 0, entry(L2, ALL_BITS));
	set_entry(L2, 0, entry(L1, ALL_BITS));
	for (unsigned slot = 0; slot < 32; slot++)
		set_entry(L1, slot, entry(DATA + slot, ALL_BITS));
}

unsigned faults; /* by the last access */

enum shadow_verdict scene_try(gva_t gva, struct shadow_access access, struct shadow_result *r,
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

enum shadow_verdict scene_touch(u64 gva, bool write)
{
	struct shadow_result r;
	mfn_t mfn;

	return scene_try(GVA(gva), (struct shadow_access){.write = write}, &r, &mfn);
}

void scene_begin_loose(u32 limit)
{
	scene_begin(SHADOW_TRAPPED, limit);
	map_first();
	set_entry(L1, 16, entry(L1, ALL_BITS));
	set_entry(L1, 17, entry(L1, ALL_BITS));
	shadow_load_cr3(&sv, 0);
	CHECK(scene_touch(0x1000, false) == SHADOW_FIXED);
	CHECK(scene_touch(0x10000, true) == SHADOW_EMULATE);
	CHECK(scene_touch(0x10000, true) == SHADOW_FIXED && shadow.loose_count == 1);
}

bool is_reached(u64 gva, struct shadow_access access, u64 gfn)
{
	struct shadow_result r;
	mfn_t mfn;

	return scene_try(GVA(gva), access, &r, &mfn) == SHADOW_FIXED &&
	       mfn_equal(mfn, memory.mfn[gfn]);
}

bool is_refused(u64 gva, struct shadow_access access)
{
	struct shadow_result r;
	mfn_t mfn;

	return scene_try(GVA(gva), access, &r, &mfn) == SHADOW_REFLECT;
}
