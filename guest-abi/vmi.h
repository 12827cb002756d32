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
	OPERATION(CPUID, cpuid) \
	OPERATION(RDMSR, rdmsr) \
	OPERATION(WRMSR, wrmsr) \
	OPERATION(RDPMC, rdpmc) \
	OPERATION(RDTSC, rdtsc) \
	OPERATION(GetCR0, read_cr0) \
	OPERATION(GetCR2, get_cr2) \
	OPERATION(GetCR3, read_cr3) \
	OPERATION(GetCR4, read_cr4) \
	OPERATION(SetCR0, write_cr0) \
	OPERATION(SetCR2, write_cr2) \
	CALL(SetCR3, load_cr3) \
	OPERATION(SetCR3, write_cr3) \
	OPERATION(SetCR4, write_cr4) \
	OPERATION(CLTS, clts) \
	OPERATION(GetDR, read_dr) \
	OPERATION(SetDR, write_dr) \
	OPERATION(INVD, invd) \
	OPERATION(WBINVD, wbinvd) \
	CALL(SetGDT, set_gdt) \
	OPERATION(SetGDT, lgdt) \
	CALL(SetIDT, set_idt) \
	OPERATION(SetIDT, lidt) \
	OPERATION(SetLDT, lldt) \
	OPERATION(SetTR, ltr) \
	CALL(UpdateKernelStack, set_kernel_stack) \
	CALL(WriteGDTEntry, set_gdt) \
	CALL(WriteIDTEntry, set_idt) \
	CALL(WriteLDTEntry, set_ldt) \
	OPERATION(GetGDT, sgdt) \
	CALL(GetGDT, get_descriptor) \
	OPERATION(GetIDT, sidt) \
	OPERATION(GetLDT, sldt) \
	OPERATION(GetTR, str) \
	OPERATION(EnableInterrupts, sti) \
	OPERATION(DisableInterrupts, cli) \
	OPERATION(GetInterruptMask, get_vif) \
	OPERATION(SetInterruptMask, set_vif) \
	OPERATION(IRET, iret) \
	OPERATION(SYSEXIT, sysret) \
	CALL(Halt, halt) \
	OPERATION(Pause, pause) \
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
	OPERATION(IN, in32) \
	OPERATION(INB, in8) \
	OPERATION(INW, in16) \
	OPERATION(INS, ins32) \
	OPERATION(INSB, ins8) \
	OPERATION(INSW, ins16) \
	OPERATION(OUT, out32) \
	OPERATION(OUTB, out8) \
	OPERATION(OUTW, out16) \
	OPERATION(OUTS, outs32) \
	OPERATION(OUTSB, outs8) \
	OPERATION(OUTSW, outs16) \
	NONE(IODelay, "there is no device to wait for") \
	NONE(SetIOPLMask, "no port is behind IN and OUT, whoever executes them") \
	CALL(APICRead, apic_read) \
	CALL(APICWrite, apic_write) \
	CALL(SetInitialAPState, set_vcpu_state) \
	NATIVE(GetCycleFrequency, "MOV", "`clock.tsc_khz` of the vcpu page") \
	OPERATION(GetCycleCounter, rdtsc) \
	NATIVE(GetCycleCounter, "MOV", "in ns: the clock of the vcpu page") \
	CALL(GetCycleCounter, get_stats) \
	CALL(SetAlarm, timer_set) \
	CALL(SetAlarm, timer_periodic) \
	CALL(CancelAlarm, timer_set) \
	NATIVE(GetWallclockTime, "MOV", "`clock.wall_seconds` of the vcpu page, and the clock") \
	NONE(WallclockUpdated, "it is set once, before the kernel starts")
/* clang-format on */

#endif
