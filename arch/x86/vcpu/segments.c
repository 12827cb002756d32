// SPDX-License-Identifier: MIT
/*
 * segments.c - see segments.h. A selector that no longer names a usable descriptor becomes null:
 * loading it would fault in the monitor. The base MSRs are written after the selectors, since
 * loading FS or GS changes the base (SDM 3A 3.4.4.1).
 */
#include "arch/x86/vcpu/segments.h"
#include "arch/x86/cpu/insn.h"
#include "arch/x86/vcpu/vcpu.h"
#include "lib/errno.h"

void segments_save(struct vcpu *v)
{
	v->ds = read_ds();
	v->es = read_es();
	v->fs = read_fs();
	v->gs = read_gs();
	v->fs_base = rdmsr(MSR_FS_BASE);
	v->gs_base = rdmsr(MSR_GS_BASE);
	v->kernel_gs_base = rdmsr(MSR_KERNEL_GS);
}

static u16 usable(const struct vcpu *v, u16 selector)
{
	return vcpu_descriptor_is_usable(v, selector, false) ? selector : 0;
}

/* The LDT is in the guest's address space only: to load selectors here the CPU has it by its alias
 * in ours meanwhile. */
static void use_ldt(struct vcpu *v, u64 at)
{
	if (unlikely(v->ldt_count))
		desc_load_ldt(&v->cpu->area, at, v->ldt_count);
}

void segments_load(struct vcpu *v)
{
	use_ldt(v, (u64)v->ldt);
	write_ds(usable(v, v->ds));
	write_es(usable(v, v->es));
	write_fs(usable(v, v->fs));
	write_gs(usable(v, v->gs));
	use_ldt(v, GN_LDT);
	wrmsr(MSR_FS_BASE, v->fs_base);
	wrmsr(MSR_GS_BASE, v->gs_base);
	wrmsr(MSR_KERNEL_GS, v->kernel_gs_base);
}

int vcpu_set_base(struct vcpu *v, u64 which, u64 base)
{
	static const u32 msr[] = {MSR_FS_BASE, MSR_GS_BASE, MSR_KERNEL_GS};

	(void)v; /* it is loaded: its bases are the CPU's */
	if (which > VCPU_BASE_GS_SWAPPED)
		return -EINVAL;
	wrmsr(msr[which], base);
	return 0;
}

void vcpu_load_user_gs(struct vcpu *v, u16 selector)
{
	selector = usable(v, selector);
	use_ldt(v, (u64)v->ldt);
	vcpu_swap_gs();
	write_gs(selector);
	vcpu_swap_gs();
	use_ldt(v, GN_LDT);
}
