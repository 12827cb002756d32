// SPDX-License-Identifier: MIT
/*
 * attacks.c - see attacks.h. Each is one instruction with operands that would do damage if it were
 * executed: stop the machine, point the processor at our tables, open the I/O ports.
 */
#include "guests/tour/attacks.h"
#include "guest-abi/kit/calls.h"
#include "guest-abi/kit/operations.h"
#include "guests/tour/space.h"

#define MSR_EFER  0xc0000080
#define MSR_LSTAR 0xc0000082
#define CR0_WP	  (1ul << 16)
#define DR7_RESET 0x400ul
#define SWITCHER  0xffff878000000000

volatile uint64_t attack_result;

/* What LGDT and LIDT read: an empty table. */
static const struct {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed)) empty_table = {0, 0};

#define ACT(name, ...)                                                                             \
	static void name(uint64_t unused)                                                          \
	{                                                                                          \
		(void)unused;                                                                      \
		__VA_ARGS__;                                                                       \
	}

ACT(cli, __asm__ volatile("cli"))
ACT(sti, __asm__ volatile("sti"))
ACT(hlt, gn_sti(); __asm__ volatile("hlt"))
ACT(lgdt, __asm__ volatile("lgdt %0" : : "m"(empty_table)))
ACT(lidt, __asm__ volatile("lidt %0" : : "m"(empty_table)))
ACT(lldt, __asm__ volatile("lldt %w0" : : "r"(0xf80)))
ACT(ltr, __asm__ volatile("ltr %w0" : : "r"(0xfa0)))
ACT(lmsw, __asm__ volatile("lmsw %w0" : : "r"(0)))
ACT(clts, __asm__ volatile("clts"))
ACT(read_cr0, uint64_t v; __asm__ volatile("mov %%cr0, %0" : "=r"(v)))
ACT(write_cr0, __asm__ volatile("mov %0, %%cr0" : : "r"(0x80000001ul & ~CR0_WP)))
ACT(read_cr3, uint64_t v; __asm__ volatile("mov %%cr3, %0" : "=r"(v)))
ACT(write_cr3, __asm__ volatile("mov %0, %%cr3" : : "r"(space_kernel)))
ACT(write_cr4, __asm__ volatile("mov %0, %%cr4" : : "r"(0x20ul)))
ACT(write_dr0, __asm__ volatile("mov %0, %%dr0" : : "r"(SWITCHER + 0x10000)))
ACT(write_dr7, __asm__ volatile("mov %0, %%dr7" : : "r"(0x403ul)))

static void rdmsr(uint64_t unused)
{
	uint32_t low, high;

	(void)unused;
	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(MSR_LSTAR));
	attack_result = (uint64_t)high << 32 | low;
}

ACT(wrmsr, __asm__ volatile("wrmsr" : : "c"(MSR_LSTAR), "a"(0x10000), "d"(SWITCHER >> 32)))
ACT(wrmsr_efer, __asm__ volatile("wrmsr" : : "c"(MSR_EFER), "a"(0), "d"(0)))
ACT(in, __asm__ volatile("in $0x60, %%al" : : : "rax"))
ACT(out_reset, __asm__ volatile("out %%al, $0x64" : : "a"(0xfe)))
ACT(out_debug, __asm__ volatile("out %%al, $0xf4" : : "a"(1)))
ACT(out_pci, __asm__ volatile("outl %%eax, %%dx" : : "a"(0x80000000), "d"(0xcf8)))
ACT(invlpg, __asm__ volatile("invlpg %0" : : "m"(*(char *)SWITCHER)))
ACT(wbinvd, __asm__ volatile("wbinvd"))
ACT(swapgs, __asm__ volatile("swapgs"))
ACT(sysret, __asm__ volatile("sysretq" : : "c"(0), "r"(0)))
ACT(xsetbv, __asm__ volatile("xsetbv" : : "c"(0), "a"(1), "d"(0)))
ACT(vmcall, __asm__ volatile("vmcall"))
ACT(mwait, __asm__ volatile("mwait" : : "a"(0), "c"(0)))

static uint64_t cr0, cr4;

void attack_remember(uint64_t unused)
{
	(void)unused;
	__asm__ volatile("mov %%cr0, %0; mov %%cr4, %1" : "=r"(cr0), "=r"(cr4));
}

void attack_restore(uint64_t unused)
{
	(void)unused;
	__asm__ volatile("mov %0, %%cr0; mov %1, %%cr4; mov %2, %%dr7"
			 :
			 : "r"(cr0), "r"(cr4), "r"(DR7_RESET));
}

const struct attack attack_instructions[] = {
    {"CLI", cli, true},
    {"STI", sti, true},
    {"HLT", hlt, true},
    {"LGDT", lgdt, true},
    {"LIDT", lidt, true},
    {"LLDT", lldt, false},
    {"LTR with the monitor's TSS", ltr, false},
    {"LMSW", lmsw, true},
    {"CLTS", clts, true},
    {"read CR0", read_cr0, true},
    {"clear CR0.WP", write_cr0, true},
    {"read CR3", read_cr3, true},
    {"write CR3", write_cr3, true},
    {"clear all of CR4", write_cr4, true},
    {"a breakpoint in the switcher, DR0", write_dr0, true},
    {"and DR7", write_dr7, true},
    {"read the MSR of SYSCALL's entry", rdmsr, true},
    {"write it", wrmsr, true},
    {"write EFER", wrmsr_efer, true},
    {"IN from the keyboard", in, true},
    {"OUT that resets the machine", out_reset, true},
    {"OUT that ends the emulator", out_debug, true},
    {"OUT to the PCI bus", out_pci, true},
    {"INVLPG", invlpg, true},
    {"WBINVD", wbinvd, true},
    {"SWAPGS", swapgs, true},
    {"SYSRET", sysret, false},
    {"XSETBV", xsetbv, true},
    {"VMCALL", vmcall, true},
    {"MWAIT", mwait, true},
};

const size_t attack_instruction_count =
    sizeof(attack_instructions) / sizeof(attack_instructions[0]);
