// SPDX-License-Identifier: MIT
/* processor.c - what a Xen guest loads into its processor, and its IRET. */
#include "hypercall/xen/xen.h"
#include "mm/guest-copy.h"

#define TRAP_MASKS_EVENTS 4
#define LDT_PIECE 32

struct call_result xen_set_trap_table(struct guest *g, u64 *a)
{
	struct xen_trap_info trap;

	for (unsigned i = 0; !a[0] && i < 256; i++)
		g->vcpu.gate[i].present = false;
	for (unsigned i = 0; a[0] && i < 256; i++, a[0] += sizeof(trap)) {
		if (!xen_get(g, a[0], &trap, sizeof(trap)))
			return call_done(-EFAULT);
		if (!trap.address)
			break;
		if (!is_guest_address(trap.address))
			return call_done(-EINVAL);
		g->vcpu.gate[trap.vector] = (struct vcpu_gate){
		    .handler = trap.address,
		    .cs = GN_GUEST_KERNEL_CS,
		    .present = true,
		    .trap = !(trap.flags & TRAP_MASKS_EVENTS),
		    .user = (trap.flags & 3) == 3,
		};
	}
	return call_done(0);
}

/* Descriptors that the guest may not have become absent, as nobody loads them. */
static void set_descriptor(struct vcpu *v, unsigned index, u64 descriptor)
{
	const u64 absent = 0;

	if (index < GN_GDT_ENTRIES && vcpu_set_descriptors(v, index, &descriptor, 1))
		(void)!vcpu_set_descriptors(v, index, &absent, 1);
}

struct call_result xen_set_gdt(struct guest *g, u64 *a)
{
	u64 frame, descriptor;

	if (a[1] == 0 || a[1] > 8192)
		return call_done(-EINVAL);
	if (!xen_get(g, a[0], &frame, sizeof(frame)))
		return call_done(-EFAULT);
	if (frame >= g->config.memory_size >> PAGE_SHIFT)
		return call_done(-EINVAL);
	xen_of(g)->gdt = GPA(frame << PAGE_SHIFT);
	for (unsigned i = 0; i < GN_GDT_ENTRIES; i++) {
		descriptor = 0;
		if (i < a[1] && guest_copy_read(&g->p2m, GPA((frame << PAGE_SHIFT) + i * 8),
						&descriptor, sizeof(descriptor), NULL))
			return call_done(-EINVAL);
		set_descriptor(&g->vcpu, i, descriptor);
	}
	return call_done(0);
}

/* The table is read now: an entry that changes later counts when it is set again, as Linux does.
 * What is behind its first page is absent. */
int xen_set_ldt(struct guest *g, u64 at, u64 count)
{
	u64 piece[LDT_PIECE];
	int error;

	count = MIN(count, VCPU_LDT_ENTRIES);
	error = vcpu_start_ldt(&g->vcpu, count);
	for (unsigned i = 0; i < count && !error; i++) {
		if (i % LDT_PIECE == 0 &&
		    !xen_get(g, at + i * 8, piece, MIN(count - i, LDT_PIECE) * 8))
			return vcpu_start_ldt(&g->vcpu, 0) ? -ENOMEM : -EFAULT;
		vcpu_set_local(&g->vcpu, i, piece[i % LDT_PIECE]);
	}
	return error;
}

struct call_result xen_update_descriptor(struct guest *g, u64 *a)
{
	u64 offset = a[0] - xen_of(g)->gdt.v;

	if (a[0] % 8 || guest_copy_write(&g->p2m, GPA(a[0]), &a[1], sizeof(a[1]), NULL))
		return call_done(-EINVAL);
	if (offset < GN_GDT_ENTRIES * 8)
		set_descriptor(&g->vcpu, offset / 8, a[1]);
	return call_done(0);
}

struct call_result xen_stack_switch(struct guest *g, u64 *a)
{
	if (!is_guest_address(a[1]))
		return call_done(-EPERM);
	WRITE_ONCE(g->vcpu.page->kernel_stack, a[1] & ~15ul);
	return call_done(0);
}

struct call_result xen_fpu_taskswitch(struct guest *g, u64 *a)
{
	vcpu_set_task_switched(&g->vcpu, a[0]);
	return call_done(0);
}

struct call_result xen_set_segment_base(struct guest *g, u64 *a)
{
	static const u8 base[] = {GN_BASE_FS, VCPU_BASE_GS_SWAPPED, GN_BASE_GS};

	if (a[0] == XEN_SEGBASE_GS_USER_SEL) {
		vcpu_load_user_gs(&g->vcpu, a[1]);
		return call_done(0);
	}
	if (a[0] > XEN_SEGBASE_GS_KERNEL || !is_canonical(a[1]) ||
	    vcpu_set_base(&g->vcpu, base[a[0]], a[1]))
		return call_done(-EINVAL);
	return call_done(0);
}

struct call_result xen_set_debugreg(struct guest *g, u64 *a)
{
	return call_done(a[0] < 8 && !vcpu_set_debug(&g->vcpu, a[0], a[1]) ? 0 : -EINVAL);
}

struct call_result xen_get_debugreg(struct guest *g, u64 *a)
{
	struct vcpu *v = &g->vcpu;

	if (a[0] > 7)
		return call_done(-EINVAL);
	return call_done(a[0] < 4 ? v->dr[a[0]] : a[0] & 1 ? v->dr7 : v->dr6);
}

struct call_result xen_callback_op(struct guest *g, u64 *a)
{
	struct vcpu *v = &g->vcpu;
	struct {
		u16 type, flags;
		u32 pad;
		u64 address;
	} callback;

	if (a[0] != XEN_CALLBACK_REGISTER)
		return call_done(-ENOSYS);
	if (!xen_get(g, a[1], &callback, sizeof(callback)))
		return call_done(-EFAULT);
	if (!is_guest_address(callback.address))
		return call_done(-EINVAL);
	switch (callback.type) {
	case XEN_CALLBACK_EVENT:
		v->event_entry = callback.address;
		return call_done(0);
	case XEN_CALLBACK_FAILSAFE:
		v->failsafe_entry = callback.address;
		return call_done(0);
	case XEN_CALLBACK_SYSCALL:
		v->page->syscall_handler = callback.address;
		vcpu_set_syscall_entry(v, callback.address, 0);
		return call_done(0);
	default: /* SYSENTER and 32-bit SYSCALL: the guest goes on without */
		return call_done(-EINVAL);
	}
}

/* Can the frame be returned by? To ring 3 by its selectors; those of the kernel are ours anyway. */
static bool is_possible(const struct vcpu *v, const struct xen_iret_frame *f)
{
	if (!is_canonical(f->rip))
		return false;
	return (f->cs & 3) != 3 ||
	       (vcpu_descriptor_is_usable(v, f->cs, true) &&
		vcpu_descriptor_is_usable(v, f->ss, false) && (f->ss & 3) == 3);
}

/*
 * The guest's IRET: the frame lies at its RSP. RPL 3 is the user, with its GS; anything else the
 * kernel. An upcall that waits is delivered before the guest runs again. A frame that cannot be is
 * the guest's to see to, at its failsafe callback.
 */
struct call_result xen_iret(struct guest *g, u64 *a)
{
	struct vcpu *v = &g->vcpu;
	struct guest_regs *regs = &v->regs;
	struct xen_iret_frame f;

	(void)a;
	if (!xen_get(g, regs->rsp, &f, sizeof(f))) {
		guest_crash(g, "its IRET has no frame at RSP %#lx", regs->rsp);
		return (struct call_result){0, CALL_YIELD};
	}
	regs->cs = GN_KERNEL_CS;
	regs->ss = GN_KERNEL_SS;
	if ((f.cs & 3) == 3) {
		regs->cs = f.cs & 0xffff;
		regs->ss = f.ss & 0xffff;
		vcpu_swap_gs();
	}
	regs->rip = f.rip;
	regs->rsp = f.rsp;
	regs->rflags = (f.rflags & RFLAGS_GUEST) | RFLAGS_RESERVED | RFLAGS_IF;
	regs->rcx = f.rcx;
	regs->r11 = f.r11;
	vcpu_set_vif(v, f.rflags & RFLAGS_IF);
	if (unlikely(!is_possible(v, &f)))
		vcpu_failsafe(v);
	return call_done(f.rax);
}
