// SPDX-License-Identifier: MIT
/*
 * page-tables - entries changed by the code area's operations, under both coherence policies.
 *
 * Under `notified` the monitor sees no store to a table; it hears of changes by pte_swap and its
 * like, which put a notice into the ring. Nothing that was taken away so may be used after the
 * flush that a kernel owes on hardware, and nothing that was given may be missing. The same kernel
 * runs on the bare machine, where the operations are plain instructions, under `trapped`, where
 * they are, too, and under `notified`; what it counts must be the same.
 *
 * With `liar` on its command line it stores to its tables in silence, sends notices of what has not
 * changed and of places that are no tables, and uses frames of old tables for other things: it may
 * see old pages of its own, and nothing else. The monitor audits its shadows meanwhile.
 */
#include "guest-abi/kit/operations.h"
#include "guest-abi/kit/clock.h"
#include "tests/guest/lib/secret.h"
#include "tests/guest/lib/test.h"

const char test_name[] = "page-tables";

#define AT     0x0000000060000000ul
#define FAR    0x0000600000000000ul /* with a table of each level for itself */
#define ALIAS  0x0000700000000000ul /* the kernel's second view of its memory */
#define PAGES  64
#define ROUNDS 80

static u64 at = AT; /* the page that islooked at */
static u64 page[PAGES + 1][512] __attribute__((aligned(4096)));

/* ---- the operations, on both machines -------------------------------------------------------- */

static u64 swap(u64 *entry, u64 value)
{
	return on_gnomon ? gn_pte_swap(entry, value)
			 : __atomic_exchange_n(entry, value, __ATOMIC_SEQ_CST);
}

static void set(u64 *entry, u64 value)
{
	if (on_gnomon)
		gn_pte_set(entry, value);
	else
		*entry = value;
}

static bool set_bit(u64 *entry, unsigned bit)
{
	if (on_gnomon)
		return gn_pte_test_and_set_bit(entry, bit);
	return __atomic_fetch_or(entry, 1ul << bit, __ATOMIC_SEQ_CST) >> bit & 1;
}

static bool clear_bit(u64 *entry, unsigned bit)
{
	if (on_gnomon)
		return gn_pte_test_and_clear_bit(entry, bit);
	return __atomic_fetch_and(entry, ~(1ul << bit), __ATOMIC_SEQ_CST) >> bit & 1;
}

static u64 deactivate(u64 *entry)
{
	return on_gnomon ? gn_pte_deactivate(entry)
			 : __atomic_exchange_n(entry, 0, __ATOMIC_SEQ_CST);
}

enum flush { BY_INVLPG, BY_CR3, BY_FLUSH, BY_GLOBAL, BY_RAW_CR3, FLUSHES };

static void forget(enum flush how)
{
	if (on_gnomon && how == BY_INVLPG)
		CALL(invalidate_page, at);
	else if (on_gnomon && how == BY_FLUSH)
		CALL(flush_tlb);
	else if (on_gnomon && how == BY_GLOBAL)
		CALL(flush_tlb_global);
	else if (how == BY_INVLPG)
		__asm__ volatile("invlpg (%0)" : : "r"(at) : "memory");
	else if (how == BY_RAW_CR3) /* emulated in ring 1 */
		__asm__ volatile("mov %0, %%cr3" : : "r"(page_root) : "memory");
	else
		load_root(page_root);
}

/* ---- what holds ------------------------------------------------------------------------------ */

static void use(const char *what)
{
	check(try_write(KERNEL, at, 7).vector == DONE && try_read(USER, at).rax == 7, "%s", what);
}

static void expect(enum ring ring, bool write, u64 error, const char *what)
{
	struct state s = write ? try_write(ring, at, 3) : try_read(ring, at);

	if (s.vector == DONE)
		breach("%s: ring %d still may %s", what, ring, write ? "write" : "read");
	check(s.vector == 14 && s.error == error && s.cr2 == at, "%s: %lu error %lx", what,
	      s.vector, s.error);
}

#define ALL (PTE_P | PTE_W | PTE_U)

/* Each operation takes something away; after each flush it is gone. */
static void taken_away(enum flush how)
{
	u64 *entry = pte_of(at), first = (u64)page[0] | ALL;

	set(entry, first);
	forget(how);
	use("given by pte_set");
	check(swap(entry, (u64)page[0] | PTE_P | PTE_U) == (first | PTE_A | PTE_D), "old entry");
	forget(how);
	expect(KERNEL, true, 3, "read-only by pte_swap");
	check(!set_bit(entry, 1) && set_bit(entry, 1), "what the bit was");
	use("given by pte_test_and_set_bit");
	check(clear_bit(entry, 2) && !clear_bit(entry, 2), "what the bit was");
	forget(how);
	expect(USER, false, 5, "made the kernel's by pte_test_and_clear_bit");
	check(deactivate(entry) == ((u64)page[0] | PTE_P | PTE_W | PTE_A | PTE_D), "old entry");
	forget(how);
	expect(KERNEL, false, 0, "removed by pte_deactivate");
	check(deactivate(entry) == 0 && swap(entry, 2) == 0 && swap(entry, 0) == 2, "old entries");
}

/* A and D are taken away and come again by the next access. */
static void marks(enum flush how)
{
	u64 *entry = pte_of(at);

	set(entry, (u64)page[0] | ALL);
	use("a page");
	check(clear_bit(entry, 6) && clear_bit(entry, 5), "A and D are set");
	forget(how);
	check(try_read(USER, at).vector == DONE && (*entry & (PTE_A | PTE_D)) == PTE_A,
	      "a read sets A alone: %lx", *entry);
	check(try_write(USER, at, 1).vector == DONE && *entry & PTE_D, "a write sets D");
	set(entry, 0);
	forget(how);
}

static u64 *table_above(unsigned level)
{
	u64 *table = page_root;

	for (unsigned l = 4; l > level; l--)
		table = (u64 *)(table[at >> (3 + 9 * l) & 511] & PTE_ADDR);
	return &table[at >> (3 + 9 * level) & 511];
}

/* Entries of upper levels. */
static void upper(enum flush how)
{
	at = FAR;
	for (unsigned level = 2; level <= 4; level++) {
		u64 *entry, old;

		set(pte_of(at), (u64)page[0] | ALL);
		entry = table_above(level);
		use("below an upper level");
		old = *entry;
		clear_bit(entry, 2);
		forget(how);
		expect(USER, true, 7, "an upper level made the kernel's");
		check(swap(entry, 0) == (old & ~(u64)PTE_U), "old entry");
		forget(how);
		expect(KERNEL, false, 0, "an upper level removed");
		set(entry, old);
		use("an upper level given again");
	}
	set(pte_of(at), 0);
	forget(how);
	at = AT;
}

/* More changes than the ring holds, without a flush on the way. */
static void many(void)
{
	for (unsigned i = 0; i < PAGES; i++)
		set(pte_of(AT + i * 4096ul), (u64)page[i] | ALL);
	for (unsigned i = 0; i < PAGES; i++)
		*(volatile u64 *)(AT + i * 4096ul) = i;
	for (unsigned i = 0; i < PAGES; i++)
		set(pte_of(AT + i * 4096ul), (u64)page[PAGES - i] | ALL);
	load_root(page_root);
	for (unsigned i = 0; i < PAGES; i++)
		*(volatile u64 *)(AT + i * 4096ul) = 1000 + i;
	for (unsigned i = 0; i < PAGES; i++)
		check(page[PAGES - i][0] == 1000 + i, "page %u has %lu", i, page[PAGES - i][0]);
	for (unsigned i = 0; i < PAGES; i++)
		deactivate(pte_of(AT + i * 4096ul));
	load_root(page_root);
	for (unsigned i = 0; i < PAGES; i++)
		check(try_read(KERNEL, AT + i * 4096ul).vector == 14, "page %u is still there", i);
}

/* The table by another address: each linear map must lead to its frame. */
static void aliases(void)
{
	u64 *entry = pte_of(AT), *table = (u64 *)((u64)entry & ~0xffful), alias = ALIAS;

	for (unsigned index = 0; index < GN_LINEAR_MAPS; index++, alias += 0x10000) {
		set(pte_of(alias), (u64)table | PTE_P | PTE_W);
		if (on_gnomon)
			check(gn_set_linear_map(index, (void *)alias, 1, (u64)table >> 12) == 0,
			      "linear map %u", index);
		set(entry, (u64)page[0] | ALL);
		use("a page");
		deactivate((u64 *)(alias + ((u64)entry & 0xfff)));
		load_root(page_root);
		expect(KERNEL, false, 0, "removed by an alias");
	}
	if (!on_gnomon)
		return;
	check(gn_set_linear_map(GN_LINEAR_MAPS, NULL, 1, 0) == -GN_EINVAL, "a map too many");
	for (unsigned index = 0; index < GN_LINEAR_MAPS; index++)
		gn_set_linear_map(index, NULL, 0, 0);
}

/* Deferred flushes come when lazy mode ends; results are those of the calls. */
static void lazy(void)
{
	struct gn_stats before, after;
	u64 *entry = pte_of(AT);

	if (!on_gnomon)
		return;
	set(entry, (u64)page[0] | ALL);
	use("a page");
	CALL(drain);
	check(gn_flush_deferred() == 0, "nothing waits");
	CALL(get_stats, &before, sizeof(before));
	check(gn_set_lazy(GN_LAZY_MMU) == 0, "lazy");
	for (unsigned i = 0; i < 20; i++)
		CALL(invalidate_page, AT);
	gn_set_lazy(GN_LAZY_CPU);
	for (unsigned i = 0; i < 20; i++)
		CALL(set_segment_base, GN_BASE_FS, i);
	CALL(set_kernel_stack, GN_VCPU_PAGE); /* refused */
	CALL(get_stats, &after, sizeof(after));
	/* Not exits: the timer's tick is one. */
	check(after.hypercalls == before.hypercalls + 1, "%lu calls in lazy mode",
	      after.hypercalls - before.hypercalls);
	check(VCPU_PAGE->ring_tail - VCPU_PAGE->ring_head == 41, "calls wait");
	check(gn_set_lazy(0) == 1 && VCPU_PAGE->ring_tail == VCPU_PAGE->ring_head,
	      "all but one are carried out");
	deactivate(entry);
	gn_set_lazy(GN_LAZY_MMU);
	CALL(invalidate_page, AT);
	gn_set_lazy(0);
	expect(KERNEL, false, 0, "a lazy INVLPG");
}

/* The calls that change and announce, and those that begin and end tables. */
static void calls(void)
{
	u64 *entry = pte_of(FAR), *root = root_copy(), *home = page_root, *empty = page_alloc();

	if (!on_gnomon)
		return;
	at = FAR;
	check(CALL(pte_write, entry, (u64)page[0] | ALL) == 0, "pte_write");
	use("given by pte_write");
	check(CALL(pte_write, entry, 0) == 0, "pte_write");
	expect(KERNEL, false, 0, "removed by pte_write");
	check(CALL(pte_write, (u64)entry + 4, 0) == -GN_EINVAL, "pte_write, unaligned");
	check(CALL(pte_write, 1ul << 45, 0) == -GN_EFAULT, "pte_write, no memory");
	check(CALL(pte_write, -8ul, 0) == -GN_EFAULT, "pte_write, at the end");
	check(CALL(pte_changed, entry) == 0, "pte_changed");
	check(CALL(pte_changed, 1ul << 45) == -GN_EFAULT, "pte_changed, no memory");
	check(CALL(table_allocate, root, 4 | GN_TABLE_CLONE, home) == 0, "table_allocate");
	load_root(root);
	root[FAR >> 39] = 0;
	load_root(home);
	check(CALL(table_release, root, 4) == 0, "table_release");
	/* What the frame is said to hold is advice: an entry that is there all the same counts. */
	check(CALL(table_allocate, root, 4 | GN_TABLE_ZEROED, 0) == 0, "table_allocate, zeroed");
	load_root(root);
	check(rings_work(), "a table that was not zeroed");
	load_root(home);
	for (u64 level = 1; level <= 4; level++)
		check(CALL(table_allocate, empty, level | GN_TABLE_ZEROED, 0) == 0 &&
			  CALL(table_release, empty, level) == 0,
		      "a zeroed table of level %lu", level);
	check(CALL(table_release, root, 4) == 0, "table_release");
	check(CALL(table_release, root, 0) == -GN_EINVAL, "table_release, no level");
	check(CALL(table_release, root, 32) == -GN_EINVAL, "table_release, no such bit");
	check(CALL(table_release, 1ul << 45, 1) == -GN_EFAULT, "table_release, no memory");
	load_root(root);
	expect(KERNEL, false, 0, "a new table in a released frame");
	load_root(home);
	at = AT;
}

/* ---- events between the instructions of an operation ----------------------------------------- */

#define OURS   0x0000000061000000ul
#define THEIRS 0x0000000061200000ul /* in another table */

static u64 *their_entry, events_seen;

/* The handler changes an entry, too, so its notice stands where the interrupted one's might. */
__attribute__((used)) static void on_event(void)
{
	CALL(port_poll, GN_PORT_TIMER);
	events_seen++;
	gn_pte_set(their_entry, (u64)page[events_seen % PAGES] | ALL);
}

__asm__(".text\nevent_handler: push %rax\npush %rcx\npush %rdx\npush %rsi\npush %rdi\npush %r8\n"
	"push %r9\npush %r10\npush %r11\ncall on_event\npop %r11\npop %r10\npop %r9\npop %r8\n"
	"pop %rdi\npop %rsi\npop %rdx\npop %rcx\npop %rax\njmp *iret_slot(%rip)");
extern const u8 event_handler[];
__attribute__((used)) static const u64 iret_slot = GN_SLOT(GN_OP_iret);

static void storm(void)
{
	u64 *ours;

	if (!on_gnomon)
		return;
	ours = pte_of(OURS);
	their_entry = pte_of(THEIRS);
	gate_set_handler(0x60, (u64)event_handler, 0, 0);
	CALL(port_bind, GN_PORT_TIMER, 0x60);
	for (u64 i = 1; i <= ROUNDS; i++) {
		u64 shown = i % PAGES, before = events_seen;

		page[shown][1] = i;
		VCPU_PAGE->vif = 1;
		CALL(timer_set, gn_clock_ns() + i % 50 * 100);
		for (unsigned j = 0; j < 10000000 && events_seen == before; j++)
			gn_pte_set(ours, (u64)page[(i + j) % PAGES] | ALL);
		gn_pte_set(ours, (u64)page[shown] | ALL);
		VCPU_PAGE->vif = 0;
		CALL(flush_tlb);
		if (((volatile u64 *)OURS)[1] != i)
			breach("round %lu: an old page is seen", i);
		if (events_seen && (u64)page[events_seen % PAGES] !=
				       (*their_entry & PTE_ADDR))
			check(false, "the handler's entry");
		page[events_seen % PAGES][2] = i;
		if (events_seen && ((volatile u64 *)THEIRS)[2] != i)
			breach("round %lu: the handler's old page is seen", i);
	}
	check(events_seen == ROUNDS, "%lu events", events_seen);
	CALL(port_bind, GN_PORT_TIMER, 0);
}

/* ---- a guest that lies ----------------------------------------------------------------------- */

static u64 seed = 88172645463325252;

static u64 random(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	return seed ^= seed << 17;
}

#define LIES 8000

/* Any frame of its own, now and then one that is nobody's; as a page or a table. */
static u64 any_entry(u64 *tables[8])
{
	static const u64 bits[] = {0, ALL, ALL, PTE_P, PTE_P | PTE_U, ALL | PTE_PS, ALL | PTE_A};
	u64 frame = random() % 3 ? (u64)tables[random() % 8] : (u64)page[random() % PAGES];

	return frame | bits[random() % 7] | (random() % 8 ? 0 : PTE_NX);
}

static unsigned found;

/* Memory of others is filled with the secret. */
static void look(enum ring ring, u64 address, u64 value)
{
	struct state s = try_read(ring, address);

	found += s.vector == DONE;
	if (s.vector == DONE && SECRET_IS(s.rax))
		breach("memory of others is at %lx", address);
	if (value)
		(void)try_write(ring, address, value);
}

static void lie(void)
{
	u64 *tables[8], *home = page_root, root = (u64)root_copy();

	for (unsigned i = 0; i < 8; i++)
		tables[i] = page_alloc();
	for (unsigned i = 0; i < LIES; i++) {
		u64 *table = tables[random() % 8], entry = any_entry(tables);

		switch (random() % 8) {
		case 0:
			((u64 *)root)[200 + random() % 2] = entry & ~(u64)PTE_PS;
			break;
		case 1:
			CALL(pte_changed,
			     random() % 2 ? random() : (u64)table + random() % 512 * 8);
			break;
		case 2:
			gn_pte_set(&table[random() % 4], entry);
			break;
		case 3:
			CALL(table_release, random() % 2 ? (u64)table : root, 1 + random() % 4);
			break;
		case 4:
			load_root(random() % 2 ? (u64 *)root : home);
			break;
		default:
			table[random() % 4] = entry;
		}
		look(random() % 2 ? USER : KERNEL,
		     (200 + random() % 2) << 39 | (random() % 4) << 30 | (random() % 4) << 21 |
			 (random() % 4) << 12,
		     random() % 2 ? entry : 0);
	}
	note("%u of %u accesses found a page", found, LIES);
	load_root(home);
	check(rings_work(), "after the lies");
}

void test_main(void)
{
	if (command_line_is("liar")) {
		lie();
		return;
	}
	for (enum flush how = BY_INVLPG; how < FLUSHES; how++) {
		taken_away(how);
		marks(how);
		upper(how);
	}
	many();
	aliases();
	lazy();
	calls();
	storm();
}
