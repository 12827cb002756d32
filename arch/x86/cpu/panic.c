// SPDX-License-Identifier: MIT
/*
 * panic.c - the monitor's last words: why, registers, and who called whom. Everything is read with
 * care, as the state is wrong by definition: the backtrace stays within the stack that it began on,
 * and a second panic on the way says so and stops.
 */
#include "arch/x86/cpu/apic.h"
#include "arch/x86/cpu/cpu.h"
#include "arch/x86/cpu/insn.h"
#include "arch/x86/cpu/panic.h"
#include "arch/x86/cpu/poweroff.h"
#include "arch/x86/cpu/symbols.h"
#include "boot/layout.h"
#include "lib/bug.h"
#include "lib/log.h"
#include "lib/print.h"

#define BACKTRACE_MAX 24
#define RECORDED      16 /* exits of each CPU */
#define CALL_REL32    0xe8 /* and four bytes; indirect calls go to thunks by it, too */
#define CALL_SIZE     5

static u32 panics; /* (a) */

extern const u8 boot_stack[], boot_stack_top[];

static void print_place(const char *what, u64 address)
{
	u64 offset;
	const char *name = symbols_lookup(address, &offset);

	if (name)
		log_error("%s %s+0x%lx", what, name, offset);
	else
		log_error("%s 0x%016lx", what, address);
}

/* A CPU's stack ends where a guard page begins. */
static bool is_on_stack(u64 address)
{
	if (address >= CPU_BASE && address < DIRECT_BASE)
		return !cpu_is_guard_page(address);
	return address >= (u64)boot_stack && address < (u64)boot_stack_top;
}

static bool is_return_address(u64 word)
{
	return symbols_is_text(word - CALL_SIZE) && symbols_is_text(word) &&
	       *(const u8 *)(word - CALL_SIZE) == CALL_REL32;
}

/* Functions keep no frame pointers, so each word on the stack that leads behind a call is told:
 * among them may be some that calls long since over have left, once for each row of equals. */
static void print_backtrace(u64 stack)
{
	u64 last = 0;
	int found = 0;

	for (u64 at = ALIGN_UP(stack, 8); is_on_stack(at) && found < BACKTRACE_MAX; at += 8) {
		u64 word = *(const u64 *)at;

		if (is_return_address(word) && word != last) {
			print_place("   perhaps called from", word);
			last = word;
			found++;
		}
	}
}

static void print_recorders(void)
{
	for (u32 i = 0; i < cpu_count(); i++)
		recorder_print(&cpu_get(i)->recorder, 0, RECORDED);
}

/* True for the first panic of all CPUs, which tells; any other stops. */
static bool begin(void)
{
	__asm__ volatile("cli");
	if (__atomic_fetch_add(&panics, 1, __ATOMIC_SEQ_CST) == 0) {
		apic_stop_other_cpus();
		return true;
	}
	log_error("a second panic while telling of the first");
	return false;
}

__noreturn void bug_panic(const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	print_format_v(text, sizeof(text), format, args);
	va_end(args);
	if (begin()) {
		log_error("panic: %s", text);
		print_backtrace((u64)__builtin_frame_address(0));
		print_recorders();
	}
	poweroff_after_panic();
}

__init __noreturn void panic_refuse(const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	print_format_v(text, sizeof(text), format, args);
	va_end(args);
	log_error("%s", text);
	poweroff(true);
}

static const char *vector_name(u64 vector)
{
	static const char *const names[] = {
		[0] = "divide error",	  [2] = "NMI",
		[3] = "breakpoint",		  [6] = "invalid opcode",
		[8] = "double fault",	  [10] = "invalid TSS",
		[11] = "segment not present", [12] = "stack fault",
		[13] = "general protection",  [14] = "page fault",
		[18] = "machine check",
	};

	return vector < ARRAY_SIZE(names) && names[vector] ? names[vector] : "exception";
}

static void print_registers(const struct cpu_frame *f)
{
	static const char names[][4] = {"r15", "r14", "r13", "r12", "r11", "r10", "r9 ", "r8 ",
					"rbp", "rdi", "rsi", "rdx", "rcx", "rbx", "rax"};
	const u64 *value = &f->r15;

	for (unsigned i = 0; i < ARRAY_SIZE(names); i += 3)
		log_error("   %s %016lx %s %016lx %s %016lx", names[i], value[i], names[i + 1],
			  value[i + 1], names[i + 2], value[i + 2]);
}

__noreturn void cpu_exception_panic(const struct cpu_frame *f)
{
	u64 cr2 = read_cr2();

	if (begin()) {
		log_error("panic: %s (vector %lu, error 0x%lx) in the monitor",
			  vector_name(f->vector), f->vector, f->error);
		log_error("   cr2 %016lx cr3 %016lx rflags %08lx cs %04lx", cr2, read_cr3(),
			  f->rflags, f->cs);
		log_error("   rip %016lx rsp %016lx", f->rip, f->rsp);
		print_registers(f);
		print_place("   at", f->rip);
		print_backtrace(f->rsp);
		print_recorders();
	}
	poweroff_after_panic();
}
