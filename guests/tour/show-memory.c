// SPDX-License-Identifier: MIT
/*
 * show-memory.c - the page tables are the tour's own; the monitor follows them. So what a processor
 * would do after a store to an entry and an INVLPG is what happens here.
 */
#include <stddef.h>
#include "guest-abi/kit/calls.h"
#include "guest-abi/kit/operations.h"
#include "guests/tour/check.h"
#include "guests/tour/console.h"
#include "guests/tour/memory.h"
#include "guests/tour/process.h"
#include "guests/tour/space.h"

#define TOUCH_PAGES 64
#define SPARE	    (KERNEL_OFFSET + 0x10000000) /* addresses that nothing uses */

static uint64_t two_pages[2];

/* Point SPARE at one of the two pages, or with rights 0 at nothing. */
static void point_spare(unsigned page, uint64_t rights)
{
	gn_pte_set(space_entry(space_kernel, SPARE, true), rights ? two_pages[page] | rights : 0);
	gn_invalidate_page(SPARE);
}

static uint64_t read_spare(void)
{
	return *(volatile uint64_t *)SPARE;
}

static void write_to(uint64_t address)
{
	*(volatile uint64_t *)address = 3;
}

static void jump_to(uint64_t address)
{
	__asm__ volatile("call *%0" : : "r"(address) : "memory");
}

/* Did the attempt end in a page fault with this error code there? */
static bool page_faults(void (*act)(uint64_t), uint64_t address, uint64_t error)
{
	return attempt(act, address) == VECTOR_PF && trap_last_refusal.cr2 == address &&
	       trap_last_refusal.error == error;
}

static void own_tables(void)
{
	const uint64_t read = SPACE_PRESENT | SPACE_NO_EXECUTE, write = read | SPACE_WRITE;

	for (unsigned i = 0; i < 2; i++) {
		two_pages[i] = memory_take();
		*(uint64_t *)memory_at(two_pages[i]) = i + 1;
	}
	point_spare(0, write);
	check(read_spare() == 1, "the kernel maps a page", "");
	point_spare(1, write);
	check(read_spare() == 2, "and another in its place", "");
	write_to(SPARE);
	check(*(uint64_t *)memory_at(two_pages[1]) == 3, "two addresses of one page", "");
	point_spare(1, read);
	check(page_faults(write_to, SPARE, 3), "a page made read-only is", "#PF");
	check(page_faults(jump_to, SPARE, 0x11), "a page of data is not executed", "#PF");
	point_spare(1, 0);
	check(page_faults(write_to, SPARE, 2), "a page taken away is gone", "#PF");
	memory_give(two_pages[0]);
	memory_give(two_pages[1]);
}

static bool is_content(const struct process *p)
{
	return p->vector < 0 && p->status == 0;
}

static void processes(void)
{
	uint64_t free = memory_free_pages();
	struct process *a, *b, touch, first, second;
	char how[64];

	touch = process_wait(process_start("touch", PROGRAM_TOUCH, TOUCH_PAGES));
	format(how, sizeof(how), "%u pages on demand", touch.pages);
	check(is_content(&touch) && touch.pages >= TOUCH_PAGES,
	      "a process gets pages as it touches them", how);
	a = process_start("mine", PROGRAM_OWN_PAGE, 1000);
	b = process_start("yours", PROGRAM_OWN_PAGE, 2000);
	first = process_wait(a);
	second = process_wait(b);
	check(is_content(&first) && is_content(&second), "two processes, one address, two pages",
	      "");
	check(memory_free_pages() == free, "their memory came back", "");
}

void show_memory(void)
{
	print("  %u KiB free\n", memory_free_pages() * PAGE_SIZE / 1024);
	own_tables();
	processes();
}
