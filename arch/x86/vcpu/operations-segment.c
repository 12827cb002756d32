// SPDX-License-Identifier: MIT
/*
 * operations-segment.c - segments and descriptor tables, for the emulator. A kernel that loads its
 * GDT by LGDT has the table in its own memory: what LTR and far returns look up is read from there,
 * while the CPU has the sanitised copy. Descriptors of the system are left out of that copy, not
 * refused.
 */
#include "arch/x86/vcpu/emulator.h"
#include "lib/errno.h"
#include "lib/string.h"

#define DESCRIPTOR_TYPE_TSS  0x9ul /* available, 64-bit: SDM 3A table 3-2 */
#define DESCRIPTOR_TYPE_BUSY 0xbul
#define PIECE		     32

static enum emulate_verdict system_read(struct emulate *e, u64 linear, void *to, size_t size)
{
	struct shadow_access implicit = {0};
	struct emulator *owner = e->owner;

	if (!vcpu_copy_as(owner->vcpu, linear, to, size, implicit, &owner->stop))
		return EMULATE_OK;
	if (owner->stop.verdict == SHADOW_REFLECT)
		return emulate_page_fault(e, owner->stop.at, owner->stop.shadow.error_code);
	return EMULATE_SHUTDOWN;
}

enum emulate_verdict segment_read_descriptor(struct emulate *e, u16 selector, u64 *descriptor)
{
	struct vcpu *v = emulator_vcpu(e);
	u64 offset = selector & ~7u;

	if ((selector & 4) || offset + 7 > (v->gdt_base ? v->gdt_limit : GN_GDT_ENTRIES * 8 - 1u))
		return emulate_fault_error(e, EXCEPTION_GP, selector & ~3u);
	if (v->gdt_base)
		return system_read(e, v->gdt_base + offset, descriptor, sizeof(*descriptor));
	*descriptor = vcpu_written_descriptor(v, selector);
	return EMULATE_OK;
}

enum emulate_verdict segment_get(struct emulate *e, enum segment segment,
				 struct emulate_segment *to)
{
	struct vcpu *v = emulator_vcpu(e);
	u64 d = vcpu_written_descriptor(v, e->registers->selector[segment]);

	to->attributes = d >> 40 & 0xf0ff;
	to->limit = (d & 0xffff) | (d >> 32 & 0xf0000);
	if (to->attributes & ATTRIBUTE_PAGES)
		to->limit = to->limit << 12 | 0xfff;
	to->base = (d >> 16 & 0xffffff) | d >> 56 << 24;
	if (segment == SEGMENT_FS)
		to->base = rdmsr(MSR_FS_BASE);
	if (segment == SEGMENT_GS)
		to->base = rdmsr(MSR_GS_BASE);
	return EMULATE_OK;
}

enum emulate_verdict segment_set_stack(struct emulate *e, u16 selector, u64 descriptor)
{
	(void)descriptor;
	emulator_vcpu(e)->regs.ss = e->registers->cpl == 3 ? selector : GN_KERNEL_SS;
	return EMULATE_OK;
}

enum emulate_verdict segment_transfer(struct emulate *e, const struct emulate_transfer *to)
{
	struct vcpu *v = emulator_vcpu(e);

	if (to->kind == TRANSFER_IRET)
		vcpu_end_nmi(v);
	if (to->cpl == 0) {
		v->regs.cs = GN_KERNEL_CS;
		v->regs.ss = GN_KERNEL_SS;
		return EMULATE_OK;
	}
	/* The switcher's IRETQ takes them from the sanitised table. */
	if (to->kind != TRANSFER_SYSRET &&
	    (!vcpu_descriptor_is_usable(v, to->cs, true) ||
	     (to->ss & ~3u && !vcpu_descriptor_is_usable(v, to->ss, false))))
		return emulate_fault_error(e, EXCEPTION_GP, to->cs & ~3u);
	v->regs.cs = to->cs;
	if (to->loads_ss)
		v->regs.ss = to->ss;
	return EMULATE_OK;
}

enum emulate_verdict segment_swapgs(struct emulate *e)
{
	(void)e;
	vcpu_swap_gs();
	return EMULATE_OK;
}

enum emulate_verdict segment_get_table(struct emulate *e, enum emulate_table table,
				       struct emulate_table_register *to)
{
	struct vcpu *v = emulator_vcpu(e);

	to->base = table == TABLE_GDT ? v->gdt_base : v->idt_base;
	to->limit = table == TABLE_GDT ? v->gdt_limit : v->idt_limit;
	return EMULATE_OK;
}

static enum emulate_verdict load_gdt(struct emulate *e, const struct emulate_table_register *from)
{
	struct vcpu *v = emulator_vcpu(e);
	unsigned count = MIN((from->limit + 1u) / 8, GN_GDT_ENTRIES);
	u64 piece[PIECE];

	for (unsigned first = 0; first < count; first += PIECE) {
		unsigned n = MIN(count - first, PIECE);
		enum emulate_verdict verdict = system_read(e, from->base + first * 8, piece, n * 8);

		if (verdict != EMULATE_OK)
			return verdict;
		for (unsigned i = 0; i < n; i++)
			if (vcpu_set_descriptors(v, first + i, &piece[i], 1))
				v->gdt[first + i] = 0;
	}
	v->gdt_base = from->base;
	v->gdt_limit = from->limit;
	return EMULATE_OK;
}

static enum emulate_verdict load_idt(struct emulate *e, const struct emulate_table_register *from)
{
	struct vcpu *v = emulator_vcpu(e);
	unsigned count = MIN((from->limit + 1u) / 16, 256);
	u64 piece[PIECE][2];

	for (unsigned first = 0; first < count; first += PIECE) {
		unsigned n = MIN(count - first, PIECE);
		enum emulate_verdict verdict =
		    system_read(e, from->base + first * 16, piece, n * 16);

		if (verdict != EMULATE_OK)
			return verdict;
		for (unsigned i = 0; i < n; i++)
			if (vcpu_set_gates(v, first + i, &piece[i], 1))
				v->gate[first + i].present = false;
	}
	for (unsigned i = count; i < 256; i++)
		v->gate[i].present = false;
	v->idt_base = from->base;
	v->idt_limit = from->limit;
	return EMULATE_OK;
}

/* The IDT is read now: a kernel that changes a gate afterwards loads the table again (ABI.md). */
enum emulate_verdict segment_set_table(struct emulate *e, enum emulate_table table,
				       const struct emulate_table_register *from)
{
	if (!is_canonical(from->base))
		return emulate_fault_error(e, EXCEPTION_GP, 0);
	return table == TABLE_GDT ? load_gdt(e, from) : load_idt(e, from);
}

enum emulate_verdict segment_get_selector(struct emulate *e, enum emulate_selector which, u16 *to)
{
	*to = which == SELECTOR_TR ? emulator_vcpu(e)->task_selector : 0;
	return EMULATE_OK;
}

/* LTR: from now on stacks are read from this TSS at each delivery, as the CPU does. LLDT: null
 * only. */
enum emulate_verdict segment_set_selector(struct emulate *e, enum emulate_selector which,
					  u16 selector)
{
	struct vcpu *v = emulator_vcpu(e);
	u64 low, high;
	unsigned type;

	if (which == SELECTOR_LDT)
		return selector & ~3u ? emulate_fault_error(e, EXCEPTION_GP, selector & ~3u)
				      : EMULATE_OK;
	if (!(selector & ~3u) || (selector & 4) || !v->gdt_base ||
	    (selector & ~7u) + 15u > v->gdt_limit)
		return emulate_fault_error(e, EXCEPTION_GP, selector & ~3u);
	if (system_read(e, v->gdt_base + (selector & ~7u), &low, 8) != EMULATE_OK ||
	    system_read(e, v->gdt_base + (selector & ~7u) + 8, &high, 8) != EMULATE_OK)
		return EMULATE_EVENT;
	type = low >> 40 & 0x1f;
	if (type != DESCRIPTOR_TYPE_TSS)
		return emulate_fault_error(e, EXCEPTION_GP, selector & ~3u);
	if (!(low >> 47 & 1))
		return emulate_fault_error(e, EXCEPTION_NP, selector & ~3u);
	v->task_selector = selector;
	v->task_base = (low >> 16 & 0xffffff) | low >> 56 << 24 | high << 32;
	low |= DESCRIPTOR_TYPE_BUSY << 40;
	return memory_write(e, v->gdt_base + (selector & ~7u), &low, sizeof(low));
}
