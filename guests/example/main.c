// SPDX-License-Identifier: MIT
/*
 * main.c - a kernel with preemptive tasks in ring 3, for the bare machine and for Gnomon.
 *
 *   (i)   page tables of its own
 *   (ii)  tasks
 *   (iii) exceptions, ticks and system calls
 *   (iv)  the program of the tasks, in ring 3
 *   (v)   the kernel from its first line to its last
 *
 * Interrupts are off in the kernel but where task 0 waits.
 */
#include "guest-abi/kit/console.h"
#include "guest-abi/kit/cpu.h"
#include "guest-abi/kit/memory.h"
#include "guest-abi/kit/operations.h"
#include "guest-abi/kit/start.h"
#include "guest-abi/kit/traps.h"
#include "guest-abi/layout.h"

#define PAGE	   4096ul
#define USER_TEXT  0x400000ul
#define USER_DATA  0x10000000ul /* pages come when they are touched */
#define USER_STACK 0x10100000ul /* the end of these */

/* ---- (i) ---- */

#define PTE_P	   (1ul << 0)
#define PTE_W	   (1ul << 1)
#define PTE_U	   (1ul << 2)
#define PTE_PS	   (1ul << 7)
#define PTE_NX	   (1ul << 63)
#define PTE_ADDR   0x000ffffffffff000ul
#define BIG_PAGE   (2ul << 20)
#define LINEAR	   0xffff800000000000ul /* where all RAM is mapped */
#define UPPER_HALF 256			/* top-level entries from here are every space's */

static uint64_t next_page, last_page, kernel_root;
static uint64_t linear; /* 0 while the first tables are in force, which map RAM at 0 */

static void *at_physical(uint64_t address)
{
	return (void *)(linear + address);
}

static uint64_t page_alloc(void)
{
	uint64_t page = next_page;

	if (page >= last_page)
		gn_panic("out of memory");
	next_page += PAGE;
	memset(at_physical(page), 0, PAGE);
	return page;
}

static uint64_t *entry_of(uint64_t root, uint64_t address, unsigned level)
{
	for (unsigned l = 4;; l--) {
		uint64_t *entry = at_physical(root);

		entry += address >> (12 + 9 * (l - 1)) & 511;
		if (l == level)
			return entry;
		if (!(*entry & PTE_P))
			gn_cpu_pte_set(entry, page_alloc() | PTE_P | PTE_W | PTE_U);
		root = *entry & PTE_ADDR;
	}
}

static void map(uint64_t root, uint64_t address, uint64_t physical, uint64_t flags)
{
	gn_cpu_pte_set(entry_of(root, address, 1), physical | flags | PTE_P);
}

static void map_image(uint64_t root, uint64_t to, const char *at, const char *end, uint64_t flags)
{
	for (; at < end; at += PAGE, to += PAGE)
		map(root, to, (uint64_t)(at - kernel_base), flags);
}

static void make_kernel_space(void)
{
	next_page = gn_boot.free_start;
	last_page = gn_boot.free_end;
	kernel_root = page_alloc();
	map_image(kernel_root, (uint64_t)kernel_text, kernel_text, kernel_text_end, 0);
	map_image(kernel_root, (uint64_t)kernel_rodata, kernel_rodata, kernel_data, PTE_NX);
	map_image(kernel_root, (uint64_t)kernel_data, kernel_data, kernel_end, PTE_W | PTE_NX);
	if (gn_boot.on_gnomon) /* the kit's patched sites store to it */
		map(kernel_root, (uint64_t)gn_vcpu_alias, gn_boot.vcpu_page, PTE_W | PTE_NX);
	for (uint64_t at = 0; at < gn_boot.free_end; at += BIG_PAGE)
		*entry_of(kernel_root, LINEAR + at, 2) = at | PTE_P | PTE_W | PTE_PS | PTE_NX;
	gn_cpu_write_cr3(kernel_root);
	linear = LINEAR;
	if (gn_boot.on_gnomon) /* where it finds page tables; asked for by paging=notified alone */
		gn_set_linear_map(0, at_physical(0), gn_boot.free_end / PAGE, 0);
}

static uint64_t make_user_space(void)
{
	uint64_t root = page_alloc();

	memcpy((uint64_t *)at_physical(root) + UPPER_HALF,
	       (uint64_t *)at_physical(kernel_root) + UPPER_HALF, PAGE / 2);
	map_image(root, USER_TEXT, kernel_user, kernel_user_end, PTE_U);
	return root;
}

/* ---- (ii) ---- */

#define TASKS	   4 /* 0 is the kernel itself, which waits */
#define USER_FLAGS 0x202
#define TICK_NS	   2000000

static struct task {
	uint64_t rsp; /* of the kernel's stack, while another task runs */
	uint64_t root, stack, primes;
	unsigned number, preemptions, pages, exception;
	bool has_ended;
} tasks[TASKS], *current = tasks;

/* entry.S */
extern uint64_t system_call_stack;
void system_call_entry(void);
void switch_stacks(uint64_t *save, uint64_t load);
void begin_user(void);

/* The next one that has not ended; task 0 never ends. */
static void schedule(void)
{
	struct task *old = current;

	do
		current = &tasks[(current->number + 1) % TASKS];
	while (current->has_ended);
	system_call_stack = current->stack;
	gn_traps_set_stack(current->stack);
	gn_cpu_write_cr3(current->root);
	gn_cpu_write_fs_base(USER_DATA);
	switch_stacks(&old->rsp, current->rsp);
}

/* Its first switch pops six registers and returns to begin_user, which goes to its program. */
static void make_task(unsigned number, void (*program)(uint64_t))
{
	struct task *task = &tasks[number];
	uint64_t *stack = at_physical(page_alloc() + PAGE);
	const uint64_t text = USER_TEXT + (uint64_t)((char *)program - kernel_user);
	const uint64_t first[] = {0,
				  0,
				  0,
				  0,
				  0,
				  0,
				  (uint64_t)begin_user,
				  number,
				  text,
				  GN_USER_CS,
				  USER_FLAGS,
				  USER_STACK - 8,
				  GN_USER_SS};

	memcpy((char *)stack - sizeof(first), first, sizeof(first));
	*task = (struct task){.number = number,
			      .root = make_user_space(),
			      .stack = (uint64_t)stack,
			      .rsp = (uint64_t)stack - sizeof(first)};
}

/* ---- (iii) ---- */

enum { CALL_REPORT, CALL_PREEMPTIONS, CALL_EXIT }; /* in RAX; the argument in RDI */
#define PAGE_FAULT 14

uint64_t system_call(uint64_t argument, uint64_t number);

static bool supply_page(uint64_t address)
{
	if (address < USER_DATA || address >= USER_STACK)
		return false;
	map(current->root, address & ~(PAGE - 1), page_alloc(), PTE_W | PTE_U | PTE_NX);
	gn_cpu_invlpg(address);
	current->pages++;
	return true;
}

void gn_trap(struct gn_frame *frame)
{
	bool is_user = frame->cs & 3;

	if (frame->vector == GN_TICK_VECTOR) {
		gn_tick_done();
		current->preemptions += is_user;
	} else if (!is_user) {
		gn_panic("exception %lu, error %lx at %lx, CR2 %lx", frame->vector, frame->error,
			 frame->rip, gn_cpu_read_cr2());
	} else if (frame->vector == PAGE_FAULT && supply_page(gn_cpu_read_cr2())) {
		return;
	} else {
		current->exception = (unsigned)frame->vector;
		current->has_ended = true;
	}
	schedule();
}

uint64_t system_call(uint64_t argument, uint64_t number)
{
	if (number == CALL_PREEMPTIONS)
		return current->preemptions;
	if (number == CALL_REPORT)
		current->primes = argument;
	if (number == CALL_EXIT) {
		current->has_ended = true;
		schedule();
	}
	return 0;
}

/* ---- (iv) no constants in memory: section .user is all that its address space has ---- */

#define USER	    __attribute__((section(".user")))
#define LIMIT	    20000
#define PAGES	    8
#define PREEMPTIONS 10
#define OFFENDER    3

USER static uint64_t call(uint64_t number, uint64_t argument)
{
	__asm__ volatile("syscall"
			 : "+a"(number), "+D"(argument)
			 :
			 : "rcx", "r11", "rdx", "rsi", "r8", "r9", "r10", "memory");
	return number;
}

USER static unsigned count_primes(void)
{
	unsigned count = 0;

	for (unsigned n = 2, d = 2; n < LIMIT; n++, d = 2) {
		while (d * d <= n && n % d)
			d++;
		count += d * d > n;
	}
	return count;
}

/* Untouched pages are zero and keep what is stored; nothing changes however often it is counted. */
USER static void program(uint64_t number)
{
	volatile uint64_t *word = (volatile uint64_t *)USER_DATA;
	uint64_t primes = count_primes(), own, wrong = 0;

	for (unsigned i = 0; i < PAGES; i++) {
		wrong |= word[i * PAGE / 8];
		word[i * PAGE / 8] = number + i;
	}
	do {
		__asm__ volatile("mov %%fs:0, %0" : "=r"(own));
		wrong |= (own ^ number) | (word[PAGE / 8] ^ (number + 1));
		wrong |= count_primes() ^ primes;
	} while (call(CALL_PREEMPTIONS, 0) < PREEMPTIONS);
	if (number == OFFENDER)
		__asm__ volatile("hlt");
	call(CALL_REPORT, wrong ? 0 : primes);
	call(CALL_EXIT, 0);
}

/* ---- (v) ---- */

static bool are_tasks_left(void)
{
	return !tasks[1].has_ended || !tasks[2].has_ended || !tasks[3].has_ended;
}

static bool has_word(const char *line, const char *word)
{
	const char *w = word;

	for (; *line && *w; line++)
		w = *line == *w ? w + 1 : word;
	return !*w;
}

void kernel_main(void)
{
	gn_print("example: %s\n", gn_boot.on_gnomon ? "under Gnomon" : "on the bare machine");
	make_kernel_space();
	gn_traps_init(system_call_entry);
	tasks[0].root = gn_cpu_read_cr3();
	for (unsigned i = 1; i < TASKS; i++)
		make_task(i, program);
	gn_ticks_start(TICK_NS);
	while (are_tasks_left()) { /* no tick is lost between STI and HLT */
		gn_cpu_sti_hlt();
		gn_cpu_cli();
	}
	for (const struct task *t = tasks + 1; t < tasks + TASKS; t++)
		gn_print("example: task %u: %lu primes, %u pages, %s, exception %u\n", t->number,
			 t->primes, t->pages, t->preemptions ? "preempted" : "alone", t->exception);
	if (has_word(gn_boot.command_line, "sites"))
		gn_print_sites();
	gn_print("example: done\n");
	/* The bare machine may be QEMU, with its debug exit, or Bochs. */
	for (const char *c = "Shutdown"; *c; c++)
		__asm__ volatile("outb %0, %1; outb %0, $0xf4" : : "a"(*c), "d"((uint16_t)0x8900));
	gn_power_off();
}
