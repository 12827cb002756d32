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

#define DESCRIPTOR_TYPE_LDT  0x2ul
#define DESCRIPTOR_TYPE_TSS  0x9ul /* available, 64-bit: SDM 3A table 3-2 */
#define DESCRIPTOR_TYPE_BUSY 0xbul
#define DESCRIPTOR_PAGES     (1ul << 55)
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
	u64 offset = selector & ~7u, size = v->gdt_base ? v->gdt_limit + 1u : GN_GDT_ENTRIES * 8;
	bool is_local = selector & 4;

	if (offset + 8 > (is_local ? v->ldt_count * 8u : size))
		return emulate_fault_error(e, EXCEPTION_GP, selector & ~3u);
	if (v->gdt_base && !is_local)
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
	const struct vcpu *v = emulator_vcpu(e);

	*to = which == SELECTOR_TR ? v->task_selector : v->ldt_selector;
	return EMULATE_OK;
}

/* A descriptor of the system: 16 bytes of the guest's GDT, of that type and present. */
static enum emulate_verdict read_system_descriptor(struct emulate *e, u16 selector, unsigned type,
						   u64 descriptor[2])
{
	struct vcpu *v = emulator_vcpu(e);
	u64 offset = selector & ~7u;
	enum emulate_verdict verdict;

	if (!(selector & ~3u) || (selector & 4) || !v->gdt_base || offset + 15 > v->gdt_limit)
		return emulate_fault_error(e, EXCEPTION_GP, selector & ~3u);
	verdict = system_read(e, v->gdt_base + offset, descriptor, 16);
	if (verdict != EMULATE_OK)
		return verdict;
	if ((descriptor[0] >> 40 & 0x1f) != type)
		return emulate_fault_error(e, EXCEPTION_GP, selector & ~3u);
	if (!(descriptor[0] >> 47 & 1))
		return emulate_fault_error(e, EXCEPTION_NP, selector & ~3u);
	return EMULATE_OK;
}

static u64 system_base(const u64 descriptor[2])
{
	return (descriptor[0] >> 16 & 0xffffff) | descriptor[0] >> 56 << 24 | descriptor[1] << 32;
}

/* How many descriptors are in a table with this limit, which may be in pages. */
static unsigned system_entries(u64 low)
{
	u64 limit = (low & 0xffff) | (low >> 32 & 0xf0000);

	return ((low & DESCRIPTOR_PAGES ? limit << 12 | 0xfff : limit) + 1) / 8;
}

/* The LDT is read now, as the IDT is. While it is read there is none. */
static enum emulate_verdict load_ldt(struct emulate *e, u16 selector)
{
	struct emulator *owner = e->owner;
	struct vcpu *v = owner->vcpu;
	u64 descriptor[2] = {0}, piece[PIECE];
	enum emulate_verdict verdict = EMULATE_OK;
	unsigned count = 0;

	if (selector & ~3u) {
		verdict = read_system_descriptor(e, selector, DESCRIPTOR_TYPE_LDT, descriptor);
		count = MIN(system_entries(descriptor[0]), VCPU_LDT_ENTRIES);
	}
	if (verdict != EMULATE_OK)
		return verdict;
	if (!is_canonical(system_base(descriptor)))
		return emulate_fault_error(e, EXCEPTION_GP, selector & ~3u);
	if (vcpu_start_ldt(v, count)) {
		owner->stop.verdict = SHADOW_KILL;
		owner->stop.shadow.why = "there is no memory for its LDT";
		return EMULATE_SHUTDOWN;
	}
	v->ldt_selector = selector;
	for (unsigned i = 0; i < count; i++) {
		if (i % PIECE == 0)
			verdict = system_read(e, system_base(descriptor) + i * 8, piece,
					      MIN(count - i, PIECE) * 8);
		if (verdict != EMULATE_OK) {
			v->ldt_count = 0;
			return verdict;
		}
		vcpu_set_local(v, i, piece[i % PIECE]);
	}
	return EMULATE_OK;
}

/* LTR: from now on stacks are read from this TSS at each delivery, as the CPU does. */
static enum emulate_verdict load_task(struct emulate *e, u16 selector)
{
	struct vcpu *v = emulator_vcpu(e);
	u64 descriptor[2];
	enum emulate_verdict verdict =
	    read_system_descriptor(e, selector, DESCRIPTOR_TYPE_TSS, descriptor);

	if (verdict != EMULATE_OK)
		return verdict;
	v->task_selector = selector;
	v->task_base = system_base(descriptor);
	descriptor[0] |= DESCRIPTOR_TYPE_BUSY << 40;
	return memory_write(e, v->gdt_base + (selector & ~7u), descriptor, sizeof(*descriptor));
}

enum emulate_verdict segment_set_selector(struct emulate *e, enum emulate_selector which,
					  u16 selector)
{
	return which == SELECTOR_LDT ? load_ldt(e, selector) : load_task(e, selector);
}
