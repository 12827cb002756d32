// SPDX-License-Identifier: MIT
/* victim.c - see victim.h. It prepares everything, then walks round a row of calls. */
#include "guest-abi/hypercalls.h"
#include "lib/bug.h"
#include "mm/machine.h"
#include "tests/host/calls/cpu.h"
#include "tests/host/calls/victim.h"

#define SLEEP_NS 12000000

static u64 pattern(u64 frame, unsigned word)
{
	return (frame << 32 | word) * 0x9e3779b97f4a7c15;
}

static void fill(const struct memory *m)
{
	memory_make(m);
	for (u64 frame = MEMORY_DATA; frame < m->frames; frame++)
		for (unsigned word = 0; word < 512; word++)
			memory_put_word(m, memory_address(frame) + word * 8, pattern(frame, word));
}

void victim_judge(const struct victim *v)
{
	const struct p2m *p2m = &v->memory.g->p2m;

	for (u64 frame = MEMORY_DATA; frame < v->memory.frames; frame++) {
		const struct p2m_entry *e = p2m_lookup(p2m, GFN(frame));
		const u64 *words = e ? machine_map(p2m_entry_mfn(e)) : NULL;

		BUG_ON(!e || frame_of(p2m_entry_mfn(e))->owner != v->memory.g->owner);
		for (unsigned word = 0; word < 512; word++)
			BUG_ON(words[word] != pattern(frame, word));
	}
}

static void judge_registers(const struct guest_regs *is, const struct guest_regs *was)
{
	BUG_ON(is->rbx != was->rbx || is->rbp != was->rbp || is->r9 != was->r9);
	BUG_ON(is->r12 != was->r12 || is->r13 != was->r13 || is->r14 != was->r14 ||
	       is->r15 != was->r15 || is->rsp != was->rsp || is->rip != was->rip);
}

static void make_call(struct victim *v, u64 number, u64 rdi, u64 rsi)
{
	struct guest_regs *r = &v->memory.g->vcpu.regs;

	r->rax = number;
	r->rdi = rdi;
	r->rsi = rsi;
	r->rip = r->rcx = GN_SLOT(number) + 12;
	r->r11 = r->rflags;
	r->rbx = r->rbp = r->r9 = r->r12 = r->r13 = r->r14 = r->r15 = v->regs.rbx + test_cpu.now;
	r->vector = EXIT_HYPERCALL;
	v->regs = *r;
}

enum { NEW, STARTING, BIND, SET, SLEEP, POLL };

void victim_run(struct victim *v)
{
	struct guest_regs *r = &v->memory.g->vcpu.regs;

	if (v->state == NEW)
		fill(&v->memory);
	else if (v->state == STARTING && v->memory.g->loading)
		r->rip = v->regs.rip; /* the call begins again */
	else if (v->state > BIND)
		judge_registers(r, &v->regs);
	if (v->is_to_end) {
		make_call(v, GN_CALL_shutdown, GN_SHUTDOWN_POWEROFF, 0);
		r->rdx = 0;
		return;
	}
	if (v->state == NEW || v->memory.g->loading) {
		v->state = STARTING;
		make_call(v, GN_CALL_start_kernel, memory_address(MEMORY_L4), MEMORY_CALL_RIP);
		r->rdx = memory_address(MEMORY_STACK);
		r->r10 = r->r8 = 0;
		return;
	}
	v->state = v->state == POLL ? SET : v->state + 1;
	if (v->state == BIND)
		make_call(v, GN_CALL_port_bind, GN_PORT_TIMER, 32);
	else if (v->state == SET)
		make_call(v, GN_CALL_timer_set, test_cpu.now + SLEEP_NS, 0);
	else if (v->state == SLEEP)
		make_call(v, GN_CALL_block, 0, 0);
	else
		make_call(v, GN_CALL_port_poll, GN_PORT_TIMER, 0);
}
