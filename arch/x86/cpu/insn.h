/* SPDX-License-Identifier: MIT */
/*
 * insn.h - the instructions that C has no words for, one function each, and the numbers of the
 * registers that they take (SDM 4 for MSRs, SDM 3A 2.5 for control registers).
 */
#ifndef CPU_INSN_H
#define CPU_INSN_H

#include "lib/types.h"

#define CR0_WP (1ul << 16)
#define CR0_NE (1ul << 5)
#define CR0_MP (1ul << 1)
#define CR0_PE (1ul << 0)
#define CR0_ET (1ul << 4)
#define CR0_PG (1ul << 31)

#define CR0_EM (1ul << 2)
#define CR0_TS (1ul << 3)
#define CR0_AM (1ul << 18)

#define CR4_VME	       (1ul << 0)
#define CR4_PVI	       (1ul << 1)
#define CR4_TSD	       (1ul << 2)
#define CR4_DE	       (1ul << 3)
#define CR4_PSE	       (1ul << 4)
#define CR4_PAE	       (1ul << 5)
#define CR4_PGE	       (1ul << 7)
#define CR4_MCE	       (1ul << 6)
#define CR4_OSFXSR     (1ul << 9)
#define CR4_OSXMMEXCPT (1ul << 10)
#define CR4_UMIP       (1ul << 11)
#define CR4_OSXSAVE    (1ul << 18)
#define CR4_SMEP       (1ul << 20)
#define CR4_SMAP       (1ul << 21)

#define MSR_APIC_BASE	      0x1b
#define MSR_SPEC_CTRL	      0x48
#define MSR_PRED_CMD	      0x49
#define MSR_ARCH_CAPABILITIES 0x10a
#define MSR_PAT		      0x277
#define MSR_EFER	      0xc0000080
#define MSR_LSTAR	      0xc0000082
#define MSR_FS_BASE	      0xc0000100
#define MSR_GS_BASE	      0xc0000101
#define MSR_KERNEL_GS	      0xc0000102

#define EFER_SCE (1ul << 0)
#define EFER_LME (1ul << 8)
#define EFER_LMA (1ul << 10)
#define EFER_NXE (1ul << 11)

#define RFLAGS_IF (1ul << 9)

struct cpuid {
	u32 a, b, c, d;
};

static inline struct cpuid cpuid(u32 leaf, u32 subleaf)
{
	struct cpuid r;

	__asm__ volatile("cpuid"
			 : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d)
			 : "a"(leaf), "c"(subleaf));
	return r;
}

static inline u64 rdmsr(u32 msr)
{
	u32 low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (u64)high << 32 | low;
}

static inline void wrmsr(u32 msr, u64 value)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((u32)value), "d"((u32)(value >> 32)) : "memory");
}

static inline u64 rdtsc(void)
{
	u32 low, high;

	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (u64)high << 32 | low;
}

static inline u8 inb(u16 port)
{
	u8 value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline void outb(u16 port, u8 value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline void outw(u16 port, u16 value)
{
	__asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

static inline u16 inw(u16 port)
{
	u16 value;

	__asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline u64 read_cr0(void)
{
	u64 value;

	__asm__ volatile("mov %%cr0, %0" : "=r"(value));
	return value;
}

static inline void write_cr0(u64 value)
{
	__asm__ volatile("mov %0, %%cr0" : : "r"(value) : "memory");
}

static inline u64 read_cr2(void)
{
	u64 value;

	__asm__ volatile("mov %%cr2, %0" : "=r"(value));
	return value;
}

static inline u64 read_cr3(void)
{
	u64 value;

	__asm__ volatile("mov %%cr3, %0" : "=r"(value));
	return value;
}

static inline void write_cr3(u64 value)
{
	__asm__ volatile("mov %0, %%cr3" : : "r"(value) : "memory");
}

static inline u64 read_cr4(void)
{
	u64 value;

	__asm__ volatile("mov %%cr4, %0" : "=r"(value));
	return value;
}

static inline void write_cr4(u64 value)
{
	__asm__ volatile("mov %0, %%cr4" : : "r"(value) : "memory");
}

static inline u64 read_dr6(void)
{
	u64 value;

	__asm__ volatile("mov %%db6, %0" : "=r"(value));
	return value;
}

#define INSN_WRITE_DR(number)                                                                      \
	static inline void write_dr##number(u64 value)                                             \
	{                                                                                          \
		__asm__ volatile("mov %0, %%db" #number : : "r"(value) : "memory");                \
	}
INSN_WRITE_DR(0)
INSN_WRITE_DR(1)
INSN_WRITE_DR(2)
INSN_WRITE_DR(3)
INSN_WRITE_DR(6)
INSN_WRITE_DR(7)
#undef INSN_WRITE_DR

/* Segment registers. Loading FS or GS changes its base (SDM 3A 3.4.4.1). */
#define INSN_SEGMENT(name)                                                                         \
	static inline u16 read_##name(void)                                                        \
	{                                                                                          \
		u16 selector;                                                                      \
                                                                                                   \
		__asm__ volatile("mov %%" #name ", %0" : "=r"(selector));                          \
		return selector;                                                                   \
	}                                                                                          \
	static inline void write_##name(u16 selector)                                              \
	{                                                                                          \
		__asm__ volatile("mov %0, %%" #name : : "r"(selector));                            \
	}
INSN_SEGMENT(ds)
INSN_SEGMENT(es)
INSN_SEGMENT(fs)
INSN_SEGMENT(gs)
#undef INSN_SEGMENT

static inline void swapgs(void)
{
	__asm__ volatile("swapgs" : : : "memory");
}

static inline void xsetbv(u32 index, u64 value)
{
	__asm__ volatile("xsetbv" : : "c"(index), "a"((u32)value), "d"((u32)(value >> 32)));
}

static inline void cpu_pause(void)
{
	__asm__ volatile("pause" : : : "memory");
}

/* Sleep until an interrupt; it resumes behind the HLT, with IF=0 again. */
static inline void wait_for_interrupt(void)
{
	__asm__ volatile("sti; hlt; cli" : : : "memory");
}

static inline void halt_for_ever(void)
{
	for (;;)
		__asm__ volatile("cli; hlt" : : : "memory");
}

#endif
