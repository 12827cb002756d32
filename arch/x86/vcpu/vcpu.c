// SPDX-License-Identifier: MIT
/*
 * vcpu.c - a virtual CPU made, put on a CPU, run, taken off again. Putting on copies into the CPU's
 * switcher area only what has changed since this vCPU last ran there; all of it if another did.
 */
#include "arch/x86/vcpu/vcpu.h"
#include "arch/x86/cpu/features.h"
#include "arch/x86/cpu/insn.h"
#include "arch/x86/cpu/speculation.h"
#include "arch/x86/vcpu/clock.h"
#include "arch/x86/vcpu/segments.h"
#include "arch/x86/vcpu/window.h"
#include "guest-abi/ranges.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/machine.h"

#define PAT_RESET 0x0007040600070406ul /* SDM 3A 11.12.4 */

static void *take_frame(mfn_t *mfn, u16 owner)
{
	*mfn = frame_alloc(FRAME_MONITOR, owner);
	return mfn_is_none(*mfn) ? NULL : machine_map(*mfn);
}

_Static_assert(offsetof(struct vcpu, frames) - offsetof(struct vcpu, attention) == 7,
	       "VCPU_ATTENTION_XEN");

int vcpu_init(struct vcpu *v, struct guest *guest, struct shadow *shadow, u16 owner, mfn_t page_mfn)
{
	u64 window_entry;

	memset(v, 0, sizeof(*v));
	v->guest = guest;
	v->owner = owner;
	v->gate_mfn = v->gdt_mfn = v->ldt_mfn = v->fpu_mfn = MFN_NONE;
	window_clear(v->window);
	frame_get(page_mfn);
	v->page_mfn = page_mfn;
	v->page = machine_map(page_mfn);
	v->vif = &v->page->vif;
	v->vif_on = 1;
	v->pending = &v->page->pending;
	v->cr2 = &v->page->cr2;
	v->info_mfn = MFN_NONE;
	clock_publish(&v->page->clock);
	v->gate = take_frame(&v->gate_mfn, owner);
	v->gdt = take_frame(&v->gdt_mfn, owner);
	v->fpu = take_frame(&v->fpu_mfn, owner);
	if (!v->gate || !v->gdt || !v->fpu ||
	    window_make(v->window, page_mfn, owner,
			shadow->config.policy == SHADOW_NOTIFIED, &window_entry))
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
	put_frame(v->ldt_mfn);
	put_frame(v->gate_mfn);
	put_frame(v->info_mfn);
	put_frame(v->page_mfn);
	v->guest = NULL;
}

void vcpu_start(struct vcpu *v, u64 cr3, u64 rip, u64 rsp, u64 rsi)
{
	if (v->cpu)
		vcpu_unload(v);
	v->fs_base = v->gs_base = v->kernel_gs_base = 0;
	v->ds = v->es = v->fs = v->gs = 0;
	fpu_state_init(v->fpu);
	memset(&v->regs, 0, sizeof(v->regs));
	v->regs.entry_stack = AREA_STACK + AREA_STACK_ENTRY;
	v->regs.rip = rip;
	v->regs.rsp = rsp;
	v->regs.rsi = rsi;
	v->regs.cs = GN_KERNEL_CS;
	v->regs.ss = GN_KERNEL_SS;
	v->regs.rflags = RFLAGS_RESERVED | RFLAGS_IF;
	vcpu_set_vif(v, false);
	*v->cr2 = 0;
	v->page->sysret.cs = GN_USER_CS;
	v->page->sysret.ss = GN_USER_SS;
	v->cr0 = CR0_PG | CR0_WP | CR0_NE | CR0_ET | CR0_MP | CR0_PE;
	v->cr4 = CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT | (cpu_features.xsave ? CR4_OSXSAVE : 0) |
		 (cpu_features.smep ? CR4_SMEP : 0);
	v->efer = EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE;
	v->pat = PAT_RESET;
	v->dr6 = DR6_ONES;
	v->dr7 = DR7_ONES;
	vcpu_update_mode(v);
	vcpu_load_cr3(v, cr3);
}

void vcpu_load_cr3(struct vcpu *v, u64 cr3)
{
	v->cr3 = cr3;
	(void)shadow_load_cr3(&v->shadow, cr3);
}

void vcpu_update_mode(struct vcpu *v)
{
	shadow_set_mode(&v->shadow, (struct shadow_mode){
					.wp = v->cr0 & CR0_WP,
					.nxe = v->efer & EFER_NXE,
					.smep = v->cr4 & CR4_SMEP,
					.smap = v->cr4 & CR4_SMAP,
				    });
	v->changed |= VCPU_CHANGED_CONTROL;
}

void vcpu_describe_paging(struct shadow_config *config)
{
	config->physical_bits = cpu_features.physical_bits;
	config->has_1g_pages = cpu_features.pages_1g;
}

u64 vcpu_features(const struct vcpu *v)
{
	bool notified = v->shadow.shadow->config.policy == SHADOW_NOTIFIED;

	return (cpu_features.xsave ? GN_FEATURE_XSAVE : 0) |
	       (cpu_features.smep ? GN_FEATURE_SMEP : 0) | (notified ? GN_FEATURE_NOTIFIED : 0);
}

_Static_assert(!(AREA_RFLAGS_USER & ~(u64)(RFLAGS_GUEST | RFLAGS_IF)), "R11");

/* Below which the switcher may return to ring 3: not if the descriptors would not let it, nor
 * before it can see whether an event waits. */
static u64 iret_limit(const struct vcpu *v)
{
	if (mfn_is_none(v->info_mfn) || !vcpu_descriptor_is_usable(v, GN_USER_CS, true) ||
	    !vcpu_descriptor_is_usable(v, GN_USER_SS, false))
		return 0;
	return 1ul << 47;
}

static void load_xen_frames(struct area_constants *c, const struct vcpu *v)
{
	c->iret_limit = iret_limit(v);
	c->info = GN_VCPU_INFO_PAGE + ((u64)v->pending & ~PAGE_MASK);
	if (v->syscall_entry)
		c->syscall_entry = gn_xen_syscall;
	wrmsr(MSR_LSTAR, (u64)switcher_syscall_xen);
}

/* SYSCALL clears what the guest's FMASK names; IF stays, since vif stands for it. */
static void load_syscall(struct area_constants *c, const struct vcpu *v)
{
	c->syscall_entry = v->syscall_entry ? v->syscall_entry : gn_no_syscall_entry;
	if (v->frames == VCPU_FRAMES_XEN) {
		load_xen_frames(c, v);
		return;
	}
	wrmsr(MSR_LSTAR, (u64)switcher_syscall);
	c->syscall_keep =
	    (RFLAGS_GUEST & ~(u64)RFLAGS_RF & ~v->syscall_fmask) | RFLAGS_RESERVED | RFLAGS_IF;
	c->syscall_vif = !(v->syscall_fmask & RFLAGS_IF);
}

void vcpu_use_xen_frames(struct vcpu *v)
{
	v->frames = VCPU_FRAMES_XEN;
	v->vif_on = 0;
	v->hides_users = false; /* its kernel asks for events by its own ABI's IRET */
	v->changed = VCPU_CHANGED_ALL;
}

void vcpu_set_info(struct vcpu *v, mfn_t page, u8 *vif, u8 *pending, u64 *cr2)
{
	frame_get(page);
	put_frame(v->info_mfn);
	v->info_mfn = page;
	v->vif = vif;
	v->pending = pending;
	v->cr2 = cr2;
	v->page->mask_address = GN_VCPU_INFO_PAGE + ((u64)vif & ~PAGE_MASK);
	v->changed |= VCPU_CHANGED_SYSCALL;
	window_show(v->window, GN_VCPU_INFO_PAGE, page, PTE_W | PTE_D);
}

/* What the guest's kernel and users must meet in hardware. The monitor touches neither the FPU nor
 * user pages, and none is mapped under its CR3, so it can live with these meanwhile. */
static void load_control(const struct vcpu *v)
{
	const u64 cr0_guest = CR0_TS | CR0_EM | CR0_MP;
	const u64 cr4_guest = CR4_SMEP | CR4_SMAP | CR4_TSD | CR4_DE;
	u64 umip = cpu_features.umip && v->frames == VCPU_FRAMES_NATIVE ? CR4_UMIP : 0;

	write_cr0((read_cr0() & ~cr0_guest) | (v->cr0 & cr0_guest));
	write_cr4((read_cr4() & ~(cr4_guest | CR4_UMIP)) | (v->cr4 & cr4_guest) | umip);
}

static void load_changed(struct cpu *cpu, struct vcpu *v)
{
	if (v->changed & VCPU_CHANGED_GDT) {
		memcpy(cpu->area.gdt, v->gdt, GN_GDT_ENTRIES * sizeof(u64));
		desc_load_ldt(&cpu->area, GN_LDT, v->ldt_count);
	}
	if (v->changed & (VCPU_CHANGED_GDT | VCPU_CHANGED_USERS))
		vcpu_load_user_code(v, cpu->area.gdt);
	if (v->changed & (VCPU_CHANGED_SYSCALL | VCPU_CHANGED_GDT))
		load_syscall(cpu->area.constants, v);
	if (v->changed & VCPU_CHANGED_CONTROL)
		load_control(v);
	v->changed = 0;
}

/* On another CPU than before, or after another vCPU: changed is VCPU_CHANGED_ALL. */
static void load(struct cpu *cpu, struct vcpu *v)
{
	if (cpu->vcpu)
		vcpu_unload(cpu->vcpu);
	v->cpu = cpu;
	fpu_restore(v->fpu);
	load_changed(cpu, v);
	segments_load(v);
	cpu->area.constants->regs = (u64)&v->regs;
	shadow_set_slot(&v->shadow, GN_RESERVED_LAST_SLOT, cpu->paging.guest_l4e);
	/* Ring 1 reads the entry stack: what the last guest's exits left there is not this one's
	 * (R7). */
	memset(cpu->area.scratch, 0, PAGE_SIZE);
	cpu->vcpu = v;
	speculation_switch_guest();
}

void vcpu_load(struct cpu *cpu, struct vcpu *v)
{
	if (cpu->vcpu == v)
		load_changed(cpu, v);
	else
		load(cpu, v);
}

void vcpu_unload(struct vcpu *v)
{
	segments_save(v);
	write_cr0(read_cr0() & ~(CR0_TS | CR0_EM));
	fpu_save(v->fpu);
	v->changed = VCPU_CHANGED_ALL;
	v->cpu->vcpu = NULL;
	v->cpu = NULL;
}

/* Last of all on the way in, and DR7 first on the way out: none of them is the monitor's. */
void vcpu_load_breakpoints(const struct vcpu *v)
{
	write_dr0(v->dr[0]);
	write_dr1(v->dr[1]);
	write_dr2(v->dr[2]);
	write_dr3(v->dr[3]);
	write_dr7(v->dr7);
}

/* A #DB has come: what the CPU says of it joins what the guest will read, as the CPU's bits do. */
void vcpu_take_debug(struct vcpu *v)
{
	v->dr6 |= read_dr6() & DR6_WRITABLE;
	write_dr6(DR6_ONES);
}
