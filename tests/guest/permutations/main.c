// SPDX-License-Identifier: MIT
/*
 * permutations - what an access may do is what the guest's own tables say, bit for bit.
 *
 * One page is reached by four tables of its own. A *row* takes one table, or two, through all 256
 * combinations of some bits of its entry, the others permissive: P RW US A D PS NX and a reserved
 * bit for each level; P RW US NX for each pair of levels; the low bits of large entries. Under each
 * *setting* of CR0.WP, EFER.NXE, CR4.SMEP and CR4.SMAP that the CPU has, each combination is read,
 * written and executed by the kernel and by its user, with SMAP at both values of RFLAGS.AC. What
 * comes of it (done or #PF, error code, CR2, the value, and all four entries afterwards) goes into
 * a hash that the bare machine and Gnomon must agree on.
 *
 * Left to the processor, and so kept out of the hash: A in the entries that a walk that ended in a
 * fault has passed. Left out on QEMU, whose walk does not do as the manual says: PS at level 3
 * where CPUID knows no pages of 1 GiB; P in the error code of a reserved bit is put right.
 *
 * The command line: "full" for all rows under all settings (else each row under two), and the name
 * of a row and setting, such as 3/wn--, to see each of its accesses.
 */
#include "tests/guest/lib/test.h"

const char test_name[] = "permutations";

#define LEVELS	4
#define AT_SLOT (5ul << 39) /* a top-level slot that nothing else uses */
#define CELL	0x800	    /* in the page, what is read and written; its first byte is executed */
#define PF	14

#define PTE_PWT (1ul << 3)
#define PTE_PCD (1ul << 4)
#define PTE_PAT (1ul << 12) /* of a large entry */

#define RFLAGS_AC (1ul << 18)
#define CR0_WP	  (1ul << 16)
#define CR4_SMEP  (1ul << 20)
#define CR4_SMAP  (1ul << 21)
#define MSR_EFER  0xc0000080
#define EFER_NXE  (1ul << 11)

/* Settings, as bits. */
enum { WP = 1, NXE = 2, SMEP = 4, SMAP = 8, SETTINGS = 16 };

static u64 page[512] __attribute__((aligned(4096)));
static u64 at;	      /* the page's address, by which it is accessed */
static u64 *entry[5]; /* the four entries on the way there, by level */
static u64 reserved;  /* the lowest physical address bit that the CPU has not */
static bool has_1g_pages;
static unsigned settings; /* the bits that the CPU has */

static u64 accesses, done, hash;
static bool in_detail;

/* Read, write: each ends by INT3. Executing is an INT3 in the page itself. */
SNIPPET(load_store, "mov (%rdi), %rax; int3; mov %rax, (%rdi); int3");
#define STORE_OFFSET 4

struct cpuid {
	u32 a, b, c, d;
};

static struct cpuid cpuid(u32 leaf)
{
	struct cpuid r;

	__asm__("cpuid" : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d) : "a"(leaf), "c"(0));
	return r;
}

/* ---- the machine's setting: the instructions trap on Gnomon, and are emulated ---- */

static u64 with(u64 word, u64 bits, bool on)
{
	return on ? word | bits : word & ~bits;
}

static void set_setting(unsigned setting)
{
	u64 cr0, cr4;
	u32 low, high;

	__asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
	__asm__ volatile("mov %0, %%cr0" : : "r"(with(cr0, CR0_WP, setting & WP)) : "memory");
	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	cr4 = with(cr4, CR4_SMEP, setting & SMEP);
	cr4 = with(cr4, CR4_SMAP, setting & SMAP);
	__asm__ volatile("mov %0, %%cr4" : : "r"(cr4) : "memory");
	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(MSR_EFER));
	low = with(low, EFER_NXE, setting & NXE);
	__asm__ volatile("wrmsr" : : "c"(MSR_EFER), "a"(low), "d"(high) : "memory");
	load_root(page_root);
}

static u64 random_state;

static unsigned random(unsigned below) /* xorshift64* */
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (random_state * 0x2545f4914f6cdd1d >> 33) % below;
}

/* ---- one access ---- */

struct access {
	enum { READ, WRITE, FETCH, KINDS } kind;
	enum ring ring;
	bool ac;
};

/* SDM volume 3, 4.5.4; only to know where a walk has stopped. */
static bool is_reserved(unsigned level, u64 e, unsigned setting)
{
	u64 size = 1ul << (3 + 9 * level);

	if (e & reserved || (e & PTE_NX && !(setting & NXE)))
		return true;
	if (!(e & PTE_PS) || level == 1)
		return false;
	if (level == 4 || (level == 3 && !has_1g_pages))
		return true;
	return e & PTE_ADDR & (size - 1) & ~PTE_PAT;
}

/* The lowest level whose A a walk that ends in a fault may have set. */
static unsigned walked_to(const u64 before[5], unsigned setting)
{
	for (unsigned level = LEVELS; level; level--) {
		if (!(before[level] & PTE_P) || is_reserved(level, before[level], setting))
			return level + 1;
		if (level == 1 || before[level] & PTE_PS)
			return level;
	}
	return 1;
}

static void add(u64 word)
{
	hash = (hash ^ word) * 0x100000001b3;
	hash ^= hash >> 29;
}

static u64 target(struct access a)
{
	return a.kind == FETCH ? at : at + CELL;
}

static struct state perform(struct access a)
{
	struct state s = state_for(a.ring);

	s.rdi = target(a);
	s.rax = 1;
	if (a.kind == FETCH)
		s.rip = target(a);
	else if (a.kind == WRITE)
		s.rip += STORE_OFFSET;
	if (a.ac)
		s.rflags |= RFLAGS_AC;
	enter(&s);
	return s;
}

static void judge(struct access a, struct state *s, const u64 before[5], unsigned setting)
{
	unsigned walked = s->vector == PF ? walked_to(before, setting) : 5;
	u64 value = a.kind == READ && s->vector == DONE ? s->rax : page[CELL / 8];

	if (on_tcg && s->error & 8)
		s->error |= 1;
	add(s->vector | s->error << 16 | (u64)(s->vector == PF ? s->cr2 - at : 0) << 32);
	add(value);
	if (in_detail)
		print("%c%c%c %lx %lx %lx %lx: %lu error %lx CR2 %lx value %lx", "rwx"[a.kind],
		      a.ring == USER ? 'u' : 'k', a.ac ? 'a' : '-', before[4], before[3], before[2],
		      before[1], s->vector, s->error, s->cr2, value);
	for (unsigned level = LEVELS; level; level--) {
		u64 changed = *entry[level] ^ before[level];

		if (level >= walked)
			changed &= ~(u64)PTE_A;
		add(changed);
		if (in_detail)
			print(" %lx", changed);
	}
	if (in_detail)
		print("\n");
}

static void try(struct access a, const u64 entries[5], unsigned setting)
{
	bool changed = false;
	struct state s;

	page[CELL / 8] = 0x5a;
	for (unsigned level = LEVELS; level; level--) {
		if (*entry[level] == entries[level])
			continue;
		pte_store(entry[level], entries[level]);
		changed = true;
	}
	if (changed)
		invalidate(at);
	s = perform(a);
	accesses++;
	done += s.vector == DONE;
	if (s.vector != DONE && s.vector != PF)
		check(false, "access %d ring %d took vector %lu, error %lx, at %lx", a.kind, a.ring,
		      s.vector, s.error, s.rip);
	judge(a, &s, entries, setting);
}

/* Each access once, in an order that changes: what one leaves behind may not change the next. */
static void try_all(const u64 entries[5], unsigned setting)
{
	unsigned count = KINDS * 2 * (setting & SMAP ? 2 : 1);
	u8 order[KINDS * 2 * 2];

	for (unsigned i = 0; i < count; i++) {
		unsigned j = random(i + 1);

		order[i] = order[j];
		order[j] = i;
	}
	for (unsigned i = 0; i < count; i++)
		try((struct access){order[i] % KINDS, order[i] / KINDS % 2 ? USER : KERNEL,
				    order[i] / KINDS / 2},
		    entries, setting);
}

/* ---- rows ---- */

#define SINGLES 4 /* rows 0 to 3: level 1 to 4 */
#define PAIRS	6
#define ROWS	(SINGLES + PAIRS + 2) /* and the low bits of large entries at levels 2 and 3 */

static const struct {
	const char *name;
	u8 high, low;
} row[ROWS] = {{"1", 1, 0},   {"2", 2, 0},   {"3", 3, 0},     {"4", 4, 0},
	       {"2,1", 2, 1}, {"3,1", 3, 1}, {"4,1", 4, 1},   {"3,2", 3, 2},
	       {"4,2", 4, 2}, {"4,3", 4, 3}, {"2-low", 2, 0}, {"3-low", 3, 0}};

/* An entry of this level that leads to the page, with PS by one large page. */
static u64 leading(unsigned level, u64 bits)
{
	u64 size = 1ul << (3 + 9 * level);

	if (level == 1)
		return (u64)page | bits;
	if (bits & PTE_PS)
		return ((u64)page & ~(size - 1)) | bits;
	return ((u64)entry[level - 1] & ~4095ul) | bits;
}

static u64 pick(unsigned number, const u64 bits[8])
{
	u64 word = 0;

	for (unsigned i = 0; i < 8; i++)
		if (number >> i & 1)
			word |= bits[i];
	return word;
}

static void combine(unsigned r, unsigned number, u64 entries[5])
{
	const u64 all[8] = {PTE_P, PTE_W, PTE_U, PTE_A, PTE_D, PTE_PS, PTE_NX, reserved};
	const u64 high[8] = {PTE_P, PTE_W, PTE_U, PTE_NX};
	const u64 low[8] = {[4] = PTE_P, PTE_W, PTE_U, PTE_NX};
	const u64 large[8] = {
	    PTE_G,    PTE_PCD, PTE_PWT, PTE_PAT, 1ul << 13, 1ul << 19, 1ul << (2 + 9 * row[r].high),
	    1ul << 52};
	const u64 usual = PTE_P | PTE_W | PTE_U | PTE_A | PTE_D;

	for (unsigned level = LEVELS; level; level--)
		entries[level] = leading(level, usual);
	if (r < SINGLES) {
		entries[row[r].high] = leading(row[r].high, pick(number, all));
	} else if (r < SINGLES + PAIRS) {
		entries[row[r].high] = leading(row[r].high, pick(number, high) | PTE_A | PTE_D);
		entries[row[r].low] = leading(row[r].low, pick(number, low) | PTE_A | PTE_D);
	} else {
		entries[row[r].high] = leading(row[r].high, usual | PTE_PS | pick(number, large));
	}
}

static bool is_left_out(const u64 entries[5])
{
	return on_tcg && !has_1g_pages && entries[3] & PTE_PS;
}

static void run_row(unsigned r, unsigned setting, const char *name)
{
	u64 entries[5];

	accesses = done = 0;
	hash = 0xcbf29ce484222325;
	random_state = r * SETTINGS + setting + 1;
	set_setting(setting);
	for (unsigned number = 0; number < 256; number++) {
		combine(r, number, entries);
		if (!is_left_out(entries))
			try_all(entries, setting);
	}
	set_setting(WP | NXE);
	result("%s: %lu accesses, %lu done, hash %016lx", name, accesses, done, hash);
}

/* ---- all of it ---- */

static void name_of(unsigned r, unsigned setting, char *name)
{
	const char *from = row[r].name;

	while (*from)
		*name++ = *from++;
	*name++ = '/';
	for (unsigned i = 0; i < 4; i++)
		*name++ = setting >> i & 1 ? "wnep"[i] : '-';
	*name = 0;
}

static void make_way(void)
{
	u64 *table;

	at = AT_SLOT | (u64)page;
	map(at, (u64)page, 0); /* makes the tables */
	table = page_root;
	for (unsigned level = LEVELS; level; level--) {
		entry[level] = &table[at >> (3 + 9 * level) & 511];
		table = (u64 *)(*entry[level] & PTE_ADDR);
	}
	*(u8 *)page = 0xcc;
}

static void learn_cpu(void)
{
	struct cpuid more = cpuid(7), sizes = cpuid(0x80000008);
	unsigned bits = cpuid(0x80000000).a >= 0x80000008 ? sizes.a & 0xff : 36;

	has_1g_pages = cpuid(0x80000001).d >> 26 & 1;
	reserved = bits < 52 ? 1ul << bits : 0;
	settings = WP | NXE | (more.b >> 7 & 1 ? SMEP : 0) | (more.b >> 20 & 1 ? SMAP : 0);
}

void test_main(void)
{
	bool full = command_line_has("full");
	unsigned count = 1;
	u64 total = 0;
	char name[16];

	learn_cpu();
	for (unsigned bits = settings; bits; bits &= bits - 1)
		count *= 2;
	make_way();
	stage_code(KERNEL, &load_store, 0);
	stage_code(USER, &load_store, 0);
	for (unsigned r = 0; r < ROWS; r++) {
		unsigned number = r * 3; /* of the settings that there are, each row another two */

		for (unsigned setting = 0; setting < SETTINGS; setting++) {
			if (setting & ~settings)
				continue;
			name_of(r, setting, name);
			in_detail = command_line_has(name);
			if (number++ % (count / 2) && !full && !in_detail)
				continue;
			run_row(r, setting, name);
			total += accesses;
		}
	}
	result("%lu accesses", total);
	check(total > 0, "nothing was tried");
}
