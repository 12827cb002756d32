// SPDX-License-Identifier: MIT
/* fpu.c - XSAVE where the CPU has it, else FXSAVE (SDM 1 chapters 10 and 13). */
#include "arch/x86/cpu/features.h"
#include "arch/x86/cpu/fpu.h"
#include "arch/x86/cpu/insn.h"
#include "lib/string.h"

#define XCR0_X87_SSE 0x03ul
#define XCR0_AVX     0x04ul
#define XCR0_AVX512  0xe0ul
#define XCR0_USED    (XCR0_X87_SSE | XCR0_AVX | XCR0_AVX512)

#define OFFSET_FCW   0
#define OFFSET_MXCSR 24
#define FCW_RESET    0x037f
#define MXCSR_RESET  0x1f80

static u64 xcr0; /* (c) after the first fpu_init_cpu() */

/* The last one on each line is void without the one before (SDM 1 13.3). */
static u64 choose_xcr0(void)
{
	struct cpuid state = cpuid(0xd, 0);
	u64 mask = state.a & XCR0_USED;

	if (!(mask & XCR0_AVX) || (mask & XCR0_AVX512) != XCR0_AVX512)
		mask &= ~XCR0_AVX512;
	/* The highest component's end is the whole size: a CPU that orders them otherwise gets
	 * less. */
	if (mask & XCR0_AVX512) {
		struct cpuid last = cpuid(0xd, 7);

		if (last.a + last.b > FPU_STATE_SIZE)
			mask &= ~XCR0_AVX512;
	}
	return mask;
}

void fpu_init_cpu(void)
{
	if (!cpu_features.xsave)
		return;
	if (!xcr0)
		xcr0 = choose_xcr0();
	xsetbv(0, xcr0);
}

u64 fpu_xcr0(void)
{
	return xcr0;
}

/* A zero XSAVE header means that every register is in its first state, but MXCSR is loaded as it
 * is. */
void fpu_state_init(struct fpu_state *state)
{
	const u16 fcw = FCW_RESET;
	const u32 mxcsr = MXCSR_RESET;

	memset(state, 0, sizeof(*state));
	memcpy(state->bytes + OFFSET_FCW, &fcw, sizeof(fcw));
	memcpy(state->bytes + OFFSET_MXCSR, &mxcsr, sizeof(mxcsr));
}

void fpu_save(struct fpu_state *state)
{
	if (xcr0)
		__asm__ volatile("xsave64 %0" : "+m"(*state) : "a"((u32)xcr0), "d"(0));
	else
		__asm__ volatile("fxsave64 %0" : "=m"(*state));
}

void fpu_restore(const struct fpu_state *state)
{
	if (xcr0)
		__asm__ volatile("xrstor64 %0" : : "m"(*state), "a"((u32)xcr0), "d"(0));
	else
		__asm__ volatile("fxrstor64 %0" : : "m"(*state));
}
