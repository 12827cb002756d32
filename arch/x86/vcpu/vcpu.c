// SPDX-License-Identifier: MIT
/*
 * vcpu.c - a virtual CPU made, put on a CPU, run, taken off again. Putting on copies into the CPU's
 * switcher area only what has changed since this vCPU last ran there; all of it if another did.
 */
#include "arch/x86/vcpu/vcpu.h"
#include "arch/x86/cpu/cpu.h"
#include "arch/x86/cpu/features.h"
#include "arch/x86/cpu/insn.h"
#include "arch/x86/cpu/machine.h"
#include "arch/x86/cpu/speculation.h"
#include "arch/x86/vcpu/segments.h"
#include "arch/x86/vcpu/window.h"
#include "guest-abi/ranges.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/machine.h"

static void *take_frame(mfn_t *mfn, u16 owner)
{
	*mfn = frame_alloc(FRAME_MONITOR, owner);
	return mfn_is_none(*mfn) ? NULL : machine_map(*mfn);
}

int vcpu_init(struct vcpu *v, struct guest *guest, struct shadow *shadow, u16 owner, mfn_t page_mfn)
{
	u64 window_entry;

	memset(v, 0, sizeof(*v));
	v->guest = guest;
	v->gate_mfn = v->gdt_mfn = v->fpu_mfn = MFN_NONE;
	window_clear(v->window);
	frame_get(page_mfn);
	v->page_mfn = page_mfn;
	v->page = machine_map(page_mfn);
	v->gate = take_frame(&v->gate_mfn, owner);
	v->gdt = take_frame(&v->gdt_mfn, owner);
	v->fpu = take_frame(&v->fpu_mfn, owner);
	if (!v->gate || !v->gdt || !v->fpu || window_make(v->window, page_mfn, owner, &window_entry))
		return -ENOMEM;
	fpu_state_init(v->fpu);
	vcpu_default_descriptors(v);
	if (shadow_vcpu_init(&v->shadow, shadow, 0))
		return -ENOMEM;
	shadow_set_slot(&v->shadow, GN_RESERVED_FIRST_SLOT, window_entry);
	v->changed = VCPU_CHANGED_ALL;
	return 0;
}

static void put_frame(mfn_t mfn)
{
	if (!mfn_is_none(mfn))
		frame_put(mfn);
}

void vcpu_exit(struct vcpu *v)
{
	if (v->cpu)
		v->cpu->vcpu = NULL;
	if (v->shadow.shadow)
		shadow_vcpu_exit(&v->shadow);
	window_destroy(v->window);
	put_frame(v->fpu_mfn);
	put_frame(v->gdt_mfn);
	put_frame(v->gate_mfn);
	put_frame(v->page_mfn);
	v->guest = NULL;
}

void vcpu_start(struct vcpu *v, u64 cr3, u64 rip, u64 rsp, u64 rsi)
{
	const struct shadow_mode mode = {.wp = true, .nxe = true, .smep = cpu_features.smep};

	memset(&v->regs, 0, sizeof(v->regs));
	v->regs.rip = rip;
	v->regs.rsp = rsp;
	v->regs.rsi = rsi;
	v->regs.cs = GN_KERNEL_CS;
	v->regs.ss = GN_KERNEL_SS;
	v->regs.rflags = RFLAGS_RESERVED | RFLAGS_IF;
	v->page->vif = 0;
	v->page->sysret.cs = GN_USER_CS;
	v->page->sysret.ss = GN_USER_SS;
	shadow_set_mode(&v->shadow, mode);
	(void)shadow_load_cr3(&v->shadow, cr3);
}

void vcpu_describe_paging(struct shadow_config *config)
{
	config->physical_bits = 52;
	config->has_1g_pages = cpu_features.pages_1g;
	config->smep_is_on = cpu_features.smep;
}

u64 vcpu_features(const struct vcpu *v)
{
	(void)v;
	return (cpu_features.xsave ? GN_FEATURE_XSAVE : 0) | (cpu_features.smep ? GN_FEATURE_SMEP : 0);
}

/* SYSCALL clears what the guest's FMASK names; IF stays, since vif stands for it. */
static void load_syscall(struct area_constants *c, const struct vcpu *v)
{
	c->syscall_entry = v->syscall_entry ? v->syscall_entry : gn_no_syscall_entry;
	c->syscall_keep = (RFLAGS_GUEST & ~(u64)RFLAGS_RF & ~v->syscall_fmask) | RFLAGS_RESERVED |
			  RFLAGS_IF;
	c->syscall_vif = !(v->syscall_fmask & RFLAGS_IF);
}

static void load_changed(struct cpu *cpu, struct vcpu *v)
{
	if (v->changed & VCPU_CHANGED_GDT)
		memcpy(cpu->area.gdt, v->gdt, GN_GDT_ENTRIES * sizeof(u64));
	if (v->changed & VCPU_CHANGED_SYSCALL)
		load_syscall(cpu->area.constants, v);
	if (v->changed & VCPU_CHANGED_BASES)
		segments_load_bases(v);
	v->changed = 0;
}

static __attribute__((noinline)) void load(struct cpu *cpu, struct vcpu *v)
{
	if (cpu->vcpu)
		vcpu_unload(cpu->vcpu);
	v->changed = VCPU_CHANGED_ALL;
	load_changed(cpu, v);
	segments_load(v);
	fpu_restore(v->fpu);
	cpu->area.constants->regs = (u64)&v->regs;
	shadow_set_slot(&v->shadow, GN_RESERVED_LAST_SLOT, cpu->paging.guest_l4e);
	cpu->vcpu = v;
	v->cpu = cpu;
	speculation_switch_guest();
}

void vcpu_unload(struct vcpu *v)
{
	segments_save(v);
	fpu_save(v->fpu);
	v->cpu->vcpu = NULL;
	v->cpu = NULL;
}

/* The root may have changed with anything that was done for the guest since it last ran. */
static void load_root(struct cpu *cpu, struct vcpu *v)
{
	cpu->area.constants->guest_cr3 = mfn_to_maddr(shadow_root(&v->shadow)).v;
}

unsigned vcpu_run(struct cpu *cpu, struct vcpu *v)
{
	if (unlikely(cpu->vcpu != v))
		load(cpu, v);
	if (unlikely(v->changed))
		load_changed(cpu, v);
	load_root(cpu, v);
	v->entries++;
	machine_enter_guest(cpu);
	switcher_enter(&v->regs);
	machine_leave_guest(cpu);
	return v->regs.vector;
}
