// SPDX-License-Identifier: MIT
/*
 * operations-control.c - control and debug registers, for the emulator. The guest's values are kept
 * here; what of them the CPU must hold while the guest runs (CR0.TS and EM, CR4.SMEP, SMAP and
 * TSD, breakpoints) is loaded with the vCPU. Paging is always on and 64-bit.
 */
#include "arch/x86/cpu/features.h"
#include "arch/x86/vcpu/emulator.h"
#include "lib/errno.h"

#define CR0_MUST (CR0_PE | CR0_PG)
#define CR0_MAY	 (CR0_MUST | CR0_WP | CR0_NE | CR0_ET | CR0_MP | CR0_EM | CR0_TS | CR0_AM)
#define CR4_MAY                                                                                    \
	(CR4_PAE | CR4_VME | CR4_PVI | CR4_TSD | CR4_DE | CR4_PSE | CR4_PGE | CR4_MCE |            \
	 CR4_OSFXSR | CR4_OSXMMEXCPT)
#define CR_RESERVED 0xffffffff00000000ul

static u64 allowed_cr4(void)
{
	return CR4_MAY | (cpu_features.xsave ? CR4_OSXSAVE : 0) |
	       (cpu_features.smep ? CR4_SMEP : 0) | (cpu_features.smap ? CR4_SMAP : 0) |
	       (cpu_features.umip ? CR4_UMIP : 0);
}

enum emulate_verdict control_read_cr(struct emulate *e, unsigned number, u64 *value)
{
	struct vcpu *v = emulator_vcpu(e);

	switch (number) {
	case 0:
		*value = v->cr0;
		break;
	case 2:
		*value = *v->cr2;
		break;
	case 3:
		*value = v->cr3;
		break;
	case 4:
		*value = v->cr4;
		break;
	case 8:
		*value = v->cr8;
		break;
	default:
		return emulate_fault(e, EXCEPTION_UD);
	}
	return EMULATE_OK;
}

static enum emulate_verdict set_cr0(struct emulate *e, struct vcpu *v, u64 value)
{
	if ((value & CR_RESERVED) || (value & CR0_MUST) != CR0_MUST)
		return emulate_fault_error(e, EXCEPTION_GP, 0);
	v->cr0 = (value & CR0_MAY) | CR0_ET;
	vcpu_update_mode(v);
	return EMULATE_OK;
}

static enum emulate_verdict set_cr4(struct emulate *e, struct vcpu *v, u64 value)
{
	u64 changed = v->cr4 ^ value;

	if ((value & ~allowed_cr4()) || !(value & CR4_PAE))
		return emulate_fault_error(e, EXCEPTION_GP, 0);
	v->cr4 = value;
	vcpu_update_mode(v);
	if (changed & (CR4_PGE | CR4_PSE))
		shadow_flush(&v->shadow);
	return EMULATE_OK;
}

enum emulate_verdict control_write_cr(struct emulate *e, unsigned number, u64 value)
{
	struct vcpu *v = emulator_vcpu(e);

	switch (number) {
	case 0:
		return set_cr0(e, v, value);
	case 2:
		*v->cr2 = value;
		return EMULATE_OK;
	case 3:
		if (value >> 52)
			return emulate_fault_error(e, EXCEPTION_GP, 0);
		vcpu_load_cr3(v, value);
		return EMULATE_OK;
	case 4:
		return set_cr4(e, v, value);
	case 8:
		if (value > 15)
			return emulate_fault_error(e, EXCEPTION_GP, 0);
		v->cr8 = value; /* events have no priority classes: kept for the reader */
		return EMULATE_OK;
	default:
		return emulate_fault(e, EXCEPTION_UD);
	}
}

enum emulate_verdict control_read_dr(struct emulate *e, unsigned number, u64 *value)
{
	struct vcpu *v = emulator_vcpu(e);

	*value = number < 4 ? v->dr[number] : number == 6 || number == 4 ? v->dr6 : v->dr7;
	return EMULATE_OK;
}

/* A breakpoint in slots 270 and 271 would fire in the switcher: refused. So is general detect, and
 * anything that DR7 cannot mean. */
int vcpu_set_debug(struct vcpu *v, unsigned number, u64 value)
{
	if (number < 4) {
		if (!is_guest_address(value))
			return -EINVAL;
		v->dr[number] = value;
	} else if (value >> 32) {
		return -EINVAL;
	} else if (number == 4 || number == 6) {
		v->dr6 = (value & DR6_WRITABLE) | DR6_ONES;
	} else {
		v->dr7 = (value & DR7_WRITABLE) | DR7_ONES;
	}
	return 0;
}

enum emulate_verdict control_write_dr(struct emulate *e, unsigned number, u64 value)
{
	return vcpu_set_debug(emulator_vcpu(e), number, value)
		   ? emulate_fault_error(e, EXCEPTION_GP, 0)
		   : EMULATE_OK;
}

/* XCR0 is the machine's: a guest may say what is true already. */
enum emulate_verdict control_set_xcr(struct emulate *e, u32 index, u64 value)
{
	if (index || value != fpu_xcr0())
		return emulate_fault_error(e, EXCEPTION_GP, 0);
	return EMULATE_OK;
}

enum emulate_verdict control_invalidate(struct emulate *e, const struct emulate_invalidation *what)
{
	struct vcpu *v = emulator_vcpu(e);

	if (what->kind == INVALIDATE_PAGE)
		shadow_invlpg(&v->shadow, GVA(what->address));
	else
		shadow_flush(&v->shadow);
	return EMULATE_OK;
}

void vcpu_set_task_switched(struct vcpu *v, bool set)
{
	v->cr0 = set ? v->cr0 | CR0_TS : v->cr0 & ~CR0_TS;
	v->changed |= VCPU_CHANGED_CONTROL;
}
