// SPDX-License-Identifier: MIT
/* judge.c - see judge.h. */
#include "tests/host/loader/judge.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "guest-abi/layout.h"
#include "guests/loader/loader.h"

#define PROMISE(condition)                                                                         \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			printf("broken promise: %s at %s:%d\n", #condition, __FILE__, __LINE__);   \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

enum user { NOBODY, SEGMENT, START_INFO, TABLES, FREE };

static enum user page_user[JUDGE_MEMORY_MAX / PAGE_SIZE];
static _Alignas(4096) char ram[JUDGE_MEMORY_MAX];

/* Each page of a range gets its one user. */
static void claim(uint64_t at, uint64_t size, enum user user, uint64_t memory_size)
{
	PROMISE(size > 0 && at < memory_size && size <= memory_size - at);
	for (uint64_t page = at / PAGE_SIZE; page <= (at + size - 1) / PAGE_SIZE; page++) {
		PROMISE(page_user[page] == NOBODY);
		page_user[page] = user;
	}
}

static void judge_segments(const struct elf_kernel *kernel, size_t size, uint64_t memory_size)
{
	bool entry_is_executable = false;

	PROMISE(kernel->count >= 1 && kernel->count <= ELF_MAX_SEGMENTS);
	for (unsigned i = 0; i < kernel->count; i++) {
		const struct elf_segment *s = &kernel->segment[i];

		PROMISE(i == 0 || kernel->segment[i - 1].at < s->at);
		PROMISE(s->file_size <= s->size);
		PROMISE(s->file_size == 0 || s->file_offset < size);
		PROMISE(s->file_offset + s->file_size <= size);
		PROMISE(s->link_address + s->size >= s->link_address);
		PROMISE(s->link_address % PAGE_SIZE == s->at % PAGE_SIZE);
		claim(s->at, s->size, SEGMENT, memory_size);
		entry_is_executable |= s->executable && kernel->entry >= s->link_address &&
				       kernel->entry < s->link_address + s->size;
	}
	PROMISE(entry_is_executable);
}

/*
 * Walk the tables as the processor would: the last entry, or 0. The tables lie where they were said
 * to be, and no entry leads out of RAM.
 */
static uint64_t walk(uint64_t cr3, uint64_t address, uint64_t memory_size, uint64_t *gpa)
{
	uint64_t table = cr3;

	for (int shift = 39;; shift -= 9) {
		uint64_t entry;

		PROMISE(table < JUDGE_MEMORY_MAX && page_user[table / PAGE_SIZE] == TABLES);
		memcpy(&entry, ram + table + 8 * (address >> shift & 511), 8);
		PROMISE(!(entry & 4));
		if (!(entry & 1))
			return 0;
		if (shift == 12 || (entry & 0x80)) {
			PROMISE(shift <= 21);
			PROMISE((entry & 0xffffffffff000) + (1ul << shift) <= memory_size);
			*gpa = (entry & 0xffffffffff000) + (address & ((1ul << shift) - 1));
			return entry;
		}
		table = entry & 0xffffffffff000;
	}
}

static void judge_tables(const struct elf_kernel *kernel, uint64_t cr3, uint64_t memory_size)
{
	uint64_t entry, gpa;

	for (uint64_t at = 0; at < memory_size; at += PAGE_SIZE) {
		entry = walk(cr3, at, memory_size, &gpa);
		PROMISE(entry && gpa == at);
	}
	for (unsigned i = 0; i < kernel->count; i++) {
		const struct elf_segment *s = &kernel->segment[i];

		for (uint64_t offset = 0; offset < s->size; offset++) {
			entry = walk(cr3, s->link_address + offset, memory_size, &gpa);
			PROMISE(entry && gpa == s->at + offset);
			PROMISE(!!(entry & 2) == s->writable);
			PROMISE(!(entry >> 63) == s->executable);
			if (offset + PAGE_SIZE < s->size)
				offset += PAGE_SIZE - 1;
		}
	}
}

/* Nothing in the two slots that are the monitor's. */
static void judge_slots(uint64_t cr3)
{
	uint64_t entry;

	for (int slot = GN_RESERVED_FIRST_SLOT; slot <= GN_RESERVED_LAST_SLOT; slot++) {
		memcpy(&entry, ram + cr3 + 8 * slot, 8);
		PROMISE(entry == 0);
	}
}

const char *judge_image(const void *image, size_t size, uint64_t memory_size)
{
	struct elf_kernel kernel;
	struct room room;
	uint64_t at, cr3;
	const char *why = elf_read(image, size, memory_size, &kernel);

	PROMISE(!why || strlen(why) <= GN_SHUTDOWN_TEXT);
	if (why)
		return why;
	memset(page_user, 0, sizeof(page_user));
	judge_segments(&kernel, size, memory_size);

	/* New tables must be cleared; and who takes a page of RAM for a table must be found out. */
	room = place_room(&kernel, memory_size);
	PROMISE(room.start >= PAGE_SIZE || room.start == room.end);
	memset(ram, 0, memory_size);
	memset(ram + room.start, 0x5a, room.end - room.start);
	if (!place_take(&room, 5000, &at))
		return "no room";
	claim(at, 2 * PAGE_SIZE, START_INFO, memory_size);
	cr3 = room.end;
	why = tables_build(&room, ram, &kernel, memory_size, &at);
	PROMISE(!why || strlen(why) <= GN_SHUTDOWN_TEXT);
	PROMISE(room.start <= room.end && room.end <= cr3 && room.end % PAGE_SIZE == 0);
	if (room.end < cr3)
		claim(room.end, cr3 - room.end, TABLES, memory_size);
	if (room.start < room.end)
		claim(room.start, room.end - room.start, FREE, memory_size);
	if (why)
		return why;
	judge_tables(&kernel, at, memory_size);
	judge_slots(at);
	return NULL;
}
