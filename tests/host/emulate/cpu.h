/* SPDX-License-Identifier: MIT */
/*
 * cpu.h - the processor as an oracle: execute one instruction natively in a child process that has
 * nothing of its own to do. The child is traced and never runs a line of ours: each step sets all
 * its registers. Its system calls are all refused, so SYSCALL and INT 80 do no harm.
 */
#ifndef TESTS_HOST_EMULATE_CPU_H
#define TESTS_HOST_EMULATE_CPU_H

#include <sys/types.h>
#include "lib/types.h"

/* What the child has mapped, all of it shared with us: pages that nobody may touch lie around
 * each. */
#define CPU_CODE      0x10000000ul /* one page of code */
#define CPU_DATA      0x20000000ul /* two pages of data */
#define CPU_DATA_SIZE 8192

struct cpu {
	pid_t pid;
	/* What not every hypervisor below this machine lets a user do. */
	bool has_32;	/* it executes 32-bit code */
	bool any_stack; /* RSP may be an address that is not canonical */
	u8 *code, *data; /* our view of the child's pages */
};

struct cpu_state {
	u64 gpr[16]; /* as instructions number them */
	u64 rip, rflags;
	bool is_32;
	bool with_vectors; /* load xmm before the step */
	u8 xmm[16][16];
};

/* How the step ended. The address is of the fault, as CR2 has it; 0 if it was no page fault. */
struct cpu_result {
	int signal; /* SIGTRAP after an instruction that had no fault */
	int code;
	u64 address;
	u16 cs, ss, ds, es, fs, gs;
};

void cpu_start(struct cpu *c); /* ends the test program if it cannot */
void cpu_stop(struct cpu *c);
void cpu_step(struct cpu *c, struct cpu_state *s, struct cpu_result *r);

/* Is the instruction that begins at byte 0 longer than count bytes? They are placed at the end of
 * the code page, and the processor is seen to fetch beyond it or not. */
bool cpu_wants_more(struct cpu *c, const u8 *bytes, size_t count, bool is_32);

#endif
