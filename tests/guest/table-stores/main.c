// SPDX-License-Identifier: MIT
/*
 * table-stores - a store to a page table does what it does to any other page.
 *
 * The monitor protects page tables and makes a guest's stores to them itself; those that it has
 * made before it knows by their bytes. So each store here is made twice by the same code at the
 * same place: to pages that are tables in use, and to a copy of them that is none. Memory and
 * registers must be the same afterwards, whatever was stored from that place before, wherever the
 * store begins or ends, in either ring, with a single step behind it or not. (Left out is LOCK MOV,
 * which QEMU's processor executes.)
 */
#include "tests/guest/lib/test.h"

const char test_name[] = "table-stores";

#define AT     0x0000600000000000ul /* what the tables map */
#define VIEW   0x0000000070000000ul /* of the pages, for the user */
#define FLAGS  (PTE_P | PTE_W | PTE_U | PTE_A)
#define PAGES  4
#define TABLES 2   /* of level 2, which stay protected, in the middle of the pages */
#define SLOT   300 /* of each table that is used: no store goes there */
#define TF     0x100

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define WORDS (PAGES * 512)

static u64 pages[2][WORDS] __attribute__((aligned(4096))); /* the copy, the tables */
static u64 source[4] = {0x1122334455667788, 0x99aabbccddeeff00, 0x2468ace013579bdf, 42};

#define ROWS(X)                                                                                    \
	X(rax, "mov %rax, (%rdi)")                                                                 \
	X(r15, "mov %r15, (%rdi)")                                                                 \
	X(rsp, "mov %rsp, (%rdi)")                                                                 \
	X(near, "mov %rbx, 16(%rdi)")                                                              \
	X(far, "mov %rbx, -0x80(%rdi)")                                                            \
	X(index, "mov %rdx, (%rdi,%rcx,8)")                                                        \
	X(immediate, "movq $0x12345678, (%rdi)")                                                   \
	X(negative, "movq $-0x12345678, (%rdi)")                                                   \
	X(eax, "mov %eax, (%rdi)")                                                                 \
	X(ax, "mov %ax, (%rdi)")                                                                   \
	X(al, "mov %al, (%rdi)")                                                                   \
	X(ah, "mov %ah, (%rdi)")                                                                   \
	X(immediate_4, "movl $-2, (%rdi)")                                                         \
	X(immediate_2, "movw $-2, (%rdi)")                                                         \
	X(immediate_1, "movb $-2, (%rdi)")                                                         \
	X(word_prefix, ".byte 0x66, 0x48, 0x89, 0x07")                                             \
	X(rex_that_is_none, ".byte 0x48, 0x66, 0x89, 0x07")                                        \
	X(selector, ".byte 0x48, 0x8c, 0x1f")                                                      \
	X(edi, "mov %rax, (%edi)")                                                                 \
	X(fs, "mov %rax, %fs:(%rdi)")                                                              \
	X(rep, ".byte 0xf3, 0x48, 0x89, 0x07")                                                     \
	X(two, "mov %rax, (%rdi); mov %rbx, 8(%rdi)")                                              \
	X(exchange, "xchg %rax, (%rdi)")                                                           \
	X(add, "add %rax, (%rdi)")                                                                 \
	X(or, "lock orq $0x40, (%rdi)")                                                            \
	X(xadd, "lock xadd %rbx, (%rdi)")                                                          \
	X(cmpxchg, "lock cmpxchg %rbx, (%rdi)")                                                    \
	X(push, "xchg %rdi, %rsp; push %rax; xchg %rdi, %rsp")                                     \
	X(pop, "push %rbx; pop (%rdi)")                                                            \
	X(movs, "movsq; movsq")                                                                    \
	X(stos, "rep stosq")

#define X(name, text) SNIPPET(name, text);
ROWS(X)
#undef X

SNIPPET(zeros, ".fill 16, 1, 0");

static const struct row {
	const char *name;
	const struct snippet *code;
} rows[] = {
#define X(name, text) {#name, &name},
    ROWS(X)
#undef X
};

/* The tables lead somewhere: what was given up as a table is one again. */
static void use_tables(void)
{
	for (u64 i = 1; i <= TABLES; i++)
		check(try_read(KERNEL, AT + (i << 30) + ((u64)SLOT << 21)).vector == DONE,
		      "table %lu", i);
}

static void make_tables(void)
{
	u64 *l3, *l1 = page_alloc();

	(void)pte_of(AT);
	l3 = (u64 *)(page_root[AT >> 39 & 511] & PTE_ADDR);
	l1[0] = (u64)source | FLAGS;
	for (u64 i = 1; i <= TABLES; i++) {
		pages[0][i * 512 + SLOT] = pages[1][i * 512 + SLOT] = (u64)l1 | FLAGS;
		pte_store(&l3[i], (u64)&pages[1][i * 512] | FLAGS);
	}
	for (u64 i = 0; i < 2 * PAGES; i++)
		map(VIEW + i * 4096, (u64)pages + i * 4096, FLAGS);
	use_tables();
}

struct scene {
	enum ring ring;
	u64 flags;
	unsigned code_offset;
};

static void from_base(u64 *address, u64 base)
{
	if (*address - base <= sizeof(pages[0]))
		*address -= base;
}

/* How it ends, and with which registers; addresses as if the pages began at 0. */
static struct state store(const struct scene *scene, const struct row *row, bool is_table, s64 at)
{
	u64 base = scene->ring == KERNEL ? (u64)pages : VIEW;
	struct state s = state_for(scene->ring);

	base += is_table ? sizeof(pages[0]) : 0;
	s.rip += scene->code_offset;
	s.rflags |= scene->flags;
	s.rax = 0x8070605040302010;
	s.rbx = 0xfedcba9876543210;
	s.rcx = 2;
	s.rdx = 0x0f1e2d3c4b5a6978;
	s.r15 = 0x1515151515151514;
	s.rsi = (u64)source;
	s.rdi = base + at;
	if (row->code == &zeros)
		s.rax = s.rdi;
	if (scene->ring == USER && row->code == &movs)
		s.rsi = base + 3 * 4096;
	stage_code(scene->ring, row->code, scene->code_offset);
	enter(&s);
	from_base(&s.rdi, base);
	from_base(&s.rsi, base);
	from_base(&s.rsp, base);
	from_base(&s.rax, base);
	s.cr2 = 0; /* of a fault that only one of them had */
	return s;
}

static void differs(const struct scene *scene, const struct row *row, s64 at, const char *what,
		    unsigned i, u64 right, u64 wrong)
{
	check(false, "%s at %ld, ring %d, flags %lx, code at %x: %s, word %u is %lx, not %lx",
	      row->name, at, scene->ring, scene->flags, scene->code_offset, what, i, wrong, right);
}

/* Stores go to near a page's beginning or its end. */
#define NEAR 96

static void compare(const struct scene *scene, const struct row *row, s64 at)
{
	for (unsigned i = 0; i < WORDS; i++) {
		if (i % 512 == NEAR)
			i += 512 - 2 * NEAR;
		if (pages[0][i] == pages[1][i])
			continue;
		differs(scene, row, at, "memory", i, pages[0][i], pages[1][i]);
		pages[1][i] = pages[0][i];
	}
}

static void both(const struct scene *scene, const struct row *row, s64 at)
{
	union {
		struct state state;
		u64 word[sizeof(struct state) / sizeof(u64)];
	} plain, table;

	use_tables();
	plain.state = store(scene, row, false, at);
	table.state = store(scene, row, true, at);
	for (unsigned i = 0; i < COUNT(plain.word); i++)
		if (plain.word[i] != table.word[i])
			differs(scene, row, at, "state", i, plain.word[i], table.word[i]);
	checks_passed++;
}

/* From the beginning of the first table on. */
static const s64 places[] = {
    0, 8,    256,  -8,	 -7,   -6,   -5,   -4,	 -3,   -2,   -1,   1,	 2,    3,    4,
    7, 4084, 4088, 4089, 4092, 4095, 4096, 4097, 4104, 8184, 8185, 8188, 8191, 8192,
};

static void scene_run(struct scene scene)
{
	static const s64 learn[] = {0x200, 0x210};

	for (unsigned i = 0; i < COUNT(places); i++) {
		for (unsigned r = 0; r < COUNT(rows); r++) {
			for (unsigned l = 0; l < COUNT(learn); l++)
				both(&scene, &rows[r], 4096 + learn[l]);
			both(&scene, &rows[r], 4096 + places[i]);
			compare(&scene, &rows[r], 4096 + places[i]);
		}
	}
}

/* Bytes that are all 0, as is what the monitor remembers of no store: ADD to a byte. */
static void store_by_zeros(void)
{
	static const struct row row = {"zeros", &zeros};

	for (unsigned offset = 0; offset < 256; offset += 4) {
		const struct scene scene = {KERNEL, 0, offset};

		both(&scene, &row, 4096 + 0x210);
		compare(&scene, &row, 4096 + 0x210);
	}
}

void test_main(void)
{
	make_tables();
	store_by_zeros();
	scene_run((struct scene){KERNEL, 0, 0});
	scene_run((struct scene){KERNEL, TF, 0});
	scene_run((struct scene){USER, 0, 0});
	/* Where of a second store not all 15 bytes are in the page, nor of the first. */
	scene_run((struct scene){KERNEL, 0, 4096 - 18});
	scene_run((struct scene){KERNEL, 0, 4096 - 10});
}
