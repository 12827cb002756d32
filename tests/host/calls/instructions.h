/* SPDX-License-Identifier: MIT */
/*
 * instructions.h - included before every file of this test: the instructions that a program on the
 * host cannot execute, and the way into a guest, are functions of the test (cpu.c, world.c). All
 * else of the monitor is compiled as it is.
 */
#ifndef TESTS_HOST_CALLS_INSTRUCTIONS_H
#define TESTS_HOST_CALLS_INSTRUCTIONS_H

#include "arch/x86/cpu/insn.h"
#include "arch/x86/switcher/area.h"

u64 test_rdmsr(u32 msr);
void test_wrmsr(u32 msr, u64 value);
u64 test_rdtsc(void);
u64 test_read_cr0(void);
void test_write_cr0(u64 value);
u64 test_read_cr2(void);
u64 test_read_cr4(void);
void test_write_cr4(u64 value);
u64 test_read_dr6(void);
void test_write_dr(unsigned number, u64 value);
u16 test_read_segment(unsigned segment);
void test_write_segment(unsigned segment, u16 selector);
void test_swapgs(void);
void test_wait_for_interrupt(void);
void test_enter_guest(struct guest_regs *regs);

enum { TEST_DS, TEST_ES, TEST_FS, TEST_GS };

#define rdmsr(msr)	     test_rdmsr(msr)
#define wrmsr(msr, value)    test_wrmsr(msr, value)
#define rdtsc()		     test_rdtsc()
#define read_cr0()	     test_read_cr0()
#define write_cr0(value)     test_write_cr0(value)
#define read_cr2()	     test_read_cr2()
#define read_cr4()	     test_read_cr4()
#define write_cr4(value)     test_write_cr4(value)
#define read_dr6()	     test_read_dr6()
#define write_dr0(value)     test_write_dr(0, value)
#define write_dr1(value)     test_write_dr(1, value)
#define write_dr2(value)     test_write_dr(2, value)
#define write_dr3(value)     test_write_dr(3, value)
#define write_dr6(value)     test_write_dr(6, value)
#define write_dr7(value)     test_write_dr(7, value)
#define read_ds()	     test_read_segment(TEST_DS)
#define read_es()	     test_read_segment(TEST_ES)
#define read_fs()	     test_read_segment(TEST_FS)
#define read_gs()	     test_read_segment(TEST_GS)
#define write_ds(selector)   test_write_segment(TEST_DS, selector)
#define write_es(selector)   test_write_segment(TEST_ES, selector)
#define write_fs(selector)   test_write_segment(TEST_FS, selector)
#define write_gs(selector)   test_write_segment(TEST_GS, selector)
#define swapgs()	     test_swapgs()
#define wait_for_interrupt() test_wait_for_interrupt()
#define switcher_enter(regs) test_enter_guest(regs)

#endif
