/* SPDX-License-Identifier: MIT */
/*
 * cpu.h - the machine below the monitor, as this test makes it: RAM (tests/host/mm/host.h) and one
 * CPU, whose registers are fields. What would be #GP in the monitor ends the test.
 */
#ifndef TESTS_HOST_CALLS_CPU_H
#define TESTS_HOST_CALLS_CPU_H

#include "arch/x86/cpu/cpu.h"
#include "guest-abi/layout.h"

/* Where the code area's image lies, outside the RAM that anybody owns. The linker knows it, too:
 * window_image in host.mk. */
#define CODE_IMAGE 0x200000ul
#define RAM_FIRST  0x1000ul /* mfns */
#define RAM_FRAMES 2048ul

struct test_cpu {
	u64 fs_base, gs_base, kernel_gs_base, lstar;
	u64 cr0, cr2, cr4, dr[8];
	u16 segment[4];
	u64 ldt_base, ldt_count;
	u64 now; /* ns, and its time-stamp counter */
	int key; /* what is typed next, or -1 */
	u64 printed;
};

extern struct test_cpu test_cpu;
extern struct cpu test_cpu_structure;

/* RAM, the CPU after boot, the code area. Once in a process. */
void test_machine_make(void);

#endif
