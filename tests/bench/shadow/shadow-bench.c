// SPDX-License-Identifier: MIT
/*
 * shadow-bench.c - instructions that mm and mm/shadow spend on an operation, in the monitor's own
 * objects. What the switcher and the run loop add is counted by the guests' benchmarks.
 */
#include "mm/machine.h"
#include "mm/shadow/shadow.h"
#include "tests/bench/shadow/count.h"
#include "tests/host/mm/host.h"

enum { L4, L3, L2, L1, OTHER_L4, DATA };
#define BITS  0x67ul
#define BATCH 64

static struct p2m p2m;
static struct shadow shadow;
static struct shadow_vcpu sv;
static struct shadow_result result;
static mfn_t mfns[700];

static u8 without; /* SHADOW_PREFAULT... */
static u64 base; /* the gfn where the guest's frames begin */

static u64 *word(u64 frame, unsigned slot)
{
	return (u64 *)machine_map(mfns[frame]) + slot;
}

static u64 entry(u64 frame)
{
	return (base + frame) << 12 | BITS;
}

static void begin(enum shadow_policy policy, u64 first_gfn)
{
	struct shadow_config config = {
	    .p2m = &p2m,
	    .policy = policy,
	    .limit = 512,
	    .reserved_first = 270,
	    .reserved_last = 271,
	    .supervisor_from_slot = 512,
	    .physical_bits = 46,
	    .without = without,
	};
	struct shadow_mode mode = {.wp = true, .nxe = true};

	base = first_gfn;
	host_machine_init(0x1000, 2048);
	if (p2m_init(&p2m, 1))
		abort();
	for (u64 i = 0; i < ARRAY_SIZE(mfns); i++) {
		mfns[i] = frame_alloc(FRAME_GUEST, 1);
		if (p2m_insert(&p2m, GFN(base + i), mfns[i], P2M_RIGHTS))
			abort();
		frame_put(mfns[i]);
	}
	if (shadow_init(&shadow, &config) || shadow_vcpu_init(&sv, &shadow, 0))
		abort();
	*word(L4, 0) = *word(OTHER_L4, 0) = entry(L3);
	*word(L3, 0) = entry(L2);
	*word(L2, 0) = entry(L1);
	for (unsigned slot = 0; slot < 512; slot++)
		*word(L1, slot) = entry(DATA + slot);
	shadow_set_mode(&sv, mode);
	shadow_load_cr3(&sv, (base + L4) << 12);
}

static void end(void)
{
	shadow_vcpu_exit(&sv);
	while (shadow_destroy(&shadow))
		;
	while (p2m_destroy(&p2m))
		;
	host_machine_end();
}

static enum shadow_verdict fault(u64 page, u32 code)
{
	return shadow_fault(&sv, GVA(page << 12), code, false, false, &result);
}

static void expect(enum shadow_verdict got, enum shadow_verdict want)
{
	if (got != want)
		abort();
}

static void fault_at(u64 gfn)
{
	begin(SHADOW_NOTIFIED, gfn);
	expect(fault(1, 2), SHADOW_FIXED);
	count_mark();
	expect(fault(2, 2), SHADOW_FIXED);
	count_mark();
	end();
}

static void fault_64m(void)
{
	fault_at(0x3000);
}
static void fault_1g(void)
{
	fault_at(0x3f000);
}
static void fault_8g(void)
{
	fault_at(0x1ff000);
}

static void fault_first(void)
{
	begin(SHADOW_NOTIFIED, 0);
	count_mark();
	expect(fault(1, 2), SHADOW_FIXED);
	count_mark();
	end();
}

static void reflect(void)
{
	begin(SHADOW_NOTIFIED, 0);
	*word(L1, 1) = 0;
	count_mark();
	expect(fault(1, 2), SHADOW_REFLECT);
	count_mark();
	end();
}

static void switch_known(void)
{
	begin(SHADOW_TRAPPED, 0);
	expect(fault(1, 2), SHADOW_FIXED);
	shadow_load_cr3(&sv, (base + OTHER_L4) << 12);
	expect(fault(1, 2), SHADOW_FIXED);
	count_mark();
	shadow_load_cr3(&sv, (base + L4) << 12);
	count_mark();
	end();
}

static void invlpg(void)
{
	begin(SHADOW_NOTIFIED, 0);
	expect(fault(1, 2), SHADOW_FIXED);
	count_mark();
	shadow_invlpg(&sv, GVA(0x1000));
	count_mark();
	end();
}

static void notify(u64 (*before)(unsigned slot), u64 (*replacement)(unsigned slot))
{
	u64 changed[BATCH];

	begin(SHADOW_NOTIFIED, 0);
	expect(fault(BATCH, 2), SHADOW_FIXED);
	for (unsigned slot = 0; slot < BATCH; slot++) {
		*word(L1, slot) = before(slot);
		expect(fault(slot, 2), *word(L1, slot) ? SHADOW_FIXED : SHADOW_REFLECT);
	}
	for (unsigned slot = 0; slot < BATCH; slot++) {
		*word(L1, slot) = replacement(slot);
		changed[slot] = (base + L1) << 12 | slot * 8;
	}
	count_mark();
	shadow_notify(&shadow, changed, 1, BATCH);
	count_mark();
	end();
}

static u64 nothing(unsigned slot)
{
	return slot * 0;
}
static u64 as_it_was(unsigned slot)
{
	return entry(DATA + slot);
}
static u64 another(unsigned slot)
{
	return entry(DATA + 511 - slot);
}
static u64 read_only(unsigned slot)
{
	return entry(DATA + slot) & ~2ul;
}
static void notify_removed(void)
{
	notify(as_it_was, nothing);
}
static void notify_replaced(void)
{
	notify(as_it_was, another);
}
/* Each such entry costs a fault at its next use instead. */
static void notify_without_prefault(void)
{
	without = SHADOW_PREFAULT;
	notify(as_it_was, another);
}
static void notify_filled(void)
{
	notify(nothing, another);
}
static void notify_cow(void)
{
	notify(as_it_was, read_only);
}

/* As a call announces it: alone, with all that a batch shares. */
static void notify_one(void)
{
	u64 at = (base + L1) << 12;

	begin(SHADOW_NOTIFIED, 0);
	expect(fault(0, 2), SHADOW_FIXED);
	*word(L1, 0) = another(0);
	count_mark();
	shadow_notify(&shadow, &at, 1, 1);
	count_mark();
	end();
}

static void trapped_store(void)
{
	u64 value = entry(DATA + 9);

	begin(SHADOW_TRAPPED, 0);
	*word(L1, 8) = entry(L1);
	expect(fault(1, 2), SHADOW_FIXED);
	count_mark();
	expect(fault(8, 3), SHADOW_EMULATE);
	if (guest_copy_write(&p2m, GPA((base + L1) << 12 | 8), &value, 8, NULL))
		abort();
	count_mark();
	end();
}

static void resync(void)
{
	begin(SHADOW_TRAPPED, 0);
	*word(L1, 8) = entry(L1);
	for (unsigned page = 0; page < 512; page++)
		expect(fault(page, 0), SHADOW_FIXED);
	expect(fault(8, 3), SHADOW_EMULATE);
	expect(fault(8, 3), SHADOW_FIXED);
	*word(L1, 3) = 0;
	if (guest_copy_write(&p2m, GPA((base + L1) << 12 | 16), &(u64){0}, 8, NULL))
		abort();
	count_mark();
	shadow_load_cr3(&sv, (base + L4) << 12);
	count_mark();
	end();
}

static void translate(void)
{
	begin(SHADOW_TRAPPED, 0);
	expect(fault(1, 2), SHADOW_FIXED);
	count_mark();
	expect(shadow_translate(&sv, GVA(0x1000), (struct shadow_access){0}, &result),
	       SHADOW_FIXED);
	count_mark();
	end();
}

static void copy(void)
{
	u64 value;

	begin(SHADOW_TRAPPED, 0);
	count_mark();
	if (guest_copy_read(&p2m, GPA(base << 12), &value, 8, NULL))
		abort();
	count_mark();
	end();
}

static const struct {
	const char *name;
	void (*run)(void);
	unsigned count; /* operations between the marks */
	unsigned limit; /* instructions for each, beyond which something has grown worse */
} rows[] = {
    {"demand fault, tables known, 64 MiB guest", fault_64m, 1, 530},
    {"demand fault, tables known, 1 GiB guest", fault_1g, 1, 530},
    {"demand fault, tables known, 8 GiB guest", fault_8g, 1, 530},
    {"demand fault, three tables new", fault_first, 1, 1900},
    {"fault of the guest's own", reflect, 1, 560},
    {"CR3 load of a known space", switch_known, 1, 200},
    {"INVLPG", invlpg, 1, 230},
    {"notified entry, removed", notify_removed, BATCH, 48},
    {"notified entry, replaced and prefaulted", notify_replaced, BATCH, 110},
    {"notified entry, replaced, without prefault", notify_without_prefault, BATCH, 92},
    {"notified entry, filled", notify_filled, BATCH, 92},
    {"notified entry, made read-only", notify_cow, BATCH, 100},
    {"a single notified entry, replaced", notify_one, 1, 470},
    {"store to a protected table, with its prefault", trapped_store, 1, 1080},
    {"CR3 load, one loose table of 512 to compare", resync, 1, 4400},
    {"translation", translate, 1, 320},
    {"copy of 8 bytes from a guest", copy, 1, 100},
};

int main(void)
{
	u64 first = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		u64 each = count_instructions(rows[i].run) / rows[i].count;

		printf("%-50s %6lu", rows[i].name, each);
		printf("  (limit %u)\n", rows[i].limit);
		CHECK(each && each <= rows[i].limit);
		if (i == 0)
			first = each;
		if (i < 3)
			CHECK(each * 50 <= first * 51 && first * 50 <= each * 51);
	}
	return host_finish();
}
