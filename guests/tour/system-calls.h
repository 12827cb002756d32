/* SPDX-License-Identifier: MIT */
/*
 * system-calls.h - the system calls of the tour kernel. RAX = number, RDI, RSI = arguments, result
 * in RAX, negative for "no". Used by the kernel and by user/.
 */
#ifndef GUESTS_TOUR_SYSTEM_CALLS_H
#define GUESTS_TOUR_SYSTEM_CALLS_H

enum system_call {
	SYSTEM_EXIT,   /* (status) */
	SYSTEM_WRITE,  /* (address, size) to the console; returns size */
	SYSTEM_NUMBER, /* () returns the process's number */
	SYSTEM_YIELD,  /* () */
	SYSTEM_SLEEP,  /* (ms) */
};

#endif
