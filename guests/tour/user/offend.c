// SPDX-License-Identifier: MIT
/* offend.c - what a process must not do. None of these returns to it, if all is well. */
#include <stdint.h>
#include "guest-abi/hypercalls.h"
#include "guest-abi/layout.h"
#include "guests/tour/layout.h"
#include "guests/tour/user/programs.h"

/* Addresses that are the monitor's: guest-abi/layout.h reserves the slots. */
#define SWITCHER   0xffff878000000000
#define MONITOR	   0xffff878040000000
#define MONITOR_SS 0xf88 /* behind the guest's part of the GDT */

void user_offend(enum offence offence);

static void read_from(uint64_t address)
{
	(void)*(volatile char *)address;
}

static void write_to(uint64_t address)
{
	*(volatile char *)address = 0;
}

static void jump_to(uint64_t address)
{
	__asm__ volatile("call *%0" : : "r"(address) : "memory");
}

static void execute_heap(void)
{
	*(volatile unsigned char *)USER_HEAP = 0xc3; /* RET */
	jump_to(USER_HEAP);
}

static void load_gdt(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) gdtr = {7, USER_HEAP};

	__asm__ volatile("lgdt %0" : : "m"(gdtr));
}

static void privileged(enum offence offence)
{
	uint64_t rax = 0;

	switch (offence) {
	case OFFENCE_INT_HYPERCALL:
		rax = GN_CALL_version;
		__asm__ volatile("int %1" : "+a"(rax) : "i"(GN_HYPERCALL_VECTOR));
		break;
	case OFFENCE_INT_TIMER:
		__asm__ volatile("int $32");
		break;
	case OFFENCE_DO_CLI:
		__asm__ volatile("cli");
		break;
	case OFFENCE_DO_HLT:
		__asm__ volatile("hlt");
		break;
	case OFFENCE_DO_IN:
		__asm__ volatile("in $0x60, %%al" : "+a"(rax));
		break;
	case OFFENCE_DO_RDMSR:
		__asm__ volatile("rdmsr" : "+a"(rax) : "c"(0xc0000082) : "rdx");
		break;
	case OFFENCE_DO_MOV_CR3:
		__asm__ volatile("mov %0, %%cr3" : : "r"(rax));
		break;
	case OFFENCE_LOAD_MONITOR_SS:
		__asm__ volatile("mov %0, %%ds" : : "r"(MONITOR_SS));
		break;
	case OFFENCE_DO_UD2:
		__asm__ volatile("ud2");
		break;
	default:
		__asm__ volatile("divb %%ah" : "+a"(rax)); /* AH is 0 */
	}
}

void user_offend(enum offence offence)
{
	switch (offence) {
	case OFFENCE_READ_NULL:
		read_from(0);
		break;
	case OFFENCE_WRITE_TEXT:
		write_to(USER_TEXT);
		break;
	case OFFENCE_EXECUTE_HEAP:
		execute_heap();
		break;
	case OFFENCE_READ_KERNEL:
		read_from(KERNEL_OFFSET + 0x100000);
		break;
	case OFFENCE_READ_CODE_AREA:
		read_from(GN_CODE_AREA);
		break;
	case OFFENCE_JUMP_CODE_AREA:
		jump_to(GN_SLOT(GN_CALL_version));
		break;
	case OFFENCE_WRITE_VCPU_PAGE:
		write_to(GN_VCPU_PAGE);
		break;
	case OFFENCE_READ_SWITCHER:
		read_from(SWITCHER);
		break;
	case OFFENCE_READ_MONITOR:
		read_from(MONITOR);
		break;
	case OFFENCE_JUMP_NOWHERE:
		jump_to(0x1234567890123456);
		break;
	case OFFENCE_DO_LGDT:
		load_gdt();
		break;
	default:
		privileged(offence);
	}
}
