// SPDX-License-Identifier: MIT
/*
 * fuzz.c - decode and emulate under libFuzzer, with a hostile world: the input is the code, the
 * registers, and a stream of answers from which every operation takes what it returns: failures of
 * any kind, short memory, segments and descriptors without sense, values that differ from one read
 * to the next. Nothing may crash, and the promises of emulate.h are checked: what changes the world
 * comes last and once, registers change only on success, every call ends soon.
 */
#include <stdlib.h>
#include <string.h>
#include "arch/x86/emulate/emulate.h"
#include "arch/x86/emulate/private.h"

static const u8 *next, *end;
static unsigned changes, calls; /* operations that have changed the world; operations called */

static u8 take(void)
{
	return next < end ? *next++ : 0;
}

static void take_bytes(void *to, size_t size)
{
	for (size_t i = 0; i < size; i++)
		((u8 *)to)[i] = take();
}

static u64 take_u64(void)
{
	u64 value = 0;

	take_bytes(&value, 1 + (take() & 7));
	return value;
}

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* An operation's verdict: mostly success. */
static enum emulate_verdict answer(struct emulate *e)
{
	u8 byte = take();

	check(++calls < 2000);
	if (byte < 0xe0)
		return EMULATE_OK;
	if (byte < 0xf0)
		return emulate_page_fault(e, take_u64(), byte & 7);
	if (byte < 0xf8)
		return emulate_fault_error(e, EXCEPTION_GP, 0);
	return byte & 1 ? EMULATE_UNHANDLED : EMULATE_SHUTDOWN;
}

/* The same for operations that change the world: after one has, none may fail unnoticed. */
static enum emulate_verdict change(struct emulate *e)
{
	enum emulate_verdict verdict = answer(e);

	changes += verdict == EMULATE_OK;
	return verdict;
}

static enum emulate_verdict fetch(struct emulate *e, u64 linear, u8 *to, size_t size)
{
	check(size >= 1 && size <= INSN_MAX + 5 && linear % 4096 + size <= 4096);
	take_bytes(to, size);
	return answer(e);
}

static enum emulate_verdict read_memory(struct emulate *e, u64 linear, void *to, size_t size,
					enum emulate_access access)
{
	(void)linear;
	(void)access;
	check(size >= 1 && size <= 64);
	take_bytes(to, size);
	return answer(e);
}

static enum emulate_verdict write_memory(struct emulate *e, u64 linear, const void *from,
					 size_t size)
{
	u8 copy[64];

	(void)linear;
	check(size >= 1 && size <= 64);
	memcpy(copy, from, size);
	return change(e);
}

static enum emulate_verdict compare_exchange(struct emulate *e, u64 linear, const void *from,
					     const void *to, size_t size)
{
	u8 copy[64];

	(void)linear;
	check(size >= 1 && size <= 16);
	memcpy(copy, from, size);
	memcpy(copy, to, size);
	return take() & 1 ? EMULATE_AGAIN : change(e);
}

static enum emulate_verdict get_segment(struct emulate *e, enum segment segment,
					struct emulate_segment *to)
{
	check(segment < SEGMENT_COUNT);
	*to = (struct emulate_segment){.base = 0, .limit = 0xffffffff, .attributes = 0xc093};
	if (take() & 1)
		take_bytes(to, sizeof(*to));
	return answer(e);
}

static enum emulate_verdict set_stack_segment(struct emulate *e, u16 selector, u64 descriptor)
{
	(void)selector;
	(void)descriptor;
	return change(e);
}

static enum emulate_verdict read_descriptor(struct emulate *e, u16 selector, u64 *descriptor)
{
	static const u64 usual[4] = {0x00af9b000000ffff, 0x00cf93000000ffff, 0x00cffb000000ffff,
				     0x00cff3000000ffff};
	u8 byte = take();

	(void)selector;
	*descriptor = byte & 4 ? take_u64() : usual[byte & 3];
	return answer(e);
}

static enum emulate_verdict transfer(struct emulate *e, const struct emulate_transfer *to)
{
	check(to->cpl <= 3 && to->cpl >= e->registers->cpl && (to->cs & 3) == to->cpl);
	check(!(to->cs_descriptor >> 53 & 1) || is_canonical(to->rip));
	return change(e);
}

static enum emulate_verdict get_number(struct emulate *e, unsigned number, u64 *value)
{
	check(number <= 8);
	*value = take_u64();
	return answer(e);
}

static enum emulate_verdict set_number(struct emulate *e, unsigned number, u64 value)
{
	check(number <= 8 && e->registers->cpl == 0);
	(void)value;
	return change(e);
}

static enum emulate_verdict get_index(struct emulate *e, u32 index, u64 *value)
{
	(void)index;
	*value = take_u64();
	return answer(e);
}

static enum emulate_verdict set_index(struct emulate *e, u32 index, u64 value)
{
	(void)index;
	(void)value;
	check(e->registers->cpl == 0);
	return change(e);
}

static enum emulate_verdict read_tsc(struct emulate *e, u64 *tsc, u32 *aux)
{
	*tsc = take_u64();
	*aux = take();
	return answer(e);
}

static enum emulate_verdict cpuid(struct emulate *e, u32 registers[4])
{
	memset(registers, take() & 1 ? 0xff : 0, 16);
	return answer(e);
}

static enum emulate_verdict get_table(struct emulate *e, enum emulate_table table,
				      struct emulate_table_register *to)
{
	check(table <= TABLE_IDT);
	to->base = take_u64();
	to->limit = take();
	return answer(e);
}

static enum emulate_verdict set_table(struct emulate *e, enum emulate_table table,
				      const struct emulate_table_register *from)
{
	check(table <= TABLE_IDT && is_canonical(from->base) && e->registers->cpl == 0);
	return change(e);
}

static enum emulate_verdict get_selector(struct emulate *e, enum emulate_selector which, u16 *to)
{
	check(which <= SELECTOR_TR);
	*to = take();
	return answer(e);
}

static enum emulate_verdict set_selector(struct emulate *e, enum emulate_selector which,
					 u16 selector)
{
	(void)selector;
	check(which <= SELECTOR_TR && e->registers->cpl == 0);
	return change(e);
}

static enum emulate_verdict invalidate(struct emulate *e, const struct emulate_invalidation *what)
{
	check(what->kind <= INVALIDATE_ALL && what->pcid < 4096 && e->registers->cpl == 0);
	return change(e);
}

static enum emulate_verdict kernel_only(struct emulate *e)
{
	check(e->registers->cpl == 0);
	return change(e);
}

static bool get_interrupt_flag(struct emulate *e)
{
	(void)e;
	return take() & 1;
}

static void set_interrupt_flag(struct emulate *e, bool enabled)
{
	(void)enabled;
	check(e->registers->cpl <= (e->registers->rflags & FLAG_IOPL) >> 12);
}

static enum emulate_verdict check_port(struct emulate *e, u16 port, unsigned size)
{
	(void)port;
	check(size == 1 || size == 2 || size == 4);
	return answer(e);
}

static enum emulate_verdict port_in(struct emulate *e, u16 port, unsigned size, u32 *value)
{
	*value = (u32)take_u64();
	return check_port(e, port, size);
}

static enum emulate_verdict port_out(struct emulate *e, u16 port, unsigned size, u32 value)
{
	(void)port;
	(void)value;
	check(size == 1 || size == 2 || size == 4);
	return change(e);
}

static enum emulate_verdict read_vector(struct emulate *e, unsigned number, u8 to[16])
{
	check(number < 16);
	take_bytes(to, 16);
	return answer(e);
}

static const struct emulate_operations operations = {
    .fetch = fetch,
    .read = read_memory,
    .write = write_memory,
    .compare_exchange = compare_exchange,
    .get_segment = get_segment,
    .set_stack_segment = set_stack_segment,
    .read_descriptor = read_descriptor,
    .transfer = transfer,
    .read_cr = get_number,
    .write_cr = set_number,
    .read_dr = get_number,
    .write_dr = set_number,
    .read_msr = get_index,
    .write_msr = set_index,
    .set_xcr = set_index,
    .read_tsc = read_tsc,
    .read_pmc = get_index,
    .cpuid = cpuid,
    .get_table = get_table,
    .set_table = set_table,
    .get_selector = get_selector,
    .set_selector = set_selector,
    .invalidate = invalidate,
    .flush_caches = kernel_only,
    .swapgs = kernel_only,
    .get_interrupt_flag = get_interrupt_flag,
    .set_interrupt_flag = set_interrupt_flag,
    .check_port = check_port,
    .port_in = port_in,
    .port_out = port_out,
    .read_vector = read_vector,
};

static bool is_repeated(const struct emulate *e)
{
	return e->insn.prefixes & (PREFIX_REP | PREFIX_REPNE);
}

int LLVMFuzzerTestOneInput(const u8 *input, size_t size);

int LLVMFuzzerTestOneInput(const u8 *input, size_t size)
{
	struct emulate_registers registers, before;
	struct emulate e = {.operations = &operations, .registers = &registers};
	enum emulate_verdict verdict;

	next = input;
	end = input + size;
	changes = calls = 0;
	memset(&registers, 0, sizeof(registers));
	registers.mode = take() % 3 | (take() & DECODE_AMD_BRANCHES);
	registers.cpl = take() & 1 ? 3 : 0;
	e.forced_prefix = take() & 1;
	registers.rflags = take_u64();
	registers.rip = take_u64();
	for (int i = 0; i < 16; i++)
		registers.gpr[i] = take_u64();
	before = registers;
	verdict = emulate_decode(&e);
	check(!memcmp(&registers, &before, sizeof(registers)));
	if (verdict != EMULATE_OK)
		return 0;
	check(e.insn.length >= 1 && e.insn.length <= INSN_MAX + 5);
	verdict = emulate_execute(&e);
	if (!is_repeated(&e))
		check(changes <= 1);
	if (verdict == EMULATE_UNHANDLED || verdict == EMULATE_SHUTDOWN ||
	    (verdict == EMULATE_EVENT && e.event.kind == EVENT_FAULT)) {
		check(!memcmp(&registers, &before, sizeof(registers)));
		check(!changes);
	}
	emulate_skip(&e);
	return 0;
}
