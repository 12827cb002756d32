// SPDX-License-Identifier: MIT
/*
 * emulate.c - the way of an instruction: fetched once, decoded once, then handed to the function of
 * its group, which works on a copy of the registers. The copy becomes the guest's registers only
 * when the instruction has succeeded. Start here, then read operand.c.
 */
#include "arch/x86/emulate/emulate.h"
#include "arch/x86/emulate/private.h"
#include "lib/string.h"

#define PAGE 4096

typedef enum emulate_verdict (*action_function)(struct emulate *e);

static const action_function actions[INSN_COUNT] = {
    [INSN_ADD] = do_binary,
    [INSN_OR] = do_binary,
    [INSN_ADC] = do_binary,
    [INSN_SBB] = do_binary,
    [INSN_AND] = do_binary,
    [INSN_SUB] = do_binary,
    [INSN_XOR] = do_binary,
    [INSN_CMP] = do_binary,
    [INSN_TEST] = do_binary,
    [INSN_INC] = do_unary,
    [INSN_DEC] = do_unary,
    [INSN_NOT] = do_unary,
    [INSN_NEG] = do_unary,
    [INSN_ROL] = do_shift,
    [INSN_ROR] = do_shift,
    [INSN_RCL] = do_shift,
    [INSN_RCR] = do_shift,
    [INSN_SHL] = do_shift,
    [INSN_SHR] = do_shift,
    [INSN_SAR] = do_shift,
    [INSN_BT] = do_bit,
    [INSN_BTS] = do_bit,
    [INSN_BTR] = do_bit,
    [INSN_BTC] = do_bit,
    [INSN_MOV] = do_move,
    [INSN_MOVZX] = do_move,
    [INSN_MOVSX] = do_move,
    [INSN_MOVBE] = do_move,
    [INSN_MOVNTI] = do_move,
    [INSN_CMOVCC] = do_conditional,
    [INSN_SETCC] = do_conditional,
    [INSN_XCHG] = do_exchange,
    [INSN_XADD] = do_exchange,
    [INSN_CMPXCHG] = do_compare_exchange,
    [INSN_CMPXCHG8B] = do_compare_exchange_pair,
    [INSN_PUSH] = do_stack,
    [INSN_POP] = do_stack,
    [INSN_PUSHF] = do_stack,
    [INSN_POPF] = do_stack,
    [INSN_MOVUPS] = do_vector_store,
    [INSN_MOVAPS] = do_vector_store,
    [INSN_VMOVUPS] = do_vector_store,
    [INSN_VMOVAPS] = do_vector_store,
    [INSN_MOVS] = do_string,
    [INSN_STOS] = do_string,
    [INSN_LODS] = do_string,
    [INSN_CMPS] = do_string,
    [INSN_SCAS] = do_string,
    [INSN_INS] = do_string,
    [INSN_OUTS] = do_string,
    [INSN_CLI] = do_flag,
    [INSN_STI] = do_flag,
    [INSN_CLAC] = do_flag,
    [INSN_STAC] = do_flag,
    [INSN_HLT] = do_halt,
    [INSN_CLTS] = do_machine_word,
    [INSN_LMSW] = do_machine_word,
    [INSN_SMSW] = do_machine_word,
    [INSN_MOVCR] = do_control_register,
    [INSN_MOVDR] = do_debug_register,
    [INSN_RDMSR] = do_msr,
    [INSN_WRMSR] = do_msr,
    [INSN_XSETBV] = do_msr,
    [INSN_RDTSC] = do_counter,
    [INSN_RDTSCP] = do_counter,
    [INSN_RDPMC] = do_counter,
    [INSN_LGDT] = do_table,
    [INSN_LIDT] = do_table,
    [INSN_SGDT] = do_table,
    [INSN_SIDT] = do_table,
    [INSN_LLDT] = do_selector,
    [INSN_LTR] = do_selector,
    [INSN_SLDT] = do_selector,
    [INSN_STR] = do_selector,
    [INSN_INVLPG] = do_invalidate,
    [INSN_INVPCID] = do_invalidate,
    [INSN_WBINVD] = do_invalidate,
    [INSN_SWAPGS] = do_invalidate,
    [INSN_IN] = do_port,
    [INSN_OUT] = do_port,
    [INSN_CPUID] = do_cpuid,
    [INSN_MONITOR] = do_monitor,
    [INSN_MWAIT] = do_monitor,
    [INSN_INT] = do_interrupt,
    [INSN_INT1] = do_interrupt,
    [INSN_INT3] = do_interrupt,
    [INSN_INTO] = do_interrupt,
    [INSN_MOVSREG] = do_stack_segment,
    [INSN_LSS] = do_stack_segment,
    [INSN_IRET] = do_far_return,
    [INSN_RETF] = do_far_return,
    [INSN_SYSRET] = do_sysret,
};

const char *emulate_action_name(u8 action)
{
	static const char *const names[INSN_COUNT] = {INSN_NAMES};

	return names[action];
}

enum emulate_verdict emulate_fault(struct emulate *e, enum exception vector)
{
	e->event = (struct emulate_event){.kind = EVENT_FAULT, .vector = vector};
	return EMULATE_EVENT;
}

enum emulate_verdict emulate_fault_error(struct emulate *e, enum exception vector, u32 error)
{
	emulate_fault(e, vector);
	e->event.has_error = true;
	e->event.error = error;
	return EMULATE_EVENT;
}

enum emulate_verdict emulate_page_fault(struct emulate *e, u64 address, u32 error)
{
	emulate_fault_error(e, EXCEPTION_PF, error);
	e->event.address = address;
	return EMULATE_EVENT;
}

/* Where count bytes at offset behind RIP are fetched from. */
static enum emulate_verdict code_address(struct emulate *e, unsigned offset, u64 *linear)
{
	const struct emulate_registers *r = e->registers;
	struct emulate_segment cs;
	u64 ip = r->rip + offset;

	*linear = ip;
	if ((r->mode & 3) == DECODE_64)
		return is_canonical(ip) ? EMULATE_OK : emulate_fault_error(e, EXCEPTION_GP, 0);
	TRY(e->operations->get_segment(e, SEGMENT_CS, &cs));
	if (ip > cs.limit)
		return emulate_fault_error(e, EXCEPTION_GP, 0);
	*linear = low_bytes(cs.base + ip, 4);
	return EMULATE_OK;
}

/* UD2 and the letters xen: what stands behind is meant for the monitor (Xen's public
 * arch-x86/xen.h). */
static enum decode_result decode_bytes(struct emulate *e, const u8 *bytes, size_t count)
{
	static const u8 prefix[5] = {0x0f, 0x0b, 'x', 'e', 'n'};
	enum decode_result result;

	if (!e->forced_prefix || memcmp(bytes, prefix, MIN(count, sizeof(prefix))))
		return decode(&e->insn, bytes, MIN(count, INSN_MAX), e->registers->mode);
	if (count < sizeof(prefix))
		return DECODE_MORE;
	result =
	    decode(&e->insn, bytes + sizeof(prefix), count - sizeof(prefix), e->registers->mode);
	e->insn.length += sizeof(prefix);
	return result;
}

/* tour: the instruction that trapped */
/* Bytes are asked for up to the end of the page, and beyond only if the instruction goes on
 * there. */
enum emulate_verdict emulate_decode(struct emulate *e)
{
	size_t count = 0, most = e->forced_prefix ? sizeof(e->bytes) : INSN_MAX, size;
	enum decode_result result = DECODE_MORE;
	u64 linear;

	while (result == DECODE_MORE && count < most) {
		TRY(code_address(e, count, &linear));
		size = MIN(most - count, PAGE - linear % PAGE);
		TRY(e->operations->fetch(e, linear, e->bytes + count, size));
		count += size;
		e->count = count;
		result = decode_bytes(e, e->bytes, count);
	}
	switch (result) {
	case DECODE_OK:
		return code_address(e, e->insn.length - 1, &linear);
	case DECODE_INVALID:
		return emulate_fault(e, EXCEPTION_UD);
	default:
		return emulate_fault_error(e, EXCEPTION_GP, 0);
	}
}
/* tour ends */

/* Make e->r the registers after the instruction, as far as all instructions are alike. */
static void begin(struct emulate *e)
{
	u64 next = e->registers->rip + e->insn.length;

	e->r = *e->registers;
	e->r.rip = e->insn.mode == DECODE_64 ? next : low_bytes(next, 4);
	if (e->insn.mode == DECODE_16)
		e->r.rip = low_bytes(next, 2);
	e->r.rflags &= ~FLAG_RF;
	e->r.interrupt_shadow = false;
	e->single_step = false;
}

/* A single step is not reported behind a load of SS (SDM vol. 3, 6.8.3). */
static void commit(struct emulate *e)
{
	bool holds_off = e->r.interrupt_shadow && e->insn.action != INSN_STI;

	e->single_step = e->registers->rflags & FLAG_TF && !holds_off;
	*e->registers = e->r;
}

/* tour: its effects */
enum emulate_verdict emulate_execute(struct emulate *e)
{
	action_function action = actions[e->insn.action];
	enum emulate_verdict verdict;

	if (!action)
		return EMULATE_UNHANDLED;
	begin(e);
	verdict = action(e);
	if (verdict == EMULATE_OK || verdict == EMULATE_HALT ||
	    (verdict == EMULATE_EVENT && e->event.kind != EVENT_FAULT))
		commit(e);
	return verdict;
}
/* tour ends */

void emulate_skip(struct emulate *e)
{
	begin(e);
	commit(e);
}
