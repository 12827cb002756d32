// SPDX-License-Identifier: MIT
/*
 * elf.c - see elf.h. Nothing in a file is believed: every sum is done so that it cannot wrap, and
 * every refusal says what is wrong. Layouts and constants: System V ABI, chapter 4 (object files)
 * and 5 (program loading).
 */
#include "guests/loader/elf.h"
#include "guest-abi/kit/memory.h"

#define PAGE_OFFSET 0xfff

struct file_header {
	uint8_t magic[4];
	uint8_t class, data, ident_version, pad[9];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, program_headers, section_headers;
	uint32_t flags;
	uint16_t header_size, program_header_size, program_header_count;
	uint16_t section_header_size, section_header_count, string_section;
};

struct program_header {
	uint32_t type, flags;
	uint64_t offset, virtual, physical, file_size, memory_size, align;
};

_Static_assert(sizeof(struct file_header) == 64, "as in a file");
_Static_assert(sizeof(struct program_header) == 56, "as in a file");

#define CLASS_64	2
#define DATA_LITTLE	1
#define TYPE_EXECUTABLE 2
#define MACHINE_X86_64	62
#define SEGMENT_LOAD	1
#define SEGMENT_NOTE	4
#define FLAG_EXECUTE	1
#define FLAG_WRITE	2

/* Is [at, at + size) within [0, limit)? */
static bool is_within(uint64_t at, uint64_t size, uint64_t limit)
{
	return size <= limit && at <= limit - size;
}

static const char *judge_file_header(const struct file_header *h, uint64_t size)
{
	static const uint8_t magic[4] = {0x7f, 'E', 'L', 'F'};

	if (memcmp(h->magic, magic, sizeof(magic)))
		return "the kernel is not an ELF file";
	if (h->class != CLASS_64 || h->data != DATA_LITTLE || h->machine != MACHINE_X86_64)
		return "the kernel is not an ELF file for x86-64";
	if (h->type != TYPE_EXECUTABLE)
		return "the kernel's ELF file is not an executable linked at fixed addresses";
	if (h->program_header_size != sizeof(struct program_header) || !h->program_header_count)
		return "the kernel's ELF file has no program headers";
	if (!is_within(h->program_headers,
		       (uint64_t)h->program_header_count * sizeof(struct program_header), size))
		return "the kernel's program headers are not in the first 4096 bytes of its file";
	return NULL;
}

static const char *judge_segment(const struct program_header *p)
{
	if (p->file_size > p->memory_size)
		return "a segment of the kernel has more bytes in the file than in memory";
	if (!is_within(p->offset, p->file_size, UINT64_MAX))
		return "the kernel's ELF file is cut off: a segment lies beyond its end";
	if (!is_within(p->physical, p->memory_size, ELF_MEMORY_MAX))
		return "a segment of the kernel lies where no memory can be";
	return NULL;
}

/* Put it where it belongs in the order of physical addresses. */
static void insert(struct elf_kernel *kernel, const struct elf_segment *new)
{
	unsigned i = kernel->count++;

	for (; i > 0 && kernel->segment[i - 1].at > new->at; i--)
		kernel->segment[i] = kernel->segment[i - 1];
	kernel->segment[i] = *new;
}

/* Have two ranges, neither of them empty nor wrapping, a page in common? */
static bool share_page(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return (a & ~(uint64_t)PAGE_OFFSET) <= b + b_size - 1 &&
	       (b & ~(uint64_t)PAGE_OFFSET) <= a + a_size - 1;
}

static const char *judge_overlap(const struct elf_kernel *kernel)
{
	for (unsigned i = 0; i < kernel->count; i++) {
		for (unsigned j = 0; j < i; j++) {
			const struct elf_segment *a = &kernel->segment[i], *b = &kernel->segment[j];

			if (share_page(a->at, a->size, b->at, b->size))
				return "two segments of the kernel share a page of memory";
			if (a->file_offset < b->file_offset + b->file_size &&
			    b->file_offset < a->file_offset + a->file_size)
				return "two segments of the kernel share bytes of the file";
		}
	}
	return NULL;
}

static bool is_executable(const struct elf_kernel *kernel, uint64_t address)
{
	for (unsigned i = 0; i < kernel->count; i++) {
		const struct elf_segment *s = &kernel->segment[i];

		if (s->executable && address >= s->link_address &&
		    address - s->link_address < s->size)
			return true;
	}
	return false;
}

static void add_note(struct elf_kernel *kernel, const struct program_header *p)
{
	if (kernel->note_count < ELF_MAX_NOTES)
		kernel->note[kernel->note_count++] = (struct elf_note_range){
		    .file_offset = p->offset,
		    .size = p->file_size,
		    .align = p->align,
		};
}

static const char *add_segment(struct elf_kernel *kernel, const struct program_header *p)
{
	const char *why = judge_segment(p);
	struct elf_segment s = {
	    .file_offset = p->offset,
	    .file_size = p->file_size,
	    .at = p->physical,
	    .link_address = p->virtual,
	    .size = p->memory_size,
	    .writable = p->flags & FLAG_WRITE,
	    .executable = p->flags & FLAG_EXECUTE,
	};

	if (kernel->count == ELF_MAX_SEGMENTS)
		return "the kernel's ELF file has too many segments";
	if (why)
		return why;
	insert(kernel, &s);
	if (s.at + s.size > kernel->end)
		kernel->end = s.at + s.size;
	return NULL;
}

static const char *read_segments(const char *table, unsigned count, struct elf_kernel *kernel)
{
	const char *why = NULL;

	for (unsigned i = 0; i < count && !why; i++) {
		struct program_header p;

		memcpy(&p, table + i * sizeof(p), sizeof(p));
		if (p.type == SEGMENT_NOTE)
			add_note(kernel, &p);
		else if (p.type == SEGMENT_LOAD && p.memory_size)
			why = add_segment(kernel, &p);
	}
	return why;
}

const char *elf_read(const void *head, uint64_t head_size, struct elf_kernel *kernel)
{
	struct file_header h;
	const char *why;

	memset(kernel, 0, sizeof(*kernel));
	if (head_size < sizeof(h))
		return "the kernel is too short for an ELF file";
	memcpy(&h, head, sizeof(h));
	why = judge_file_header(&h, head_size);
	if (!why)
		why = read_segments((const char *)head + h.program_headers, h.program_header_count,
				    kernel);
	if (!why && !kernel->count)
		why = "the kernel's ELF file has nothing to load";
	if (!why)
		why = judge_overlap(kernel);
	kernel->entry = h.entry;
	return why;
}

const char *elf_judge_links(const struct elf_kernel *kernel)
{
	for (unsigned i = 0; i < kernel->count; i++) {
		const struct elf_segment *a = &kernel->segment[i];

		if (a->link_address + a->size < a->link_address)
			return "a segment of the kernel lies outside the address space";
		if ((a->link_address ^ a->at) & PAGE_OFFSET)
			return "a segment's virtual and physical addresses differ within a page";
		for (unsigned j = 0; j < i; j++) {
			const struct elf_segment *b = &kernel->segment[j];

			if (share_page(a->link_address, a->size, b->link_address, b->size))
				return "two segments of the kernel share a page of addresses";
		}
	}
	if (!is_executable(kernel, kernel->entry))
		return "the kernel's entry point is not in an executable segment";
	return NULL;
}
