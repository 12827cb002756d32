// SPDX-License-Identifier: MIT
/*
 * xen-notes.c - see xen.h. A list of notes: for each the sizes of name and content and a type, then
 * both, each padded to the alignment (System V ABI, chapter 5, note section).
 */
#include "guest-abi/kit/memory.h"
#include "guests/loader/xen.h"

/* Xen's types of notes that count here. */
#define NOTE_ENTRY	    1
#define NOTE_HYPERCALL_PAGE 2
#define NOTE_VIRT_BASE	    3
#define NOTE_PADDR_OFFSET   4
#define NOTE_GUEST_OS	    6
#define NOTE_MOD_START_PFN  16

struct note_header {
	uint32_t name_size, size, type;
};

static const char absurd[] = "the kernel's ELF notes are absurd: one is longer than all of them";

/* The bytes of the file that are a segment's, where they have been loaded; else NULL. */
static const char *loaded(const char *ram, const struct elf_kernel *kernel,
			  const struct elf_note_range *range)
{
	for (unsigned i = 0; i < kernel->count; i++) {
		const struct elf_segment *s = &kernel->segment[i];

		if (range->file_offset >= s->file_offset && range->size <= s->file_size &&
		    range->file_offset - s->file_offset <= s->file_size - range->size)
			return ram + s->at + (range->file_offset - s->file_offset);
	}
	return NULL;
}

static uint64_t *field_of(struct xen_notes *notes, uint32_t type)
{
	switch (type) {
	case NOTE_ENTRY:
		return &notes->entry;
	case NOTE_HYPERCALL_PAGE:
		return &notes->hypercall_page;
	case NOTE_VIRT_BASE:
		return &notes->virt_base;
	case NOTE_PADDR_OFFSET:
		return &notes->paddr_offset;
	case NOTE_MOD_START_PFN:
		return &notes->mod_start_pfn;
	default:
		return NULL;
	}
}

static const char *read_note(const char *content, const struct note_header *h,
			     struct xen_notes *notes)
{
	uint64_t *field = field_of(notes, h->type);

	if (h->type == NOTE_GUEST_OS)
		notes->is_linux = h->size == 6 && !memcmp(content, "linux", 6);
	if (!field)
		return NULL;
	if (h->size != 4 && h->size != 8)
		return "a number among the kernel's Xen notes has neither 4 nor 8 bytes";
	*field = 0;
	memcpy(field, content, h->size);
	return NULL;
}

static const char *read_list(const char *list, uint64_t size, uint64_t align,
			     struct xen_notes *notes)
{
	const char *why = NULL;

	while (size >= sizeof(struct note_header) && !why) {
		struct note_header h;
		uint64_t content, end;

		memcpy(&h, list, sizeof(h));
		content = (sizeof(h) + h.name_size + align - 1) & ~(align - 1);
		end = (content + h.size + align - 1) & ~(align - 1);
		if (content + h.size > size)
			return absurd;
		if (h.name_size == 4 && !memcmp(list + sizeof(h), "Xen", 4))
			why = read_note(list + content, &h, notes);
		if (end > size)
			break;
		list += end;
		size -= end;
	}
	return why;
}

const char *xen_read_notes(const char *ram, const struct elf_kernel *kernel,
			   struct xen_notes *notes)
{
	const char *why = NULL;

	memset(notes, 0, sizeof(*notes));
	for (unsigned i = 0; i < kernel->note_count && !why; i++) {
		const struct elf_note_range *range = &kernel->note[i];
		const char *list = loaded(ram, kernel, range);

		if (list)
			why = read_list(list, range->size, range->align == 8 ? 8 : 4, notes);
	}
	return why;
}
