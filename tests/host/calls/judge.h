/* SPDX-License-Identifier: MIT */
/*
 * judge.h - what must hold whenever a guest is entered, whatever it has done. The first thing that
 * does not is a panic.
 */
#ifndef TESTS_HOST_CALLS_JUDGE_H
#define TESTS_HOST_CALLS_JUDGE_H

#include "tests/host/calls/attacker.h"

/* The registers that it gets, and the CPU's. */
void judge_entry(const struct vcpu *v);
/* The shadows' invariants, all that its root leads to, and its descriptors. Takes long. */
void judge_guest(struct guest *g);
/* The answer to a call. */
void judge_answer(const struct attacker_call *call, const struct guest_regs *after);
/* The monitor's work since judge_work_begin() was bounded. */
void judge_work_begin(unsigned reason, u64 call);
void judge_work_end(void);

#endif
