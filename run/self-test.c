// SPDX-License-Identifier: MIT
/*
 * self-test.c - see self-test.h. A guest of 1 MiB is made by hand: one page of code that both rings
 * may see, one of stack, four page tables. Each step runs to its next exit, which must be the one
 * expected.
 */
#include "run/self-test.h"
#include "arch/x86/cpu/apic.h"
#include "guest-abi/hypercalls.h"
#include "hypercall/hypercall.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/guest-copy.h"
#include "mm/pte.h"

#define CODE  0x1000ul
#define STACK 0x3000ul
#define TABLE 0x8000ul /* of level 4; the others behind it */

/* Each row begins where the one before it faulted; length leads over that instruction. */
static const struct step {
	u8 code[12], length;
	bool user;
	u16 reason;
	u8 error;
	const char *what;
} steps[] = {
    {{0xfa}, 1, false, VECTOR_GP, 0, "CLI in ring 1 does not trap"},
    {{0x0f, 0x0b}, 2, false, VECTOR_UD, 0, "UD2 in ring 1 does not trap"},
    {{0x0f, 0x20, 0xd8}, 3, false, VECTOR_GP, 0, "MOV from CR3 in ring 1 does not trap"},
    {{0xe4, 0x80}, 2, false, VECTOR_GP, 0, "IN in ring 1 does not trap"},
    /* MOV AL to the GDT in the switcher */
    {{0xa2, 0x00, 0x10, 0x00, 0x00, 0x80, 0x87, 0xff, 0xff}, 9, false, VECTOR_PF, 3,
     "ring 1 can write to the switcher"},
    /* MOV AL to the code area */
    {{0xa2, 0x00, 0x00, 0x00, 0x00, 0x00, 0x87, 0xff, 0xff}, 9, false, VECTOR_PF, 3,
     "ring 1 can write to the code area"},
    {{0xfa}, 1, true, VECTOR_GP, 0, "CLI in ring 3 does not trap"},
    /* MOV from the code area to AL */
    {{0xa0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x87, 0xff, 0xff}, 9, true, VECTOR_PF, 5,
     "ring 3 can read the code area"},
    {{0x0f, 0x05}, 2, true, VECTOR_UD, 0, "SYSCALL in ring 3 does not reach ring 1"},
};

static int build(struct guest *g)
{
	const u64 flags = PTE_P | PTE_W | PTE_U | PTE_A;
	u64 at = CODE;
	int error = 0;

	for (unsigned level = 4; level > 1 && !error; level--) {
		u64 table = TABLE + (4 - level) * PAGE_SIZE, entry = (table + PAGE_SIZE) | flags;

		error = guest_copy_write(&g->p2m, GPA(table), &entry, sizeof(entry), NULL);
	}
	for (u64 page = CODE; page <= STACK && !error; page += PAGE_SIZE) {
		u64 user = page == CODE + PAGE_SIZE || page == STACK ? PTE_U : 0;
		u64 entry = page | PTE_P | PTE_W | PTE_A | PTE_D | user;

		error = guest_copy_write(&g->p2m, GPA(TABLE + 3 * PAGE_SIZE + page / 512), &entry,
					 sizeof(entry), NULL);
	}
	/* The same bytes in a page of each ring: SMEP refuses ring 1 the other's. */
	for (unsigned i = 0; i < ARRAY_SIZE(steps) && !error; at += steps[i++].length) {
		u64 page = steps[i].user ? PAGE_SIZE : 0;

		error = guest_copy_write(&g->p2m, GPA(at + page), steps[i].code, steps[i].length,
					 NULL);
	}
	return error;
}

/* Run to the next exit that is not an interrupt or a page that was only missing in the shadows. */
static unsigned run(struct cpu *cpu, struct vcpu *v)
{
	for (unsigned tries = 0; tries < 100; tries++) {
		struct shadow_result result;
		unsigned reason;

		if (v->changed)
			vcpu_load(cpu, v);
		reason = vcpu_run(cpu, v);
		if (reason == VECTOR_PF &&
		    shadow_fault(&v->shadow, GVA(read_cr2()), v->regs.error, vcpu_is_user(v), false,
				 &result) == SHADOW_FIXED)
			continue;
		if (reason < 32 || reason > 255 || reason == GN_HYPERCALL_VECTOR)
			return reason;
		apic_end_of_interrupt();
	}
	return ~0u;
}

static const char *take_steps(struct cpu *cpu, struct vcpu *v)
{
	u64 at = CODE;

	for (unsigned i = 0; i < ARRAY_SIZE(steps); at += steps[i++].length) {
		const struct step *s = &steps[i];

		v->regs.rip = at + (s->user ? PAGE_SIZE : 0);
		v->regs.cs = s->user ? GN_USER_CS : GN_KERNEL_CS;
		v->regs.ss = s->user ? GN_USER_SS : GN_KERNEL_SS;
		if (run(cpu, v) != s->reason || v->regs.error != s->error)
			return s->what;
	}
	/* A hypercall by its slot: SYSCALL in ring 1. */
	v->regs.rip = GN_SLOT(GN_CALL_version);
	v->regs.cs = GN_KERNEL_CS;
	v->regs.ss = GN_KERNEL_SS;
	if (run(cpu, v) != EXIT_HYPERCALL || v->regs.rax != GN_CALL_version)
		return "SYSCALL in ring 1 makes no hypercall";
	return NULL;
}

static struct guest guest; /* of the self-test alone */

const char *self_test(struct cpu *cpu)
{
	const struct guest_config config = {
	    .name = "self-test",
	    .owner = 1,
	    .memory_size = 1ul << 20,
	    .policy = SHADOW_TRAPPED,
	    .shadow_frames = SHADOW_FRAMES_MIN,
	};
	const char *what;
	u64 pages = 0;

	if (guest_create(&guest, &config, &what) == 0) {
		while (pages < config.memory_size >> PAGE_SHIFT &&
		       guest_add_frame(&guest, GFN(pages)) == 0)
			pages++;
		what = "its tables cannot be written";
		vcpu_start(&guest.vcpu, TABLE, CODE, STACK + PAGE_SIZE, 0);
		if (!build(&guest))
			what = take_steps(cpu, &guest.vcpu);
	}
	while (guest_destroy(&guest) == -EAGAIN)
		;
	return what;
}
