/* SPDX-License-Identifier: MIT */
/*
 * calls.h - a C function gn_NAME() for each hypercall of guest-abi/hypercalls.h, with the arguments
 * by the names given there. A result from -4095 to -1 is the negative of a GN_ error.
 *
 * Each is a call to its slot of the code area. The call pushes a return address, so build a kernel
 * that uses this with -mno-red-zone, as every kernel that takes interrupts on its own stack must
 * be.
 */
#ifndef GUEST_ABI_KIT_CALLS_H
#define GUEST_ABI_KIT_CALLS_H

#include <stdint.h>
#include "guest-abi/hypercalls.h"
#include "guest-abi/layout.h"

/*
 * An argument list becomes: the parameters, what must be moved into a register that no constraint
 * names, and the operands. All are read and written, since a long call may advance its arguments.
 */
#define GN_R10(value) register uint64_t r10 __asm__("r10") = value;
#define GN_R8(value)  register uint64_t r8 __asm__("r8") = value;

/* clang-format off */
#define A0()		  (void), ,
#define A1(a)		  (uint64_t a), , , "+D"(a)
#define A2(a, b)	  (uint64_t a, uint64_t b), , , "+D"(a), "+S"(b)
#define A3(a, b, c)	  (uint64_t a, uint64_t b, uint64_t c), , , "+D"(a), "+S"(b), "+d"(c)
#define A4(a, b, c, d)	  (uint64_t a, uint64_t b, uint64_t c, uint64_t d), GN_R10(d), , \
			  "+D"(a), "+S"(b), "+d"(c), "+r"(r10)
#define A5(a, b, c, d, e) (uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e), \
			  GN_R10(d) GN_R8(e), , "+D"(a), "+S"(b), "+d"(c), "+r"(r10), "+r"(r8)
/* clang-format on */

#define GN_WRAPPER(number, name, parameters, moves, ...)                                           \
	static inline int64_t gn_##name parameters                                                 \
	{                                                                                          \
		int64_t rax = (int64_t)GN_SLOT(number);                                            \
		moves                                                                              \
		__asm__ volatile("call *%0"                                                        \
				 : "+a"(rax) __VA_ARGS__                                           \
				 :                                                                 \
				 : "rcx", "r11", "memory", "cc");                                  \
		return rax;                                                                        \
	}
#define X(number, name, arguments, flags, promise) GN_WRAPPER(number, name, arguments)
GN_HYPERCALLS(X)
#undef X
#undef GN_WRAPPER
#undef A0
#undef A1
#undef A2
#undef A3
#undef A4
#undef A5
#undef GN_R10
#undef GN_R8

#endif
