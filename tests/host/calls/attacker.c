// SPDX-License-Identifier: MIT
/*
 * attacker.c - see attacker.h. What it does is what a kernel in ring 1 and its users in ring 3 can:
 * store to their memory, set their registers, leave by one of the ways out.
 *
 *   (i)   calls
 *   (ii)  accesses to memory
 *   (iii) exceptions, interrupts
 *   (iv)  what needs no exit
 *   (v)   its life
 */
#include "arch/x86/cpu/apic.h"
#include "guest-abi/hypercalls.h"
#include "guest-abi/ranges.h"
#include "hypercall/xen/xen.h"
#include "mm/machine.h"
#include "tests/host/calls/attacker.h"
#include "tests/host/calls/cpu.h"
#include "tests/host/calls/draw.h"
#include "tests/host/calls/judge.h"
#include "tests/host/calls/world.h"

#define RESTARTS      64 /* of one call, before the guest has enough */
#define TRIES	      4
#define INT_SIZE      2
#define LETHAL_ONE_IN 24

static struct vcpu *vcpu_of(struct attacker *a)
{
	return &a->memory.g->vcpu;
}

static void be_kernel(struct vcpu *v)
{
	v->regs.cs = GN_KERNEL_CS;
	v->regs.ss = GN_KERNEL_SS;
}

static void leave(struct vcpu *v, unsigned reason, u64 error)
{
	v->regs.vector = reason;
	v->regs.error = error;
}

/* ---- (i) ---- */

static void execute_call(struct attacker *a)
{
	struct guest_regs *r = &vcpu_of(a)->regs;

	if (r->vector == EXIT_HYPERCALL) {
		r->rcx = r->rip;
		r->r11 = r->rflags;
	}
	a->call.regs = *r;
}

static void make_call(struct attacker *a, u64 number, const u64 arguments[6])
{
	struct vcpu *v = vcpu_of(a);
	struct guest_regs *r = &v->regs;
	bool by_slot = !one_in(4);

	be_kernel(v);
	r->rax = number;
	r->rdi = arguments[0];
	r->rsi = arguments[1];
	r->rdx = arguments[2];
	r->r10 = arguments[3];
	r->r8 = arguments[4];
	r->r9 = arguments[5];
	r->rip = by_slot ? GN_SLOT(number % GN_FIRST_OP_SLOT) + 12 : MEMORY_CALL_RIP + INT_SIZE;
	leave(v, by_slot ? EXIT_HYPERCALL : GN_HYPERCALL_VECTOR, 0);
	a->call = (struct attacker_call){.is_made = true,
					 .is_xen = a->is_kernel && a->abi == GN_ABI_XEN,
					 .number = number,
					 .rip = r->rip};
	execute_call(a);
	world_counts->calls++;
	world_counts->by_number[a->call.is_xen][MIN(number, 63)]++;
	if (world_is_told)
		printf("  %s: %s call %ld (%#lx, %#lx, %#lx, %#lx, %#lx)\n",
		       a->memory.g->config.name, a->call.is_xen ? "xen" : "native", number,
		       arguments[0], arguments[1], arguments[2], arguments[3], arguments[4]);
}

/* Is it one that ends the guest, or has it sleep, and not the time for that? */
static bool is_left_out(const struct attacker *a, u64 number, const u64 arguments[6])
{
	bool spared = !one_in(LETHAL_ONE_IN);

	if (!a->is_kernel || a->abi == GN_ABI_NATIVE)
		return spared && ((number == GN_CALL_shutdown && arguments[0] <= 2) ||
				  number == GN_CALL_block || number == GN_CALL_halt);
	if (number == 29)
		return spared && arguments[0] - 1 <= 2;
	return number == XEN_CALL_IRET && spared;
}

static bool call(struct attacker *a)
{
	bool is_xen = a->is_kernel && a->abi == GN_ABI_XEN;
	u64 count = is_xen ? XEN_CALL_COUNT : personality_native.count, number, arguments[6];

	number = one_in(64) ? draw(&a->memory, DRAW_ANY) : host_random() % (count + 1);
	if (is_xen) {
		enum draw_content content = draw_xen(&a->memory, number, arguments);

		if (number == XEN_CALL_IRET)
			vcpu_of(a)->regs.rsp = draw_buffer(&a->memory, content);
	} else {
		draw_native(&a->memory, number, arguments);
	}
	if (is_left_out(a, number, arguments))
		return false;
	make_call(a, number, arguments);
	return true;
}

static bool ring(struct attacker *a)
{
	struct gn_vcpu_page *page = vcpu_of(a)->page;
	u32 head = host_random();

	for (unsigned i = 0; i < GN_RING_ENTRIES; i++) {
		u64 number = one_in(3) ? GN_CALL_pte_changed : host_random() % 34, arguments[6];

		draw_native(&a->memory, number, arguments);
		page->ring[i].call = one_in(16) ? number | 1ul << host_random() % 64 : number;
		for (unsigned j = 0; j < 4; j++)
			page->ring[i].argument[j] = arguments[j];
	}
	page->ring_head = head;
	page->ring_tail = one_in(4) ? host_random() : head + host_random() % 80;
	if (one_in(2))
		return false; /* something else will settle it */
	make_call(a, GN_CALL_drain, (u64[6]){0});
	return true;
}

/* The call that a restart asks for is made once more, perhaps with other words behind it. */
static bool goes_on(struct attacker *a)
{
	struct vcpu *v = vcpu_of(a);
	struct attacker_call *c = &a->call;

	if (!c->is_made)
		return false;
	if (v->regs.rip == c->rip - INT_SIZE && v->regs.rax == c->number &&
	    a->memory.g->end == GUEST_LIVES) {
		world_counts->restarts++;
		if (c->restarts++ < RESTARTS && !one_in(64)) {
			v->regs.rip = c->rip;
			leave(v, c->rip >> 63 ? EXIT_HYPERCALL : GN_HYPERCALL_VECTOR, 0);
			if (one_in(16))
				draw_buffer(&a->memory, host_random() % CONTENTS);
			execute_call(a);
			return true;
		}
	} else {
		judge_answer(c, &v->regs);
	}
	c->is_made = false;
	return false;
}

/* ---- (ii) ---- */

/* True: it has faulted. */
static bool try_access(struct attacker *a)
{
	struct vcpu *v = vcpu_of(a);
	struct attacker_access *x = &a->access;
	mfn_t root = maddr_to_mfn(MADDR(test_cpu_structure.area.constants->guest_cr3));
	struct hardware_answer answer;

	x->access.user = vcpu_is_user(v);
	x->access.ac = v->regs.rflags & RFLAGS_AC;
	a->hardware.smep = test_cpu.cr4 & CR4_SMEP;
	a->hardware.smap = test_cpu.cr4 & CR4_SMAP;
	answer = hardware_access(&a->hardware, root, GVA(x->gva), x->access);
	if (answer.ok) {
		if (x->access.write && !(x->gva & 7))
			*(u64 *)((char *)machine_map(answer.mfn) + (x->gva & 0xff8)) = x->value;
		x->is_made = false;
		return false;
	}
	test_cpu.cr2 = x->gva;
	v->regs.rip = x->access.fetch ? x->gva : MEMORY_STORE_RIP;
	v->regs.rdi = x->gva;
	v->regs.rax = x->value;
	leave(v, VECTOR_PF, answer.error_code);
	world_counts->faults++;
	return true;
}

static bool access(struct attacker *a)
{
	unsigned kind = host_random() % 4;
	u64 gva = draw(&a->memory, DRAW_ADDRESS) & ~7ul;

	if (!is_canonical(gva))
		return false;
	a->access = (struct attacker_access){.is_made = true,
					     .gva = gva,
					     .value = draw(&a->memory, DRAW_ENTRY),
					     .access.write = kind < 2,
					     .access.fetch = kind == 2};
	return try_access(a);
}

static bool is_tried_again(struct attacker *a)
{
	struct attacker_access *x = &a->access;

	if (!x->is_made)
		return false;
	if (vcpu_of(a)->regs.rip == (x->access.fetch ? x->gva : MEMORY_STORE_RIP) &&
	    x->tries++ < TRIES)
		return try_access(a);
	x->is_made = false;
	return false;
}

/* ---- (iii) ---- */

static u64 some_rip(struct attacker *a)
{
	const struct gn_range *table = one_in(2) ? gn_ranges : gn_places;
	const struct gn_range *end = table == gn_ranges ? gn_ranges_end : gn_places_end;

	if (one_in(4))
		return table[host_random() % (u64)(end - table)].first;
	if (one_in(2))
		return memory_address(MEMORY_CODE) + host_random() % 8192;
	return draw(&a->memory, one_in(2) ? DRAW_ADDRESS : DRAW_ANY);
}

static bool exception(struct attacker *a)
{
	static const u8 vectors[] = {0, 1, 5, 6, 6, 7, 11, 12, 13, 13, 13, 16, 17, 19};
	struct vcpu *v = vcpu_of(a);
	u8 vector = vectors[host_random() % sizeof(vectors)];

	v->regs.rip = some_rip(a);
	if (one_in(32))
		v->regs.rsp = draw(&a->memory, DRAW_ANY);
	if (vector == 1)
		test_cpu.dr[6] = DR6_ONES | (host_random() & 0xe00f);
	leave(v, vector, vector_has_error(vector) ? host_random() & 0xffff : 0);
	return true;
}

static bool interrupt(struct attacker *a)
{
	static const unsigned reasons[] = {
	    VECTOR_TIMER, VECTOR_TIMER,	      VECTOR_KICK, VECTOR_PIC, VECTOR_SPURIOUS, 3, 4,
	    0x80,	  EXIT_COMPAT_SYSCALL};
	struct vcpu *v = vcpu_of(a);
	unsigned reason = reasons[host_random() % ARRAY_SIZE(reasons)];

	test_cpu.now += host_random() % 4000000;
	if (one_in(2))
		test_cpu.key = host_random() & 0xff;
	if (one_in(4))
		v->regs.rip = some_rip(a);
	if (reason == EXIT_COMPAT_SYSCALL) {
		v->regs.cs = GN_USER_SS - 8;
		v->regs.ss = GN_USER_SS;
	}
	leave(v, reason, 0);
	return true;
}

/* ---- (iv) ---- */

static bool store(struct attacker *a)
{
	for (unsigned i = 1 + host_random() % 4; i; i--)
		memory_put_word(&a->memory, draw(&a->memory, DRAW_TABLE) & ~7ul,
				draw(&a->memory, DRAW_ENTRY));
	return false;
}

/* A word of the vcpu page, or of what Xen's ABI publishes. */
static bool scribble(struct attacker *a)
{
	struct vcpu *v = vcpu_of(a);
	u64 word = draw(&a->memory, DRAW_ANY);

	if (a->is_kernel && a->abi == GN_ABI_XEN && one_in(2))
		memory_put_word(&a->memory,
				gfn_to_gpa(guest_shared_info_gfn(a->memory.g)).v +
				    (one_in(2) ? host_random() % 4 * 8 : host_random() % 512 * 8),
				word);
	else if (one_in(2))
		((u64 *)v->page)[host_random() % 512] = word;
	else
		memory_put(&a->memory, memory_address(MEMORY_CONSOLE) + 3072 + host_random() % 16,
			   &word, 4);
	*v->vif = one_in(4) ? host_random() : one_in(2);
	return false;
}

static bool change_registers(struct attacker *a)
{
	static const u16 code[] = {GN_USER_CS, GN_USER_SS - 8, 0x3b, 0x0f},
			 stack[] = {GN_USER_SS, 0x43, 0x17};
	struct vcpu *v = vcpu_of(a);
	u16 cs = code[host_random() % ARRAY_SIZE(code)],
	    ss = stack[host_random() % ARRAY_SIZE(stack)];
	u16 selector = host_random() & 0x3ff;

	be_kernel(v);
	if (one_in(2) && vcpu_descriptor_is_usable(v, cs, true) &&
	    vcpu_descriptor_is_usable(v, ss, false) && (cs & ss & 3) == 3) {
		v->regs.cs = cs;
		v->regs.ss = ss;
	}
	v->regs.rflags = RFLAGS_RESERVED | RFLAGS_IF | (host_random() & RFLAGS_GUEST);
	v->regs.rsp = draw(&a->memory, DRAW_BUFFER);
	if (one_in(4))
		selector &= 3;
	if (!(selector & ~3) || vcpu_descriptor_is_usable(v, selector, false))
		test_cpu.segment[host_random() % 4] = selector;
	return false;
}

static bool mend(struct attacker *a)
{
	memory_mend(&a->memory);
	if (!a->is_kernel || a->abi == GN_ABI_NATIVE)
		make_call(a, GN_CALL_load_cr3, (u64[6]){memory_address(MEMORY_L4)});
	else
		make_call(a, XEN_CALL_STACK_SWITCH,
			  (u64[6]){0, memory_address(MEMORY_STACK) + 4096});
	return true;
}

/* Gates for all vectors, as only a kernel with them lives long. */
static bool set_gates(struct attacker *a)
{
	u64 at = memory_address(MEMORY_BUFFER), handler = MEMORY_CALL_RIP;

	for (u64 i = 0; i < 256; i++) {
		struct xen_trap_info trap = {.vector = i, .address = handler};
		u64 gate[2] = {handler | 0x10 << 16 | 0x8eul << 40, 0};

		if (a->abi == GN_ABI_XEN && a->is_kernel)
			memory_put(&a->memory, at + i * sizeof(trap), &trap, sizeof(trap));
		else
			memory_put(&a->memory, at + i * sizeof(gate), gate, sizeof(gate));
	}
	if (a->abi == GN_ABI_XEN && a->is_kernel)
		make_call(a, 0, (u64[6]){at});
	else
		make_call(a, GN_CALL_set_idt, (u64[6]){at, 0, 256});
	return true;
}

/* ---- (v) ---- */

static bool start_kernel(struct attacker *a)
{
	u64 arguments[6] = {memory_address(MEMORY_L4), MEMORY_CALL_RIP,
			    memory_address(MEMORY_STACK) + 4096, memory_address(MEMORY_START_INFO),
			    a->abi};

	if (one_in(4))
		arguments[host_random() % 5] = draw(&a->memory, DRAW_ANY);
	make_call(a, GN_CALL_start_kernel, arguments);
	return true;
}

static bool one_step(struct attacker *a)
{
	static bool (*const ways[])(struct attacker *) = {
	    call, call, call,  call,	  call,	    call,      call,	  call,
	    call, call, store, store,	  store,    access,    access,	  exception,
	    ring, ring, mend,  set_gates, scribble, interrupt, interrupt, change_registers};

	if (a->prepared < 2 && !one_in(32))
		return a->prepared++ ? set_gates(a) : mend(a);
	if (!a->is_kernel && one_in(4))
		return start_kernel(a);
	return ways[host_random() % ARRAY_SIZE(ways)](a);
}

static void begin(struct attacker *a)
{
	a->call.is_made = a->access.is_made = a->is_kernel = false;
	a->prepared = 0;
	a->is_built = true;
	(void)world_step();
	a->abi = one_in(2) ? GN_ABI_XEN : GN_ABI_NATIVE;
	memory_make(&a->memory);
}

void attacker_run(struct attacker *a)
{
	struct vcpu *v = vcpu_of(a);

	hardware_flush(&a->hardware);
	if (!a->is_built)
		begin(a);
	if (!a->is_kernel && !a->memory.g->loading) {
		a->is_kernel = true;
		a->abi = a->memory.g->personality == &personality_xen ? GN_ABI_XEN : GN_ABI_NATIVE;
		a->call.is_made = false;
		a->prepared = 0;
	}
	if (!is_canonical(v->regs.rip)) { /* as the IRETQ says: nothing of it has run */
		leave(v, EXIT_RETURN_FAULT, 0);
		return;
	}
	if (goes_on(a) || is_tried_again(a))
		return;
	while (world_step())
		if (one_step(a))
			return;
	be_kernel(v);
	leave(v, VECTOR_TIMER, 0);
}
