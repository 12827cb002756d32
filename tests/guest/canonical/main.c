// SPDX-License-Identifier: MIT
/*
 * canonical - addresses that are none: RIP, RSP, bases, entry points, buffers (R15, R20).
 *
 * Some CPUs load a non-canonical RIP by SYSRET while still at ring 0 and fault there, on the
 * stack of the attacker; IRETQ faults at ring 0 as well. MSRs of bases and entry points fault in
 * whoever writes them. So the guest sends such addresses down every way that ends in a register
 * of the CPU: its IRET and SYSRET through the code area and raw, and every hypercall that takes
 * an address. Each must be refused by an error number or a fault of the guest's own. Addresses of
 * the monitor are no better: a call that read or wrote there for the guest would give it all of
 * memory.
 */
#include "tests/guest/lib/test.h"

const char test_name[] = "canonical";

static const u64 none[] = {0x0000800000000000, 0xffff7fffffffffff, 0x8000000000000000,
			   0x7fffffffffffffff, 0xdead000000000000};
static const u64 monitor[] = {SWITCHER_CONSTANTS, SWITCHER_GDT,	 SWITCHER_IDT,	SWITCHER_STACK,
			      SWITCHER_TEXT,	  MONITOR_IMAGE, MONITOR_MEMORY};

#define COUNT(array) (sizeof(array) / sizeof(array[0]))

/* A fault that is the guest's, whichever ring the CPU was in when it found out. */
static void jump(enum ring ring, u64 rip, enum way way, const char *name)
{
	struct state s = state_for(ring);

	s.rip = rip;
	s.rcx = rip;
	s.r11 = s.rflags;
	enter_by_way(&s, way);
	check(s.vector == 13 || s.vector == 14, "%s to %lx in ring %d took %lu", name, rip, ring,
	      s.vector);
	check(rings_work(), "after %s to %lx", name, rip);
}

static void jumps(u64 rip)
{
	jump(KERNEL, rip, BY_IRET, "IRET");
	jump(USER, rip, BY_IRET, "IRET");
	jump(USER, rip, BY_RAW_IRET, "IRETQ");
	jump(USER, rip, BY_SYSRET, "SYSRET");
}

SNIPPET(jump_rax, "jmp *%rax");
SNIPPET(read_rdi, "mov (%rdi), %rax");
SNIPPET(read_rbp, "mov (%rbp), %rax"); /* #SS */

static void uses(enum ring ring, u64 address)
{
	struct state s = state_for(ring);

	s.rax = address;
	run_state(&s, ring, &jump_rax);
	check(s.vector == 13, "JMP to %lx in ring %d took %lu", address, ring, s.vector);
	s = state_for(ring);
	s.rdi = s.rbp = address;
	run_state(&s, ring, &read_rdi);
	check(s.vector == 13, "a load from %lx in ring %d took %lu", address, ring, s.vector);
	s = state_for(ring);
	s.rbp = address;
	run_state(&s, ring, &read_rbp);
	check(s.vector == 12 || s.vector == 13, "a load by RBP from %lx in ring %d took %lu",
	      address, ring, s.vector);
}

/*
 * Slot 271. The monitor's map of all memory lies in 272, which in a guest's address space is the
 * guest's.
 */
static bool is_reserved(u64 address)
{
	return address >= SWITCHER && address < MONITOR_MEMORY;
}

static void refused(s64 result, const char *call, u64 address)
{
	if (result >= 0 && address >= SWITCHER && address <= MONITOR_MEMORY)
		breach("%s takes %lx", call, address);
	else
		check(result == -GN_EINVAL || result == -GN_EFAULT, "%s of %lx: %ld", call, address,
		      result);
}

SNIPPET(system_call, "syscall");

/* Refused; and if it was not, then what comes of it. */
static void entry_point(u64 address)
{
	s64 result = CALL(set_syscall_entry, address, 0);

	refused(result, "set_syscall_entry", address);
	if (result == 0)
		run(USER, &system_call);
}

static void entry_points(u64 address)
{
	u64 gate[2] = {(address & 0xffff) | KERNEL_CS << 16 | 0x8eul << 40 |
			   (address & 0xffff0000) << 32,
		       address >> 32};

	entry_point(address);
	refused(CALL(set_kernel_stack, address), "set_kernel_stack", address);
	refused(CALL(set_ist, 2, address), "set_ist", address);
	if (is_reserved(address))
		return; /* canonical, and an offset or a gate into it harms nobody */
	refused(CALL(set_segment_base, GN_BASE_FS, address), "set_segment_base", address);
	refused(CALL(set_segment_base, GN_BASE_GS, address), "set_segment_base", address);
	refused(CALL(set_idt, gate, 200, 1), "set_idt", address);
}

static void buffers(u64 address)
{
	refused(CALL(console_write, address, 16), "console_write", address);
	refused(CALL(get_stats, address, sizeof(struct gn_stats)), "get_stats", address);
	refused(CALL(set_idt, address, 200, 1), "set_idt", address);
	refused(CALL(set_gdt, address, 100, 1), "set_gdt", address);
	refused(CALL(shutdown, GN_SHUTDOWN_CRASH, address, 16), "shutdown", address);
	check(CALL(console_read, address, 16) <= 0, "console_read into %lx", address);
	CALL(invalidate_page, address);
}

static void calls(void)
{
	for (unsigned i = 0; i < COUNT(none); i++) {
		entry_points(none[i]);
		buffers(none[i]);
	}
	for (unsigned i = 0; i < COUNT(monitor); i++) {
		if (is_reserved(monitor[i]))
			entry_points(monitor[i]);
		buffers(monitor[i]);
	}
	/* A buffer that begins well and ends in nothing, and one that wraps around. */
	refused(CALL(console_write, KERNEL_STACK - 8, 16), "console_write", KERNEL_STACK - 8);
	refused(CALL(get_stats, KERNEL_STACK - 8, 48), "get_stats", KERNEL_STACK - 8);
	refused(CALL(console_write, -8, 16), "console_write", -8);
	check(rings_work(), "after the calls");
}

void test_main(void)
{
	for (unsigned i = 0; i < COUNT(none); i++) {
		jumps(none[i]);
		uses(USER, none[i]);
		uses(KERNEL, none[i]);
	}
	if (!on_gnomon)
		return;
	for (unsigned i = 0; i < COUNT(monitor); i++)
		jump(USER, monitor[i], BY_SYSRET, "SYSRET");
	calls();
}
