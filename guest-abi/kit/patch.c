// SPDX-License-Identifier: MIT
/*
 * patch.c - see patch.h. A site's form is derived from the relocation table and the site's place
 * alone, never from the bytes that are there: so patching twice is patching once.
 */
#include "guest-abi/kit/patch.h"
#include <stddef.h>
#include "guest-abi/hypercalls.h"
#include "guest-abi/layout.h"

#define ROOM_MAX     20
#define CALL_SIZE    6 /* CALL or JMP through a word of memory, relative to RIP */
#define CALL_OPCODE  0xff
#define CALL_MODRM   0x15
#define JUMP_MODRM   0x25
#define DISPLACEMENT 4 /* bytes */

static const struct operation {
	const char *name;
	uint8_t room, size, bytes[ROOM_MAX];
} operations[] = {
#define ROW(title, number, room, size, ...) [number] = {title, room, size, {__VA_ARGS__}},
#define ROW_OF(...)			    ROW(__VA_ARGS__)
#define S(name, native, lost)		    ROW_OF(#name, GN_SITE_##name)
    GN_SITES(S)
#undef S
};

_Static_assert(sizeof(operations) / sizeof(operations[0]) == GN_SITE_COUNT, "GN_SITES is complete");

uint64_t gn_site_start(const struct gn_site *site)
{
	return (uint64_t)site + (uint64_t)(int64_t)site->start;
}

const char *gn_site_name(unsigned operation)
{
	return operation < GN_SITE_COUNT ? operations[operation].name : "?";
}

const struct gn_relocation *gn_relocation(unsigned operation)
{
	const struct gn_relocation *found;

	__asm__ volatile("call *%1"
			 : "=a"(found)
			 : "r"(GN_SLOT(GN_OP_relocation)), "D"(operation)
			 : "rcx", "memory", "cc");
	return found;
}

/* No room is too small for a call. */
#define S(name, native, lost)	     +ROOM_OF(GN_SITE_##name)
#define ROOM_OF(...)		     ROOM_TEST(__VA_ARGS__)
#define ROOM_TEST(number, room, ...) (room < CALL_SIZE)
_Static_assert(0 GN_SITES(S) == 0, "");
#undef S

/* The distance from the instruction that ends at end; false: it does not fit. */
static bool reach(uint64_t end, uint64_t target, uint8_t *displacement)
{
	int64_t distance = (int64_t)(target - end);

	if (distance != (int32_t)distance)
		return false;
	for (unsigned i = 0; i < DISPLACEMENT; i++)
		displacement[i] = (uint8_t)(distance >> (8 * i));
	return true;
}

/* NOPs as SDM 2B recommends them, the longest first. */
static void fill(uint8_t *bytes, unsigned size)
{
	static const uint8_t nops[][7] = {
	    {0x90},
	    {0x66, 0x90},
	    {0x0f, 0x1f, 0x00},
	    {0x0f, 0x1f, 0x40, 0x00},
	    {0x0f, 0x1f, 0x44, 0x00, 0x00},
	    {0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00},
	    {0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00},
	};

	while (size) {
		unsigned n = size < sizeof(nops[0]) ? size : sizeof(nops[0]);

		for (unsigned i = 0; i < n; i++)
			*bytes++ = nops[n - 1][i];
		size -= n;
	}
}

/* Put what precedes it and these bytes, which end at the site's end. */
static void place(uint8_t *form, unsigned room, const uint8_t *bytes, unsigned size)
{
	fill(form, room - size);
	for (unsigned i = 0; i < size; i++)
		form[room - size + i] = bytes[i];
}

static bool form_inline(const struct gn_patch *patch, const struct gn_relocation *r, unsigned room,
			uint64_t end, uint8_t *form)
{
	uint32_t offset = 0;

	if (r->length > room || r->length > sizeof(r->bytes) ||
	    (r->field && r->field + DISPLACEMENT > r->length))
		return false;
	place(form, room, r->bytes, r->length);
	if (!r->field)
		return true;
	for (unsigned i = 0; i < DISPLACEMENT; i++)
		offset |= (uint32_t)r->bytes[r->field + i] << (8 * i);
	return patch->vcpu_page &&
	       reach(end, patch->vcpu_page + offset, form + room - r->length + r->field);
}

static bool form_call(const struct gn_patch *patch, unsigned operation, uint8_t modrm,
		      unsigned room, uint64_t end, uint8_t *form)
{
	uint8_t bytes[CALL_SIZE] = {CALL_OPCODE, modrm};

	if (!reach(end, (uint64_t)&patch->targets[operation], bytes + 2))
		return false;
	place(form, room, bytes, sizeof(bytes));
	return true;
}

const char *gn_patch_form(const struct gn_patch *patch, const struct gn_site *site, uint8_t *form)
{
	const struct operation *native = &operations[site->operation];
	const struct gn_relocation *r = patch->relocation(site->operation);
	uint64_t end = gn_site_start(site) + site->room;
	uint8_t modrm;

	switch (r ? r->kind : GN_RELOCATE_NATIVE) {
	case GN_RELOCATE_NATIVE:
		place(form, site->room, native->bytes, native->size);
		return NULL;
	case GN_RELOCATE_NOP:
		fill(form, site->room);
		return NULL;
	case GN_RELOCATE_INLINE:
		if (form_inline(patch, r, site->room, end, form))
			return NULL;
		modrm = CALL_MODRM;
		break;
	case GN_RELOCATE_CALL:
		modrm = CALL_MODRM;
		break;
	case GN_RELOCATE_JUMP:
		modrm = JUMP_MODRM;
		break;
	default:
		return "the monitor wants something that this kit does not know";
	}
	if (!r->target)
		return "the monitor's form does not fit, and there is no call";
	if (!form_call(patch, site->operation, modrm, site->room, end, form))
		return "it is too far from the table of targets";
	return NULL;
}

static bool are_equal(const uint8_t *a, const uint8_t *b, unsigned size)
{
	while (size--)
		if (*a++ != *b++)
			return false;
	return true;
}

static const char *judge(const struct gn_patch *patch, const struct gn_site *site)
{
	uint64_t start = gn_site_start(site);
	uint8_t form[ROOM_MAX];
	const struct operation *native;
	const uint8_t *present = (const uint8_t *)start;
	const char *why;

	if (site->operation >= GN_SITE_COUNT || site->reserved)
		return "its operation is unknown";
	native = &operations[site->operation];
	if (site->room != native->room)
		return "its length is not that of its operation";
	if (start < patch->text || start >= patch->text_end || patch->text_end - start < site->room)
		return "it lies outside the kernel's text";
	for (const struct gn_site *s = patch->sites; s < site; s++)
		if (start < gn_site_start(s) + s->room && gn_site_start(s) < start + site->room)
			return "it overlaps another site";
	why = gn_patch_form(patch, site, form);
	if (!why && !are_equal(present, form, site->room) &&
	    !are_equal(present + site->room - native->size, native->bytes, native->size))
		why = "the instruction of its operation is not there";
	return why;
}

static void rewrite(const struct gn_patch *patch, const struct gn_site *site)
{
	const struct gn_relocation *r = patch->relocation(site->operation);
	uint64_t to = gn_site_start(site) + (uint64_t)patch->write_offset;
	uint8_t form[ROOM_MAX];

	(void)gn_patch_form(patch, site, form);
	patch->targets[site->operation] = r ? r->target : 0;
	if (are_equal((const uint8_t *)to, form, site->room))
		return;
	for (unsigned i = 0; i < site->room; i++)
		((volatile uint8_t *)to)[i] = form[i];
}

const char *gn_patch_sites(const struct gn_patch *patch, const struct gn_site **wrong)
{
	const struct gn_site *site = patch->sites;
	uint32_t eax = 0, ebx, ecx, edx;

	*wrong = NULL;
	if (patch->sites_end < site ||
	    ((uint64_t)patch->sites_end - (uint64_t)site) % sizeof(*site))
		return "the table's end is not where a site's record ends";
	for (; site < patch->sites_end; site++) {
		const char *why = judge(patch, site);

		if (why) {
			*wrong = site;
			return why;
		}
	}
	for (site = patch->sites; site < patch->sites_end; site++)
		rewrite(patch, site);
	/* Code was changed through another address: serialize (SDM 3A 8.1.3). */
	__asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "=c"(ecx), "=d"(edx) : : "memory");
	return NULL;
}
