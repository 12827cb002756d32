// SPDX-License-Identifier: MIT
/*
 * tables - page tables come and go, and what they say holds, however few shadows there may be.
 *
 * Round after round an address space is made: a root, and tables for some pages at addresses that
 * chance picks, with chance's rights. Kernel and user access the pages, entries are changed, then
 * all of it is taken down: entries are emptied in either order, the frames of the tables become
 * data, are written and read as such, and serve as tables of other levels later. Every few rounds
 * an older space is entered again. Each access must do what the tables say; a hash of it all must
 * be the bare machine's, under both coherence policies. tests/guest/run gives the guest shadow=64,
 * the least, and looks whether all frames come back; here the monitor is asked how many are used.
 *
 * The command line: "full" for 100,000 rounds, else 2,000.
 */
#include "tests/guest/lib/test.h"

const char test_name[] = "tables";

#define SHADOW_LIMIT 64
#define PF	     14

#define SPACES	  4 /* kept, to be entered again */
#define PAGES_MAX 6 /* mapped in a space */
#define TABLES	  (SPACES * (1 + 3 * PAGES_MAX))
#define FRAMES	  8  /* of data, to be mapped */
#define DATA_WORD 64 /* where a frame says which it is; the first entries would be tables' */

struct mapping {
	u64 address, flags;
	unsigned frame;
	u64 *way[5]; /* the entries that lead there, by level */
};

struct space {
	u64 *root; /* NULL: there is none */
	struct mapping mapping[PAGES_MAX];
	unsigned mappings;
	u64 *table[1 + 3 * PAGES_MAX]; /* in the order in which they were taken */
	unsigned tables;
};

static struct space space[SPACES];
static u64 *free_table[TABLES], *kernel_root;
static u64 *data[FRAMES];
static unsigned free_tables;
static u64 random_state = 1, hash = 0xcbf29ce484222325, accesses, faults;

SNIPPET(load_store, "mov (%rdi), %rax; int3; mov %rax, (%rdi); int3");
#define STORE_OFFSET 4

static unsigned random(unsigned below) /* xorshift64* */
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (random_state * 0x2545f4914f6cdd1d >> 33) % below;
}

static void add(u64 word)
{
	hash = (hash ^ word) * 0x100000001b3;
	hash ^= hash >> 29;
}

/* ---- making a space ---- */

static u64 *take_table(struct space *s)
{
	u64 *table = free_table[--free_tables];

	s->table[s->tables++] = table;
	return table;
}

/* Few slots at each level, so that pages often share tables. */
static u64 random_address(void)
{
	static const u64 top[] = {0x80, 0x100, 0x7f00, 0xffffc000, 0xffffff80};

	return top[random(5)] << 32 | (u64)random(2) << 30 | (u64)random(3) << 21 |
	       (u64)random(512) << 12;
}

static struct mapping *mapping_at(struct space *s, u64 address)
{
	for (unsigned i = 0; i < s->mappings; i++)
		if (s->mapping[i].address == address)
			return &s->mapping[i];
	return NULL;
}

static void add_mapping(struct space *s)
{
	struct mapping *m = &s->mapping[s->mappings];
	u64 *table = s->root;

	m->address = random_address();
	if (mapping_at(s, m->address))
		return;
	m->frame = random(FRAMES);
	m->flags = PTE_P | (random(2) ? PTE_W : 0) | (random(2) ? PTE_U : 0);
	for (unsigned level = 4; level; level--) {
		u64 *entry = &table[m->address >> (3 + 9 * level) & 511];

		m->way[level] = entry;
		if (level > 1 && !(*entry & PTE_P))
			pte_store(entry, (u64)take_table(s) | PTE_P | PTE_W | PTE_U);
		table = (u64 *)(*entry & PTE_ADDR);
	}
	pte_store(m->way[1], (u64)data[m->frame] | m->flags);
	s->mappings++;
}

static void make(struct space *s)
{
	s->mappings = s->tables = 0;
	s->root = take_table(s);
	pte_store(&s->root[0], kernel_root[0]);
	for (unsigned count = 1 + random(PAGES_MAX); count; count--)
		add_mapping(s);
}

/* ---- using it ---- */

static void access(const struct mapping *m, enum ring ring, bool write)
{
	struct state s = state_for(ring);
	bool allowed = (ring == KERNEL || m->flags & PTE_U) && (!write || m->flags & PTE_W);
	u64 *word = &data[m->frame][DATA_WORD];

	s.rdi = m->address + DATA_WORD * 8;
	s.rax = m->frame + 0x100 * random(256);
	if (write)
		s.rip += STORE_OFFSET;
	*word = m->frame + 0x100 * random(256);
	add(*word);
	enter(&s);
	accesses++;
	faults += s.vector == PF;
	add(s.vector | s.error << 16);
	add(*word);
	add(s.rax);
	if (s.vector != (allowed ? DONE : PF) || (allowed && s.rax != *word))
		check(false, "%s at %lx, entry %lx, by ring %d: vector %lu error %lx, %lx for %lx",
		      write ? "a store" : "a load", m->address, *m->way[1], ring, s.vector, s.error,
		      s.rax, *word);
}

static void use(struct space *s)
{
	load_root(s->root);
	for (unsigned count = 1 + random(4); count; count--)
		access(&s->mapping[random(s->mappings)], random(2) ? USER : KERNEL, random(2));
}

/* Another frame, other rights, or away and back again. */
static void change(struct space *s)
{
	struct mapping *m = &s->mapping[random(s->mappings)];

	if (!random(3)) {
		m->flags = 0;
		pte_store(m->way[1], 0);
		invalidate(m->address);
		access(m, KERNEL, true);
	}
	m->frame = random(FRAMES);
	m->flags = PTE_P | (random(2) ? PTE_W : 0) | (random(2) ? PTE_U : 0);
	pte_store(m->way[1], (u64)data[m->frame] | m->flags);
	invalidate(m->address);
	access(m, random(2) ? USER : KERNEL, random(2));
}

/* ---- taking it down ---- */

/* As data it must keep what is written to it; it comes back empty. */
static void use_as_data(u64 *table)
{
	unsigned first = random(500), count = 1 + random(12);

	for (unsigned i = first; i < first + count; i++)
		table[i] = ~(u64)i << 12 | PTE_P | PTE_W;
	for (unsigned i = first; i < first + count; i++) {
		if (table[i] != (~(u64)i << 12 | PTE_P | PTE_W))
			check(false, "a frame that was a table holds %lx", table[i]);
		table[i] = 0;
	}
}

static void empty(const struct mapping *m, bool from_above)
{
	for (unsigned level = 1; level <= 4; level++)
		pte_store(m->way[from_above ? 5 - level : level], 0);
}

static void take_down(struct space *s)
{
	bool from_above = random(2);

	if (random(2)) /* the space is the CPU's until the end, or no longer */
		load_root(kernel_root);
	while (s->mappings)
		empty(&s->mapping[--s->mappings], from_above);
	load_root(kernel_root);
	pte_store(&s->root[0], 0);
	while (s->tables) {
		u64 *table = s->table[--s->tables];

		if (random(2))
			use_as_data(table);
		free_table[free_tables++] = table;
	}
	s->root = NULL;
}

/* A frame comes again soon, or late: any of the free ones may be next. */
static void shuffle(void)
{
	unsigned i = random(free_tables);
	u64 *table = free_table[i];

	free_table[i] = free_table[free_tables - 1];
	free_table[free_tables - 1] = table;
}

static void play(void)
{
	struct space *s = &space[random(SPACES)];

	if (s->root)
		take_down(s);
	shuffle();
	make(s);
	use(s);
	change(s);
	s = &space[random(SPACES)];
	if (s->root)
		use(s);
}

static void look_at_limit(void)
{
	struct gn_stats stats;

	if (!on_gnomon)
		return;
	CALL(get_stats, &stats, sizeof(stats));
	check(stats.shadow_frames > SHADOW_LIMIT / 2 && stats.shadow_frames <= SHADOW_LIMIT,
	      "%lu frames of shadows", stats.shadow_frames);
	note("at most %lu frames of shadows, %lu fills", stats.shadow_frames, stats.fills);
}

void test_main(void)
{
	unsigned rounds = command_line_has("full") ? 100000 : 2000;

	kernel_root = page_root;
	for (unsigned i = 0; i < TABLES; i++)
		free_table[free_tables++] = page_alloc();
	for (unsigned i = 0; i < FRAMES; i++)
		data[i] = page_alloc();
	stage_code(KERNEL, &load_store, 0);
	stage_code(USER, &load_store, 0);
	for (unsigned i = 0; i < rounds; i++)
		play();
	load_root(kernel_root);
	look_at_limit();
	check(faults && faults < accesses, "%lu accesses, %lu faults", accesses, faults);
	result("%u rounds, %lu accesses, %lu faults, hash %016lx", rounds, accesses, faults, hash);
}
