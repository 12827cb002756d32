/* SPDX-License-Identifier: MIT */
/*
 * hypercall.h - the door of hypercall/: carry out the call that a guest has just made. A handler
 * checks everything in its first half and changes nothing; its second half changes things and
 * cannot fail.
 */
#ifndef HYPERCALL_HYPERCALL_H
#define HYPERCALL_HYPERCALL_H

#include "lib/errno.h"
#include "object/guest.h"

/* What should happen to the vCPU after a call. */
enum call_action {
	CALL_DONE,  /* RAX = value */
	CALL_AGAIN, /* a bounded piece is done: execute the SYSCALL or INT again */
	CALL_YIELD, /* RAX = value; let others run */
};

struct call_result {
	s64 value;
	enum call_action action;
};

/* arguments: the guest's argument registers, which a handler may advance before CALL_AGAIN. */
typedef struct call_result (*call_fn)(struct guest *g, u64 *arguments);

/* An ABI: its calls by number, and which of them the ring may carry. */
struct personality {
	const char *name;
	unsigned count;
	const call_fn *call;
	const u8 *flags; /* GN_DEFER */
	u64 notice;	 /* the call that announces a page-table entry; ~0: it has none */
	/* A guest of it begins when its kernel is about to, with this argument and its own CR3
	 * loaded; -E: it cannot. It ends however far that went. */
	int (*begin)(struct guest *g, u64 argument);
	void (*end)(struct guest *g);
};

extern const struct personality personality_native, personality_xen;

/* By GN_ABI_; NULL: none. */
const struct personality *personality_of(u64 abi);

/* Carry out what waits in the vcpu page's ring. Returns how many calls failed. */
unsigned hypercall_drain(struct guest *g);

/* The same, before anything that what waits there may be about: a page fault, an emulated
 * instruction, a call that flushes. */
static inline void hypercall_settle(struct guest *g)
{
	const struct gn_vcpu_page *page = g->vcpu.page;

	if (unlikely(READ_ONCE(page->ring_head) != READ_ONCE(page->ring_tail)))
		hypercall_drain(g);
}

static inline struct call_result call_done(s64 value)
{
	return (struct call_result){value, CALL_DONE};
}

#define SYSCALL_SIZE 2 /* of SYSCALL, and of INT n */

/* tour: a call */
/* The call in the vCPU's registers. CALL_YIELD is the only answer that the caller must act on.
 * Inline: the way to a handler is what a null hypercall costs. */
static inline enum call_action hypercall_dispatch(struct guest *g)
{
	const struct personality *p = g->personality;
	struct guest_regs *regs = &g->vcpu.regs;
	u64 number = regs->rax;
	struct call_result result;

	g->hypercalls++;
	if (unlikely(number >= p->count)) {
		regs->rax = -ENOSYS;
		return CALL_DONE;
	}
	number &= index_mask(number, p->count);
	result = p->call[number](g, &regs->rdi);
	if (unlikely(result.action == CALL_AGAIN))
		regs->rip -= SYSCALL_SIZE;
	else
		regs->rax = result.value;
	return result.action;
}
/* tour ends */

#endif
