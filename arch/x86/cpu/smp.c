// SPDX-License-Identifier: MIT
/*
 * smp.c - INIT, 10 ms, STARTUP, and once more if nobody answers (SDM 3A 9.4.4). One CPU at a time,
 * as the words in the trampoline are for one. A CPU that does not come is logged and left alone;
 * should it wake later, it finds its own struct cpu and parks.
 */
#include "arch/x86/cpu/apic.h"
#include "arch/x86/cpu/cpu.h"
#include "arch/x86/cpu/early-memory.h"
#include "arch/x86/cpu/features.h"
#include "arch/x86/cpu/fpu.h"
#include "arch/x86/cpu/insn.h"
#include "arch/x86/cpu/smp.h"
#include "arch/x86/cpu/trampoline.h"
#include "arch/x86/cpu/tsc.h"
#include "boot/layout.h"
#include "lib/bug.h"
#include "lib/compiler.h"
#include "lib/log.h"
#include "lib/string.h"

#define LOW_END	     0xa0000ul
#define INIT_WAIT    10000000ul
#define STARTUP_WAIT 200000000ul

static bool is_module(const struct boot_info *info, u64 page)
{
	for (u32 i = 0; i < info->module_count; i++)
		if (page >= info->module[i].maddr &&
		    page < info->module[i].maddr + info->module[i].size)
			return true;
	return false;
}

/* The highest; not page 0, which is the real-mode interrupt table. */
__init u64 smp_find_page(const struct boot_info *info)
{
	for (u64 page = LOW_END - PAGE_SIZE; page; page -= PAGE_SIZE)
		if (range_contains(&info->ram, page, page + PAGE_SIZE) && !is_module(info, page))
			return page;
	return 0;
}

/* The started CPU's first C function, on its own stack and root. */
static void start_here(struct cpu *cpu)
{
	cpu_set_controls();
	if (!features_is_same()) {
		log_error("CPU %u is of another kind than the first: not used", cpu->number);
		halt_for_ever();
	}
	desc_load(&cpu->area);
	fpu_init_cpu();
	apic_init_cpu();
	cpu_park(cpu);
}

static bool is_online(struct cpu *cpu)
{
	return __atomic_load_n(&cpu->online, __ATOMIC_ACQUIRE);
}

static __init void wait_online(struct cpu *cpu)
{
	for (u64 start = tsc_ns(); !is_online(cpu) && tsc_ns() - start < STARTUP_WAIT;)
		cpu_pause();
}

static __init void start_one(struct cpu *cpu, u64 page)
{
	u8 *code = early_memory_pointer(MADDR(page));
	struct trampoline_words *words = (void *)(code + (trampoline_words - trampoline_start));

	memcpy(code, trampoline_start, (size_t)(trampoline_end - trampoline_start));
	*words = (struct trampoline_words){
		.cr3 = (u32)cpu->paging.root.v,
		.cr4 = CR4_PAE,
		.stack = cpu->stack_top,
		.entry = start_here,
		.cpu = cpu,
	};
	BUG_ON(cpu->paging.root.v >= BOOT_MAPPED); /* it is loaded in 32 bits */
	paging_map_identity(&cpu->paging, MADDR(page));
	apic_send_init(cpu->apic_id);
	tsc_wait(INIT_WAIT);
	for (int i = 0; i < 2 && !is_online(cpu); i++) {
		apic_send_startup(cpu->apic_id, (u8)(page / PAGE_SIZE));
		wait_online(cpu);
	}
	/* Its root loses the identity map; it writes CR3 anew before it runs anything else. */
	if (is_online(cpu))
		paging_unmap_identity(&cpu->paging);
	else
		log_warn("CPU %u (APIC id %u) did not start", cpu->number, cpu->apic_id);
}

__init void smp_start(const struct boot_acpi *acpi, u64 page)
{
	u32 self = apic_id();

	if (acpi->cpu_count > 1 && !page) {
		log_warn("no memory below 640 KiB to start other CPUs from");
		return;
	}
	for (u32 i = 0; i < acpi->cpu_count; i++) {
		u32 id = acpi->cpu_apic_id[i];
		struct cpu *cpu;

		if (id == self)
			continue;
		if (id > 254 && !apic_is_x2apic()) {
			log_warn("the CPU of APIC id %u needs an x2APIC: not used", id);
			continue;
		}
		cpu = cpu_create(id);
		if (!cpu)
			break;
		start_one(cpu, page);
	}
}
