// SPDX-License-Identifier: MIT
/*
 * show-attacks.c - what a kernel in ring 1 must not do. A line for each: the exception by which it
 * was refused. Some instructions are emulated instead, on the guest's own virtual CPU alone.
 *
 *   (i)   instructions
 *   (ii)  memory of the monitor
 *   (iii) the guest's own tables
 *   (iv)  selectors and returns
 *   (v)   into the middle of the switcher
 *
 * An attack may leave RSP anywhere, so all gates have a stack of their own meanwhile. These are for
 * show; tests/guest goes deeper.
 */
#include <stddef.h>
#include "guest-abi/kit/calls.h"
#include "guest-abi/kit/clock.h"
#include "guests/tour/attacks.h"
#include "guests/tour/check.h"
#include "guests/tour/console.h"
#include "guests/tour/memory.h"
#include "guests/tour/process.h"
#include "guests/tour/space.h"
#include "guests/tour/timer.h"

/* The monitor's addresses as an attacker would guess them; none of them is promised. */
#define SWITCHER	0xffff878000000000
#define SWITCHER_TEXT	(SWITCHER + 0x10000)
#define SWITCHER_PAGES	32
#define MONITOR_IMAGE	0xffff878040000000
#define MONITOR_DIRECT	0xffff880000000000
#define MONITOR_DEVICES 0xffff888000000000

#define NOWHERE	       0x700000000000		      /* where we have nothing mapped */
#define VCPU_PAGE_LAST (GN_VCPU_PAGE + PAGE_SIZE - 1) /* a byte that means nothing */
#define RET	       0xc3

static void describe(char *how, size_t size, int vector, bool may_return)
{
	if (vector == ATTEMPT_DONE)
		format(how, size, "%s",
		       may_return ? "emulated, for this guest alone" : "it was done");
	else
		format(how, size, "refused: %s, error code %x", trap_name(vector),
		       trap_last_refusal.error);
}

/* Refused by any exception; or, if it may be emulated, done without effect outside this guest. */
static void expect_refusal(const char *what, void (*act)(uint64_t), uint64_t argument,
			   bool may_return)
{
	int vector = attempt(act, argument);
	char how[64];

	gn_cli();
	if (vector == ATTEMPT_DONE) { /* it may have cost us our tables, or CR0.WP */
		attempt(attack_restore, 0);
		trap_load_tables();
		trap_use_own_stack(true);
	}
	describe(how, sizeof(how), vector, may_return);
	check(vector != ATTEMPT_DONE || may_return, what, how);
}

/* ---- (i) ---- */

static void instructions(void)
{
	attack_result = 0;
	for (size_t i = 0; i < attack_instruction_count; i++) {
		const struct attack *a = &attack_instructions[i];

		expect_refusal(a->what, a->act, 0, a->may_return);
	}
	check(attack_result < SWITCHER || attack_result >= MONITOR_DEVICES,
	      "no MSR told an address of the monitor", "");
}

/* ---- (ii) ---- */

static void read_from(uint64_t address)
{
	(void)*(volatile uint64_t *)address;
}

static void write_to(uint64_t address)
{
	*(volatile uint64_t *)address = 0;
}

static void jump_to(uint64_t address)
{
	__asm__ volatile("call *%0" : : "r"(address) : "memory");
}

static void monitor_memory(void)
{
	unsigned writable = 0;
	char how[64];

	expect_refusal("read the monitor's image", read_from, MONITOR_IMAGE, false);
	expect_refusal("read all RAM through the monitor's map", read_from, MONITOR_DIRECT, false);
	expect_refusal("read the monitor's devices", read_from, MONITOR_DEVICES, false);
	expect_refusal("write to the code area", write_to, GN_CODE_AREA, false);
	*(volatile unsigned char *)VCPU_PAGE_LAST = RET;
	expect_refusal("execute the vcpu page", jump_to, VCPU_PAGE_LAST, false);
	for (unsigned i = 0; i < SWITCHER_PAGES; i++)
		writable +=
		    attempt(write_to, SWITCHER + i * PAGE_SIZE + PAGE_SIZE / 2) == ATTEMPT_DONE;
	format(how, sizeof(how), "%u of %u pages took a store: the entry stack, at most",
	       (uint64_t)writable, (uint64_t)SWITCHER_PAGES);
	check(writable <= 1, "write to the switcher", how);
}

/* ---- (iii) ---- */

/* Put own tables, all of whose entries lead to one own page, where the monitor's are. */
static void own_entries(void)
{
	uint64_t *top = memory_at(space_kernel), page = memory_take(), tables[3], below = page;
	uint64_t code = *(volatile uint64_t *)GN_CODE_AREA;
	bool kept, usable;

	for (unsigned level = 0; level < 3; level++) {
		uint64_t *entry = memory_at(tables[level] = memory_take());

		for (unsigned i = 0; i < 512; i++)
			entry[i] = below | SPACE_PRESENT | SPACE_WRITE;
		below = tables[level];
	}
	for (unsigned slot = GN_RESERVED_FIRST_SLOT; slot <= GN_RESERVED_LAST_SLOT; slot++)
		top[slot] = below | SPACE_PRESENT | SPACE_WRITE;
	gn_flush_tlb();
	kept = *(volatile uint64_t *)GN_CODE_AREA == code;
	usable = attempt(write_to, GN_CODE_AREA) == ATTEMPT_DONE;
	usable |= attempt(read_from, MONITOR_IMAGE) == ATTEMPT_DONE;
	check(kept && !usable, "map own pages over the window and the switcher",
	      kept && !usable ? "ignored" : "mapped");
	for (unsigned slot = GN_RESERVED_FIRST_SLOT; slot <= GN_RESERVED_LAST_SLOT; slot++)
		top[slot] = 0;
	gn_flush_tlb();
	for (unsigned level = 0; level < 3; level++)
		memory_give(tables[level]);
	memory_give(page);
}

/* An entry may name any physical address. To touch what is not this guest's would end it, so it is
 * the monitor that is asked to. */
static void foreign_memory(void)
{
	const uint64_t at = KERNEL_OFFSET + 0x20000000, far = 1ul << 36;

	gn_pte_set(space_entry(space_kernel, at, true), far | SPACE_PRESENT | SPACE_NO_EXECUTE);
	gn_invalidate_page(at);
	check(gn_console_write(at, 1) == -GN_EFAULT, "let a call read beyond this guest's RAM",
	      "-EFAULT");
	gn_pte_set(space_entry(space_kernel, at, true), 0);
	gn_invalidate_page(at);
}

/* ---- (iv) ---- */

static void load_ds(uint64_t selector)
{
	__asm__ volatile("mov %0, %%ds" : : "r"(selector));
}

static void load_ss(uint64_t selector)
{
	__asm__ volatile("mov %0, %%ss" : : "r"(selector));
}

static void far_return(uint64_t selector)
{
	__asm__ volatile("push %0; lea 1f(%%rip), %%rax; push %%rax; lretq; 1:"
			 :
			 : "r"(selector)
			 : "rax");
}

static void set_descriptor(uint64_t descriptor)
{
	if (gn_set_gdt((uint64_t)&descriptor, 20, 1) < 0)
		__asm__ volatile("ud2"); /* refused: make it an exception like the rest */
}

static void selectors(void)
{
	expect_refusal("load the monitor's data selector into DS", load_ds, 0xf88, false);
	expect_refusal("load the monitor's TSS into DS", load_ds, 0xfa0, false);
	expect_refusal("load the monitor's data selector into SS", load_ss, 0xf88, false);
	expect_refusal("return to the monitor's code selector", far_return, 0xf80, false);
	expect_refusal("return to the monitor's TSS", far_return, 0xfa0, false);
	expect_refusal("ask for a call gate", set_descriptor, 0x00008c0000080000, false);
	expect_refusal("ask for a conforming code segment", set_descriptor, 0x00af9f000000ffff,
		       false);
}

#define NO_ADDRESS 0x8000000000000000

static const struct {
	const char *what;
	struct gn_iret_frame frame;
} returns[] = {
    {"iret to ring 0's code", {0, 0xf80 | 3, 2, 0, GN_USER_SS}},
    {"iret to a TSS", {0, 0xfa0 | 3, 2, 0, GN_USER_SS}},
    {"iret with ring 0's stack selector", {0, GN_USER_CS, 2, 0, 0xf88 | 3}},
    {"iret with selectors that are no descriptor", {0, 0xfffb, 2, 0, 0xfffb}},
    {"iret of the kernel to an address that is not canonical",
     {NO_ADDRESS, GN_GUEST_KERNEL_CS, 2, 0, 0}},
    {"iret of a process to an address that is not canonical",
     {NO_ADDRESS, GN_USER_CS, 2, 0, GN_USER_SS}},
    {"iret of a process into the switcher", {SWITCHER_TEXT, GN_USER_CS, 2, 0, GN_USER_SS}},
    {"iret with IOPL 3, NT, VM and all reserved flags",
     {0, GN_USER_CS, ~0x200ul & 0xffffffff, 0, GN_USER_SS}},
};

static void through_slot(uint64_t frame)
{
	attack_iret((const struct gn_iret_frame *)frame, GN_SLOT(GN_OP_iret));
}

static void raw(uint64_t frame)
{
	attack_iret((const struct gn_iret_frame *)frame, (uint64_t)attack_iretq);
}

static void iret(void)
{
	struct gn_iret_frame ring0 = {(uint64_t)attack_iretq, GN_GUEST_KERNEL_CS, 2, 0, 0};

	for (size_t i = 0; i < sizeof(returns) / sizeof(returns[0]); i++)
		expect_refusal(returns[i].what, through_slot, (uint64_t)&returns[i].frame, false);
	expect_refusal("IRETQ to CPL 0", raw, (uint64_t)&ring0, false);
}

/* ---- (v) ---- */

/* At CPL 1 its instructions can do what any of ours could, up to the first that is privileged. */
static void switcher_text(void)
{
	unsigned survived = 0, tried = 0;
	char how[64];

	/* Its way for system calls ends where a system call of ours begins: nowhere, meanwhile. */
	gn_set_syscall_entry(NOWHERE, 0);
	for (uint64_t at = SWITCHER_TEXT; at < SWITCHER_TEXT + PAGE_SIZE; at += 16, tried++) {
		gn_sti(); /* bytes that happen to be HLT must not be for ever */
		survived += attempt(attack_jump, at) != ATTEMPT_DONE;
		gn_cli();
	}
	format(how, sizeof(how), "%u of %u jumps refused", (uint64_t)survived, (uint64_t)tried);
	check(survived == tried, "run the switcher's text", how);
}

/* What was attacked must still work, for us as for everybody. */
static void aftermath(void)
{
	uint64_t ticks = timer_ticks();
	struct process hello;

	process_sleep(3 * TIMER_TICK);
	check(timer_ticks() > ticks, "afterwards the timer still ticks", "");
	hello = process_wait(process_start("calls", PROGRAM_CALLS, 10));
	check(hello.vector < 0 && !hello.status, "and processes still run", "");
}

void show_attacks(void)
{
	trap_use_own_stack(true);
	attempt(attack_remember, 0);
	instructions();
	monitor_memory();
	own_entries();
	foreign_memory();
	selectors();
	iret();
	switcher_text();
	trap_load_tables(); /* also takes exceptions back to the ordinary stacks */
	aftermath();
}
