// SPDX-License-Identifier: MIT
/*
 * descriptors.c - the guest's GDT, LDT and IDT as it may have them. Guest memory is never loaded as
 * a descriptor table: the monitor keeps copies, flat code and data of DPL 1 or 3 only, every
 * accessed bit set (the CPU must not want to write to a read-only table), nothing conforming, no
 * gates, no TSS (R13). Layouts: SDM 3A 3.4.5 (segment descriptors), 6.14.1 (64-bit gates).
 */
#include "arch/x86/vcpu/vcpu.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/machine.h"

#define DESCRIPTOR_ACCESSED (1ul << 40)
#define DESCRIPTOR_WRITABLE (1ul << 41) /* of data; readable of code */
#define DESCRIPTOR_CONFORMS (1ul << 42) /* of code; expand-down of data */
#define DESCRIPTOR_CODE	    (1ul << 43)
#define DESCRIPTOR_SEGMENT  (1ul << 44) /* not a system descriptor */
#define DESCRIPTOR_DPL	    (3ul << 45)
#define DESCRIPTOR_DPL_1    (1ul << 45)
#define DESCRIPTOR_PRESENT  (1ul << 47)
#define DESCRIPTOR_LONG	    (1ul << 53)
#define DESCRIPTOR_BIG	    (1ul << 54)
#define DESCRIPTOR_BASE	    0xff0000ffffff0000ul
#define DESCRIPTOR_FLAT	    0x00cf00000000fffful /* limit 4 GiB, in pages, 32 bits */

/* The descriptor that stands for what the guest wrote; false: it may not have that. */
static bool sanitise(u64 *descriptor)
{
	u64 d = *descriptor, dpl = d & DESCRIPTOR_DPL;

	if (!(d & DESCRIPTOR_PRESENT)) {
		*descriptor = 0;
		return true;
	}
	if (!(d & DESCRIPTOR_SEGMENT) || (d & DESCRIPTOR_CONFORMS))
		return false;
	if (dpl && dpl != DESCRIPTOR_DPL)
		return false;
	if ((d & DESCRIPTOR_CODE) && (d & DESCRIPTOR_LONG) && (d & DESCRIPTOR_BIG))
		return false;
	*descriptor = (d | DESCRIPTOR_ACCESSED) & ~(u64)DESCRIPTOR_DPL;
	*descriptor |= dpl ? dpl : DESCRIPTOR_DPL_1;
	return true;
}

static bool is_user_code(u64 descriptor)
{
	const u64 user_code = DESCRIPTOR_CODE | DESCRIPTOR_DPL;

	return (descriptor & user_code) == user_code;
}

static bool is_small_stack(u64 descriptor)
{
	const u64 user_data = DESCRIPTOR_PRESENT | DESCRIPTOR_DPL;

	return (descriptor & (user_data | DESCRIPTOR_CODE | DESCRIPTOR_BIG)) == user_data;
}

static __noinline void load_users(const struct vcpu_users *users, u64 *to, const u64 *from,
				  bool hide)
{
	for (unsigned i = users->first; i < users->end; i++)
		if (is_user_code(from[i]))
			to[i] = hide ? from[i] & ~DESCRIPTOR_PRESENT : from[i] | DESCRIPTOR_PRESENT;
}

void vcpu_load_user_code(const struct vcpu *v, u64 *gdt)
{
	load_users(&v->gdt_users, gdt, v->gdt, v->hides_users);
	load_users(&v->ldt_users, v->ldt, v->ldt, v->hides_users);
}

/* What may not be is absent, which is 0. */
static void set_entry(struct vcpu *v, u64 *table, struct vcpu_users *users, unsigned i, u64 d)
{
	table[i] = sanitise(&d) ? d : 0;
	v->small_stacks |= is_small_stack(table[i]);
	if (is_user_code(table[i])) {
		users->first = MIN(users->first, i);
		users->end = MAX(users->end, i + 1);
	}
}

static bool may_be(const u64 *descriptors, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		u64 d = descriptors[i];

		if (!sanitise(&d))
			return false;
	}
	return true;
}

int vcpu_set_descriptors(struct vcpu *v, unsigned first, const u64 *descriptors, unsigned count)
{
	if (first > GN_GDT_ENTRIES || count > GN_GDT_ENTRIES - first)
		return -EINVAL;
	if (!may_be(descriptors, count))
		return -EINVAL;
	for (unsigned i = 0; i < count; i++)
		set_entry(v, v->gdt, &v->gdt_users, first + i, descriptors[i]);
	v->gdt[0] = 0;
	v->changed |= VCPU_CHANGED_GDT;
	return 0;
}

void vcpu_default_descriptors(struct vcpu *v)
{
	const u64 segment =
	    DESCRIPTOR_PRESENT | DESCRIPTOR_SEGMENT | DESCRIPTOR_WRITABLE | DESCRIPTOR_ACCESSED;
	const u64 code64 =
	    (DESCRIPTOR_FLAT & ~DESCRIPTOR_BIG) | segment | DESCRIPTOR_CODE | DESCRIPTOR_LONG;
	const u64 data = DESCRIPTOR_FLAT | segment;

	memset(v->gdt, 0, GN_GDT_ENTRIES * sizeof(u64));
	v->gdt[GN_GUEST_KERNEL_CS / 8] = code64 | DESCRIPTOR_DPL_1;
	v->gdt[GN_GUEST_KERNEL_SS / 8] = data | DESCRIPTOR_DPL_1;
	v->gdt[GN_USER_SS / 8 - 1] = data | DESCRIPTOR_CODE | DESCRIPTOR_DPL; /* 32-bit code */
	v->gdt[GN_USER_SS / 8] = data | DESCRIPTOR_DPL;
	v->gdt[GN_USER_CS / 8] = code64 | DESCRIPTOR_DPL;
	v->gdt_users = (struct vcpu_users){GN_USER_SS / 8 - 1, GN_USER_CS / 8 + 1};
	v->changed |= VCPU_CHANGED_GDT;
}

int vcpu_start_ldt(struct vcpu *v, unsigned count)
{
	if (count && !v->ldt) {
		v->ldt_mfn = frame_alloc(FRAME_SWITCHER, v->owner);
		if (mfn_is_none(v->ldt_mfn))
			return -ENOMEM;
		v->ldt = machine_map(v->ldt_mfn);
		window_show(v->window, GN_LDT, v->ldt_mfn, 0);
	}
	if (count)
		memset(v->ldt, 0, PAGE_SIZE);
	v->ldt_users = (struct vcpu_users){VCPU_LDT_ENTRIES, 0};
	v->ldt_count = count;
	v->changed |= VCPU_CHANGED_GDT;
	return 0;
}

void vcpu_set_local(struct vcpu *v, unsigned index, u64 descriptor)
{
	set_entry(v, v->ldt, &v->ldt_users, index, descriptor);
}

int vcpu_set_locals(struct vcpu *v, unsigned first, const u64 *descriptors, unsigned count)
{
	if (first > VCPU_LDT_ENTRIES || count > VCPU_LDT_ENTRIES - first ||
	    !may_be(descriptors, count))
		return -EINVAL;
	if (!v->ldt_count && vcpu_start_ldt(v, first + count))
		return -ENOMEM;
	v->ldt_count = MAX(v->ldt_count, first + count);
	v->changed |= VCPU_CHANGED_GDT;
	for (unsigned i = 0; i < count; i++)
		set_entry(v, v->ldt, &v->ldt_users, first + i, descriptors[i]);
	return 0;
}

/* There is one LDT, the CPU's own: a descriptor that is not present in it is hidden, or 0. */
static u64 local(const struct vcpu *v, unsigned index)
{
	u64 d = v->ldt[index & index_mask(index, v->ldt_count)];

	return d ? d | DESCRIPTOR_PRESENT : 0;
}

u64 vcpu_descriptor(const struct vcpu *v, u16 selector)
{
	unsigned index = selector >> 3;

	if (selector & 4)
		return index < v->ldt_count ? local(v, index) : 0;
	return index < GN_GDT_ENTRIES ? v->gdt[index & index_mask(index, GN_GDT_ENTRIES)] : 0;
}

u64 vcpu_written_descriptor(const struct vcpu *v, u16 selector)
{
	u64 d = vcpu_descriptor(v, selector);

	return (d & DESCRIPTOR_DPL) == DESCRIPTOR_DPL ? d : d & ~(u64)DESCRIPTOR_DPL;
}

/* What of RSP an IRETQ to a 16-bit stack leaves alone is to be the user's: area.h, AREA_ALIASES. */
void vcpu_set_entry_stack(struct vcpu *v)
{
	bool small = vcpu_is_user(v) && is_small_stack(vcpu_descriptor(v, v->regs.ss));
	u64 alias = AREA_ALIASES - AREA_BASE + (v->regs.rsp & 0xffff0000);

	v->regs.entry_stack = AREA_STACK + AREA_STACK_ENTRY + (small ? alias : 0);
}

/* May the selector be loaded with its own RPL: into CS (code), or as data? Not the null selector.
 * */
bool vcpu_descriptor_is_usable(const struct vcpu *v, u16 selector, bool code)
{
	u64 d = vcpu_descriptor(v, selector);

	if (!(d & DESCRIPTOR_PRESENT) || !!(d & DESCRIPTOR_CODE) != code)
		return false;
	if (!code && !(d & DESCRIPTOR_WRITABLE))
		return false;
	return (d & DESCRIPTOR_DPL) >> 45 == (selector & 3);
}

#define GATE_INTERRUPT 0xe
#define GATE_TRAP      0xf

/* A 16-byte gate, SDM 3A figure 6-8. */
static bool read_gate(struct vcpu_gate *to, const u64 gate[2])
{
	u8 type = gate[0] >> 40 & 0x1f, dpl = gate[0] >> 45 & 3;

	memset(to, 0, sizeof(*to));
	if (!(gate[0] >> 47 & 1))
		return true;
	to->handler = (gate[0] & 0xffff) | (gate[0] >> 48 << 16) | gate[1] << 32;
	to->cs = gate[0] >> 16;
	to->ist = gate[0] >> 32 & 7;
	to->present = true;
	to->trap = type == GATE_TRAP;
	to->user = dpl == 3;
	return (type == GATE_INTERRUPT || type == GATE_TRAP) && is_canonical(to->handler);
}

int vcpu_set_gates(struct vcpu *v, unsigned first, const u64 (*gates)[2], unsigned count)
{
	struct vcpu_gate gate;

	if (first > 256 || count > 256 - first)
		return -EINVAL;
	for (unsigned i = 0; i < count; i++)
		if (!read_gate(&gate, gates[i]))
			return -EINVAL;
	for (unsigned i = 0; i < count; i++)
		(void)!read_gate(&v->gate[first + i], gates[i]);
	return 0;
}

void vcpu_set_syscall_entry(struct vcpu *v, u64 rip, u64 fmask)
{
	v->syscall_entry = rip;
	v->syscall_fmask = fmask;
	v->changed |= VCPU_CHANGED_SYSCALL;
}
