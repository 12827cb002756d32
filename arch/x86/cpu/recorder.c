// SPDX-License-Identifier: MIT
/* recorder.c - see recorder.h. */
#include "arch/x86/cpu/recorder.h"
#include "arch/x86/switcher/area.h"
#include "lib/log.h"

static void print(const struct record *r)
{
	static const char *const names[] = {
		[EXIT_HYPERCALL - 256] = "hypercall",
		[EXIT_COMPAT_SYSCALL - 256] = "32-bit SYSCALL",
		[EXIT_RETURN_FAULT - 256] = "fault of the return to the guest",
	};

	if (r->reason >= 256)
		log_error("   guest %u, %s, RIP %#lx, RAX %#lx", r->guest, names[r->reason - 256],
			  r->rip, r->rax);
	else
		log_error("   guest %u, vector %u in ring %u, RIP %#lx, RAX %#lx, error %#lx",
			  r->guest, r->reason, r->cs & 3, r->rip, r->rax, r->error);
}

static const struct record *at(const struct recorder *r, u64 age)
{
	return &r->record[(r->next - age) % RECORDER_SIZE];
}

void recorder_print(const struct recorder *r, u16 guest, unsigned count)
{
	u64 oldest = 0;

	for (u64 age = 1; age <= RECORDER_SIZE && count; age++) {
		const struct record *record = at(r, age);

		if (!record->guest || (guest && record->guest != guest))
			continue;
		oldest = age;
		count--;
	}
	for (u64 age = oldest; age; age--)
		if (at(r, age)->guest && (!guest || at(r, age)->guest == guest))
			print(at(r, age));
}
