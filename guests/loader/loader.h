/* SPDX-License-Identifier: MIT */
/*
 * loader.h - what the loader's files share. The order of events is in main.c; guest-abi/loader.h
 * says in what address space it all happens.
 */
#ifndef GUESTS_LOADER_LOADER_H
#define GUESTS_LOADER_LOADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "guest-abi/loader.h"
#include "guests/loader/elf.h"
#include "guests/loader/heap.h"

#define PAGE_SIZE 4096ul

/*
 * What Linux needs besides its image to come up to its first program: a little for itself, and its
 * initramfs, packed and unpacked at the same time, for which three times the size is allowed.
 */
static inline uint64_t linux_room(uint64_t initrd_size)
{
	return (8ul << 20) + 4 * initrd_size;
}

static inline uint64_t page_down(uint64_t address)
{
	return address & ~(PAGE_SIZE - 1);
}

/* The caller has made sure that address is within RAM, so nothing overflows. */
static inline uint64_t page_up(uint64_t address)
{
	return page_down(address + PAGE_SIZE - 1);
}

/*
 * RAM that nothing uses yet, one range of guest physical addresses. What the loader leaves for the
 * kernel is taken from its end.
 */
struct room {
	uint64_t start, end;
};

/* The registers of a kernel's first instruction: the arguments of start_kernel. */
struct kernel_entry {
	uint64_t cr3, rip, rsp, argument, abi;
};

/*
 * native.c: the kernel's segments are in RAM, which this program sees at ram; leave for it what the
 * native ABI promises. NULL, or why it cannot be.
 */
const char *native_prepare(const struct gn_loader_info *info, const void *initrd, char *ram,
			   const struct elf_kernel *kernel, struct kernel_entry *entry);

/* place.c: the largest range that no segment touches, in RAM of memory_size bytes, page 0 left
 * out. */
struct room place_room(const struct elf_kernel *kernel, uint64_t memory_size);
/* Take whole pages for size bytes from the end. False: it does not fit. */
bool place_take(struct room *room, uint64_t size, uint64_t *at) __attribute__((warn_unused_result));

/*
 * tables.c: page tables in the room, for all of RAM at its physical address and the kernel at its
 * own. ram is where this program sees gpa 0. NULL, or why it cannot be; *cr3 is the level-4 table.
 */
const char *tables_build(struct room *room, char *ram, const struct elf_kernel *kernel,
			 uint64_t memory_size, uint64_t *cr3);

#endif
