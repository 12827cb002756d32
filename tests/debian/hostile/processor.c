// SPDX-License-Identifier: MIT
/*
 * processor.c - attacks by what a kernel alone may do: registers, ports, privileged instructions,
 * the addresses of the monitor; and by a page of random bytes that is executed. All of the first
 * have a fixup, for they may fault.
 */
#include <linux/mm.h>
#include <linux/sched.h>
#include <asm/asm.h>
#include "tests/debian/hostile/attack.h"

#define TRY(code, ...) asm volatile("1: " code "\n2:\n" _ASM_EXTABLE(1b, 2b) __VA_ARGS__)

static void read_msr(u32 index)
{
	u32 low, high;

	TRY("rdmsr", : "=a"(low), "=d"(high) : "c"(index));
}

static void write_msr(u32 index, u64 value)
{
	TRY("wrmsr", : : "c"(index), "a"((u32)value), "d"((u32)(value >> 32)));
}

/* Those by which the kernel finds its data and its users find the kernel. */
static bool is_base(u32 index)
{
	return (index >= 0xc0000080 && index <= 0xc0000084) ||
	       (index >= 0xc0000100 && index <= 0xc0000103);
}

static u32 msr_index(void)
{
	switch (below(4)) {
	case 0:
		return 0xc0000080 + below(0x90);
	case 1:
		return below(0x1000);
	case 2:
		return 0xc0010000 + below(0x1200);
	default:
		return chance();
	}
}

static void attack_msr(void)
{
	u32 index = msr_index();

	if (below(2))
		read_msr(index);
	else if (wild || !is_base(index))
		write_msr(index, number());
}

static void attack_port(void)
{
	static const u16 known[] = {0x20, 0x21, 0x40, 0x43, 0x60, 0x64, 0x70, 0x71,
				    0x80, 0x92, 0xa1, 0xb2, 0xf4, 0x2f8, 0x3d4, 0x3f8,
				    0x501, 0x510, 0x604, 0xb004, 0x8900, 0xcf8, 0xcf9, 0xcfc};
	u16 port = below(2) ? known[below(ARRAY_SIZE(known))] : chance();
	u64 at = pool[PAGES + below(POOL - PAGES)], count = below(8);
	u32 value = below(2) ? chance() : 0x2000 | below(0x3f);

	switch (below(8)) {
	case 0:
		TRY("inb %%dx, %%al", : "+a"(value) : "d"(port));
		break;
	case 1:
		TRY("inw %%dx, %%ax", : "+a"(value) : "d"(port));
		break;
	case 2:
		TRY("inl %%dx, %%eax", : "+a"(value) : "d"(port));
		break;
	case 3:
		TRY("outb %%al, %%dx", : : "a"(value), "d"(port));
		break;
	case 4:
		TRY("outw %%ax, %%dx", : : "a"(value), "d"(port));
		break;
	case 5:
		TRY("outl %%eax, %%dx", : : "a"(value), "d"(port));
		break;
	case 6:
		TRY("rep insl", : "+D"(at), "+c"(count) : "d"(port) : "memory");
		break;
	default:
		TRY("rep outsw", : "+S"(at), "+c"(count) : "d"(port) : "memory");
	}
}

static void attack_control(void)
{
	u64 value = number(), at = pointer();

	switch (below(wild ? 18 : 13)) {
	case 0:
		TRY("mov %%cr0, %0", : "=r"(value));
		break;
	case 1:
		TRY("mov %%cr4, %0\n mov %0, %%cr4", : "=r"(value));
		break;
	case 2:
		TRY("mov %%cr8, %0", : "=r"(value));
		break;
	case 3:
		TRY("mov %0, %%cr8", : : "r"(value));
		break;
	case 4:
		TRY("mov %0, %%cr2", : : "r"(value));
		break;
	case 5:
		TRY("invlpg (%0)", : : "r"(at));
		break;
	case 6:
		TRY("wbinvd", : : : "memory");
		break;
	case 7:
		TRY("xsetbv", : : "c"(below(3)), "a"((u32)value), "d"((u32)(value >> 32)));
		break;
	case 8:
		TRY("mov %%dr6, %0", : "=r"(value));
		break;
	case 9:
		TRY("sgdt (%0)", : : "r"(pool_address() & ~15ul) : "memory");
		break;
	case 10:
		TRY(".byte 0x0f, 0x01, 0xc1", : : "a"(value)); /* VMCALL */
		break;
	case 11:
		TRY("mov %k0, %%ds", : : "r"((u32)below(0x80) | 3));
		break;
	case 12:
		TRY(".byte 0x0f, 0x01, 0xcb", : : ); /* STAC */
		break;
	case 13:
		TRY("mov %0, %%cr4", : : "r"(value));
		break;
	case 14:
		TRY("mov %0, %%cr0", : : "r"(value));
		break;
	case 15:
		TRY("mov %0, %%cr3", : : "r"(value));
		break;
	case 16:
		TRY("lidt (%0)", : : "r"(at) : "memory");
		break;
	default:
		TRY("mov %0, %%dr7", : : "r"(value));
	}
}

/* The window, the switcher, Xen's table of frames: reads may succeed, writes must not harm. */
static void attack_address(void)
{
	static const u64 base[] = {0xffff870000000000ul, 0xffff878000000000ul, 0xffff878040000000ul,
				   0xffff880000000000ul, 0xffff800000000000ul};
	u64 at = base[below(ARRAY_SIZE(base))] + below(below(2) ? 1 << 16 : 1 << 30), value;
	const bool vcpu_page = at - base[0] < 1 << 16;

	if (below(2))
		try_read(at, &value);
	else if (wild || !vcpu_page)
		try_write(at, chance());
}

void attack_processor(void)
{
	for (unsigned i = 0; i < 16; i++)
		switch (below(4)) {
		case 0:
			attack_msr();
			break;
		case 1:
			attack_port();
			break;
		case 2:
			attack_control();
			break;
		default:
			attack_address();
		}
}

/* The kernel's entry for an address, by its tables; 0 if there is none of level 1. */
static u64 entry_of(u64 address)
{
	u64 table = __pa(current->active_mm->pgd), at = 0, value;

	for (unsigned level = 4; level; level--) {
		at = table + (address >> (3 + 9 * level) & 511) * 8;
		value = *(u64 *)__va(at);
		if (!(value & 1))
			return 0;
		table = value & 0xffffffffff000ul;
	}
	return at;
}

/* Random bytes, some of which are instructions that trap; the oops that ends them is expected. */
void attack_code(void)
{
	static const u8 bait[][3] = {{0x0f, 0x05}, {0xcf}, {0x48, 0xcf}, {0xcd, 0x80}, {0x0f, 0x34},
				     {0xfa}, {0xfb}, {0x0f, 0x01}, {0x0f, 0x22}, {0x0f, 0x23},
				     {0x0f, 0x30}, {0x9d}, {0x8e, 0xd0}, {0x0f, 0xae}, {0x0f, 0xc7},
				     {0xf4}, {0xcb}, {0x48, 0x0f, 0x07}, {0xcc}, {0xf1}};
	u64 page = pool[PAGES + below(POOL - PAGES)], at = entry_of(page);
	u8 *code = (u8 *)page;
	struct {
		u64 at, value;
	} executable = {at, at ? *(u64 *)__va(at) & ~(1ul << 63) : 0};

	if (!at)
		return;
	for (unsigned i = 0; i < PAGE_SIZE; i++)
		code[i] = chance();
	for (unsigned i = 0; i < PAGE_SIZE - 8; i += 4 + below(24))
		memcpy(code + i, bait[below(ARRAY_SIZE(bait))], 3);
	call(1, (u64)&executable, 1, 0, 0x7ff0, 0);
	asm volatile("call *%0"
		     : : "a"(page + below(PAGE_SIZE / 2))
		     : "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13",
		       "r14", "r15", "memory", "cc");
}
