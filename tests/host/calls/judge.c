// SPDX-License-Identifier: MIT
/* judge.c - see judge.h. Numbers in brackets are the rules of SECURITY.md. */
#include "guest-abi/hypercalls.h"
#include "hypercall/xen/xen.h"
#include "lib/bug.h"
#include "mm/machine.h"
#include "tests/host/calls/cpu.h"
#include "tests/host/calls/judge.h"
#include "tests/host/calls/world.h"

#define WORK_MAX 100000 /* basic blocks; mmu_update of 128 entries has the most, 49,000 */

/* ---- registers ---- */

void judge_entry(const struct vcpu *v)
{
	const struct guest_regs *r = &v->regs;
	const struct area_constants *c = test_cpu_structure.area.constants;

	BUG_ON(v->cpu != &test_cpu_structure || c->regs != (u64)r);
	BUG_ON(v->death || v->guest->end != GUEST_LIVES);
	BUG_ON((r->cs & 3) != 1 && (r->cs & 3) != 3); /* R14 */
	BUG_ON((r->cs & 3) == 1 && (r->cs != GN_KERNEL_CS || r->ss != GN_KERNEL_SS));
	BUG_ON(!(r->rflags & RFLAGS_IF)); /* R19 */
	BUG_ON(r->rflags &
	       ~(u64)(RFLAGS_GUEST | RFLAGS_IF | RFLAGS_RESERVED | RFLAGS_TF)); /* R11 */
	BUG_ON(r->entry_stack - AREA_STACK - AREA_STACK_ENTRY &&
	       r->entry_stack - AREA_ALIASES - AREA_STACK_ENTRY > AREA_ALIASES_SIZE + 0x4000);
	BUG_ON(!is_guest_address(c->syscall_entry) &&
	       c->syscall_entry - GN_CODE_AREA >= GN_CODE_SIZE);
	BUG_ON((test_cpu.cr4 ^ v->cr4) & (CR4_SMEP | CR4_SMAP));
}

/* R13: code and data, DPL 1 or 3, accessed, not conforming. */
static void judge_descriptor(u64 d)
{
	if (!(d >> 47 & 1))
		return;
	BUG_ON(!(d >> 44 & 1) || !(d >> 40 & 1));
	BUG_ON((d >> 45 & 3) != 1 && (d >> 45 & 3) != 3);
	BUG_ON(d >> 43 & 1 && d >> 42 & 1);
}

/* What the CPU has: while an event waits for vif, no code of ring 3. */
static void judge_loaded(const struct vcpu *v, u64 d)
{
	judge_descriptor(d);
	BUG_ON(v->hides_users && d >> 47 & 1 && d >> 43 & 1 && (d >> 45 & 3) == 3);
}

static void judge_descriptors(const struct vcpu *v)
{
	for (unsigned i = 0; i < GN_GDT_ENTRIES; i++) {
		judge_descriptor(v->gdt[i]);
		judge_loaded(v, test_cpu_structure.area.gdt[i]);
	}
	for (unsigned i = 0; i < v->ldt_count; i++)
		judge_loaded(v, v->ldt[i]);
	BUG_ON(v->gdt[0]);
}

/* ---- memory ---- */

/* What the CPU can reach: the guest's own frames, what is published to it, the code area (R3). */
static void judge_leaf(const struct guest *g, u64 entry, mfn_t mfn)
{
	const struct frame *f = frame_of(mfn);

	if (!f) {
		BUG_ON(mfn.v - (CODE_IMAGE >> PAGE_SHIFT) > GN_CODE_SIZE >> PAGE_SHIFT);
		BUG_ON(entry & PTE_W);
		return;
	}
	BUG_ON(!f->refs);
	if (f->owner == FRAME_OWNER_MONITOR) { /* a module, read by its loader */
		BUG_ON(f->type != FRAME_PUBLISHED || entry & PTE_W || !g->loading);
		return;
	}
	BUG_ON(f->owner != g->owner);
	BUG_ON(f->type != FRAME_GUEST && f->type != FRAME_PUBLISHED &&
	       (f->type != FRAME_SWITCHER || mfn.v != g->vcpu.ldt_mfn.v || entry & PTE_W));
	BUG_ON(f->type != FRAME_GUEST && !(entry & PTE_NX));
}

static void judge_table(const struct guest *g, mfn_t table, unsigned level)
{
	const struct frame *f = frame_of(table);
	const u64 *entries = machine_map(table);

	BUG_ON(!f || !f->refs || f->owner != g->owner);
	BUG_ON(f->type != FRAME_SHADOW && f->type != FRAME_SWITCHER);
	for (unsigned slot = 0; slot < 512; slot++) {
		mfn_t next = MFN((entries[slot] & PTE_FRAME) >> PAGE_SHIFT);

		if (!(entries[slot] & PTE_P))
			continue;
		if (level > 1 && !(entries[slot] & PTE_PS))
			judge_table(g, next, level - 1);
		else
			for (unsigned i = 0; i < (level > 1 ? 512 : 1); i++)
				judge_leaf(g, entries[slot], MFN(next.v + i));
	}
}

void judge_guest(struct guest *g)
{
	BUG_ON(!shadow_is_sound(&g->shadow, g->config.policy == SHADOW_TRAPPED));
	judge_table(g, shadow_root(&g->vcpu.shadow), 4);
	judge_descriptors(&g->vcpu);
	world_counts->audits++;
}

/* ---- answers ---- */

static bool is_error(s64 value, bool is_xen)
{
	static const u8 native[] = {
#define X(name, number, meaning) number,
	    GN_ERRORS(X)
#undef X
	};
	static const u8 xen[] = {EPERM, ENOENT, ENOMEM, EFAULT, EEXIST, EINVAL, ENOSPC, ENOSYS};
	const u8 *known = is_xen ? xen : native;

	for (size_t i = 0; i < (is_xen ? sizeof(xen) : sizeof(native)); i++)
		if (value == -(s64)known[i])
			return true;
	return false;
}

/* A native call keeps what it does not name. */
static bool keeps(const struct guest_regs *a, const struct guest_regs *b)
{
	return a->r9 == b->r9 && a->rbx == b->rbx && a->rbp == b->rbp && a->r12 == b->r12 &&
	       a->r13 == b->r13 && a->r14 == b->r14 && a->r15 == b->r15;
}

#define XEN_GET_DEBUGREG 9 /* whose answer may be anything */

void judge_answer(const struct attacker_call *call, const struct guest_regs *after)
{
	s64 value = after->rax;

	if (call->is_xen && (call->number == XEN_CALL_IRET || call->number == XEN_GET_DEBUGREG))
		return;
	if (value < -4095) /* a segment based high */
		BUG_ON(call->is_xen || call->number != GN_CALL_get_descriptor);
	else
		BUG_ON(value < 0 && !is_error(value, call->is_xen));
	BUG_ON(!keeps(&call->regs, after));
	if (value < 0)
		world_counts->refused++;
	else
		world_counts->obeyed++;
}

/* ---- work ---- */

static u64 blocks, began;
static bool is_measured;
static unsigned work_reason;
static u64 work_call;

void __sanitizer_cov_trace_pc(void);

/* The compiler calls it in each basic block of the monitor's. */
void __sanitizer_cov_trace_pc(void)
{
	if (++blocks - began > WORK_MAX && is_measured)
		bug_panic("more than %u blocks for one exit: reason %u, RAX %#lx", WORK_MAX,
			  work_reason, work_call);
}

void judge_work_begin(unsigned reason, u64 call)
{
	is_measured = true;
	began = blocks;
	work_reason = reason;
	work_call = call;
}

void judge_work_end(void)
{
	u64 work = blocks - began;

	if (!is_measured)
		return;
	is_measured = false;
	if (work > world_counts->work) {
		world_counts->work = work;
		world_counts->worst_reason = work_reason;
		world_counts->worst_call = work_call;
	}
}
