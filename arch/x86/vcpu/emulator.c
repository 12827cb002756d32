// SPDX-License-Identifier: MIT
/*
 * emulator.c - one instruction of the guest, executed by the emulator: what traps in ring 1, and
 * stores to page tables that the shadows protect. The guest's kernel is at CPL 0 here, as it
 * believes; whether it is the kernel is decided by the saved CS alone. Next: operations-*.c.
 */
#include "arch/x86/vcpu/emulator.h"
#include "arch/x86/cpu/features.h"
#include "lib/string.h"

#define DESCRIPTOR_LONG (1ul << 53)
#define DESCRIPTOR_BIG	(1ul << 54)

static enum emulate_verdict flush_caches(struct emulate *e)
{
	(void)e;
	return EMULATE_OK; /* RAM is coherent, and guests have no devices that are not */
}

static enum emulate_verdict read_tsc(struct emulate *e, u64 *tsc, u32 *aux)
{
	*tsc = rdtsc();
	*aux = emulator_vcpu(e)->tsc_aux;
	return EMULATE_OK;
}

static enum emulate_verdict read_pmc(struct emulate *e, u32 index, u64 *value)
{
	(void)index, (void)value;
	return emulate_fault_error(e, EXCEPTION_GP, 0);
}

/* Trapped or not, the answer is the hardware's: users read it raw (D17 of the design: what is
 * withheld is dead in hardware). */
static enum emulate_verdict read_cpuid(struct emulate *e, u32 registers[4])
{
	struct vcpu *v = emulator_vcpu(e);

	if (v->cpuid)
		v->cpuid(v, registers);
	else
		vcpu_machine_cpuid(registers);
	return EMULATE_OK;
}

void vcpu_machine_cpuid(u32 registers[4])
{
	struct cpuid r = cpuid(registers[0], registers[2]);

	registers[0] = r.a;
	registers[1] = r.b;
	registers[2] = r.c;
	registers[3] = r.d;
}

static bool get_interrupt_flag(struct emulate *e)
{
	return vcpu_vif(emulator_vcpu(e));
}

static void set_interrupt_flag(struct emulate *e, bool enabled)
{
	vcpu_set_vif(emulator_vcpu(e), enabled);
}

/* No port is a guest's: reads find an empty bus, writes are lost. Ring 3 has no permission map. */
static enum emulate_verdict check_port(struct emulate *e, u16 port, unsigned size)
{
	(void)port, (void)size;
	return emulate_fault_error(e, EXCEPTION_GP, 0);
}

#define PORT_TIMER_2 0x42 /* of the 8254 */

/* Nothing is there. But a counter that stands at all ones is read 100,000 times by Linux, which
 * waits for it to move; one that stands at 0 has run out. */
static enum emulate_verdict port_in(struct emulate *e, u16 port, unsigned size, u32 *value)
{
	(void)e, (void)size;
	*value = port == PORT_TIMER_2 ? 0 : ~0u;
	return EMULATE_OK;
}

static enum emulate_verdict port_out(struct emulate *e, u16 port, unsigned size, u32 value)
{
	(void)e, (void)port, (void)size, (void)value;
	return EMULATE_OK;
}

static const struct emulate_operations operations = {
    .fetch = memory_fetch,
    .read = memory_read,
    .write = memory_write,
    .compare_exchange = memory_compare_exchange,
    .get_segment = segment_get,
    .set_stack_segment = segment_set_stack,
    .read_descriptor = segment_read_descriptor,
    .transfer = segment_transfer,
    .read_cr = control_read_cr,
    .write_cr = control_write_cr,
    .read_dr = control_read_dr,
    .write_dr = control_write_dr,
    .read_msr = msr_read,
    .write_msr = msr_write,
    .set_xcr = control_set_xcr,
    .read_tsc = read_tsc,
    .read_pmc = read_pmc,
    .cpuid = read_cpuid,
    .get_table = segment_get_table,
    .set_table = segment_set_table,
    .get_selector = segment_get_selector,
    .set_selector = segment_set_selector,
    .invalidate = control_invalidate,
    .flush_caches = flush_caches,
    .swapgs = segment_swapgs,
    .get_interrupt_flag = get_interrupt_flag,
    .set_interrupt_flag = set_interrupt_flag,
    .check_port = check_port,
    .port_in = port_in,
    .port_out = port_out,
    .read_vector = memory_read_vector,
};

static u8 mode_of(const struct vcpu *v)
{
	u8 amd = cpu_features.vendor == CPU_AMD ? DECODE_AMD_BRANCHES : 0;
	u64 d;

	if (v->regs.cs == GN_KERNEL_CS)
		return DECODE_64 | amd;
	if (!vcpu_descriptor_is_usable(v, v->regs.cs, true))
		return DECODE_64 | amd; /* its descriptor has gone since; the CPU kept it */
	d = vcpu_descriptor(v, v->regs.cs);
	return (d & DESCRIPTOR_LONG ? DECODE_64 : d & DESCRIPTOR_BIG ? DECODE_32 : DECODE_16) | amd;
}

static void load_registers(const struct vcpu *v, struct emulate_registers *r)
{
	const struct guest_regs *g = &v->regs;
	bool user = vcpu_is_user(v);

	r->gpr[0] = g->rax;
	r->gpr[1] = g->rcx;
	r->gpr[2] = g->rdx;
	r->gpr[3] = g->rbx;
	r->gpr[4] = g->rsp;
	r->gpr[5] = g->rbp;
	r->gpr[6] = g->rsi;
	r->gpr[7] = g->rdi;
	r->gpr[8] = g->r8;
	r->gpr[9] = g->r9;
	r->gpr[10] = g->r10;
	r->gpr[11] = g->r11;
	r->gpr[12] = g->r12;
	r->gpr[13] = g->r13;
	r->gpr[14] = g->r14;
	r->gpr[15] = g->r15;
	r->rip = g->rip;
	r->rflags = g->rflags & ~RFLAGS_IF;
	r->mode = mode_of(v);
	r->cpl = user ? 3 : 0;
	r->interrupt_shadow = false;
	r->selector[SEGMENT_CS] = user ? g->cs : GN_GUEST_KERNEL_CS;
	r->selector[SEGMENT_SS] = user ? g->ss : GN_GUEST_KERNEL_SS;
	r->selector[SEGMENT_DS] = read_ds();
	r->selector[SEGMENT_ES] = read_es();
	r->selector[SEGMENT_FS] = read_fs();
	r->selector[SEGMENT_GS] = read_gs();
}

/* CS and SS have been set by the operations that load them. */
static void store_registers(struct vcpu *v, const struct emulate_registers *r)
{
	struct guest_regs *g = &v->regs;

	g->rax = r->gpr[0];
	g->rcx = r->gpr[1];
	g->rdx = r->gpr[2];
	g->rbx = r->gpr[3];
	g->rsp = r->gpr[4];
	g->rbp = r->gpr[5];
	g->rsi = r->gpr[6];
	g->rdi = r->gpr[7];
	g->r8 = r->gpr[8];
	g->r9 = r->gpr[9];
	g->r10 = r->gpr[10];
	g->r11 = r->gpr[11];
	g->r12 = r->gpr[12];
	g->r13 = r->gpr[13];
	g->r14 = r->gpr[14];
	g->r15 = r->gpr[15];
	g->rip = r->rip;
	g->rflags = (r->rflags & RFLAGS_GUEST) | RFLAGS_RESERVED | RFLAGS_IF;
}

/* INT n and kin: the gate's DPL against the CPL (ICEBP asks nobody); the fault is at the
 * instruction. */
static void software_interrupt(struct vcpu *v, const struct emulate *e,
			       const struct emulate_registers *r)
{
	u8 vector = e->event.vector;

	if (e->event.kind != EVENT_ICEBP && !vcpu_may_interrupt(v, vector)) {
		vcpu_reflect(v, VECTOR_GP, true, vector * 8u + 2);
		return;
	}
	store_registers(v, r);
	vcpu_software_interrupt(v, vector);
}

static void take_event(struct vcpu *v, const struct emulate *e, const struct emulate_registers *r)
{
	if (e->event.kind != EVENT_FAULT)
		software_interrupt(v, e, r);
	else if (vcpu_leave_slot(v, e->insn.length))
		return;
	else if (e->event.vector == EXCEPTION_PF)
		vcpu_reflect_page_fault(v, e->event.address, e->event.error);
	else
		vcpu_reflect(v, e->event.vector, e->event.has_error, e->event.error);
}

void emulator_count_trap(struct vcpu *v, u64 rip, u8 action)
{
	struct vcpu_trap *t = &v->trap[(rip ^ rip >> 6 ^ rip >> 12) % VCPU_TRAPS];

	if (unlikely(t->rip != rip)) {
		if (t->count) {
			t->count--;
			return;
		}
		t->rip = rip;
		t->action = action;
	}
	t->count++;
}

enum vcpu_emulated vcpu_emulate(struct vcpu *v, const struct vcpu_store *store,
				struct vcpu_copy_result *stop)
{
	/* Large, and all that is read of them is written first. */
	struct emulator owner __uninitialized;
	struct emulate_registers r __uninitialized;
	struct emulate e __uninitialized;
	enum emulate_verdict verdict;
	u64 rip = v->regs.rip;

	owner.vcpu = v;
	owner.store = store;
	e.operations = &operations;
	e.registers = &r;
	e.owner = &owner;
	e.forced_prefix = v->frames == VCPU_FRAMES_XEN;
	load_registers(v, &r);
	verdict = emulate_decode(&e);
	if (verdict == EMULATE_OK) {
		if (e.insn.action)
			emulator_count_trap(v, rip, e.insn.action);
		verdict = emulate_execute(&e);
	}
	switch (verdict) {
	case EMULATE_OK:
		v->held_off_at = r.interrupt_shadow ? r.rip : 0;
		if (store)
			stores_learn(v, rip, &e);
		/* fall through */
	case EMULATE_AGAIN:
		store_registers(v, &r);
		if (unlikely(e.single_step) && !vcpu_is_in_slot(v)) {
			v->dr6 |= DR6_BS;
			vcpu_reflect(v, VECTOR_DB, false, 0);
		}
		return VCPU_EMULATED;
	case EMULATE_EVENT:
		take_event(v, &e, &r);
		return VCPU_EMULATED;
	case EMULATE_HALT:
		store_registers(v, &r);
		return VCPU_HALTED;
	case EMULATE_SHUTDOWN:
		*stop = owner.stop;
		return VCPU_STOPPED;
	default:
		return VCPU_NOT_EMULATED;
	}
}
