// SPDX-License-Identifier: MIT
/*
 * show-faults.c - exceptions arrive in the kernel as on hardware: those of ring 3, for which the
 * process is ended, and the kernel's own, which it can survive if it is prepared (attempt,
 * entry.S).
 */
#include "guests/tour/check.h"
#include "guests/tour/console.h"
#include "guests/tour/process.h"

static const struct {
	const char *text;
	int64_t vector;
} offences[] = {
#define X(name, vector, text) [OFFENCE_##name] = {text, vector},
	OFFENCES(X)
#undef X
};

static void offend(enum offence offence)
{
	struct process record = process_wait(process_start("offender", PROGRAM_OFFEND, offence));
	char what[64], how[64];

	format(what, sizeof(what), "a process %s", offences[offence].text);
	format(how, sizeof(how), "ended by %s",
	       record.vector < 0 ? "itself" : trap_name(record.vector));
	check(record.vector == offences[offence].vector, what, how);
}

static void read_from(uint64_t address)
{
	(void)*(volatile char *)address;
}

static void divide(uint64_t by)
{
	__asm__ volatile("div %0" : : "r"(by), "a"(1), "d"(0));
}

static void breakpoint(uint64_t unused)
{
	(void)unused;
	__asm__ volatile("int3");
}

/* A page fault whose frame cannot be pushed. The double fault has a stack of its own. */
static void lose_stack(uint64_t rsp)
{
	__asm__ volatile("mov %0, %%rsp; push %0" : : "r"(rsp) : "memory");
}

void show_faults(void)
{
	for (unsigned i = 0; i < OFFENCE_COUNT; i++)
		offend(i);
	check(attempt(read_from, 0) == VECTOR_PF && trap_last_refusal.cr2 == 0,
	      "the kernel reads address 0", "#PF");
	check(attempt(read_from, 1ul << 63) == VECTOR_GP,
	      "it reads an address that is not canonical", "#GP");
	check(attempt(divide, 0) == VECTOR_DE, "it divides by 0", "#DE");
	check(attempt(breakpoint, 0) == VECTOR_BP, "it has a breakpoint", "#BP");
	check(attempt(lose_stack, 0x1000) == VECTOR_DF, "it loses its stack", "#DF");
}
