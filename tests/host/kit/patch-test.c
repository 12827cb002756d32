// SPDX-License-Identifier: MIT
/*
 * patch-test - the site patcher over the real relocation table, good tables and hostile ones. The
 * text is an array between two guards; the vcpu page is an array, too.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "guest-abi/hypercalls.h"
#include "guest-abi/kit/patch.h"
#include "guest-abi/layout.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define TEXT_SIZE    1024
#define GUARD	     64
#define FILLER	     0xcc
#define FAR	     (1ul << 40)
#define RANDOM_RUNS  200000

static struct {
	uint8_t before[GUARD], text[TEXT_SIZE], after[GUARD];
} image;
static uint8_t vcpu_page[4096];
static uint64_t targets[GN_SITE_COUNT + 2]; /* a guard at each end */
static struct gn_site sites[40];
static unsigned passed, failed;

static const struct native {
	uint8_t room, size, bytes[20];
} native[] = {
#define ROW(number, room, size, ...) [number] = {room, size, {__VA_ARGS__}},
#define ROW_OF(...)		     ROW(__VA_ARGS__)
#define S(name, text, lost)	     ROW_OF(GN_SITE_##name)
    GN_SITES(S)};

static bool check(bool holds, const char *what, unsigned number)
{
	if (holds) {
		passed++;
	} else {
		failed++;
		printf("patch-test: FAILED: %s (%u)\n", what, number);
	}
	return holds;
}

/* The code area's own slot, which needs no monitor. */
extern const uint8_t gn_code_area[];

static const struct gn_relocation *real(unsigned operation)
{
	const struct gn_relocation *found;

	__asm__ volatile("call *%1"
			 : "=a"(found)
			 : "r"(gn_code_area + GN_OP_relocation * GN_SLOT_SIZE), "D"(operation)
			 : "rcx", "memory", "cc");
	return found;
}

static struct gn_relocation random_relocations[GN_SITE_COUNT];

static const struct gn_relocation *random_one(unsigned operation)
{
	return &random_relocations[operation];
}

static struct gn_patch patch_for(unsigned count)
{
	return (struct gn_patch){
	    .sites = sites,
	    .sites_end = sites + count,
	    .text = (uint64_t)image.text,
	    .text_end = (uint64_t)image.text + TEXT_SIZE,
	    .vcpu_page = (uint64_t)vcpu_page,
	    .targets = targets + 1,
	    .relocation = real,
	};
}

static void set_start(struct gn_site *site, const uint8_t *start)
{
	site->start = (int32_t)(start - (const uint8_t *)site);
}

/* A site of each operation, native, a byte between them; returns how many. */
static unsigned lay_out(void)
{
	uint8_t *at = image.text + 1;

	memset(&image, FILLER, sizeof(image));
	memset(targets, 0, sizeof(targets));
	memset(sites, 0, sizeof(sites));
	for (unsigned i = 0; i < GN_SITE_COUNT; i++) {
		const struct native *n = &native[i];

		sites[i] = (struct gn_site){.operation = (uint16_t)i, .room = n->room};
		set_start(&sites[i], at);
		memset(at, 0x90, n->room);
		memcpy(at + n->room - n->size, n->bytes, n->size);
		at += n->room + 1;
	}
	return GN_SITE_COUNT;
}

/* ---- what becomes of each operation ---- */

static bool is_nops(const uint8_t *bytes, unsigned size)
{
	static const char *const forms[] = {
	    "\x90",
	    "\x66\x90",
	    "\x0f\x1f\x00",
	    "\x0f\x1f\x40\x00",
	    "\x0f\x1f\x44\x00\x00",
	    "\x66\x0f\x1f\x44\x00\x00",
	    "\x0f\x1f\x80\x00\x00\x00\x00",
	};
	unsigned n = size < 7 ? size : 7;

	return !size || (!memcmp(bytes, forms[n - 1], n) && is_nops(bytes + n, size - n));
}

static uint64_t pointed_at(const uint8_t *end, const uint8_t *field)
{
	int32_t distance;

	memcpy(&distance, field, sizeof(distance));
	return (uint64_t)end + (uint64_t)(int64_t)distance;
}

static bool is_call(unsigned i, uint8_t modrm, unsigned slot)
{
	const uint8_t *end = (const uint8_t *)gn_site_start(&sites[i]) + sites[i].room;
	const uint8_t *call = end - 6;

	return is_nops(end - sites[i].room, sites[i].room - 6u) && call[0] == 0xff &&
	       call[1] == modrm && pointed_at(end, call + 2) == (uint64_t)&targets[i + 1] &&
	       targets[i + 1] == GN_SLOT(slot);
}

/* The inline forms: their bytes around the displacement, and what it leads to. */
static bool is_inline(unsigned i, const uint8_t *bytes, unsigned size, unsigned field, unsigned to)
{
	const uint8_t *end = (const uint8_t *)gn_site_start(&sites[i]) + sites[i].room;
	uint8_t form[20];

	memcpy(form, end - size, size);
	memset(form + field, 0, 4);
	return is_nops(end - sites[i].room, sites[i].room - size) && !memcmp(form, bytes, size) &&
	       pointed_at(end, end - size + field) == (uint64_t)vcpu_page + to;
}

static bool is_native(unsigned i)
{
	const uint8_t *start = (const uint8_t *)gn_site_start(&sites[i]);
	unsigned padding = native[i].room - native[i].size;

	return is_nops(start, padding) && !memcmp(start + padding, native[i].bytes, native[i].size);
}

#define CALL 0x15
#define JUMP 0x25

/* As the ABI says them, by number; 0 stays native. */
static const struct {
	uint8_t modrm;
	unsigned slot;
} calls[GN_SITE_COUNT] = {
    [1] = {CALL, GN_OP_sti},
    [2] = {CALL, GN_OP_get_flags},
    [3] = {CALL, GN_OP_set_flags},
    [4] = {CALL, GN_OP_iret_at_site},
    [5] = {JUMP, GN_OP_sysret},
    [6] = {CALL, GN_CALL_halt},
    [8] = {CALL, GN_OP_write_cr3},
    [9] = {CALL, GN_CALL_invalidate_page},
    [25] = {CALL, GN_OP_pte_set},
    [26] = {CALL, GN_OP_pte_swap},
    [27] = {CALL, GN_OP_pte_test_and_set_bit},
    [28] = {CALL, GN_OP_pte_test_and_clear_bit},
    [29] = {CALL, GN_OP_pte_deactivate},
    [10] = {CALL, GN_OP_write_fs_base},
    [11] = {CALL, GN_OP_write_gs_base},
};

static const uint8_t clear_vif[] = {0xc6, 0x05, 0, 0, 0, 0, 0};
static const uint8_t load_cr2[] = {0x48, 0x8b, 0x05, 0, 0, 0, 0};

static void check_form(unsigned i)
{
	const uint8_t *start = (const uint8_t *)gn_site_start(&sites[i]);
	bool right;

	if (i == 0)
		right = is_inline(i, clear_vif, sizeof(clear_vif), 2, GN_VP_VIF);
	else if (i == 7)
		right = is_inline(i, load_cr2, sizeof(load_cr2), 3, GN_VP_CR2);
	else if (i == 12)
		right = is_nops(start, sites[i].room);
	else if (calls[i].modrm)
		right = is_call(i, calls[i].modrm, calls[i].slot);
	else
		right = is_native(i);
	check(right, gn_site_name(i), i);
	check(start[-1] == FILLER && start[sites[i].room] == FILLER, "the bytes beside it", i);
}

/* A site of 20 bytes could take more than a relocation holds. */
static const struct gn_relocation *long_inline(unsigned operation)
{
	static struct gn_relocation *whole;

	if (operation != 10)
		return real(operation);
	if (!whole)
		whole = malloc(sizeof(*whole)); /* so that ASan knows its end */
	*whole = *real(10);
	whole->kind = GN_RELOCATE_INLINE;
	whole->length = sizeof(whole->bytes) + 1;
	return whole;
}

static void check_forms(void)
{
	struct gn_patch patch = patch_for(lay_out());
	const struct gn_site *wrong;
	uint8_t once[TEXT_SIZE], view[sizeof(image)], before[sizeof(image)];
	const char *why = gn_patch_sites(&patch, &wrong);

	check(!why, why ? why : "", 0);
	for (unsigned i = 0; i < GN_SITE_COUNT; i++)
		check_form(i);
	memcpy(once, image.text, sizeof(once));
	check(!gn_patch_sites(&patch, &wrong) && !memcmp(once, image.text, sizeof(once)),
	      "patching twice is patching once", 0);

	/* Through another view of the text, and with the vcpu page out of reach. */
	patch = patch_for(lay_out());
	memcpy(view, &image, sizeof(view));
	memcpy(before, &image, sizeof(before));
	patch.write_offset = view - (uint8_t *)&image;
	check(!gn_patch_sites(&patch, &wrong) && !memcmp(view + GUARD, once, sizeof(once)),
	      "another view of the text", 0);
	check(!memcmp(before, &image, sizeof(before)), "only it changes", 0);

	patch = patch_for(lay_out());
	patch.vcpu_page = (uint64_t)vcpu_page + FAR;
	check(!gn_patch_sites(&patch, &wrong) && is_call(0, CALL, GN_OP_cli) &&
		  is_call(7, CALL, GN_OP_get_cr2),
	      "a vcpu page out of reach", 0);
	patch = patch_for(lay_out());
	patch.vcpu_page = 0;
	check(!gn_patch_sites(&patch, &wrong) && is_call(0, CALL, GN_OP_cli), "no vcpu page", 0);
	patch = patch_for(lay_out());
	patch.relocation = long_inline;
	check(!gn_patch_sites(&patch, &wrong) && is_call(10, CALL, GN_OP_write_fs_base),
	      "an inline form that is too long", 0);
	check(!real(GN_SITE_COUNT) && !real(~0u), "an operation that the monitor does not know", 0);
}

/* ---- tables that are refused ---- */

static void refuse(const char *what, struct gn_patch *patch, unsigned site, const char *reason)
{
	const struct gn_site *wrong;
	uint8_t before[sizeof(image)];
	const char *why;

	memcpy(before, &image, sizeof(before));
	why = gn_patch_sites(patch, &wrong);
	if (check(why && strstr(why, reason), what, site))
		printf("patch-test: %s: site %d: %s\n", what, wrong ? (int)(wrong - sites) : -1,
		       why);
	else
		printf("patch-test: said: %s\n", why ? why : "nothing");
	check(!wrong || wrong == sites + site, "which site is wrong", site);
	check(!memcmp(before, &image, sizeof(before)), "nothing has changed", site);
}

static void refuse_site(const char *what, unsigned i, struct gn_site site, const char *reason)
{
	struct gn_patch patch = patch_for(lay_out());

	site.start += sites[i].start;
	sites[i] = site;
	refuse(what, &patch, i, reason);
}

static const struct gn_relocation *odd(unsigned operation)
{
	static const struct gn_relocation strange = {.kind = 9};

	return operation == 3 ? &strange : real(operation);
}

static const struct gn_relocation *no_target(unsigned operation)
{
	static struct gn_relocation call;

	if (operation != 4 && operation != 5)
		return real(operation);
	call = *real(operation);
	call.target = 0;
	return &call;
}

static void check_refusals(void)
{
	const uint8_t room = native[1].room;
	struct gn_patch patch;

	refuse_site("operation", 24, (struct gn_site){0, GN_SITE_COUNT, 8, 0}, "unknown");
	refuse_site("operation 65535", 1, (struct gn_site){0, 65535, room, 0}, "unknown");
	refuse_site("reserved", 1, (struct gn_site){0, 1, room, 1}, "unknown");
	refuse_site("too short", 1, (struct gn_site){0, 1, room - 1, 0}, "length");
	refuse_site("too long", 1, (struct gn_site){0, 1, room + 1, 0}, "length");
	refuse_site("length 0", 1, (struct gn_site){0, 1, 0, 0}, "length");
	refuse_site("below", 0, (struct gn_site){-2, 0, native[0].room, 0}, "outside");
	refuse_site("far below", 1, (struct gn_site){-TEXT_SIZE - GUARD, 1, room, 0}, "outside");
	refuse_site("far above", 1, (struct gn_site){0x7f000000, 1, room, 0}, "outside");
	refuse_site("other bytes", 3, (struct gn_site){0, 2, native[2].room, 0}, "not there");
	refuse_site("one too early", 5, (struct gn_site){-1, 5, native[5].room, 0}, "not there");

	patch = patch_for(lay_out());
	set_start(&sites[24], (const uint8_t *)gn_site_start(&sites[21]));
	sites[24].operation = 21;
	refuse("twice", &patch, 24, "overlaps");
	patch = patch_for(lay_out());
	set_start(&sites[24], (const uint8_t *)gn_site_start(&sites[21]) - 1);
	refuse("the byte before another", &patch, 24, "overlaps");
	patch = patch_for(lay_out());
	set_start(&sites[24], (const uint8_t *)gn_site_start(&sites[21]) + 7);
	refuse("the last byte of another", &patch, 24, "overlaps");
	patch = patch_for(lay_out());
	patch.text_end = gn_site_start(&sites[24]) + sites[24].room - 1;
	refuse("a byte too long for the text", &patch, 24, "outside");
	patch = patch_for(lay_out());
	patch.sites_end = sites - 1;
	refuse("an end before the start", &patch, 0, "end");
	patch = patch_for(lay_out());
	patch.sites_end = (const struct gn_site *)((const char *)sites + 12);
	refuse("half a record", &patch, 0, "end");
	patch = patch_for(lay_out());
	patch.targets = (uint64_t *)((uint64_t)targets + FAR);
	refuse("targets out of reach", &patch, 1, "too far");
	patch = patch_for(lay_out());
	patch.relocation = odd;
	refuse("a kind to come", &patch, 3, "does not know");
	patch = patch_for(lay_out());
	patch.relocation = no_target;
	refuse("a call of nothing", &patch, 4, "there is no call");
	patch.sites = sites + 5;
	refuse("a jump to nothing", &patch, 5, "there is no call");
}

/* ---- random ones ---- */

static uint64_t next_random(void)
{
	static uint64_t state = 0x9e3779b97f4a7c15;

	state ^= state << 13;
	state ^= state >> 7;
	return state ^= state << 17;
}

static void randomize_sites(unsigned count)
{
	for (unsigned n = next_random() % 3; n--;) {
		struct gn_site *s = &sites[next_random() % count];

		switch (next_random() % 4) {
		case 0:
			s->start += (int32_t)(next_random() % 64) - 32;
			break;
		case 1:
			s->operation = (uint16_t)(next_random() % (GN_SITE_COUNT + 2));
			s->room = s->operation < GN_SITE_COUNT ? native[s->operation].room : 8;
			break;
		case 2:
			*s = sites[next_random() % count];
			break;
		default:
			((uint8_t *)s)[next_random() % sizeof(*s)] = (uint8_t)next_random();
		}
	}
}

static void randomize_relocations(void)
{
	for (unsigned i = 0; i < GN_SITE_COUNT; i++) {
		struct gn_relocation *r = &random_relocations[i];

		*r = *real(i);
		if (next_random() % 4)
			continue;
		for (unsigned n = 4; n--;)
			((uint8_t *)r)[next_random() % sizeof(*r)] = (uint8_t)next_random();
		if (next_random() % 8)
			r->kind %= 5;
	}
}

static bool is_untouched_outside(void)
{
	for (unsigned i = 0; i < GUARD; i++)
		if (image.before[i] != FILLER || image.after[i] != FILLER)
			return false;
	return !targets[0] && !targets[COUNT(targets) - 1];
}

static void check_random(void)
{
	unsigned accepted = 0, refused = 0;

	for (unsigned run = 0; run < RANDOM_RUNS; run++) {
		struct gn_patch patch = patch_for(lay_out());
		const struct gn_site *wrong;
		uint8_t before[sizeof(image)];
		const char *why;

		randomize_sites(GN_SITE_COUNT);
		randomize_relocations();
		patch.relocation = random_one;
		memcpy(before, &image, sizeof(before));
		why = gn_patch_sites(&patch, &wrong);
		accepted += !why;
		refused += !!why;
		if (!is_untouched_outside() || (why && memcmp(before, &image, sizeof(before)))) {
			check(false, "a random table reached other bytes", run);
			return;
		}
	}
	printf("patch-test: %u random tables: %u accepted, %u refused\n", RANDOM_RUNS, accepted,
	       refused);
	check(accepted > RANDOM_RUNS / 100 && refused > RANDOM_RUNS / 100, "both happen", 0);
}

int main(void)
{
	check_forms();
	check_refusals();
	check_random();
	printf("patch-test: %u passed, %u failed\n", passed, failed);
	return failed || !passed;
}
