/* SPDX-License-Identifier: MIT */
/*
 * world.h - a small machine behind the emulator's operations, for the tests: one page of code and
 * two of data where cpu.h's child has them, nothing mapped elsewhere; control registers, tables and
 * MSRs as plain variables. What changes the machine other than its memory is noted in words.
 */
#ifndef TESTS_HOST_EMULATE_WORLD_H
#define TESTS_HOST_EMULATE_WORLD_H

#include "arch/x86/emulate/emulate.h"
#include "arch/x86/emulate/private.h"
#include "tests/host/emulate/cpu.h"

#define WORLD_MSRS 8

struct world {
	struct emulate e;
	struct emulate_registers r;
	u8 code[4096];
	u8 data[CPU_DATA_SIZE];
	bool data_read_only; /* the second data page is */
	bool interrupt_flag;
	u64 cr[9], dr[8];
	struct {
		u32 index;
		u64 value;
	} msr[WORLD_MSRS];
	struct emulate_segment segment[SEGMENT_COUNT];
	struct emulate_table_register table[2];
	u16 selector[2];
	u64 descriptors[16]; /* the GDT */
	u32 features;	     /* returned by CPUID in all registers, if the leaf is a feature's */
	u8 vectors[16][16];
	struct emulate_transfer transfer;
	char notes[256];	/* what operations did, separated by spaces */
	unsigned fetched[4096]; /* how often each byte of code was */
	/* Told what each fetch delivered. */
	void (*on_fetch)(struct world *w, u64 linear, const u8 *bytes, size_t size);
};

/* A flat 64-bit machine at CPL 0, everything allowed, RIP at the code page. */
void world_reset(struct world *w);
void world_set_mode(struct world *w, enum decode_mode mode);

/* Decode and execute what lies at RIP. */
enum emulate_verdict world_run(struct world *w);

#endif
