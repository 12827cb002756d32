// SPDX-License-Identifier: MIT
/*
 * main.c - the benchmark's kernel: one ELF for the bare machine and for Gnomon. It prints a line
 * for each row, "row NAME: N instructions, N entries, N cr3 writes", the last two as the monitor
 * counts them. Each figure is the median of SAMPLES, less what the same frame costs around nothing.
 * tests/bench/run puts the two machines side by side and knows the limits.
 */
#include "guest-abi/kit/operations.h"
#include "tests/bench/paths.h"

const char test_name[] = "bench";

#define SAMPLES 15
#define WARM_UP 3

/* Addresses past the stage of the library: a page that is never mapped, and pages to be mapped. */
#define NOWHERE	     0x60000000ul
#define DEMAND_PAGES 0x60100000ul
#define STORE_PAGES  0x60400000ul /* for the rows that store to page tables */
#define COW_AREA     0x60800000ul /* its two tables lie side by side */
#define PTE_PAGES    0x70000000ul /* COW_PAGES of them, which begin with a table of their own */
#define FRAMES_FREE  0x800000ul	  /* RAM that nothing else has used: COW_PAGES frames */

/* The frame of the user ends by INT3, an entry. A row that ends by its own fault has none. */
#define BY_FAULT 1
/* Not measured under `trapped`, where it means something else. */
#define NOTIFIED 2

enum frame { OF_KERNEL, OF_USER, FRAMES };

struct row {
	const char *name;
	enum frame frame;  /* whose "nothing" is subtracted */
	u64 (*bare)(void); /* NULL: there is no such thing there */
	u64 (*gnomon)(void);
	void (*prepare)(void); /* before each sample, not measured; may be NULL */
	unsigned flags;	       /* BY_FAULT, NOTIFIED, or 0 */
};

struct figures {
	u64 instructions, entries, cr3_writes;
};

/* ---- rows that need more than a path ------------------------------------------------------- */

static u64 user(const struct snippet *code, u64 rdi)
{
	struct state s = state_for(USER);

	s.rdi = rdi;
	run_state(&s, USER, code);
	return (u32)s.rax;
}

static u64 run_user_nothing(void)
{
	return user(&user_nothing, 0);
}

static u64 run_syscall(void)
{
	return user(&user_syscall, 0);
}

static u64 run_undefined(void)
{
	return user(&user_undefined, 0);
}

static u64 run_page_fault(void)
{
	return user(&user_touch, NOWHERE);
}

static u64 run_iret(void)
{
	struct state s = state_for(USER);

	stage_code(USER, &user_arrived, 0);
	enter_through(&s, (u64)(on_gnomon ? gnomon_iret : bare_iret));
	return (u32)s.rax;
}

/* ---- what they need before ----------------------------------------------------------------- */

static void use_library_handlers(void)
{
	syscall_entry_set((u64)(on_gnomon ? gnomon_syscall : bare_syscall));
	gate_set_handler(6, (u64)undefined_handler, 1, 0);
	gate_set_handler(14, (u64)page_fault_handler, 1, 0);
}

/* A frame at the end of memory: what it costs to map shall not depend on where that is. */
static u64 far_frame(void)
{
	static u64 frame;

	if (!frame)
		frame = on_gnomon ? start_info.free_end - 4096 : (u64)page_alloc();
	return frame;
}

static u64 demand_address;

static void prepare_demand(void)
{
	demand_address = demand_address ? demand_address + 4096 : DEMAND_PAGES;
	if (!demand_value)
		demand_value = far_frame() | PTE_P | PTE_W | PTE_U;
	demand_entry = (u64)pte_of(demand_address);
	gate_set_handler(14, (u64)(on_gnomon ? gnomon_demand_handler : bare_demand_handler), 1, 0);
}

static u64 run_demand(void)
{
	return user(&user_touch, demand_address);
}

/* So many faults elsewhere, and a store to a table is no longer one in a row. */
#define FAULTS_BETWEEN 16
#define LOADS_BETWEEN  8 /* of CR3, and a table is not expected to be written any more */

/* A table that is walked, at entry: the next of it that is absent. */
static void prepare_store(void)
{
	static u64 page = STORE_PAGES;

	if (page == STORE_PAGES)
		map(page, far_frame(), PTE_P | PTE_W | PTE_U | PTE_A | PTE_D);
	*(volatile u64 *)STORE_PAGES;
	page += 4096;
	entry_address = (u64)pte_of(page);
	entry_value = far_frame() | PTE_P | PTE_W | PTE_U | PTE_A | PTE_D;
}

static void prepare_single_store(void)
{
	gate_set_handler(14, (u64)page_fault_handler, 1, 0);
	for (unsigned i = 0; i < FAULTS_BETWEEN; i++)
		user(&user_touch, NOWHERE);
	prepare_store();
}

static void prepare_loose_store(void)
{
	for (unsigned i = 0; i < 3; i++) {
		prepare_store();
		store_entry();
	}
	prepare_store();
}

/* Pages mapped, writable and in use, whose tables have not been written for a while. */
static void prepare_cow(void)
{
	static u64 *entries;

	if (!entries) {
		entries = pte_of(COW_AREA);
		check(pte_of(COW_AREA + (1 << 21)) == entries + 512,
		      "two tables are not one array");
	}
	for (unsigned i = 0; i < COW_PAGES; i++)
		entries[i] = far_frame() | PTE_P | PTE_W | PTE_A | PTE_D;
	load_root(page_root);
	for (u64 i = 0; i < COW_PAGES; i++)
		*(volatile u64 *)(COW_AREA + 4096 * i) = 0;
	for (unsigned i = 0; i < LOADS_BETWEEN; i++)
		load_root(page_root);
	entry_address = (u64)entries;
	next_root = (u64)page_root;
}

/* ---- page tables: entries of pages in use, as a space that is torn down has ------------------ */

static u64 frame_entry(unsigned i)
{
	return (FRAMES_FREE + i * 4096ul) | PTE_P | PTE_W | PTE_A | PTE_D;
}

static u64 *entries(void)
{
	pte_linear = pte_physical = (u64)pte_of(PTE_PAGES);
	return (u64 *)pte_linear;
}

static void set_entry(u64 *entry, u64 value)
{
	if (on_gnomon)
		gn_pte_set(entry, value);
	else
		*entry = value;
}

/* The first count entries, in the two tables that lie side by side, lead to frames that have been
 * used there. */
static void use_pages(unsigned count)
{
	u64 *entry = entries(), *next = pte_of(PTE_PAGES + 512 * 4096ul);

	check(next == entry + 512, "the tables do not lie side by side");
	for (unsigned i = 0; i < count; i++)
		set_entry(&entry[i], frame_entry(i));
	load_root(page_root);
	for (unsigned i = 0; i < count; i++)
		*(volatile u64 *)(PTE_PAGES + i * 4096ul) = i;
	if (on_gnomon)
		CALL(drain);
}

static void prepare_pte_write(void)
{
	use_pages(1);
	pte_value = frame_entry(1);
}

/* A page that is not there gets another swap slot, as it were. */
static void prepare_pte_swap_nothing(void)
{
	set_entry(entries(), 2);
	if (on_gnomon)
		CALL(drain);
	pte_value = 4;
}

static void prepare_pte_swap(void)
{
	use_pages(1);
	pte_value = 0;
}

static void prepare_removed(void)
{
	use_pages(GN_RING_BATCH);
	for (unsigned i = 0; i < GN_RING_BATCH; i++)
		set_entry(&entries()[i], 0);
}

static void prepare_refilled(void)
{
	use_pages(GN_RING_BATCH);
	for (unsigned i = 0; i < GN_RING_BATCH; i++)
		set_entry(&entries()[i], frame_entry(2 * GN_RING_BATCH - 1 - i));
}

static void prepare_told_cow(void)
{
	use_pages(COW_PAGES);
}

static void prepare_invlpg(void)
{
	static volatile u64 *page;

	if (!page)
		page = page_alloc();
	*page = 1;
	invlpg_address = (u64)page;
}

static void prepare_ring(void)
{
	invlpg_address = NOWHERE;
}

static void prepare_root(void)
{
	static u64 *other;

	if (!other)
		other = root_copy();
	next_root = (u64)other;
	other = page_root;
	page_root = (u64 *)next_root;
}

static void interrupts(bool on)
{
	if (on_gnomon)
		VCPU_PAGE->vif = on;
	else if (on)
		__asm__ volatile("sti");
	else
		__asm__ volatile("cli");
}

static u64 with_interrupts(u64 (*path)(void))
{
	u64 before = events, figure;

	interrupts(true);
	figure = path();
	interrupts(false);
	check((u32)events == (u32)before + 1, "%u events came, not 1", (u32)(events - before));
	return figure;
}

static u64 run_bare_event(void)
{
	return with_interrupts(bare_event);
}

static u64 run_gnomon_event(void)
{
	return with_interrupts(gnomon_event);
}

/* ---- the table ----------------------------------------------------------------------------- */

static const struct row nothings[FRAMES] = {
    [OF_KERNEL] = {"nothing", OF_KERNEL, nothing, nothing, NULL, 0},
    [OF_USER] = {"nothing", OF_USER, run_user_nothing, run_user_nothing, NULL, 0},
};

static const struct row rows[] = {
    {"system call of the user", OF_USER, run_syscall, run_syscall, NULL, 0},
    {"null hypercall", OF_KERNEL, NULL, null_hypercall, NULL, 0},
    {"null hypercall by INT", OF_KERNEL, NULL, null_int, NULL, 0},
    {"#UD to the handler", OF_USER, run_undefined, run_undefined, NULL, BY_FAULT},
    {"#PF to the handler", OF_USER, run_page_fault, run_page_fault, NULL, BY_FAULT},
    {"demand-page fault", OF_USER, run_demand, run_demand, prepare_demand, 0},
    {"one store to a page table", OF_KERNEL, store_entry, store_entry, prepare_single_store, 0},
    {"a store after others", OF_KERNEL, store_entry, store_entry, prepare_loose_store, 0},
    {"1000 pages made read-only", OF_KERNEL, bare_mark_cow, gnomon_mark_cow, prepare_cow, 0},
    {"context switch by CR3", OF_KERNEL, bare_load_cr3, gnomon_load_cr3, prepare_root, 0},
    {"INVLPG", OF_KERNEL, bare_invlpg, gnomon_invlpg, prepare_invlpg, 0},
    {"64 INVLPG in the ring", OF_KERNEL, bare_ring, gnomon_ring, prepare_ring, 0},
    {"PTE change by call", OF_KERNEL, bare_pte_write, gnomon_pte_write, prepare_pte_write, 0},
    {"pte_swap of nothing told", OF_KERNEL, bare_pte_swap, gnomon_pte_swap,
     prepare_pte_swap_nothing, NOTIFIED},
    {"pte_swap with its notice", OF_KERNEL, bare_pte_swap, gnomon_pte_swap, prepare_pte_swap,
     NOTIFIED},
    {"64 notices, removed", OF_KERNEL, NULL, gnomon_drain, prepare_removed, NOTIFIED},
    {"64 notices, refilled", OF_KERNEL, NULL, gnomon_drain, prepare_refilled, NOTIFIED},
    {"1000 PTEs read-only, by slots", OF_KERNEL, bare_cow, gnomon_cow, prepare_told_cow, NOTIFIED},
    {"IRET to the user", OF_USER, run_iret, run_iret, NULL, 0},
    {"CLI and STI by slots", OF_KERNEL, bare_cli_sti, gnomon_cli_sti, NULL, 0},
    {"CLI inline, STI by slot", OF_KERNEL, bare_cli_sti, gnomon_inline_cli_sti, NULL, 0},
    {"event to oneself and back", OF_KERNEL, run_bare_event, run_gnomon_event, NULL, 0},
};

/* ---- measuring ----------------------------------------------------------------------------- */

static struct gn_stats stats(void)
{
	struct gn_stats s = {0};

	if (on_gnomon)
		CALL(get_stats, &s, sizeof(s));
	return s;
}

static struct figures sample(const struct row *row)
{
	struct gn_stats before, after;
	struct figures f;

	if (row->prepare)
		row->prepare();
	before = stats();
	f.instructions = on_gnomon ? row->gnomon() : row->bare();
	after = stats();
	f.entries = after.exits - before.exits;
	f.cr3_writes = after.cr3_writes - before.cr3_writes;
	return f;
}

static u64 median(u64 values[SAMPLES])
{
	for (unsigned i = 1; i < SAMPLES; i++)
		for (unsigned j = i; j && values[j - 1] > values[j]; j--) {
			u64 swapped = values[j];

			values[j] = values[j - 1];
			values[j - 1] = swapped;
		}
	return values[SAMPLES / 2];
}

static struct figures measure(const struct row *row)
{
	u64 instructions[SAMPLES], entries[SAMPLES], cr3_writes[SAMPLES];

	for (unsigned i = 0; i < WARM_UP; i++)
		sample(row);
	for (unsigned i = 0; i < SAMPLES; i++) {
		struct figures f = sample(row);

		instructions[i] = f.instructions;
		entries[i] = f.entries;
		cr3_writes[i] = f.cr3_writes;
	}
	return (struct figures){median(instructions), median(entries), median(cr3_writes)};
}

static void out8(u16 port, u8 value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

/* The bare machine: only the event that we send ourselves shall come. Both interrupt controllers
 * are masked, the APIC's registers mapped, the APIC switched on (bit 8 of its register 0xf0). */
static void prepare_bare_events(void)
{
	volatile u32 *spurious = (u32 *)(APIC + 0xf0ul);

	out8(0x21, 0xff);
	out8(0xa1, 0xff);
	map(APIC, APIC, PTE_P | PTE_W | PTE_NX);
	*spurious |= 1 << 8;
	gate_set_handler(EVENT_VECTOR, (u64)bare_event_handler, 0, 0);
}

static void prepare_gnomon_events(void)
{
	gate_set_handler(EVENT_VECTOR, (u64)gnomon_event_handler, 0, 0);
	check(CALL(port_bind, GN_PORT_SELF, EVENT_VECTOR) == 0, "the port is not bound");
}

void test_main(void)
{
	bool notified = !on_gnomon || CALL(features) & GN_FEATURE_NOTIFIED;
	struct figures base[FRAMES];

	use_library_handlers();
	if (on_gnomon)
		prepare_gnomon_events();
	else
		prepare_bare_events();
	for (unsigned i = 0; i < FRAMES; i++)
		base[i] = measure(&nothings[i]);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		const struct figures *b = &base[row->frame];
		u64 by_fault = row->flags & BY_FAULT;
		struct figures f;

		if (!(on_gnomon ? row->gnomon : row->bare) || (row->flags & NOTIFIED && !notified))
			continue;
		f = measure(row);
		interrupts(false);
		print("row %s: %lu instructions, %lu entries, %lu cr3 writes\n", row->name,
		      f.instructions - b->instructions, f.entries - b->entries + by_fault,
		      f.cr3_writes - b->cr3_writes + 2 * by_fault);
	}
}
