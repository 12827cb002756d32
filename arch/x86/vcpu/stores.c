// SPDX-License-Identifier: MIT
/*
 * stores.c - the stores to page tables that a kernel makes again and again: moves of 8 bytes from a
 * register or an immediate. What an instruction does is said by its bytes, so what the emulator has
 * found of some holds wherever the same bytes are fetched again. Where they go is known as well:
 * CR2 has the address that was not to be written (SDM 3A 4.7), which for 8 bytes of one page is
 * where they begin, and was judged. So nothing is left to be decoded, computed or checked.
 *
 * At a page's beginning CR2 does not say whether the bytes begin there or in the page before. That,
 * anything else, and each first time, is emulator.c's. The row "one store to a page table" of `make
 * bench` says what this is worth: REMEMBER switches it off.
 */
#include "arch/x86/vcpu/emulator.h"
#include "lib/string.h"
#include "mm/guest-copy.h"

#define REMEMBER   true
#define NO_BYTE	   (0xfful << 56) /* of the second word: an instruction has 15 at most */

/* Where struct guest_regs has the registers, as instructions number them; in words. */
#define PLACE(name) (offsetof(struct guest_regs, name) / sizeof(u64))
static const u8 place_of[] = {
    PLACE(rax), PLACE(rcx), PLACE(rdx), PLACE(rbx), PLACE(rsp), PLACE(rbp), PLACE(rsi), PLACE(rdi),
    PLACE(r8),	PLACE(r9),  PLACE(r10), PLACE(r11), PLACE(r12), PLACE(r13), PLACE(r14), PLACE(r15),
};

static struct vcpu_known_store *known_at(struct vcpu *v, u64 rip)
{
	return &v->known_store[rip / 4 % VCPU_KNOWN_STORES];
}

/* tour: a store that is known */
bool vcpu_repeat_store(struct vcpu *v, struct vcpu_store store)
{
	const struct shadow_access fetch = {.fetch = true, .ac = v->regs.rflags & RFLAGS_AC};
	const struct vcpu_known_store *known = known_at(v, v->regs.rip);
	u64 code[2] __uninitialized, value;

	if (v->regs.cs != GN_KERNEL_CS || v->regs.rflags & RFLAGS_TF || store.gva & 7 ||
	    !(store.gva & ~PAGE_MASK) ||
	    !shadow_copy(&v->shadow, GVA(v->regs.rip), fetch, code, sizeof(code)) ||
	    code[0] != known->code[0] || (code[1] | NO_BYTE) != known->code[1])
		return false;
	value = known->from_register ? ((const u64 *)&v->regs)[known->place] : known->immediate;
	if (guest_copy_store(v->shadow.shadow->config.p2m, store.gpa, value))
		return false;
	emulator_count_trap(v, v->regs.rip, known->action);
	v->held_off_at = 0;
	v->regs.rip += known->length;
	v->regs.rflags &= ~(u64)RFLAGS_RF;
	return true;
}
/* tour ends */

void stores_learn(struct vcpu *v, u64 rip, const struct emulate *e)
{
	struct vcpu_known_store known = {.length = e->insn.length, .action = e->insn.action};
	u8 source;

	if (!REMEMBER || e->count < INSN_MAX || e->insn.mode != DECODE_64 ||
	    !emulate_is_store(&e->insn, &source))
		return;
	memcpy(known.code, e->bytes, sizeof(known.code));
	known.code[1] |= NO_BYTE;
	known.from_register = source != EMULATE_IMMEDIATE;
	if (known.from_register)
		known.place = place_of[source];
	known.immediate = e->insn.immediate;
	*known_at(v, rip) = known;
}
