/* SPDX-License-Identifier: MIT */
/*
 * attacker.h - a hostile guest: what it does whenever the monitor has entered it, until its next
 * exit. A step is a number, from which all of it follows: what it stores, how it leaves.
 */
#ifndef TESTS_HOST_CALLS_ATTACKER_H
#define TESTS_HOST_CALLS_ATTACKER_H

#include "tests/host/calls/memory.h"
#include "tests/host/shadow/hardware.h"

/* A call that is under way: the monitor may ask for it again. */
struct attacker_call {
	bool is_made;
	bool is_xen;
	u64 number, rip; /* behind the instruction */
	struct guest_regs regs;
	unsigned restarts;
};

/* An access that has faulted, and is made again where RIP comes back. */
struct attacker_access {
	bool is_made;
	u64 gva, value;
	struct shadow_access access;
	unsigned tries;
};

struct attacker {
	struct memory memory;
	bool is_alive; /* memory.g may be looked at */
	bool is_built;
	bool is_kernel;	   /* the call that ends its loader has been obeyed */
	unsigned prepared; /* how many of the calls that it begins with are made */
	u64 abi;	   /* what it will ask for */
	struct attacker_call call;
	struct attacker_access access;
	struct hardware hardware;
};

/* It has been entered. Returns when it has left; the exit's reason is in its registers. */
void attacker_run(struct attacker *a);

#endif
