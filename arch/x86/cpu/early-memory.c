// SPDX-License-Identifier: MIT
/* early-memory.c - takes from the top of what boot_read() judged to be RAM. */
#include "arch/x86/cpu/early-memory.h"
#include "arch/x86/cpu/panic.h"
#include "boot/layout.h"
#include "lib/bug.h"
#include "lib/compiler.h"
#include "lib/string.h"

static struct range_set free_memory; /* (c) after early_memory_hand_over() */
static u64 limit = BOOT_MAPPED;
static u64 kept;
static bool handed_over;

__init void early_memory_init(const struct boot_info *info, u64 image_end)
{
	free_memory = info->ram;
	kept = image_end - IMAGE_LOAD;
	/* Firmware keeps things in the first MiB that no map names, and the image follows it. */
	range_remove(&free_memory, 0, image_end);
	for (u32 i = 0; i < info->module_count; i++) {
		const struct boot_module *m = &info->module[i];

		if (!m->refused)
			range_remove(&free_memory, m->maddr,
				     ALIGN_UP(m->maddr + m->size, PAGE_SIZE));
	}
}

__init void early_memory_use_all(void)
{
	limit = ~0ul;
}

__init maddr_t early_memory_take(u64 size)
{
	u64 maddr;

	BUG_ON(handed_over);
	size = ALIGN_UP(size, PAGE_SIZE);
	maddr = range_take(&free_memory, size, PAGE_SIZE, limit);
	if (maddr == ~0ul)
		panic_refuse("too little memory: %lu KiB in one piece are needed, %lu KiB are free",
			     size >> 10, range_total(&free_memory) >> 10);
	kept += size;
	memset((void *)(DIRECT_BASE + maddr), 0, size);
	return MADDR(maddr);
}

void *early_memory_pointer(maddr_t maddr)
{
	return (void *)(DIRECT_BASE + maddr.v);
}

__init void early_memory_give_back(u64 start, u64 end)
{
	BUG_ON(handed_over);
	range_add(&free_memory, start, end);
	kept -= end - start;
}

__init u64 early_memory_kept(void)
{
	return kept;
}

__init const struct range_set *early_memory_hand_over(void)
{
	handed_over = true;
	return &free_memory;
}
