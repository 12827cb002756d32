// SPDX-License-Identifier: MIT
/*
 * memory.c - see memory.h. Pages that came back are a list through their own first words; those
 * never given out yet are a range.
 */
#include "guests/tour/memory.h"
#include "guest-abi/kit/memory.h"
#include "guest-abi/layout.h"
#include "guests/tour/console.h"

static uint64_t fresh, fresh_end; /* a range */
static uint64_t returned;	  /* the first of the list; 0: empty */
static uint64_t returned_count;

void memory_init(uint64_t start, uint64_t end)
{
	fresh = start;
	fresh_end = end;
}

uint64_t memory_take(void)
{
	uint64_t page = returned;

	if (page) {
		returned = *(uint64_t *)memory_at(page);
		returned_count--;
	} else if (fresh < fresh_end) {
		page = fresh;
		fresh += PAGE_SIZE;
	} else {
		shut_down(GN_SHUTDOWN_CRASH, "the tour is out of memory");
	}
	memset(memory_at(page), 0, PAGE_SIZE);
	return page;
}

void memory_give(uint64_t page)
{
	*(uint64_t *)memory_at(page) = returned;
	returned = page;
	returned_count++;
}

uint64_t memory_free_pages(void)
{
	return (fresh_end - fresh) / PAGE_SIZE + returned_count;
}
