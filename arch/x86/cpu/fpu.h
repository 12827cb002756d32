/* SPDX-License-Identifier: MIT */
/*
 * fpu.h - the FPU, SSE and AVX registers of a vCPU, exchanged whole at each switch between vCPUs.
 * The monitor itself uses none of them, so they stay in the CPU while it runs.
 */
#ifndef CPU_FPU_H
#define CPU_FPU_H

#include "lib/compiler.h"
#include "lib/types.h"

/* The standard XSAVE format up to the last AVX-512 register (SDM 1 13.4), in order and without
 * gaps. */
#define FPU_STATE_SIZE 2688
#define FPU_XMM	       160 /* where XMM0 is */

struct fpu_state {
	u8 bytes[FPU_STATE_SIZE];
} __aligned(64);

void fpu_init_cpu(void);		      /* on each CPU, after cpu_set_controls() */
u64 fpu_xcr0(void);			      /* 0: the CPU has no XSAVE */
void fpu_state_init(struct fpu_state *state); /* as after a reset */
void fpu_save(struct fpu_state *state);
void fpu_restore(const struct fpu_state *state);

#endif
