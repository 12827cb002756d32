// SPDX-License-Identifier: MIT
/*
 * differential.c - the emulator against the processor: unprivileged instructions with random
 * operands and flags, each done natively by cpu.h's child and by the emulator on the same memory.
 * Registers, RIP, the flags that the manual defines, memory and the class of fault, with the
 * address of a page fault, must be equal. Rows come from rows.h and are hit in turn; 64 and 32-bit
 * mode.
 *
 *   differential [-n CASES] [-s SEED]
 *
 * Planted to see it fail: see the list of tests/host/emulate/mutate.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tests/host/emulate/random.h"
#include "tests/host/emulate/rows.h"
#include "tests/host/emulate/world.h"

#define FLAGS_STATUS   (FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF)
#define FLAGS_COMPARED (FLAGS_STATUS | FLAG_DF | FLAG_NT | FLAG_AC | FLAG_ID)

static struct world world;
static struct cpu cpu;
static struct cpu_state state, before;
static u8 bytes[16], image[CPU_DATA_SIZE];
static u64 failures, hits[ARRAY_SIZE(rows)], done[ARRAY_SIZE(rows)];

static void put(unsigned *at, u64 value, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		bytes[(*at)++] = (u8)(value >> (8 * i));
}

static void put_prefixes(const struct row *row, unsigned *at, bool is_32)
{
	static const u8 segments[] = {0x26, 0x36, 0x3e, 0x64, 0x65};

	if (row->flags & NEEDS_66 || (!(row->flags & VECTOR) && !random_below(4)))
		put(at, 0x66, 1);
	if (row->flags & NEEDS_F3)
		put(at, 0xf3, 1);
	if (!random_below(12))
		put(at, 0x67, 1);
	if (!random_below(12))
		put(at, is_32 ? 0x3e : segments[random_below(sizeof(segments))], 1);
	if (row->flags & LOCKABLE && !random_below(5))
		put(at, 0xf0, 1);
	if (row->flags & REPEATED && random_below(2))
		put(at, 0xf2 + random_below(2), 1);
	if (!is_32 && random_below(2) && row->opcode[0] != 0xc5)
		put(at, 0x40 + random_below(16), 1);
}

/* ModRM and what belongs to it, so chosen that the address is in the data pages rather often. */
static void put_modrm(const struct row *row, unsigned *at, bool is_32)
{
	unsigned mod = random_below(8), rm = random_below(8), base = rm;
	unsigned reg = row->reg < 0 ? random_below(8) : (unsigned)row->reg;
	u64 near = CPU_DATA + random_below(CPU_DATA_SIZE);

	mod = mod < 3 ? 0 : mod < 6 ? 1 : mod == 6 ? 2 : 3;
	if (row->flags & MEMORY && mod == 3)
		mod = 1;
	put(at, mod << 6 | reg << 3 | rm, 1);
	if (mod == 3)
		return;
	if (rm == 4) {
		base = random_below(8);
		put(at, random_below(4) << 6 | (random_below(2) ? 4 : random_below(8)) << 3 | base,
		    1);
	}
	if (mod == 0 && base == 5)
		put(at, rm == 5 && !is_32 ? near - CPU_CODE : near, 4);
	else if (mod == 1)
		put(at, random_u64() & (random_below(2) ? 0xff : 0xf0), 1);
	else if (mod == 2)
		put(at, ((u64)random_below(512) - 256) & (random_below(2) ? ~0ul : ~15ul), 4);
}

static void make_instruction(const struct row *row, bool is_32)
{
	unsigned at = 0;

	memset(bytes, 0, sizeof(bytes));
	put_prefixes(row, &at, is_32);
	for (unsigned i = 0; i < row->size; i++)
		put(&at, row->opcode[i], 1);
	if (row->flags & MODRM)
		put_modrm(row, &at, is_32);
	if (row->flags & OFFSET)
		put(&at, CPU_DATA + random_below(CPU_DATA_SIZE), 8);
	while (at < INSN_MAX)
		put(&at, random_u64(), 1);
}

static u64 random_register(void)
{
	switch (random_below(10)) {
	case 0:
		return random_u64();
	case 1:
	case 2:
		return random_below(70);
	case 3:
		return -(u64)random_below(1000);
	case 4:
		return CPU_DATA + random_below(CPU_DATA_SIZE);
	default:
		return CPU_DATA + (random_below(CPU_DATA_SIZE) & ~15u);
	}
}

/* The same random state for both. */
static void make_state(const struct row *row, bool is_32)
{
	u64 id = state.rflags & FLAG_ID; /* ptrace() does not set this one: it stays as it was */
	static const u16 flat_32[SEGMENT_COUNT] = {0x2b, 0x23, 0x2b, 0x2b, 0, 0};
	static const u16 flat_64[SEGMENT_COUNT] = {0, 0x33, 0x2b, 0, 0, 0};

	world_reset(&world);
	world_set_mode(&world, is_32 ? DECODE_32 : DECODE_64);
	world.interrupt_flag = true;
	world.r.cpl = 3;
	memcpy(world.r.selector, is_32 ? flat_32 : flat_64, sizeof(flat_32));
	for (unsigned i = 0; i < 16; i++)
		world.r.gpr[i] = is_32 ? (u32)random_register() : random_register();
	if (is_32)
		memset(world.r.gpr + 8, 0, 8 * sizeof(u64));
	if (!cpu.any_stack)
		world.r.gpr[RSP] = sign_extend(world.r.gpr[RSP], 6);
	if (row->flags & REPEATED && random_below(8))
		world.r.gpr[RCX] = random_below(4);
	world.r.rflags = 2 | id | (random_u64() & FLAGS_STATUS) | (random_below(4) ? 0 : FLAG_DF) |
			 (random_below(16) ? 0 : FLAG_AC);
	for (unsigned i = 0; i < CPU_DATA_SIZE; i += 8) {
		u64 value = random_u64();

		memcpy(image + i, &value, 8);
	}
	for (unsigned i = 0; i < 16; i++)
		for (unsigned j = 0; j < 16; j++)
			world.vectors[i][j] = (u8)random_u64();
	memcpy(world.data, image, sizeof(image));
	memcpy(world.code, bytes, sizeof(bytes));
	memcpy(cpu.data, image, sizeof(image));
	memcpy(cpu.code, bytes, sizeof(bytes));
	memcpy(state.gpr, world.r.gpr, sizeof(state.gpr));
	memcpy(state.xmm, world.vectors, sizeof(state.xmm));
	state.rip = CPU_CODE;
	state.rflags = world.r.rflags;
	state.is_32 = is_32;
	state.with_vectors = row->flags & VECTOR;
	before = state;
	world.r.rflags |= FLAG_TF | FLAG_IF; /* as the single step has it */
}

/* Flags that the manual leaves undefined after this instruction. */
static u64 undefined_flags(const struct row *row)
{
	const struct insn *insn = &world.e.insn;
	unsigned size = insn->opcode & 1 ? insn->operand_bytes : 1, count;

	if (row->flags & UNDEFINED_AF)
		return FLAG_AF;
	if (row->flags & UNDEFINED_BIT)
		return FLAG_OF | FLAG_SF | FLAG_AF | FLAG_PF;
	if (!(row->flags & UNDEFINED_SHIFT))
		return 0;
	count = insn->opcode < 0xd0 ? insn->immediate : insn->opcode < 0xd2 ? 1 : before.gpr[RCX];
	count &= size == 8 ? 63 : 31;
	if (count == 0)
		return 0;
	/* rotations leave AF alone, shifts do not */
	return (row->reg >= 4 ? FLAG_AF : 0) | (count == 1 ? 0 : FLAG_OF) |
	       (row->reg >= 4 && count >= 8 * size ? FLAG_CF : 0);
}

static int expected_signal(enum emulate_verdict verdict)
{
	if (verdict == EMULATE_OK || verdict == EMULATE_AGAIN)
		return SIGTRAP;
	if (verdict != EMULATE_EVENT)
		return 0;
	switch (world.e.event.vector) {
	case EXCEPTION_UD:
		return SIGILL;
	case EXCEPTION_SS:
	case EXCEPTION_AC:
		return SIGBUS;
	default:
		return SIGSEGV;
	}
}

static const char *difference(const struct row *row, enum emulate_verdict verdict,
			      const struct cpu_result *r)
{
	u64 mask = FLAGS_COMPARED;
	u64 address = 0;

	if (expected_signal(verdict) != r->signal)
		return "the outcome";
	if (verdict == EMULATE_EVENT && world.e.event.vector == EXCEPTION_PF)
		address = world.e.event.address;
	if (address != r->address)
		return "the page fault's address";
	if (verdict == EMULATE_OK || verdict == EMULATE_AGAIN)
		mask &= ~undefined_flags(row);
	if (memcmp(world.r.gpr, state.gpr, (state.is_32 ? 8 : 16) * sizeof(u64)))
		return "registers";
	if (world.r.rip != state.rip)
		return "RIP";
	if ((world.r.rflags ^ state.rflags) & mask)
		return "flags";
	return memcmp(world.data, cpu.data, CPU_DATA_SIZE) ? "memory" : NULL;
}

static void show(const struct row *row, const char *what, enum emulate_verdict verdict,
		 const struct cpu_result *r)
{
	if (failures++ >= 12)
		return;
	printf("  %s (%d-bit), %s differ:", row->name, state.is_32 ? 32 : 64, what);
	for (int i = 0; i < INSN_MAX; i++)
		printf(" %02x", bytes[i]);
	printf("\n    verdict %u vector %u address %lx; signal %d code %d address %lx\n", verdict,
	       world.e.event.vector, world.e.event.address, r->signal, r->code, r->address);
	printf("    rip %lx %lx flags %lx -> %lx %lx\n", world.r.rip, state.rip, before.rflags,
	       world.r.rflags, state.rflags);
	for (int i = 0; i < 16; i++)
		if (world.r.gpr[i] != state.gpr[i])
			printf("    r%d was %lx: emulator %lx, processor %lx\n", i, before.gpr[i],
			       world.r.gpr[i], state.gpr[i]);
}

static void run_case(unsigned index)
{
	const struct row *row = &rows[index];
	bool is_32 = cpu.has_32 && !(row->flags & ONLY_64) && !random_below(4);
	struct cpu_result r;
	enum emulate_verdict verdict;
	const char *what;

	if (row->flags & ONLY_32) {
		if (!cpu.has_32)
			return;
		is_32 = true;
	}
	make_instruction(row, is_32);
	make_state(row, is_32);
	verdict = world_run(&world);
	cpu_step(&cpu, &state, &r);
	what = difference(row, verdict, &r);
	hits[index]++;
	done[index] += verdict == EMULATE_OK || verdict == EMULATE_AGAIN;
	if (what)
		show(row, what, verdict, &r);
}

int main(int argc, char **argv)
{
	u64 cases = 100000, fewest = ~0ul, fewest_done = ~0ul;
	const char *rarest = "";
	unsigned count = 0;
	int option;

	while ((option = getopt(argc, argv, "n:s:")) != -1) {
		if (option == 'n')
			cases = strtoull(optarg, NULL, 0);
		else if (option == 's')
			random_state = strtoull(optarg, NULL, 0);
		else
			return 2;
	}
	printf("differential: %lu cases, seed %lu\n", cases, random_state);
	cpu_start(&cpu);
	for (u64 i = 0; i < cases; i++)
		run_case(i % ARRAY_SIZE(rows));
	cpu_stop(&cpu);
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].flags & ONLY_32 && !cpu.has_32)
			continue;
		count++;
		fewest = MIN(fewest, hits[i]);
		if (done[i] < fewest_done) {
			fewest_done = done[i];
			rarest = rows[i].name;
		}
	}
	printf("differential: %u rows, each hit %lu times at least, %lu without a fault (%s)\n",
	       count, fewest, fewest_done, rarest);
	printf("%lu passed, %lu failed\n", cases - failures, failures);
	return failures != 0 || (fewest >= 100 && fewest_done == 0);
}
