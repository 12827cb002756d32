// SPDX-License-Identifier: MIT
/*
 * cpu.c - makes a struct cpu and sets the CPU's control registers. A CPU's stacks lie in the
 * per-CPU GiB between pages that are not present, the structure itself in the direct map:
 *
 *	pages 1-4    stack
 *	page 6	     NMI stack
 */
#include "arch/x86/cpu/cpu.h"
#include "arch/x86/cpu/early-memory.h"
#include "arch/x86/cpu/features.h"
#include "arch/x86/cpu/insn.h"
#include "arch/x86/cpu/speculation.h"
#include "boot/layout.h"
#include "lib/compiler.h"

#define CPU_STRIDE     0x8000ul
#define PAGE_STACK     1
#define STACK_PAGES    4
#define PAGE_NMI_STACK 6

struct cpu *cpu_table[BOOT_CPU_MAX];
u32 cpu_table_count;

bool cpu_is_guard_page(u64 address)
{
	u64 page = (address - CPU_BASE) % CPU_STRIDE / PAGE_SIZE;

	return page != PAGE_NMI_STACK &&
	       (page < PAGE_STACK || page >= PAGE_STACK + STACK_PAGES);
}

/* Returns the stack's top. */
static __init u64 map_stack(u32 number, u64 first, u64 pages)
{
	u64 address = CPU_BASE + number * CPU_STRIDE + first * PAGE_SIZE;

	for (u64 i = 0; i < pages; i++, address += PAGE_SIZE)
		paging_map_cpu_page(address, early_memory_take(PAGE_SIZE));
	return address;
}

__init struct cpu *cpu_create(u32 apic_id)
{
	u32 count = cpu_table_count;
	struct cpu *cpu;

	if (count == BOOT_CPU_MAX)
		return NULL;
	cpu = early_memory_pointer(early_memory_take(sizeof(struct cpu)));
	cpu->number = count;
	cpu->apic_id = apic_id;
	cpu->stack_top = map_stack(count, PAGE_STACK, STACK_PAGES);
	cpu->nmi_stack_top = map_stack(count, PAGE_NMI_STACK, 1);
	paging_make_root(&cpu->paging);
	desc_make_area(&cpu->area, &cpu->paging, cpu, cpu->nmi_stack_top);
	cpu->area.constants->mitigations = speculation_area_flags();
	cpu_table[count] = cpu;
	cpu_table_count++;
	return cpu;
}

/* SDM 3A 2.5. Written whole: a CPU after INIT has its caches off, and firmware leaves what it
 * likes. */
void cpu_set_controls(void)
{
	const struct cpu_features *f = &cpu_features;

	wrmsr(MSR_PAT, PAGING_PAT);
	wrmsr(MSR_EFER, EFER_LME | EFER_LMA | EFER_NXE | EFER_SCE);
	write_cr0(CR0_PG | CR0_WP | CR0_NE | CR0_ET | CR0_MP | CR0_PE);
	write_cr4(CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT | (f->mce ? CR4_MCE : 0) |
		  (f->smep ? CR4_SMEP : 0) | (f->umip ? CR4_UMIP : 0) |
		  (f->xsave ? CR4_OSXSAVE : 0));
}

__noreturn void cpu_continue(struct cpu *cpu, void (*function)(struct cpu *cpu))
{
	/* The new stack is not mapped before CR3 is written, nor the old one after. */
	__asm__ volatile("mov %0, %%cr3\n\t"
			 "mov %1, %%rsp\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "call *%2\n\t"
			 "ud2"
			 :
			 : "r"(cpu->paging.root.v), "r"(cpu->stack_top), "r"(function), "D"(cpu)
			 : "memory");
	__builtin_unreachable();
}

__noreturn void cpu_park(struct cpu *cpu)
{
	__atomic_store_n(&cpu->online, 1, __ATOMIC_RELEASE);
	for (;;)
		__asm__ volatile("sti; hlt" : : : "memory");
}
