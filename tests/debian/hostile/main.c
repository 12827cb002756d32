// SPDX-License-Identifier: MIT
/*
 * main.c - a kernel module that attacks the monitor below its kernel. Who writes "SEED ROUNDS" to
 * /proc/attack makes so many attacks that follow from the seed; "SEED ROUNDS wild" does not spare
 * the guest. The writer is a process of its own: an attack that ends in an oops ends it alone.
 */
#include <linux/module.h>
#include <linux/mm.h>
#include <linux/proc_fs.h>
#include <linux/sched.h>
#include <linux/uaccess.h>
#include "tests/debian/hostile/attack.h"

#define MEMORY_OP    12
#define MAP_MACHPHYS 12 /* tells where the table of all frames is, and the last frame */

u64 pool[POOL], ram_pages;
bool wild;
static u64 state;

/* splitmix64: any seed is good */
u64 chance(void)
{
	u64 z = state += 0x9e3779b97f4a7c15ul;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ul;
	z = (z ^ z >> 27) * 0x94d049bb133111ebul;
	return z ^ z >> 31;
}

u64 below(u64 limit)
{
	return chance() % limit;
}

/* Of the pool, of what the monitor publishes 1 GiB behind RAM, of nothing; wild, of anything. */
u64 frame(void)
{
	u64 any = chance() >> (12 + below(52));

	switch (below(16)) {
	case 0:
		return ram_pages + below(below(2) ? 4 : 1 << 18);
	case 1:
		return ram_pages + PUBLISHED + below(3);
	case 2:
		return wild || any >= ram_pages ? any : ram_pages + any;
	default:
		return __pa(pool[below(PAGES)]) >> PAGE_SHIFT;
	}
}

u64 pool_address(void)
{
	return pool[1 + below(POOL - 1)] + below(448) * 8;
}

u64 window_address(void)
{
	u64 at = WINDOW;

	/* Few slots of each table, so that addresses come again. */
	at += below(4) << 39 | below(4) << 30 | below(4) << 21 | below(4) << 12;
	return at + (below(2) ? below(512) * 8 : below(2) ? 4096 - below(16) : below(4096));
}

u64 number(void)
{
	static const u64 edges[] = {
		0x7fffffff, 0x80000000, 0xffffffff, 0x7fffffffffff, 0x800000000000,
		0xffff800000000000, 0xffff808000000000, 0xffff870000000000, 0xffff878000000000,
		0xffff880000000000, 0xffff888000000000, 0xffffffff80000000, 0xfffffffffffff000,
		0x8000000000000000,
	};

	switch (below(8)) {
	case 0:
		return below(16);
	case 1:
		return (1ul << below(64)) - below(3);
	case 2:
	case 3:
		return edges[below(ARRAY_SIZE(edges))] + below(4) * PAGE_SIZE - below(16);
	case 4:
		return pool_address();
	case 5:
		return window_address();
	case 6:
		return frame() << PAGE_SHIFT | below(4096);
	default:
		return chance() >> below(64);
	}
}

u64 pointer(void)
{
	return below(4) ? pool_address() : below(2) ? window_address() : number();
}

bool try_read(u64 address, u64 *value)
{
	bool good = false;

	asm volatile("1: mov (%2), %0\n"
		     "   movb $1, %1\n"
		     "2:\n" _ASM_EXTABLE(1b, 2b)
		     : "=&r"(*value), "+m"(good) : "r"(address) : "memory");
	return good;
}

bool try_write(u64 address, u64 value)
{
	bool good = false;

	asm volatile("1: mov %2, (%1)\n"
		     "   movb $1, %0\n"
		     "2:\n" _ASM_EXTABLE(1b, 2b)
		     : "+m"(good) : "r"(address), "r"(value) : "memory");
	return good;
}

/* What calls take for arguments: numbers like those in registers. */
static void fill_page(void)
{
	u64 *page = (void *)pool[PAGES + below(POOL - PAGES)];

	for (unsigned i = 0; i < 512; i++)
		page[i] = below(2) ? number() : below(4);
}

static void attack(u64 rounds)
{
	for (; rounds; rounds--) {
		switch (below(wild ? 16 : 15)) {
		case 0 ... 6:
			attack_tables();
			break;
		case 7 ... 11:
			attack_calls();
			break;
		case 12 ... 13:
			attack_processor();
			break;
		case 14:
			fill_page();
			break;
		default:
			attack_code();
		}
		cond_resched();
	}
}

static ssize_t write(struct file *file, const char __user *from, size_t size, loff_t *at)
{
	char text[64] = "", how[8] = "";
	u64 rounds;

	if (size >= sizeof(text) || copy_from_user(text, from, size))
		return -EFAULT;
	if (sscanf(text, "%llu %llu %7s", &state, &rounds, how) < 2)
		return -EINVAL;
	wild = !strcmp(how, "wild");
	attack(rounds);
	return size;
}

static const struct proc_ops operations = {.proc_write = write};

static int __init attack_init(void)
{
	static u64 mapping[3];

	if (call(MEMORY_OP, MAP_MACHPHYS, (u64)mapping, 0, 0, 0))
		return -ENODEV;
	ram_pages = mapping[2] + 1;
	for (unsigned i = 0; i < POOL; i++) {
		pool[i] = get_zeroed_page(GFP_KERNEL);
		if (!pool[i])
			return -ENOMEM;
		if (i < PAGES)
			set_page_private(virt_to_page((void *)pool[i]), POOL_MARK);
	}
	return proc_create("attack", 0200, NULL, &operations) ? 0 : -ENOMEM;
}

module_init(attack_init);
MODULE_DESCRIPTION("attacks the monitor from ring 1");
MODULE_LICENSE("Dual MIT/GPL");
