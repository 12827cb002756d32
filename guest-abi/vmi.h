/* SPDX-License-Identifier: MIT */
/*
 * vmi.h - VMware's VMI, function by function: what a kernel that was written for it finds here, in
 * 64-bit form. For ABI.md, which expands its chapter 17 and the column "VMI" of two other tables
 * from this; abi-check compares the names with VMI's own list. Nothing is compiled from it.
 *
 * CALL(VMI's name, hypercall): its slot, or INT
 * OPERATION(VMI's name, operation of the code area)
 * NATIVE(VMI's name, "instruction", "what happens to it")
 * NONE(VMI's name, "why there is nothing to be done")
 */
#ifndef GUEST_ABI_VMI_H
#define GUEST_ABI_VMI_H

/* clang-format off */
#define GN_VMI(CALL, OPERATION, NATIVE, NONE) \
	CALL(Init, version) \
	OPERATION(GetRelocationInfo, relocation) \
	NATIVE(CPUID, "CPUID", "executed by the CPU: it shows the machine") \
	NATIVE(RDMSR, "RDMSR", "emulated") \
	NATIVE(WRMSR, "WRMSR", "emulated; FS and GS base faster by `set_segment_base`") \
	NATIVE(RDPMC, "RDPMC", "#GP: guests have no performance counters") \
	NATIVE(RDTSC, "RDTSC", "executed by the CPU") \
	NATIVE(GetCR0, "MOV RAX, CR0", "emulated") \
	OPERATION(GetCR2, get_cr2) \
	NATIVE(GetCR3, "MOV RAX, CR3", "emulated") \
	NATIVE(GetCR4, "MOV RAX, CR4", "emulated; so is CR8, which VMI has not") \
	NATIVE(SetCR0, "MOV CR0, RAX", "emulated") \
	NATIVE(SetCR2, "MOV CR2, RAX", "emulated; a store to `cr2` of the vcpu page does it, too") \
	CALL(SetCR3, load_cr3) \
	NATIVE(SetCR4, "MOV CR4, RAX", "emulated; so is CR8") \
	NATIVE(CLTS, "CLTS", "emulated") \
	NATIVE(GetDR, "MOV RAX, DRn", "emulated") \
	NATIVE(SetDR, "MOV DRn, RAX", "emulated; no breakpoints in slots 270 and 271") \
	NATIVE(INVD, "INVD", "emulated: nothing happens") \
	NATIVE(WBINVD, "WBINVD", "emulated: nothing happens; a site of it becomes NOPs") \
	CALL(SetGDT, set_gdt) \
	CALL(SetIDT, set_idt) \
	NATIVE(SetLDT, "LLDT", "emulated: null alone, since guests have no LDT") \
	NATIVE(SetTR, "LTR", "emulated; needed by none that uses the next two") \
	CALL(UpdateKernelStack, set_kernel_stack) \
	CALL(WriteGDTEntry, set_gdt) \
	CALL(WriteIDTEntry, set_idt) \
	NONE(WriteLDTEntry, "there is no LDT") \
	NATIVE(GetGDT, "SGDT", "emulated with UMIP; else the monitor's: remember what was set") \
	NATIVE(GetIDT, "SIDT", "likewise") \
	NATIVE(GetLDT, "SLDT", "likewise; always 0") \
	NATIVE(GetTR, "STR", "likewise") \
	OPERATION(EnableInterrupts, sti) \
	OPERATION(DisableInterrupts, cli) \
	OPERATION(GetInterruptMask, get_vif) \
	OPERATION(SetInterruptMask, set_vif) \
	OPERATION(IRET, iret) \
	OPERATION(SYSEXIT, sysret) \
	CALL(Halt, halt) \
	NATIVE(Pause, "PAUSE", "executed by the CPU; `yield` lets other guests run") \
	CALL(Shutdown, shutdown) \
	CALL(Reboot, shutdown) \
	OPERATION(SetPxE, pte_set) \
	OPERATION(SetPxELong, pte_set) \
	NONE(GetPxE, "the entry is in the guest's own memory: load it") \
	NONE(GetPxELong, "likewise") \
	OPERATION(SwapPxE, pte_swap) \
	OPERATION(SwapPxELongAtomic, pte_swap) \
	OPERATION(TestAndSetPxEBit, pte_test_and_set_bit) \
	OPERATION(TestAndSetPxELongBit, pte_test_and_set_bit) \
	OPERATION(TestAndClearPxEBit, pte_test_and_clear_bit) \
	OPERATION(TestAndClearPxELongBit, pte_test_and_clear_bit) \
	OPERATION(DeactivatePxELongAtomic, pte_deactivate) \
	CALL(AllocatePage, table_allocate) \
	CALL(ReleasePage, table_release) \
	CALL(InvalPage, invalidate_page) \
	CALL(FlushTLB, flush_tlb) \
	OPERATION(SetLinearMapping, set_linear_map) \
	OPERATION(SetLazyMode, set_lazy) \
	OPERATION(FlushDeferredCalls, flush_deferred) \
	NONE(PhysToMachine, "tables hold guest-physical addresses") \
	NONE(MachineToPhys, "likewise") \
	NONE(PhysIsCoherent, "RAM is always write-back") \
	NATIVE(IN, "IN EAX, DX", "emulated: all ones") \
	NATIVE(INB, "IN AL, DX", "likewise") \
	NATIVE(INW, "IN AX, DX", "likewise") \
	NATIVE(INS, "INSD", "likewise") \
	NATIVE(INSB, "INSB", "likewise") \
	NATIVE(INSW, "INSW", "likewise") \
	NATIVE(OUT, "OUT DX, EAX", "emulated: lost") \
	NATIVE(OUTB, "OUT DX, AL", "likewise") \
	NATIVE(OUTW, "OUT DX, AX", "likewise") \
	NATIVE(OUTS, "OUTSD", "likewise") \
	NATIVE(OUTSB, "OUTSB", "likewise") \
	NATIVE(OUTSW, "OUTSW", "likewise") \
	NONE(IODelay, "there is no device to wait for") \
	NONE(SetIOPLMask, "no port is behind IN and OUT, whoever executes them") \
	CALL(APICRead, apic_read) \
	CALL(APICWrite, apic_write) \
	CALL(SetInitialAPState, set_vcpu_state) \
	NATIVE(GetCycleFrequency, "MOV", "`clock.tsc_khz` of the vcpu page") \
	NATIVE(GetCycleCounter, "RDTSC", "executed by the CPU; in ns by the vcpu page's clock") \
	CALL(GetCycleCounter, get_stats) \
	CALL(SetAlarm, timer_set) \
	CALL(SetAlarm, timer_periodic) \
	CALL(CancelAlarm, timer_set) \
	NATIVE(GetWallclockTime, "MOV", "`clock.wall_seconds` of the vcpu page, and the clock") \
	NONE(WallclockUpdated, "it is set once, before the kernel starts")
/* clang-format on */

#endif
