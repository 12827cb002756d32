// SPDX-License-Identifier: MIT
/*
 * system.c - the privileged and the sensitive: interrupt flag, control and debug registers, MSRs,
 * descriptor tables, TLB, ports, CPUID. Who may is judged here, by the guest's CPL and the rules of
 * the instructions' pages in SDM vol. 2; what may be is the operations' matter.
 */
#include "arch/x86/emulate/private.h"
#include "lib/string.h"

#define CR0_PE	    (1ul << 0)
#define CR0_TS	    (1ul << 3)
#define CR0_LOW	    0xful /* PE MP EM TS: what LMSW reaches */
#define CR4_TSD	    (1ul << 2)
#define CR4_DE	    (1ul << 3)
#define CR4_PCE	    (1ul << 8)
#define CR4_UMIP    (1ul << 11)
#define CR4_PCIDE   (1ul << 17)
#define CR4_OSXSAVE (1ul << 18)

static enum emulate_verdict require_kernel(struct emulate *e)
{
	return e->r.cpl ? emulate_fault_error(e, EXCEPTION_GP, 0) : EMULATE_OK;
}

/* #UD unless the guest is told, in this register of this leaf, that it has the feature. */
static enum emulate_verdict require_feature(struct emulate *e, u32 leaf, unsigned which,
					    unsigned bit)
{
	u32 registers[4] = {leaf};

	TRY(e->operations->cpuid(e, registers));
	return registers[which] >> bit & 1 ? EMULATE_OK : emulate_fault(e, EXCEPTION_UD);
}

static enum emulate_verdict require_cr4(struct emulate *e, u64 bit, enum exception vector)
{
	u64 cr4;

	TRY(e->operations->read_cr(e, 4, &cr4));
	if (cr4 & bit)
		return EMULATE_OK;
	return vector == EXCEPTION_UD ? emulate_fault(e, vector)
				      : emulate_fault_error(e, vector, 0);
}

/* SGDT SIDT SLDT STR SMSW are for everybody, unless CR4.UMIP says otherwise. */
static enum emulate_verdict require_no_umip(struct emulate *e)
{
	u64 cr4;

	TRY(e->operations->read_cr(e, 4, &cr4));
	return cr4 & CR4_UMIP ? require_kernel(e) : EMULATE_OK;
}

/* What SLDT, STR and SMSW store: two bytes in memory, the operand size in a register. */
static enum emulate_verdict store_word(struct emulate *e, u64 value)
{
	u64 linear;

	if (!insn_has_memory(&e->insn)) {
		register_write(e, insn_rm(&e->insn), e->insn.operand_bytes, value);
		return EMULATE_OK;
	}
	TRY(memory_operand(e, 2, ACCESS_READ_TO_WRITE, &linear));
	return e->operations->write(e, linear, &value, 2);
}

static enum emulate_verdict load_word(struct emulate *e, u64 *value)
{
	struct operand o;

	TRY(operand_find(e, 0, ACCESS_READ, &o));
	return operand_read(e, &o, ACCESS_READ, value);
}

/* CLI STI by IOPL; CLAC STAC are #UD but for the kernel. STI holds events off for one instruction
 * if they were off before it. */
enum emulate_verdict do_flag(struct emulate *e)
{
	u8 action = e->insn.action;

	if (action == INSN_CLAC || action == INSN_STAC) {
		if (e->r.cpl)
			return emulate_fault(e, EXCEPTION_UD);
		TRY(require_feature(e, 7, 1, 20));
		e->r.rflags &= ~FLAG_AC;
		if (action == INSN_STAC)
			e->r.rflags |= FLAG_AC;
		return EMULATE_OK;
	}
	if (e->r.cpl > (e->r.rflags & FLAG_IOPL) >> 12)
		return emulate_fault_error(e, EXCEPTION_GP, 0);
	if (action == INSN_STI)
		e->r.interrupt_shadow = !e->operations->get_interrupt_flag(e);
	e->operations->set_interrupt_flag(e, action == INSN_STI);
	return EMULATE_OK;
}

enum emulate_verdict do_halt(struct emulate *e)
{
	TRY(require_kernel(e));
	return EMULATE_HALT;
}

/* CLTS LMSW SMSW. LMSW sets PE but never clears it. */
enum emulate_verdict do_machine_word(struct emulate *e)
{
	u64 cr0, value;

	if (e->insn.action == INSN_SMSW) {
		TRY(require_no_umip(e));
		TRY(e->operations->read_cr(e, 0, &cr0));
		return store_word(e, cr0);
	}
	TRY(require_kernel(e));
	if (e->insn.action == INSN_CLTS) {
		TRY(e->operations->read_cr(e, 0, &cr0));
		return e->operations->write_cr(e, 0, cr0 & ~CR0_TS);
	}
	TRY(load_word(e, &value));
	TRY(e->operations->read_cr(e, 0, &cr0));
	cr0 = (cr0 & ~(CR0_LOW & ~CR0_PE)) | (value & CR0_LOW);
	return e->operations->write_cr(e, 0, cr0);
}

/* Operand sizes do not count for MOV CRn and DRn: 8 bytes in 64-bit mode, else 4. */
static unsigned register_bytes(const struct emulate *e)
{
	return is_64(e) ? 8 : 4;
}

enum emulate_verdict do_control_register(struct emulate *e)
{
	unsigned number = insn_reg(&e->insn), size = register_bytes(e);
	u64 value;

	if (number != 0 && number != 2 && number != 3 && number != 4 && number != 8)
		return emulate_fault(e, EXCEPTION_UD);
	TRY(require_kernel(e));
	if (OPERAND_KIND(e->insn.operand[0]) == OPERAND_CONTROL)
		return e->operations->write_cr(e, number,
					       register_read(e, insn_rm(&e->insn), size));
	TRY(e->operations->read_cr(e, number, &value));
	register_write(e, insn_rm(&e->insn), size, value);
	return EMULATE_OK;
}

/* DR4 and DR5 are DR6 and DR7 until CR4.DE is set (SDM vol. 3, 17.2.2). */
enum emulate_verdict do_debug_register(struct emulate *e)
{
	unsigned number = insn_reg(&e->insn), size = register_bytes(e);
	u64 value, cr4;

	if (number > 7)
		return emulate_fault(e, EXCEPTION_UD);
	if (number == 4 || number == 5) {
		TRY(e->operations->read_cr(e, 4, &cr4));
		if (cr4 & CR4_DE)
			return emulate_fault(e, EXCEPTION_UD);
		number += 2;
	}
	TRY(require_kernel(e));
	if (OPERAND_KIND(e->insn.operand[0]) == OPERAND_DEBUG)
		return e->operations->write_dr(e, number,
					       register_read(e, insn_rm(&e->insn), size));
	TRY(e->operations->read_dr(e, number, &value));
	register_write(e, insn_rm(&e->insn), size, value);
	return EMULATE_OK;
}

static void set_edx_eax(struct emulate *e, u64 value)
{
	register_write(e, RAX, 4, value);
	register_write(e, RDX, 4, value >> 32);
}

/* RDMSR WRMSR XSETBV: ECX names the register. */
enum emulate_verdict do_msr(struct emulate *e)
{
	u32 index = (u32)e->r.gpr[RCX];
	u64 value = register_read(e, RAX, 4) | register_read(e, RDX, 4) << 32;

	if (e->insn.action == INSN_XSETBV) {
		TRY(require_cr4(e, CR4_OSXSAVE, EXCEPTION_UD));
		TRY(require_kernel(e));
		return e->operations->set_xcr(e, index, value);
	}
	TRY(require_kernel(e));
	if (e->insn.action == INSN_WRMSR)
		return e->operations->write_msr(e, index, value);
	TRY(e->operations->read_msr(e, index, &value));
	set_edx_eax(e, value);
	return EMULATE_OK;
}

/* RDTSC RDTSCP RDPMC: CR4 may keep them from user code. */
enum emulate_verdict do_counter(struct emulate *e)
{
	u64 value, cr4;
	u32 aux;

	TRY(e->operations->read_cr(e, 4, &cr4));
	if (e->insn.action == INSN_RDPMC) {
		if (!(cr4 & CR4_PCE))
			TRY(require_kernel(e));
		TRY(e->operations->read_pmc(e, (u32)e->r.gpr[RCX], &value));
		set_edx_eax(e, value);
		return EMULATE_OK;
	}
	if (e->insn.action == INSN_RDTSCP)
		TRY(require_feature(e, 0x80000001, 3, 27));
	if (cr4 & CR4_TSD)
		TRY(require_kernel(e));
	TRY(e->operations->read_tsc(e, &value, &aux));
	set_edx_eax(e, value);
	if (e->insn.action == INSN_RDTSCP)
		register_write(e, RCX, 4, aux);
	return EMULATE_OK;
}

/* LGDT LIDT SGDT SIDT: two bytes of limit, then the base. With a 16-bit operand size a load takes
 * three bytes of it. */
enum emulate_verdict do_table(struct emulate *e)
{
	bool loads = e->insn.action == INSN_LGDT || e->insn.action == INSN_LIDT;
	bool gdt = e->insn.action == INSN_LGDT || e->insn.action == INSN_SGDT;
	enum emulate_table table = gdt ? TABLE_GDT : TABLE_IDT;
	struct emulate_table_register t = {.base = 0};
	unsigned base_bytes = register_bytes(e), size = 2 + base_bytes;
	u8 image[10];
	u64 linear;

	TRY(loads ? require_kernel(e) : require_no_umip(e));
	TRY(memory_operand(e, size, loads ? ACCESS_READ : ACCESS_READ_TO_WRITE, &linear));
	if (!loads) {
		TRY(e->operations->get_table(e, table, &t));
		memcpy(image, &t.limit, 2);
		memcpy(image + 2, &t.base, base_bytes);
		return e->operations->write(e, linear, image, size);
	}
	TRY(e->operations->read(e, linear, image, size, ACCESS_READ));
	memcpy(&t.limit, image, 2);
	memcpy(&t.base, image + 2, base_bytes);
	if (!is_64(e) && e->insn.operand_bytes == 2)
		t.base &= 0xffffff;
	if (!is_canonical(t.base))
		return emulate_fault_error(e, EXCEPTION_GP, 0);
	return e->operations->set_table(e, table, &t);
}

/* LLDT LTR SLDT STR. The descriptor is the operation's matter: it is the monitor that uses it. */
enum emulate_verdict do_selector(struct emulate *e)
{
	bool ldt = e->insn.action == INSN_LLDT || e->insn.action == INSN_SLDT;
	enum emulate_selector which = ldt ? SELECTOR_LDT : SELECTOR_TR;
	u64 value;
	u16 selector;

	if (e->insn.action == INSN_SLDT || e->insn.action == INSN_STR) {
		TRY(require_no_umip(e));
		TRY(e->operations->get_selector(e, which, &selector));
		return store_word(e, selector);
	}
	TRY(require_kernel(e));
	TRY(load_word(e, &value));
	return e->operations->set_selector(e, which, (u16)value);
}

/* INVPCID: a type in a register, 16 bytes in memory: PCID, zeros, address. */
static enum emulate_verdict invalidate_pcid(struct emulate *e)
{
	u64 type = register_read(e, insn_reg(&e->insn), register_bytes(e));
	u64 descriptor[2], linear, cr4;
	struct emulate_invalidation what;

	TRY(require_feature(e, 7, 1, 10));
	TRY(require_kernel(e));
	TRY(memory_operand(e, sizeof(descriptor), ACCESS_READ, &linear));
	TRY(e->operations->read(e, linear, descriptor, sizeof(descriptor), ACCESS_READ));
	TRY(e->operations->read_cr(e, 4, &cr4));
	if (type > 3 || descriptor[0] >> 12 || (type == 0 && !is_canonical(descriptor[1])) ||
	    (type < 2 && descriptor[0] && !(cr4 & CR4_PCIDE)))
		return emulate_fault_error(e, EXCEPTION_GP, 0);
	what = (struct emulate_invalidation){.kind = INVALIDATE_PCID_PAGE + type,
					     .pcid = (u16)descriptor[0],
					     .address = descriptor[1]};
	return e->operations->invalidate(e, &what);
}

/* INVLPG INVPCID WBINVD INVD SWAPGS. INVLPG checks no segment, and an address that cannot be means
 * nothing. */
enum emulate_verdict do_invalidate(struct emulate *e)
{
	struct emulate_invalidation what = {.kind = INVALIDATE_PAGE};
	struct emulate_segment s;
	enum segment segment;

	if (e->insn.action == INSN_INVPCID)
		return invalidate_pcid(e);
	TRY(require_kernel(e));
	if (e->insn.action == INSN_WBINVD)
		return e->operations->flush_caches(e);
	if (e->insn.action == INSN_SWAPGS)
		return e->operations->swapgs(e);
	what.address = effective_address(e, &segment);
	TRY(segment_of(e, segment, &s));
	what.address = low_bytes(what.address + s.base, register_bytes(e));
	return is_canonical(what.address) ? e->operations->invalidate(e, &what) : EMULATE_OK;
}

/* SDM vol. 1, 19.5.2: IOPL first, then the TSS's bitmap. */
enum emulate_verdict check_io(struct emulate *e, u16 port, unsigned size)
{
	if (e->r.cpl <= (e->r.rflags & FLAG_IOPL) >> 12)
		return EMULATE_OK;
	return e->operations->check_port(e, port, size);
}

/* IN OUT: the port is in DX or in the byte. */
enum emulate_verdict do_port(struct emulate *e)
{
	unsigned size = e->insn.opcode & 1 ? MIN(e->insn.operand_bytes, 4) : 1;
	u16 port = e->insn.opcode & 8 ? (u16)e->r.gpr[RDX] : (u8)e->insn.immediate;
	u32 value;

	TRY(check_io(e, port, size));
	if (e->insn.action == INSN_OUT)
		return e->operations->port_out(e, port, size, (u32)register_read(e, RAX, size));
	TRY(e->operations->port_in(e, port, size, &value));
	register_write(e, RAX, size, value);
	return EMULATE_OK;
}

enum emulate_verdict do_cpuid(struct emulate *e)
{
	u32 registers[4] = {(u32)e->r.gpr[RAX], 0, (u32)e->r.gpr[RCX], 0};

	TRY(e->operations->cpuid(e, registers));
	register_write(e, RAX, 4, registers[0]);
	register_write(e, RBX, 4, registers[1]);
	register_write(e, RCX, 4, registers[2]);
	register_write(e, RDX, 4, registers[3]);
	return EMULATE_OK;
}

/* MONITOR looks at its address as a load does. MWAIT may end at once at any time, so it does. */
enum emulate_verdict do_monitor(struct emulate *e)
{
	u64 linear;
	u8 byte;

	if (e->r.cpl)
		return emulate_fault(e, EXCEPTION_UD);
	TRY(require_feature(e, 1, 2, 3));
	if ((u32)e->r.gpr[RCX] > (e->insn.action == INSN_MWAIT))
		return emulate_fault_error(e, EXCEPTION_GP, 0);
	if (e->insn.action == INSN_MWAIT)
		return EMULATE_OK;
	TRY(linear_address(e, e->insn.segment == SEGMENT_COUNT ? SEGMENT_DS : e->insn.segment,
			   register_read(e, RAX, e->insn.address_bytes), 1, ACCESS_READ, &linear));
	return e->operations->read(e, linear, &byte, 1, ACCESS_READ);
}
