/* SPDX-License-Identifier: MIT */
/* self-test.h - does this CPU do in ring 1 what all that follows rests on? */
#ifndef RUN_SELF_TEST_H
#define RUN_SELF_TEST_H

#include "arch/x86/cpu/cpu.h"

/* NULL, or what fails, in words for the boot log. Leaves nothing behind. */
const char *self_test(struct cpu *cpu);

#endif
