// SPDX-License-Identifier: MIT
/* judge.c - see judge.h. */
#include "tests/host/loader/judge.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "guest-abi/layout.h"
#include "guests/loader/loader.h"
#include "guests/loader/unpack.h"
#include "guests/loader/xen.h"

#define PROMISE(condition)                                                                         \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			printf("broken promise: %s at %s:%d\n", #condition, __FILE__, __LINE__);   \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

enum user { NOBODY, SEGMENT, START_INFO, INITRD, TABLES, FREE, P2M, CONSOLE, STACK };

#define UNTOUCHED 0x5a

static const char judge_initrd[JUDGE_INITRD_MAX] = "an initrd";
static enum user page_user[JUDGE_MEMORY_MAX / PAGE_SIZE];
static _Alignas(4096) char ram[JUDGE_MEMORY_MAX];

/* What a loader is told, and the command line behind it, as in its address space. */
static struct {
	struct gn_loader_info info;
	char command_line[JUDGE_COMMAND_LINE_MAX];
} told;

/* Each page of a range gets its one user. */
static void claim(uint64_t at, uint64_t size, enum user user, uint64_t memory_size)
{
	PROMISE(size > 0 && at < memory_size && size <= memory_size - at);
	for (uint64_t page = at / PAGE_SIZE; page <= (at + size - 1) / PAGE_SIZE; page++) {
		PROMISE(page_user[page] == NOBODY);
		page_user[page] = user;
	}
}

static void judge_segments(const struct elf_kernel *kernel, uint64_t memory_size)
{
	PROMISE(kernel->count >= 1 && kernel->count <= ELF_MAX_SEGMENTS);
	PROMISE(kernel->note_count <= ELF_MAX_NOTES);
	for (unsigned i = 0; i < kernel->count; i++) {
		const struct elf_segment *s = &kernel->segment[i];

		PROMISE(i == 0 || kernel->segment[i - 1].at < s->at);
		PROMISE(s->file_size <= s->size);
		PROMISE(s->file_offset + s->file_size >= s->file_offset);
		PROMISE(s->at + s->size <= kernel->end);
		claim(s->at, s->size, SEGMENT, memory_size);
	}
}

/*
 * What of a file that is not packed lies in RAM: the segments' bytes, and zeros behind them.
 * Nothing else has been stored to.
 */
static void judge_contents(const struct elf_kernel *kernel, const char *file, size_t size,
			   uint64_t memory_size)
{
	for (unsigned i = 0; i < kernel->count; i++) {
		const struct elf_segment *s = &kernel->segment[i];

		PROMISE(s->file_size == 0 || s->file_offset + s->file_size <= size);
		PROMISE(s->file_size == 0 ||
			!memcmp(ram + s->at, file + s->file_offset, s->file_size));
		for (uint64_t at = s->at + s->file_size; at < s->at + s->size; at++)
			PROMISE(ram[at] == 0);
	}
	for (uint64_t page = 0; page < memory_size / PAGE_SIZE; page++)
		PROMISE(page_user[page] != NOBODY || ram[page * PAGE_SIZE] == UNTOUCHED);
}

static bool is_walked[JUDGE_MEMORY_MAX / PAGE_SIZE];

/*
 * Walk the tables as the processor would: the last entry, or 0. The tables lie where they were said
 * to be, and no entry leads out of RAM.
 */
static uint64_t walk(uint64_t cr3, uint64_t address, uint64_t *gpa)
{
	uint64_t table = cr3;

	for (int shift = 39;; shift -= 9) {
		uint64_t entry;

		PROMISE(table < JUDGE_MEMORY_MAX && page_user[table / PAGE_SIZE] == TABLES);
		is_walked[table / PAGE_SIZE] = true;
		memcpy(&entry, ram + table + 8 * (address >> shift & 511), 8);
		PROMISE(!(entry & 4));
		if (!(entry & 1))
			return 0;
		if (shift == 12 || (entry & 0x80)) {
			PROMISE(shift <= 21);
			PROMISE((entry & 0xffffffffff000) + (1ul << shift) <=
				told.info.memory_size);
			*gpa = (entry & 0xffffffffff000) + (address & ((1ul << shift) - 1));
			return entry;
		}
		table = entry & 0xffffffffff000;
	}
}

static void judge_native_tables(const struct elf_kernel *kernel, uint64_t cr3, uint64_t memory_size)
{
	uint64_t entry, gpa;

	for (uint64_t at = 0; at < memory_size; at += PAGE_SIZE) {
		entry = walk(cr3, at, &gpa);
		PROMISE(entry && gpa == at);
	}
	for (unsigned i = 0; i < kernel->count; i++) {
		const struct elf_segment *s = &kernel->segment[i];

		for (uint64_t offset = 0; offset < s->size; offset++) {
			entry = walk(cr3, s->link_address + offset, &gpa);
			PROMISE(entry && gpa == s->at + offset);
			PROMISE(!!(entry & 2) == s->writable);
			PROMISE(!(entry >> 63) == s->executable);
			if (offset + PAGE_SIZE < s->size)
				offset += PAGE_SIZE - 1;
		}
	}
	for (int slot = GN_RESERVED_FIRST_SLOT; slot <= GN_RESERVED_LAST_SLOT; slot++) {
		memcpy(&entry, ram + cr3 + 8 * slot, 8);
		PROMISE(entry == 0);
	}
}

/* Start info, command line and initrd are where the start info says, and all ranges are apart. */
static void judge_native(const struct elf_kernel *kernel, const struct kernel_entry *entry)
{
	const uint64_t memory_size = told.info.memory_size,
		       start_size = told.info.command_line_size + sizeof(struct gn_start_info) + 1;
	struct gn_start_info start;
	uint64_t tables_end = entry->argument, gpa;

	PROMISE(entry->abi == GN_ABI_NATIVE && entry->rip == kernel->entry && !entry->rsp);
	PROMISE(entry->argument + sizeof(start) <= memory_size);
	memcpy(&start, ram + entry->argument, sizeof(start));
	PROMISE(start.magic == GN_START_MAGIC && start.memory_size == memory_size);
	claim(entry->argument, start_size, START_INFO, memory_size);
	PROMISE(start.command_line == entry->argument + sizeof(start));
	PROMISE(!memcmp(ram + start.command_line, told.command_line, told.info.command_line_size));
	PROMISE(ram[start.command_line + told.info.command_line_size] == 0);
	PROMISE(start.initrd_size == told.info.initrd_size);
	if (start.initrd_size) {
		claim(start.initrd, start.initrd_size, INITRD, memory_size);
		PROMISE(!memcmp(ram + start.initrd, judge_initrd, start.initrd_size));
	}
	PROMISE(start.free_end % PAGE_SIZE == 0 && start.free_end < tables_end);
	claim(start.free_end, tables_end - start.free_end, TABLES, memory_size);
	if (start.free_start < start.free_end)
		claim(start.free_start, start.free_end - start.free_start, FREE, memory_size);
	judge_native_tables(kernel, entry->cr3, memory_size);
	PROMISE(walk(entry->cr3, entry->rip, &gpa) && walk(entry->cr3, entry->argument, &gpa));
}

/* ---- Xen's ABI: offsets and flags as in its public header xen.h, struct start_info ---- */

static uint64_t start_field(uint64_t start, unsigned offset, unsigned size)
{
	uint64_t value = 0;

	memcpy(&value, ram + start + offset, size);
	return value;
}

/* The map: gpa 0 and on at virt_base, tables read-only, all else writable. Returns its length. */
static uint64_t judge_xen_map(uint64_t cr3, uint64_t virt_base, uint64_t tables,
			      uint64_t table_count)
{
	uint64_t end = 0, gpa, entry, walked = 0;

	memset(is_walked, 0, sizeof(is_walked));
	while ((entry = walk(cr3, virt_base + end, &gpa))) {
		PROMISE(gpa == end && !(entry & 0x80) && !(entry >> 63));
		PROMISE(!!(entry & 2) == (page_user[gpa / PAGE_SIZE] != TABLES));
		end += PAGE_SIZE;
	}
	PROMISE(cr3 == tables);
	for (uint64_t page = 0; page < JUDGE_MEMORY_MAX / PAGE_SIZE; page++)
		walked += is_walked[page];
	PROMISE(walked == table_count);
	return end;
}

static void judge_xen_initrd(uint64_t start, uint64_t virt_base, uint64_t map_end)
{
	const uint64_t size = told.info.initrd_size, at = start_field(start, 112, 8);
	const bool is_pfn = start_field(start, 48, 4) & 8;
	const uint64_t gpa = is_pfn ? at * PAGE_SIZE : at - virt_base;

	PROMISE(start_field(start, 120, 8) == size);
	if (!size)
		return;
	claim(gpa, size, INITRD, told.info.memory_size);
	PROMISE(!memcmp(ram + gpa, judge_initrd, size));
	PROMISE(is_pfn ? gpa >= map_end : gpa + size <= map_end);
}

static void judge_hypercall_page(const unsigned char *page)
{
	for (unsigned n = 0; n < 128; n++) {
		const unsigned char *mov = page + 32 * n + (n == 23 ? 4 : 3);

		PROMISE(mov[0] == 0xb8 && mov[1] == n && !mov[2] && !mov[3] && !mov[4]);
		PROMISE(mov[5] == 0x0f && mov[6] == 0x05);
	}
}

static void judge_xen(const struct xen_notes *notes, const struct kernel_entry *entry)
{
	const uint64_t memory_size = told.info.memory_size, base = notes->virt_base;
	const uint64_t start = entry->argument - base, console = start_field(start, 72, 8);
	const uint64_t tables = start_field(start, 88, 8) - base;
	const uint64_t count = start_field(start, 96, 8), p2m = start_field(start, 104, 8) - base;
	uint64_t map_end;

	PROMISE(entry->abi == GN_ABI_XEN && entry->rip == notes->entry);
	PROMISE(!strcmp(ram + start, "xen-3.0-x86_64"));
	PROMISE(start_field(start, 32, 8) == memory_size / PAGE_SIZE);
	PROMISE(start_field(start, 40, 8) == told.info.shared_info_gfn * PAGE_SIZE);
	PROMISE(!(start_field(start, 48, 4) & 3) && !start_field(start, 64, 4));
	PROMISE(start_field(start, 80, 4) == told.info.console_port);
	PROMISE(!memcmp(ram + start + 128, told.command_line, told.info.command_line_size));
	PROMISE(ram[start + 128 + told.info.command_line_size] == 0);
	if (notes->hypercall_page)
		judge_hypercall_page((unsigned char *)ram + notes->hypercall_page - base);

	claim(start, PAGE_SIZE, START_INFO, memory_size);
	claim(console * PAGE_SIZE, PAGE_SIZE, CONSOLE, memory_size);
	claim(tables, count * PAGE_SIZE, TABLES, memory_size);
	claim(p2m, memory_size / PAGE_SIZE * 8, P2M, memory_size);
	claim(entry->rsp - base - PAGE_SIZE, PAGE_SIZE, STACK, memory_size);
	for (uint64_t i = 0; i < memory_size / PAGE_SIZE; i++)
		PROMISE(start_field(p2m, 8 * i, 8) == i);
	map_end = judge_xen_map(entry->cr3, base, tables, count);
	PROMISE(map_end <= memory_size && map_end % (4 << 20) == 0);
	for (uint64_t page = map_end / PAGE_SIZE; page < memory_size / PAGE_SIZE; page++)
		PROMISE(page_user[page] == NOBODY);
	PROMISE(entry->rsp - base + (512 << 10) <= map_end);
	PROMISE(tables + count * PAGE_SIZE + (4 << 20) > map_end); /* nothing past Linux's border */
	judge_xen_initrd(start, base, map_end);
}

/* ---- all of it ---- */

static const char *judge_refusal(const char *why)
{
	PROMISE(!why || strlen(why) <= GN_SHUTDOWN_TEXT);
	return why;
}

/* From the user's file to segments in RAM. */
static const char *load(const void *file, size_t size, struct stream *s)
{
	const uint64_t memory_size = told.info.memory_size;
	struct payload payload;
	struct heap heap;
	const char *why = image_find_payload(file, size, &payload);

	if (why)
		return why;
	memset(page_user, 0, sizeof(page_user));
	memset(ram, UNTOUCHED, memory_size);
	heap_begin(&heap, memory_size);
	stream_begin(s, ram, &heap, memory_size);
	why = unpack(&payload, s);
	if (why)
		return why;
	judge_segments(&s->kernel, memory_size);
	if (payload.bytes == file && !memcmp(file, "\177ELF", 4))
		judge_contents(&s->kernel, file, size, memory_size);
	return NULL;
}

/* From RAM to the registers of the first instruction. */
static const char *prepare(const struct elf_kernel *kernel)
{
	struct kernel_entry entry;
	struct xen_notes notes;
	uint64_t needed = 0;
	const char *why = judge_refusal(xen_read_notes(ram, kernel, &notes));

	if (why)
		return why;
	if (!notes.entry) {
		why = native_prepare(&told.info, judge_initrd, ram, kernel, &entry);
		if (!why)
			judge_native(kernel, &entry);
		return judge_refusal(why);
	}
	why = xen_prepare(&told.info, judge_initrd, ram, kernel, &notes, &entry, &needed);
	if (!why)
		judge_xen(&notes, &entry);
	PROMISE(why != memory_too_small || needed > told.info.memory_size);
	return judge_refusal(why);
}

/* FNV-1a over words: the same RAM gives the same sum. */
static uint64_t sum_of_ram(void)
{
	uint64_t sum = 0xcbf29ce484222325, word;

	for (uint64_t at = 0; at < told.info.memory_size; at += sizeof(word)) {
		memcpy(&word, ram + at, sizeof(word));
		sum = (sum ^ word) * 0x100000001b3;
	}
	return sum;
}

const char *judge_image(const struct judged_file *f, uint64_t *sum)
{
	static struct stream stream;
	const char *why;

	told.info = (struct gn_loader_info){
	    .memory_size = f->memory_size,
	    .kernel_size = f->size,
	    .initrd_size = f->initrd_size,
	    .command_line_size = f->command_line_size,
	    .shared_info_gfn = 0x12345,
	    .console_port = 3,
	};
	memset(told.command_line, 'x', sizeof(told.command_line));
	why = judge_refusal(load(f->bytes, f->size, &stream));
	if (!why && sum)
		*sum = sum_of_ram();
	return why ? why : prepare(&stream.kernel);
}
