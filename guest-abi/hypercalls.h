/* SPDX-License-Identifier: MIT */
/*
 * hypercalls.h - the hypercalls, each written once. Enum, argument structures, dispatch table,
 * wrappers, code-area slots and the tables of ABI.md all expand from GN_HYPERCALLS. A number once
 * given is never reused.
 *
 * A call is made by calling its slot of the code area (GN_SLOT(number)), or with RAX = number by
 * INT GN_HYPERCALL_VECTOR. Arguments travel in RDI, RSI, RDX, R10, R8; the result comes in RAX: a
 * value, or a negative error of GN_ERRORS. RCX and R11 are lost through a slot; every other
 * register is kept, except that a long call may advance its argument registers while it works in
 * pieces.
 *
 * X(number, name, arguments, flags, "promise")
 * arguments: A0() ... A5(names in register order); flags: 0, GN_DEFER (may also be put in the
 * ring), GN_DEFER_MMU or GN_DEFER_CPU (likewise, and in that lazy mode the slot puts it there), or
 * GN_ABSENT (the call has its number, and is answered by -GN_ENODEV until there is what it is for).
 */
#ifndef GUEST_ABI_HYPERCALLS_H
#define GUEST_ABI_HYPERCALLS_H

#define GN_DEFER     1
#define GN_DEFER_MMU 3
#define GN_DEFER_CPU 5
#define GN_ABSENT    8

/* clang-format off */
#define GN_HYPERCALLS(X) \
	X(0, version, A0(), 0, "the ABI's version, 65536 * major + minor") \
	X(1, features, A0(), 0, "GN_FEATURE_ bits of this machine") \
	X(2, console_write, A2(address, size), 0, \
	  "write; returns how many bytes were taken, which may be fewer") \
	X(3, console_read, A2(address, size), 0, \
	  "read waiting input; returns how many bytes, 0 for none") \
	X(4, set_idt, A3(address, first, count), 0, \
	  "copy count gates to the vectors from first; a gate that is not present unsets " \
	  "its vector") \
	X(5, set_gdt, A3(address, first, count), 0, \
	  "copy count descriptors to the entries from first: code and data of DPL 0 (it " \
	  "becomes 1) or 3") \
	X(6, set_syscall_entry, A2(rip, fmask), 0, \
	  "where SYSCALL of ring 3 arrives, and which RFLAGS it clears") \
	X(7, set_kernel_stack, A1(rsp), GN_DEFER_CPU, \
	  "the stack of exceptions and events that arrive in ring 3 (TSS.RSP0)") \
	X(8, set_ist, A2(index, rsp), 0, "the stack of gates with IST index 1 to 7") \
	X(9, set_segment_base, A2(which, base), GN_DEFER_CPU, "GN_BASE_FS or GN_BASE_GS") \
	X(10, load_cr3, A1(cr3), 0, "switch to the address space whose level-4 table is at cr3") \
	X(11, invalidate_page, A1(address), GN_DEFER_MMU, \
	  "forget one page's translation, as INVLPG") \
	X(12, flush_tlb, A0(), GN_DEFER_MMU, "forget all translations, as a store to CR3") \
	X(13, timer_set, A1(deadline), 0, \
	  "raise GN_PORT_TIMER once, at this many ns since the monitor booted; 0 cancels") \
	X(14, port_bind, A2(port, vector), 0, \
	  "deliver the port's events through this gate: 32 to 255, or 2 for NMIs; 0 unbinds") \
	X(15, port_mask, A2(port, masked), 0, \
	  "hold the port's events back (1) or let them come (0)") \
	X(16, port_poll, A1(port), 0, "1 if the port was pending, and clear it; else 0") \
	X(17, port_raise, A1(port), 0, "raise GN_PORT_SELF") \
	X(18, yield, A0(), 0, "let another guest run") \
	X(19, block, A0(), 0, "sleep until an event is pending; at once if one is") \
	X(20, halt, A0(), 0, "vif = 1 and sleep until an event has come: STI and HLT as one") \
	X(21, start_kernel, A5(cr3, rip, rsp, argument, abi), 0, \
	  "the loader's last act: free it, enter the kernel with RSI = argument") \
	X(22, get_stats, A2(address, size), 0, \
	  "copy at most size bytes of struct gn_stats; returns how many") \
	X(23, shutdown, A3(kind, text, size), 0, \
	  "end this guest, GN_SHUTDOWN_; at most 80 printable bytes say why") \
	X(24, drain, A0(), 0, "carry out what waits in the ring; returns how many calls failed") \
	X(25, flush_tlb_global, A0(), GN_DEFER_MMU, \
	  "forget all translations, global ones too, as stores to CR4.PGE") \
	X(26, pte_changed, A1(physical), GN_DEFER, \
	  "the page-table entry at this physical address has changed") \
	X(27, pte_write, A2(physical, value), GN_DEFER, \
	  "store an entry at this physical address, and take note of it") \
	X(28, table_allocate, A3(physical, kind, original), GN_DEFER_MMU, \
	  "the frame begins to be a page table, GN_TABLE_") \
	X(29, table_release, A2(physical, kind), GN_DEFER_MMU, \
	  "the frame is a page table no more") \
	X(30, timer_periodic, A2(deadline, period), 0, \
	  "raise GN_PORT_TIMER then, and again every period ns, until the timer is set anew") \
	/* Guests have one vCPU and no APIC. */ \
	X(31, apic_read, A1(offset), GN_ABSENT, "the APIC's register at this offset; -ENODEV") \
	X(32, apic_write, A2(offset, value), GN_ABSENT, "likewise: store into it; -ENODEV") \
	X(33, send_ipi, A2(vcpu, vector), GN_ABSENT, \
	  "an event of this vector for another vCPU; -ENODEV") \
	X(34, set_vcpu_state, A2(vcpu, address), GN_ABSENT, \
	  "the registers with which another vCPU begins; -ENODEV") \
	X(35, get_descriptor, A1(selector), 0, \
	  "the descriptor for it, of GDT or LDT, as set_gdt, lgdt, set_ldt or lldt has set it, " \
	  "accessed; 0 for none") \
	X(36, set_ldt, A3(address, first, count), 0, \
	  "copy count descriptors, such as set_gdt takes, to the LDT's entries from first, at " \
	  "most to 511; it begins or grows as is needed")

/* The errors that a guest may see. */
#define GN_ERRORS(X) \
	X(EPERM, 1, "not allowed to this guest now") \
	X(ENOMEM, 12, "the monitor has no memory for it") \
	X(EFAULT, 14, "an address that the guest's own tables do not let it use so") \
	X(ENODEV, 19, "this machine or this guest has no such thing") \
	X(EINVAL, 22, "an argument is out of its range") \
	X(ENOSYS, 38, "no such call")

/*
 * Operations of the code area that are not hypercalls. They are called, keep every register but
 * those named, and enter the monitor only if an event waits, or to emulate what traps.
 * O(slot, name, how it is reached, "promise")
 */
#define GN_OPERATIONS(O) \
	O(128, cli, "call", "vif = 0") \
	O(129, sti, "call", "vif = 1, and a waiting event comes now") \
	O(130, get_vif, "call", "RAX = vif") \
	O(131, set_vif, "call", "vif = DIL, which is 0 or 1; a waiting event comes if 1") \
	O(132, iret, \
	  "jmp", "as IRETQ: pops the frame at RSP and sets vif from its RFLAGS; CS with RPL " \
	  "3 is the user's, any other the kernel's") \
	O(133, sysret, \
	  "jmp", "as STI and SYSRETQ in one: RCX = RIP, R11 = RFLAGS, RSP the user's own") \
	O(134, get_cr2, "call", "RAX = CR2 of the last page fault") \
	/* Page tables. The first five may lose RCX and R11; RDI = linear address of an entry. */ \
	O(160, pte_set, "call", "store RSI; loses RAX, too") \
	O(161, pte_swap, "call", "exchange with RSI; RAX = the old entry") \
	O(162, pte_test_and_set_bit, "call", "set bit RSI, 0 to 63; RAX = 1 if it was set") \
	O(163, pte_test_and_clear_bit, "call", "clear bit RSI; RAX = 1 if it was set") \
	O(164, pte_deactivate, "call", "exchange with 0; RAX = the old entry") \
	O(165, set_linear_map, "call", \
	  "map RDI, 0 to 3: RDX pages at linear RSI are the frames from number R10; as a call") \
	O(166, set_lazy, "call", \
	  "EDI = GN_LAZY_MMU or GN_LAZY_CPU: defer their calls; 0: drain; as a call") \
	O(167, flush_deferred, "call", "as drain, but without an entry if nothing waits") \
	/* For sites: sites.h. */ \
	O(192, relocation, "call", \
	  "RAX = address of struct gn_relocation of site operation EDI, or 0; RCX is lost") \
	O(193, get_flags, "call", "RAX = vif in bit 9, and bit 1 set, as RFLAGS has them") \
	O(194, set_flags, "call", "vif = bit 9 of RDI; a waiting event comes if 1") \
	O(195, iret_at_site, "call", \
	  "as iret; a fault is reported 2 bytes before the return address") \
	O(196, write_cr3, "call", \
	  "load_cr3 of RDI; what that refuses is #GP 3 bytes before the return address. " \
	  "RAX, RCX, R11 are lost") \
	O(197, write_fs_base, "call", \
	  "FS base = RDI; no address: #GP 2 bytes before the return address. RAX, RCX, " \
	  "R11, RDI, RSI are lost") \
	O(198, write_gs_base, "call", "likewise GS base") \
	/* One instruction each: emulated, executed by the CPU, or left out. */ \
	O(200, cpuid, "call", "EAX, EBX, ECX, EDX = CPUID of EAX, ECX") \
	O(201, rdtsc, "call", "EDX:EAX = the TSC") \
	O(202, rdpmc, "call", "EDX:EAX = performance counter ECX: #GP, there are none") \
	O(203, rdmsr, "call", "EDX:EAX = MSR ECX") \
	O(204, wrmsr, "call", "MSR ECX = EDX:EAX") \
	O(205, read_cr0, "call", "RAX = CR0") \
	O(206, read_cr3, "call", "RAX = CR3") \
	O(207, read_cr4, "call", "RAX = CR4") \
	O(208, read_cr8, "call", "RAX = CR8") \
	O(209, write_cr0, "call", "CR0 = RDI") \
	O(210, write_cr2, "call", "CR2 = RDI") \
	O(211, write_cr4, "call", "CR4 = RDI") \
	O(212, write_cr8, "call", "CR8 = RDI") \
	O(213, clts, "call", "CR0.TS = 0") \
	O(214, read_dr, "call", "RAX = debug register RDI, 0 to 7") \
	O(215, write_dr, "call", "debug register RDI = RSI; RAX is lost") \
	O(216, pause, "call", "a moment of a loop that waits") \
	O(217, wbinvd, "call", "nothing: RAM is coherent, and guests have no other bus masters") \
	O(218, invd, "call", "likewise") \
	O(219, swapgs, "call", "exchange the GS base and the kernel GS base") \
	O(220, xsetbv, "call", "XCR ECX = EDX:EAX: what it is already") \
	O(221, lgdt, "call", "GDTR = the limit and base at RDI, 10 bytes") \
	O(222, lidt, "call", "IDTR likewise") \
	O(223, lldt, "call", "LDTR = DI") \
	O(224, ltr, "call", "TR = DI, a TSS in the GDT of lgdt") \
	O(225, sgdt, "call", "the 10 bytes at RDI = GDTR, as lgdt has set it") \
	O(226, sidt, "call", "likewise IDTR") \
	O(227, sldt, "call", "RAX = LDTR") \
	O(228, str, "call", "RAX = TR") \
	O(229, in8, "call", "AL = port DX") \
	O(230, in16, "call", "AX = port DX") \
	O(231, in32, "call", "EAX = port DX") \
	O(232, out8, "call", "port DX = AL") \
	O(233, out16, "call", "port DX = AX") \
	O(234, out32, "call", "port DX = EAX") \
	O(235, ins8, "call", "RCX times from port DX to RDI on, as REP INSB") \
	O(236, ins16, "call", "as REP INSW") \
	O(237, ins32, "call", "as REP INSD") \
	O(238, outs8, "call", "RCX times from RSI on to port DX, as REP OUTSB") \
	O(239, outs16, "call", "as REP OUTSW") \
	O(240, outs32, "call", "as REP OUTSD")
/* clang-format on */

#ifndef __ASSEMBLER__
#include <stdint.h>

enum gn_call {
#define X(number, name, arguments, flags, promise) GN_CALL_##name = number,
	GN_HYPERCALLS(X)
#undef X
};

enum gn_operation {
#define O(slot, name, reached, promise) GN_OP_##name = slot,
	GN_OPERATIONS(O)
#undef O
};

enum gn_error {
#define X(name, number, meaning) GN_##name = number,
	GN_ERRORS(X)
#undef X
};

/* The arguments of each call in register order: struct gn_args_NAME. */
#define A0()
#define A1(a)		  uint64_t a;
#define A2(a, b)	  uint64_t a, b;
#define A3(a, b, c)	  uint64_t a, b, c;
#define A4(a, b, c, d)	  uint64_t a, b, c, d;
#define A5(a, b, c, d, e) uint64_t a, b, c, d, e;
#define X(number, name, arguments, flags, promise)                                                 \
	struct gn_args_##name {                                                                    \
		arguments                                                                          \
	};
GN_HYPERCALLS(X)
#undef X
#undef A0
#undef A1
#undef A2
#undef A3
#undef A4
#undef A5
#endif

#endif
