// SPDX-License-Identifier: MIT
/*
 * operations-msr.c - the model-specific registers that a guest has, for the emulator (SDM 4). All
 * others are #GP, as on a CPU that lacks them.
 */
#include "arch/x86/cpu/features.h"
#include "arch/x86/vcpu/emulator.h"

#define MSR_TSC	    0x10
#define MSR_MICROCODE 0x8b
#define MSR_MISC_ENABLE 0x1a0
#define MSR_PAT	    0x277
#define MSR_STAR    0xc0000081
#define MSR_CSTAR   0xc0000083
#define MSR_FMASK   0xc0000084
#define MSR_TSC_AUX 0xc0000103

#define EFER_MAY  (EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE)
#define EFER_MUST (EFER_LME | EFER_LMA)

enum emulate_verdict msr_read(struct emulate *e, u32 index, u64 *value)
{
	struct vcpu *v = emulator_vcpu(e);

	switch (index) {
	case MSR_FS_BASE:
	case MSR_GS_BASE:
	case MSR_KERNEL_GS:
		*value = rdmsr(index);
		return EMULATE_OK;
	case MSR_EFER:
		*value = v->efer;
		return EMULATE_OK;
	case MSR_STAR:
		*value = v->star;
		return EMULATE_OK;
	case MSR_LSTAR:
		*value = v->syscall_entry;
		return EMULATE_OK;
	case MSR_CSTAR:
		*value = v->cstar;
		return EMULATE_OK;
	case MSR_FMASK:
		*value = v->syscall_fmask;
		return EMULATE_OK;
	case MSR_PAT:
		*value = v->pat;
		return EMULATE_OK;
	case MSR_APIC_BASE: /* enabled, at its usual place; nobody gets there */
		*value = 0xfee00900;
		return EMULATE_OK;
	case MSR_MICROCODE: /* revision 0: nobody has updated it */
		*value = 0;
		return EMULATE_OK;
	case MSR_MISC_ENABLE: /* fast strings, and nothing that a guest could change */
		*value = 1;
		return EMULATE_OK;
	case MSR_TSC:
		*value = rdtsc();
		return EMULATE_OK;
	case MSR_TSC_AUX:
		*value = v->tsc_aux;
		return EMULATE_OK;
	default:
		return emulate_fault_error(e, EXCEPTION_GP, 0);
	}
}

static bool is_pat(u64 value)
{
	for (unsigned i = 0; i < 8; i++, value >>= 8)
		if ((value & 0xff) > 7 || (value & 0xff) == 2 || (value & 0xff) == 3)
			return false;
	return true;
}

static bool write_efer(struct vcpu *v, u64 value)
{
	if ((value & ~(u64)EFER_MAY) || (value & EFER_MUST) != EFER_MUST)
		return false;
	v->efer = value;
	vcpu_update_mode(v);
	return true;
}

/* False: #GP. */
static bool write_msr(struct vcpu *v, u32 index, u64 value)
{
	switch (index) {
	case MSR_FS_BASE:
	case MSR_GS_BASE:
	case MSR_KERNEL_GS:
		if (!is_canonical(value))
			return false;
		wrmsr(index, value);
		return true;
	case MSR_EFER:
		return write_efer(v, value);
	case MSR_MICROCODE: /* what Intel wants written before it is read, and the other is kept */
	case MSR_MISC_ENABLE:
		return true;
	case MSR_STAR: /* the selectors are fixed (GN_USER_CS, GN_USER_SS) */
		v->star = value;
		return true;
	case MSR_LSTAR:
		if (!is_guest_address(value))
			return false;
		vcpu_set_syscall_entry(v, value, v->syscall_fmask);
		return true;
	case MSR_CSTAR:
		if (!is_canonical(value))
			return false;
		v->cstar = value;
		return true;
	case MSR_FMASK:
		if (value >> 32)
			return false;
		vcpu_set_syscall_entry(v, v->syscall_entry, value);
		return true;
	case MSR_PAT:
		if (!is_pat(value))
			return false;
		v->pat = value; /* RAM is write-back whatever it says */
		return true;
	case MSR_TSC_AUX:
		if (value >> 32)
			return false;
		v->tsc_aux = value;
		return true;
	default:
		return false;
	}
}

enum emulate_verdict msr_write(struct emulate *e, u32 index, u64 value)
{
	return write_msr(emulator_vcpu(e), index, value) ? EMULATE_OK
							 : emulate_fault_error(e, EXCEPTION_GP, 0);
}
