// SPDX-License-Identifier: MIT
/*
 * trap.c - where exceptions and events arrive, and what is done about them. Everything here looks
 * as it would on hardware, but that LIDT, LGDT and WRMSR are calls.
 */
#include "guests/tour/trap.h"
#include "guest-abi/kit/calls.h"
#include "guest-abi/kit/memory.h"
#include "guest-abi/kit/operations.h"
#include "guests/tour/console.h"
#include "guests/tour/process.h"
#include "guests/tour/timer.h"

/* SDM 3A 6.14.1. */
struct gate {
	uint16_t offset_low, selector;
	uint8_t ist, type;
	uint16_t offset_middle;
	uint32_t offset_high, zero;
};

#define GATE_INTERRUPT 0x8e /* present, vif becomes 0 */
#define GATE_USER      0x60 /* ring 3 may INT it */

/* Flat, as 64-bit code ignores bases and limits (SDM 3A 3.4.5). Ring 0 here is ring 1 in truth. */
#define KERNEL_CODE 0x00af9b000000ffff
#define KERNEL_DATA 0x00cf93000000ffff
#define USER_CODE   0x00affb000000ffff
#define USER_DATA   0x00cff3000000ffff

#define FLAGS_TO_CLEAR 0x47700 /* by SYSCALL: AC NT IOPL DF IF TF */

#define IST_FAULT 1

extern const char trap_stubs[], system_call_entry[], attempt_stopped[];
extern uint64_t attempt_rsp;
void trap_handle(struct frame *f);

struct refusal trap_last_refusal;
volatile uint64_t trap_self_events;

static char fault_stack[8192] __attribute__((aligned(16)));

const char *trap_name(unsigned vector)
{
	static const char *const names[32] = {
	    [VECTOR_DE] = "#DE", [1] = "#DB",	      [VECTOR_BP] = "#BP", [VECTOR_OF] = "#OF",
	    [5] = "#BR",	 [VECTOR_UD] = "#UD", [7] = "#NM",	   [VECTOR_DF] = "#DF",
	    [10] = "#TS",	 [11] = "#NP",	      [12] = "#SS",	   [VECTOR_GP] = "#GP",
	    [VECTOR_PF] = "#PF", [16] = "#MF",	      [17] = "#AC",	   [19] = "#XM",
	};

	return vector < 32 && names[vector] ? names[vector] : "another exception";
}

/* The double fault has a stack of its own always. */
static void load_gates(uint8_t ist)
{
	struct gate gates[TRAP_VECTORS];

	for (unsigned i = 0; i < TRAP_VECTORS; i++) {
		uint64_t stub = (uint64_t)trap_stubs + 16ul * i;
		bool user = i == VECTOR_BP || i == VECTOR_OF;

		gates[i] = (struct gate){
		    .offset_low = stub,
		    .offset_middle = stub >> 16,
		    .offset_high = stub >> 32,
		    .selector = GN_GUEST_KERNEL_CS,
		    .ist = i == VECTOR_DF ? IST_FAULT : ist,
		    .type = GATE_INTERRUPT | (user ? GATE_USER : 0),
		};
	}
	gn_set_idt((uint64_t)gates, 0, TRAP_VECTORS);
}

/* The same descriptors as the default, written out: a kernel may have others. */
static void load_descriptors(void)
{
	uint64_t gdt[GN_USER_CS / 8 + 1] = {
	    [GN_GUEST_KERNEL_CS / 8] = KERNEL_CODE,
	    [GN_GUEST_KERNEL_SS / 8] = KERNEL_DATA,
	    [GN_USER_SS / 8] = USER_DATA,
	    [GN_USER_CS / 8] = USER_CODE,
	};

	gn_set_gdt((uint64_t)gdt, 0, sizeof(gdt) / sizeof(gdt[0]));
}

void trap_load_tables(void)
{
	load_descriptors();
	gn_set_ist(IST_FAULT, (uint64_t)fault_stack + sizeof(fault_stack));
	load_gates(0);
	gn_set_syscall_entry((uint64_t)system_call_entry, FLAGS_TO_CLEAR);
}

void trap_use_own_stack(bool own)
{
	load_gates(own ? IST_FAULT : 0);
}

/* ---- what arrives ---- */

/* An attempt() was stopped: go on behind it, whatever ring and stack this comes from. */
static void stop_attempt(struct frame *f)
{
	trap_last_refusal = (struct refusal){
	    .vector = f->vector,
	    .error = f->error,
	    .rip = f->rip,
	    .cr2 = f->vector == VECTOR_PF ? gn_get_cr2() : 0,
	};
	f->rax = f->vector;
	f->rip = (uint64_t)attempt_stopped;
	f->cs = GN_GUEST_KERNEL_CS;
	f->rflags = 0;
	f->rsp = attempt_rsp;
	f->ss = GN_GUEST_KERNEL_SS;
}

/* The kernel's own mistake: say so in both places where somebody may look, and end. */
static _Noreturn void die(const struct frame *f)
{
	char text[GN_SHUTDOWN_TEXT + 1];

	format(text, sizeof(text), "%s in the kernel at %x, error code %x, CR2 %x",
	       trap_name(f->vector), f->rip, f->error, gn_get_cr2());
	print("tour: %s\n", text);
	shut_down(GN_SHUTDOWN_CRASH, text);
}

static void exception(struct frame *f)
{
	if (attempt_rsp)
		stop_attempt(f);
	else if (!frame_is_user(f))
		die(f);
	else if (f->vector != VECTOR_PF || !process_page_fault(gn_get_cr2(), f->error))
		process_fault(f);
}

static void event(struct frame *f)
{
	switch (f->vector) {
	case VECTOR_TIMER:
		timer_event();
		if (frame_is_user(f))
			process_tick();
		break;
	case VECTOR_CONSOLE:
		console_event();
		break;
	case VECTOR_SELF:
		trap_self_events++;
		break;
	}
}

/* Called by entry.S with vif 0. What is in the frame afterwards is what will be returned to. */
void trap_handle(struct frame *f)
{
	if (f->vector < 32)
		exception(f);
	else
		event(f);
}
