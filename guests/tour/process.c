// SPDX-License-Identifier: MIT
/*
 * process.c - see process.h. A switch between processes is two calls and a few pushes: the kernel
 * stack (TSS.RSP0 on hardware) and CR3.
 *
 *   (i)   whose turn it is
 *   (ii)  beginning and end
 *   (iii) memory on demand
 */
#include "guests/tour/process.h"
#include "guest-abi/kit/calls.h"
#include "guest-abi/kit/clock.h"
#include "guest-abi/kit/memory.h"
#include "guest-abi/kit/operations.h"
#include "guests/tour/console.h"
#include "guests/tour/memory.h"
#include "guests/tour/space.h"

#define FLAGS_USER 0x202 /* IF, and the bit that is always 1 */

extern const char trap_return[], user_image[], user_image_end[];
extern uint64_t kernel_stack;
void context_switch(uint64_t *save_rsp, uint64_t rsp);

static struct process processes[PROCESS_COUNT];
static char stacks[PROCESS_COUNT][PROCESS_KERNEL_STACK] __attribute__((aligned(16)));
static struct process *current = &processes[0];

struct process *process_kernel(void)
{
	return &processes[0];
}

struct process *process_current(void)
{
	return current;
}

struct process *process_number(uint64_t n)
{
	return n < PROCESS_COUNT ? &processes[n] : NULL;
}

uint64_t process_number_of(const struct process *p)
{
	return p - processes;
}

void process_init(void)
{
	processes[0].state = PROCESS_READY;
	processes[0].name = "kernel";
	processes[0].space = space_kernel;
}

/* ---- (i) ---- */

static uint64_t stack_end(const struct process *p)
{
	return (uint64_t)stacks[p - processes] + PROCESS_KERNEL_STACK;
}

/* The next one that is ready, the current one last. */
static struct process *next_ready(void)
{
	for (unsigned i = 1; i <= PROCESS_COUNT; i++) {
		struct process *p = &processes[(process_number_of(current) + i) % PROCESS_COUNT];

		if (p->state == PROCESS_READY)
			return p;
	}
	return NULL;
}

/*
 * Let another run; returns when it is this one's turn again. vif is 0 here, so nothing becomes
 * ready between looking and halting: halt itself lets events come.
 */
static void schedule(void)
{
	struct process *from = current, *to;

	while (!(to = next_ready())) {
		gn_halt();
		gn_cli();
	}
	if (to == from)
		return;
	current = to;
	kernel_stack = stack_end(to);
	gn_set_kernel_stack(kernel_stack);
	gn_load_cr3(to->space);
	context_switch(&from->rsp, to->rsp);
}

static void wait_as(enum process_state state)
{
	current->state = state;
	schedule();
}

void process_yield(void)
{
	schedule();
}

void process_sleep(uint64_t ns)
{
	current->wake = gn_clock_ns() + ns;
	wait_as(PROCESS_ASLEEP);
}

void process_wait_for_event(void)
{
	wait_as(PROCESS_WAITING);
}

void process_wake(struct process *p)
{
	if (p->state == PROCESS_WAITING)
		p->state = PROCESS_READY;
}

void process_wake_sleepers(uint64_t now)
{
	for (unsigned i = 0; i < PROCESS_COUNT; i++)
		if (processes[i].state == PROCESS_ASLEEP && processes[i].wake <= now)
			processes[i].state = PROCESS_READY;
}

void process_tick(void)
{
	current->ticks++;
	schedule();
}

/* ---- (ii) ---- */

/* All processes share the pages of the program; each has its own heap and stack, empty at first. */
static uint64_t make_space(void)
{
	uint64_t space = space_create();
	uint64_t gpa = (uint64_t)user_image - KERNEL_OFFSET;

	for (uint64_t at = 0; at < (uint64_t)(user_image_end - user_image); at += PAGE_SIZE)
		*space_entry(space, USER_TEXT + at, true) = (gpa + at) | SPACE_PRESENT | SPACE_USER;
	return space;
}

/* A kernel stack as if it had been interrupted just before its program's first instruction. */
static void make_stack(struct process *p, enum program program, uint64_t argument)
{
	struct frame *f = (struct frame *)stack_end(p) - 1;
	uint64_t *below = (uint64_t *)f;

	*f = (struct frame){
	    .rdi = program,
	    .rsi = argument,
	    .rip = USER_TEXT,
	    .cs = GN_USER_CS,
	    .rflags = FLAGS_USER,
	    .rsp = USER_STACK_END,
	    .ss = GN_USER_SS,
	};
	*--below = (uint64_t)trap_return; /* where context_switch returns to */
	for (unsigned i = 0; i < 6; i++)
		*--below = 0; /* the registers that it restores */
	p->rsp = (uint64_t)below;
}

struct process *process_start(const char *name, enum program program, uint64_t argument)
{
	for (unsigned i = 1; i < PROCESS_COUNT; i++) {
		struct process *p = &processes[i];

		if (p->state != PROCESS_NONE)
			continue;
		*p = (struct process){.state = PROCESS_READY, .name = name, .vector = -1};
		p->space = make_space();
		make_stack(p, program, argument);
		return p;
	}
	shut_down(GN_SHUTDOWN_CRASH, "the tour has too many processes");
}

/* A space cannot be given back while it is loaded; the kernel's is a part of every one. */
static _Noreturn void end_current(int64_t status, int64_t vector)
{
	current->status = status;
	current->vector = vector;
	gn_load_cr3(space_kernel);
	space_destroy(current->space);
	process_wake(process_kernel());
	wait_as(PROCESS_ENDED);
	__builtin_unreachable();
}

_Noreturn void process_exit(int64_t status)
{
	end_current(status, -1);
}

void process_fault(const struct frame *f)
{
	end_current(0, f->vector);
}

struct process process_wait(struct process *p)
{
	struct process record;

	while (p->state != PROCESS_ENDED)
		process_wait_for_event();
	record = *p;
	p->state = PROCESS_NONE;
	return record;
}

void process_stop(struct process *p)
{
	if (p->state != PROCESS_ENDED)
		space_destroy(p->space);
	p->state = PROCESS_NONE;
}

/* ---- (iii) ---- */

static bool is_in(uint64_t address, uint64_t start, uint64_t size)
{
	return address - start < size;
}

#define ERROR_PRESENT 1 /* the page was there: the access was not allowed (SDM 3A 4.7) */

bool process_page_fault(uint64_t address, uint64_t error)
{
	if (error & ERROR_PRESENT)
		return false;
	if (!is_in(address, USER_HEAP, USER_HEAP_SIZE) &&
	    !is_in(address, USER_STACK_END - USER_STACK_SIZE, USER_STACK_SIZE))
		return false;
	space_add_page(current->space, address, SPACE_WRITE | SPACE_USER | SPACE_NO_EXECUTE);
	current->pages++;
	return true;
}

/* The physical address behind a process's own, or 0. The kernel uses no address of a process. */
static uint64_t translate(uint64_t address)
{
	uint64_t *entry;

	if (address >= USER_STACK_END)
		return 0;
	entry = space_entry(current->space, address, false);
	if (!entry || !(*entry & SPACE_PRESENT)) {
		if (!process_page_fault(address, 0))
			return 0;
		entry = space_entry(current->space, address, false);
	}
	return (*entry & SPACE_ADDRESS) + address % PAGE_SIZE;
}

bool process_read(uint64_t address, void *to, uint64_t size)
{
	char *bytes = to;

	while (size) {
		uint64_t piece = PAGE_SIZE - address % PAGE_SIZE, gpa = translate(address);

		if (!gpa)
			return false;
		piece = piece < size ? piece : size;
		memcpy(bytes, memory_at(gpa), piece);
		bytes += piece;
		address += piece;
		size -= piece;
	}
	return true;
}
