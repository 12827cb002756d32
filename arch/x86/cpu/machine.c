// SPDX-License-Identifier: MIT
/*
 * machine.c - the seam below mm (mm/machine.h): the direct map, and the flush of guests'
 * translations.
 *
 * Why a flush needs no list of addresses: a CPU writes CR3 on every way into a guest, and neither
 * global pages nor PCIDs are in use, so each entry forgets all translations. What must be excluded
 * is a CPU that is in a guest now. The CPU sets its mode word by an exchange, then reads the
 * generation, then writes CR3; we write the generation, then read the mode word. Either it sees the
 * new generation (and with it the new entries), or we see it in the guest and wait until an
 * interrupt has fetched it.
 */
#include "arch/x86/cpu/apic.h"
#include "arch/x86/cpu/cpu.h"
#include "arch/x86/cpu/insn.h"
#include "arch/x86/cpu/machine.h"
#include "boot/layout.h"
#include "mm/machine.h"

u64 machine_flush_generation;

char *const machine_ram = (char *)DIRECT_BASE;

static bool runs_stale_guest(struct cpu *cpu, u64 generation)
{
	return __atomic_load_n(&cpu->mode, __ATOMIC_SEQ_CST) == CPU_IN_GUEST &&
	       __atomic_load_n(&cpu->flush_seen, __ATOMIC_SEQ_CST) < generation;
}

/* All are kicked before the first is waited for. */
static __cold void kick(u64 generation)
{
	for (u32 i = 0; i < cpu_count(); i++)
		if (runs_stale_guest(cpu_get(i), generation))
			apic_send(cpu_get(i)->apic_id, VECTOR_KICK);
	for (u32 i = 0; i < cpu_count(); i++)
		while (runs_stale_guest(cpu_get(i), generation))
			cpu_pause();
}

/* The caller's own CPU is in the monitor. */
void machine_flush_guests(void)
{
	u64 generation = __atomic_add_fetch(&machine_flush_generation, 1, __ATOMIC_SEQ_CST);

	for (u32 i = 0; i < cpu_count(); i++)
		if (unlikely(runs_stale_guest(cpu_get(i), generation)))
			return kick(generation);
}
