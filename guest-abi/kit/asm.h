/* SPDX-License-Identifier: MIT */
/*
 * asm.h - the code area for assembler: GN_CALL_NAME and GN_OP_NAME as symbols, and two macros that
 * reach a slot from anywhere (the code area is beyond the reach of a direct jump).
 */
#ifndef GUEST_ABI_KIT_ASM_H
#define GUEST_ABI_KIT_ASM_H

#include "guest-abi/hypercalls.h"
#include "guest-abi/layout.h"

#define X(number, name, arguments, flags, promise) .set GN_CALL_##name, number ;
#define O(slot, name, reached, promise)		   .set GN_OP_##name, slot ;
GN_HYPERCALLS(X)
GN_OPERATIONS(O)
#undef X
#undef O

/* Make a hypercall, the arguments already in RDI, RSI, RDX, R10, R8. Loses RCX and R11; result in
 * RAX. */
.macro gn_call name
	movabs	$GN_SLOT(GN_CALL_\name), %rax
	call	*%rax
.endm

/* Go to an operation that is reached by a jump: iret, sysret. Touches no register. */
.macro gn_jump name
	.pushsection .rodata
	.balign 8
.Lgn_slot_\@:
	.quad	GN_SLOT(GN_OP_\name)
	.popsection
	jmp	*.Lgn_slot_\@(%rip)
.endm

#endif
