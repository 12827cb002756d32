/* SPDX-License-Identifier: MIT */
/*
 * programs.h - what the user image can do, for the kernel that starts it and for itself. A program
 * gets its number in RDI and an argument in RSI; it returns a status, 0 if it is content.
 */
#ifndef GUESTS_TOUR_USER_PROGRAMS_H
#define GUESTS_TOUR_USER_PROGRAMS_H

enum program {
	PROGRAM_HELLO,	  /* make every system call that returns */
	PROGRAM_CALLS,	  /* make argument system calls */
	PROGRAM_OWN_PAGE, /* write argument to the heap, yield, is it still there? */
	PROGRAM_TOUCH,	  /* write to argument pages of heap and read them back */
	PROGRAM_SPIN,	  /* never give the processor up */
	PROGRAM_DOZE,	  /* sleep argument ms at a time, for ever */
	PROGRAM_NAP,	  /* sleep argument ms once */
	PROGRAM_OFFEND,	  /* do the offence of that number */
};

/*
 * What a process must not do, and the exception by which it is ended.
 * X(NAME, vector, "what it does")
 */
/* clang-format off */
#define OFFENCES(X) \
	X(READ_NULL, VECTOR_PF, "reads address 0") \
	X(WRITE_TEXT, VECTOR_PF, "writes to its own text") \
	X(EXECUTE_HEAP, VECTOR_PF, "jumps into its heap") \
	X(READ_KERNEL, VECTOR_PF, "reads the kernel") \
	X(READ_CODE_AREA, VECTOR_PF, "reads the code area") \
	X(JUMP_CODE_AREA, VECTOR_PF, "calls a hypercall's slot") \
	X(WRITE_VCPU_PAGE, VECTOR_PF, "writes to the vcpu page") \
	X(READ_SWITCHER, VECTOR_PF, "reads the switcher") \
	X(READ_MONITOR, VECTOR_PF, "reads the monitor") \
	X(JUMP_NOWHERE, VECTOR_GP, "jumps to an address that is not canonical") \
	X(INT_HYPERCALL, VECTOR_GP, "makes a hypercall by INT") \
	X(INT_TIMER, VECTOR_GP, "raises the timer's vector by INT") \
	X(DO_CLI, VECTOR_GP, "turns interrupts off") \
	X(DO_HLT, VECTOR_GP, "halts") \
	X(DO_IN, VECTOR_GP, "reads an I/O port") \
	X(DO_RDMSR, VECTOR_GP, "reads an MSR") \
	X(DO_MOV_CR3, VECTOR_GP, "writes CR3") \
	X(DO_LGDT, VECTOR_GP, "loads a GDT") \
	X(LOAD_MONITOR_SS, VECTOR_GP, "loads the monitor's selector") \
	X(DO_UD2, VECTOR_UD, "executes UD2") \
	X(DIVIDE, VECTOR_DE, "divides by 0")
/* clang-format on */

enum offence {
#define X(name, vector, text) OFFENCE_##name,
	OFFENCES(X)
#undef X
	    OFFENCE_COUNT
};

#endif
