// SPDX-License-Identifier: MIT
/*
 * cpu.c - see cpu.h. The second half answers for the files of arch/x86/cpu that are not linked.
 * What the SDM calls #GP, and what the rules of SECURITY.md forbid, is a panic here.
 */
#include <string.h>
#include <sys/mman.h>
#include "arch/x86/cpu/apic.h"
#include "arch/x86/cpu/console.h"
#include "arch/x86/cpu/features.h"
#include "arch/x86/cpu/nmi-storm.h"
#include "arch/x86/cpu/rtc.h"
#include "arch/x86/cpu/speculation.h"
#include "arch/x86/cpu/tsc.h"
#include "arch/x86/vcpu/vcpu.h"
#include "lib/bug.h"
#include "mm/machine.h"
#include "tests/host/calls/cpu.h"
#include "tests/host/mm/host.h"

#define CODE_BYTES (GN_CODE_SIZE + PAGE_SIZE) /* and the page that differs by policy */

struct test_cpu test_cpu;
struct cpu test_cpu_structure;

/* ---- registers ---- */

static u64 *base_of(u32 msr)
{
	switch (msr) {
	case MSR_FS_BASE:
		return &test_cpu.fs_base;
	case MSR_GS_BASE:
		return &test_cpu.gs_base;
	case MSR_KERNEL_GS:
		return &test_cpu.kernel_gs_base;
	default:
		return NULL;
	}
}

u64 test_rdmsr(u32 msr)
{
	BUG_ON(!base_of(msr));
	return *base_of(msr);
}

void test_wrmsr(u32 msr, u64 value)
{
	if (msr == MSR_LSTAR) {
		BUG_ON(value != (u64)switcher_syscall && value != (u64)switcher_syscall_xen);
		test_cpu.lstar = value;
		return;
	}
	BUG_ON(!base_of(msr) || !is_canonical(value));
	*base_of(msr) = value;
}

u64 test_rdtsc(void)
{
	return test_cpu.now += 20;
}

u64 test_read_cr0(void)
{
	return test_cpu.cr0;
}

void test_write_cr0(u64 value)
{
	const u64 must = CR0_PG | CR0_PE | CR0_WP | CR0_NE; /* R6 */

	BUG_ON((value & must) != must || value & ~(must | CR0_ET | CR0_MP | CR0_EM | CR0_TS));
	test_cpu.cr0 = value;
}

u64 test_read_cr2(void)
{
	return test_cpu.cr2;
}

u64 test_read_cr4(void)
{
	return test_cpu.cr4;
}

void test_write_cr4(u64 value)
{
	const u64 must = CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT;
	const u64 may = must | CR4_TSD | CR4_DE | CR4_SMEP | CR4_SMAP | CR4_UMIP | CR4_OSXSAVE;

	BUG_ON((value & must) != must || value & ~may); /* R5: no PGE, no PCIDs */
	test_cpu.cr4 = value;
}

u64 test_read_dr6(void)
{
	return test_cpu.dr[6];
}

void test_write_dr(unsigned number, u64 value)
{
	BUG_ON(number >= 6 && value >> 32);
	BUG_ON(number == 7 && value & 1 << 13);
	BUG_ON(number < 4 && value >= GN_WINDOW_BASE && value < AREA_END); /* R10 */
	test_cpu.dr[number] = value;
}

u16 test_read_segment(unsigned segment)
{
	return test_cpu.segment[segment];
}

/* What the CPU looks up: code and data as SDM 3A 3.4.5 has them. */
static u64 descriptor(u16 selector)
{
	const u64 *ldt = (const u64 *)test_cpu.ldt_base;
	unsigned index = selector >> 3;

	if (!(selector & 4))
		return test_cpu_structure.area.gdt[index % 512];
	BUG_ON(index >= test_cpu.ldt_count || test_cpu.ldt_base == GN_LDT);
	return ldt[index];
}

void test_write_segment(unsigned segment, u16 selector)
{
	u64 base = 0;

	if (selector & ~3) {
		u64 d = descriptor(selector);

		BUG_ON(!(d >> 47 & 1) || !(d >> 44 & 1));
		BUG_ON(d >> 43 & 1 && !(d >> 41 & 1)); /* code that cannot be read */
		BUG_ON((d >> 45 & 3) < (selector & 3));
		base = (d >> 16 & 0xffffff) | d >> 56 << 24;
	}
	test_cpu.segment[segment] = selector;
	if (segment == TEST_FS)
		test_cpu.fs_base = base;
	if (segment == TEST_GS)
		test_cpu.gs_base = base;
}

void test_swapgs(void)
{
	u64 base = test_cpu.gs_base;

	test_cpu.gs_base = test_cpu.kernel_gs_base;
	test_cpu.kernel_gs_base = base;
}

/* ---- the rest of arch/x86/cpu ---- */

struct cpu_features cpu_features = {
    .physical_bits = 40, .smep = true, .smap = true, .umip = true, .xsave = true};
struct tsc_scale tsc_scale = {.khz = 1000000, .mul = 1u << 31, .shift = 1};
u64 machine_flush_generation;
const u8 switcher_syscall[1], switcher_syscall_xen[1];
static struct fpu_state fpu;

u64 tsc_ns(void)
{
	return test_rdtsc();
}

u64 rtc_seconds(void)
{
	return 1000000000;
}

u64 fpu_xcr0(void)
{
	return 7;
}

void fpu_state_init(struct fpu_state *state)
{
	memset(state, 0, sizeof(*state));
}

void fpu_save(struct fpu_state *state)
{
	*state = fpu;
}

void fpu_restore(const struct fpu_state *state)
{
	fpu = *state;
}

void desc_load_ldt(const struct cpu_area *area, u64 base, unsigned count)
{
	BUG_ON(area != &test_cpu_structure.area);
	test_cpu.ldt_base = base;
	test_cpu.ldt_count = count;
}

void speculation_switch_guest(void)
{
}

void apic_timer_set(u64 ns)
{
	(void)ns;
}

void apic_end_of_interrupt(void)
{
}

void nmi_storm_note_event(u64 rip)
{
	(void)rip;
}

void console_write(const char *text, size_t size)
{
	BUG_ON(size && !text);
	test_cpu.printed += size;
}

int console_read(void)
{
	int key = test_cpu.key;

	test_cpu.key = -1;
	return key;
}

/* ---- boot ---- */

extern const u8 gn_code_area[];
extern u64 __start_ranges[], __stop_ranges[]; /* the tables of the code area's object */

/* What the linker does for the monitor: the code area's tables name places of its own address. */
static void place_code_area(void)
{
	void *image = machine_map(MFN(CODE_IMAGE >> PAGE_SHIFT));
	u64 from = (u64)gn_code_area;

	BUG_ON(mmap(image, CODE_BYTES, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != image);
	memcpy(image, gn_code_area, CODE_BYTES);
	for (u64 *word = __start_ranges; word < __stop_ranges; word++)
		if (*word - from <= CODE_BYTES)
			*word += GN_CODE_AREA - from;
}

static void *page(void)
{
	return machine_map(frame_alloc(FRAME_MONITOR, FRAME_OWNER_MONITOR));
}

void test_machine_make(void)
{
	struct cpu_area *area = &test_cpu_structure.area;

	host_machine_init(RAM_FIRST, RAM_FRAMES);
	place_code_area();
	area->constants = page();
	area->gdt = page();
	area->scratch = page();
	test_cpu.cr0 = CR0_PG | CR0_PE | CR0_WP | CR0_NE | CR0_ET | CR0_MP;
	test_cpu.cr4 = CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_OSXSAVE | CR4_SMEP;
	test_cpu.dr[6] = DR6_ONES;
	test_cpu.dr[7] = DR7_ONES;
	test_cpu.key = -1;
}
