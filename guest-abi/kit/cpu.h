/* SPDX-License-Identifier: MIT */
/*
 * cpu.h - the sensitive instructions as C functions, each a site (site.h): native on the bare
 * machine and on Gnomon before its sites are patched, what the monitor asks for afterwards. IRETQ
 * and SYSRETQ are for assembler: GN_SITE(iret), GN_SITE(sysret).
 */
#ifndef GUEST_ABI_KIT_CPU_H
#define GUEST_ABI_KIT_CPU_H

#include <stdint.h>
#include "guest-abi/kit/site.h"

static inline void gn_cpu_cli(void)
{
	__asm__ volatile(GN_SITE(cli) : : : "memory");
}

static inline void gn_cpu_sti(void)
{
	__asm__ volatile(GN_SITE(sti) : : : "memory", "cc");
}

/* Only bit 9, IF, means anything: a guest's RFLAGS.IF is not its interrupt flag. */
static inline uint64_t gn_cpu_save_flags(void)
{
	uint64_t flags;

	__asm__ volatile(GN_SITE(save_flags) : "=a"(flags) : : "memory", "cc");
	return flags;
}

static inline void gn_cpu_restore_flags(uint64_t flags)
{
	__asm__ volatile(GN_SITE(restore_flags) : : "D"(flags) : "memory", "cc");
}

/* Two sites: an event between them does what it would have done before them. */
static inline uint64_t gn_cpu_save_flags_cli(void)
{
	uint64_t flags = gn_cpu_save_flags();

	gn_cpu_cli();
	return flags;
}

static inline void gn_cpu_sti_hlt(void)
{
	__asm__ volatile(GN_SITE(sti_hlt) : : : "rax", "rcx", "r11", "memory", "cc");
}

static inline void gn_cpu_hlt(void)
{
	__asm__ volatile(GN_SITE(hlt) : : : "rax", "rcx", "r11", "memory", "cc");
}

static inline void gn_cpu_wbinvd(void)
{
	__asm__ volatile(GN_SITE(wbinvd) : : : "memory", "cc");
}

static inline void gn_cpu_clts(void)
{
	__asm__ volatile(GN_SITE(clts) : : : "rax", "rcx", "r11", "memory", "cc");
}

static inline void gn_cpu_swapgs(void)
{
	__asm__ volatile(GN_SITE(swapgs) : : : "memory", "cc");
}

static inline void gn_cpu_invlpg(uint64_t address)
{
	__asm__ volatile(GN_SITE(invlpg) : "+D"(address) : : "rax", "rcx", "r11", "memory", "cc");
}

static inline void gn_cpu_write_fs_base(uint64_t base)
{
	__asm__ volatile(GN_SITE(write_fs_base)
			 : "+D"(base)
			 :
			 : "rax", "rcx", "rdx", "rsi", "r11", "memory", "cc");
}

static inline void gn_cpu_write_gs_base(uint64_t base)
{
	__asm__ volatile(GN_SITE(write_gs_base)
			 : "+D"(base)
			 :
			 : "rax", "rcx", "rdx", "rsi", "r11", "memory", "cc");
}

/* gn_cpu_read_NAME() and gn_cpu_write_NAME() of the control registers. */
#define GN_CPU_READ(name)                                                                          \
	static inline uint64_t gn_cpu_read_##name(void)                                            \
	{                                                                                          \
		uint64_t value;                                                                    \
                                                                                                   \
		__asm__ volatile(GN_SITE(read_##name) : "=a"(value) : : "memory", "cc");           \
		return value;                                                                      \
	}
#define GN_CPU_WRITE(name)                                                                         \
	static inline void gn_cpu_write_##name(uint64_t value)                                     \
	{                                                                                          \
		__asm__ volatile(GN_SITE(write_##name)                                             \
				 :                                                                 \
				 : "D"(value)                                                      \
				 : "rax", "rcx", "r11", "memory", "cc");                           \
	}
GN_CPU_READ(cr0)
GN_CPU_READ(cr2)
GN_CPU_READ(cr3)
GN_CPU_READ(cr4)
GN_CPU_WRITE(cr0)
GN_CPU_WRITE(cr3)
GN_CPU_WRITE(cr4)
#undef GN_CPU_READ
#undef GN_CPU_WRITE

static inline uint64_t gn_cpu_rdmsr(uint32_t msr)
{
	uint32_t low, high;

	__asm__ volatile(GN_SITE(rdmsr) : "=a"(low), "=d"(high) : "c"(msr) : "memory", "cc");
	return low | (uint64_t)high << 32;
}

static inline void gn_cpu_wrmsr(uint32_t msr, uint64_t value)
{
	__asm__ volatile(GN_SITE(wrmsr)
			 :
			 : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
			 : "memory", "cc");
}

static inline uint64_t gn_cpu_rdtsc(void)
{
	uint32_t low, high;

	__asm__ volatile(GN_SITE(rdtsc) : "=a"(low), "=d"(high) : : "memory", "cc");
	return low | (uint64_t)high << 32;
}

/* Entries of page tables: for a guest that must tell what it changes (ABI.md, chapter 14). The bit
 * operations and the others answer what was there. */
static inline void gn_cpu_pte_set(uint64_t *entry, uint64_t value)
{
	__asm__ volatile(GN_SITE(pte_set)
			 :
			 : "D"(entry), "S"(value)
			 : "rax", "rcx", "r11", "memory", "cc");
}

#define GN_CPU_PTE(name, second)                                                                   \
	static inline uint64_t gn_cpu_##name(uint64_t *entry, uint64_t second)                     \
	{                                                                                          \
		uint64_t before;                                                                   \
                                                                                                   \
		__asm__ volatile(GN_SITE(name)                                                     \
				 : "=a"(before)                                                    \
				 : "D"(entry), "S"(second)                                         \
				 : "rcx", "r11", "memory", "cc");                                  \
		return before;                                                                     \
	}
GN_CPU_PTE(pte_swap, value)
GN_CPU_PTE(pte_test_and_set_bit, bit)
GN_CPU_PTE(pte_test_and_clear_bit, bit)
#undef GN_CPU_PTE

static inline uint64_t gn_cpu_pte_deactivate(uint64_t *entry)
{
	uint64_t before;

	__asm__ volatile(GN_SITE(pte_deactivate)
			 : "=a"(before)
			 : "D"(entry)
			 : "rcx", "r11", "memory", "cc");
	return before;
}

#endif
