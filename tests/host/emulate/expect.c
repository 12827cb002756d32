// SPDX-License-Identifier: MIT
/*
 * expect.c - what the privileged instructions must do, as a table: expectations.h. Each row sets up
 * the machine of world.h by words, runs one instruction and describes what came of it in words,
 * which must be the row's. The words are explained below, at the functions that read and write
 * them.
 *
 * Planted to see it fail: see the list of tests/host/emulate/mutate.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/host/emulate/expectations.h"
#include "tests/host/emulate/world.h"

#define WORDS_AT 0x100 /* m0, m1 ... lie here in the data pages, rbx points to them */
#define STACK_AT 0x800 /* s0, s1 ... lie here, rsp points to them */

static const char *const names[16] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
				      "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
static struct world world;
static struct emulate_registers before;
static u8 data_before[CPU_DATA_SIZE];
static bool skips;

/* One word of set-up, NAME=HEX: a register, flags, rip, cpl, mode (16, 32, 64), if, shadow, crN,
 * drN, cpuid, efer, star, ldt, tr, gdt, idt, idtlimit, ro (the second data page is read-only), xen
 * (a forced prefix is skipped), mN and sN (8 bytes of memory), limit (of all segments), base (of
 * all but CS), csbase, fsbase, ds (its attributes), skip (step over the instruction instead). */
static bool set(const char *name, u64 value)
{
	static const struct {
		const char *name;
		u64 *at;
	} words[] = {
	    {"flags", &world.r.rflags},		{"rip", &world.r.rip},
	    {"gdt", &world.table[0].base},	{"idt", &world.table[1].base},
	    {"efer", &world.msr[0].value},	{"star", &world.msr[1].value},
	    {"fsbase", &world.segment[SEGMENT_FS].base},
	    {"csbase", &world.segment[SEGMENT_CS].base},
	};

	for (unsigned i = 0; i < 16; i++)
		if (!strcmp(name, names[i]))
			world.r.gpr[i] = value;
	for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcmp(name, words[i].name))
			*words[i].at = value;
	if (name[0] == 'm' && name[1] >= '0' && name[1] <= '9')
		memcpy(world.data + WORDS_AT + 8 * (name[1] - '0'), &value, 8);
	else if (name[0] == 's' && name[1] >= '0' && name[1] <= '9')
		memcpy(world.data + STACK_AT + 8 * (name[1] - '0'), &value, 8);
	else if (!strncmp(name, "cr", 2))
		world.cr[name[2] - '0'] = value;
	else if (!strncmp(name, "dr", 2))
		world.dr[name[2] - '0'] = value;
	else if (!strcmp(name, "cpl"))
		world.r.cpl = value;
	else if (!strcmp(name, "mode"))
		world_set_mode(&world, value == 0x64   ? DECODE_64
				       : value == 0x32 ? DECODE_32
						       : DECODE_16);
	else if (!strcmp(name, "shadow"))
		world.r.interrupt_shadow = value;
	else if (!strcmp(name, "if"))
		world.interrupt_flag = value;
	else if (!strcmp(name, "cpuid"))
		world.features = value;
	else if (!strcmp(name, "ro"))
		world.data_read_only = value;
	else if (!strcmp(name, "xen"))
		world.e.forced_prefix = value;
	else if (!strcmp(name, "ldt") || !strcmp(name, "tr"))
		world.selector[name[0] == 't'] = value;
	else if (!strcmp(name, "idtlimit"))
		world.table[1].limit = value;
	else if (!strcmp(name, "skip"))
		skips = value;
	else if (!strcmp(name, "ds"))
		world.segment[SEGMENT_DS].attributes = value;
	else if (!strcmp(name, "base"))
		for (int i = 0; i < SEGMENT_COUNT; i++)
			world.segment[i].base = i == SEGMENT_CS ? world.segment[i].base : value;
	else if (!strcmp(name, "limit"))
		for (int i = 0; i < SEGMENT_COUNT; i++)
			world.segment[i].limit = value;
	return true;
}

static void set_up(const struct expectation *x)
{
	char words[200], *word, *rest = words;

	skips = false;
	memset(world.data, 0, sizeof(world.data));
	world_reset(&world);
	world.msr[0].index = 0xc0000080;
	world.msr[1].index = 0xc0000081;
	world.r.gpr[RBX] = CPU_DATA + WORDS_AT;
	world.r.gpr[RSP] = CPU_DATA + STACK_AT;
	snprintf(words, sizeof(words), "%s", x->before);
	while ((word = strsep(&rest, " "))) {
		char *value = strchr(word, '=');

		if (!value)
			continue;
		*value++ = '\0';
		set(word, strtoull(value, NULL, 16));
	}
	memset(world.code, 0xcc, sizeof(world.code));
	memcpy(world.code + world.r.rip % 4096, x->code, sizeof(x->code));
	before = world.r;
	memcpy(data_before, world.data, sizeof(data_before));
}

static void say(char *to, const char *format, u64 a, u64 b)
{
	size_t used = strlen(to);

	snprintf(to + used, 400 - used, format, a, b);
}

static void describe_verdict(char *to, enum emulate_verdict verdict)
{
	static const char *const plain[] = {"ok", "again", "", "halt", "unhandled", "shutdown"};
	static const char *const kinds[] = {"fault", "int", "bp", "of", "icebp"};
	const struct emulate_event *event = &world.e.event;

	if (verdict != EMULATE_EVENT) {
		strcpy(to, plain[verdict]);
		return;
	}
	strcpy(to, kinds[event->kind]);
	say(to, " %lu", event->vector, 0);
	if (event->has_error)
		say(to, "(%lx)", event->error, 0);
	if (event->vector == EXCEPTION_PF && event->kind == EVENT_FAULT)
		say(to, "@%lx", event->address, 0);
}

/* What came of it: the verdict; +N for RIP gone forward; registers that changed; f^HEX the changed
 * flags; cs ss cpl mode; shadow; step; memory that changed, aOFFSET=QUADWORD; what the operations
 * noted. */
static void describe(char *to, enum emulate_verdict verdict)
{
	const struct emulate_registers *r = &world.r;

	describe_verdict(to, verdict);
	if (r->rip - before.rip <= 20 && r->rip != before.rip)
		say(to, " +%lu", r->rip - before.rip, 0);
	else if (r->rip != before.rip)
		say(to, " rip=%lx", r->rip, 0);
	for (int i = 0; i < 16; i++)
		if (r->gpr[i] != before.gpr[i]) {
			strcat(to, " ");
			strcat(to, names[i]);
			say(to, "=%lx", r->gpr[i], 0);
		}
	if (r->rflags != before.rflags)
		say(to, " f^%lx", r->rflags ^ before.rflags, 0);
	if (r->selector[SEGMENT_CS] != before.selector[SEGMENT_CS])
		say(to, " cs=%lx", r->selector[SEGMENT_CS], 0);
	if (r->selector[SEGMENT_SS] != before.selector[SEGMENT_SS])
		say(to, " ss=%lx", r->selector[SEGMENT_SS], 0);
	if (r->cpl != before.cpl)
		say(to, " cpl=%lx", r->cpl, 0);
	if (r->mode != before.mode)
		say(to, " mode=%lu", 16ul << r->mode, 0);
	if (r->interrupt_shadow)
		strcat(to, " shadow");
	if (world.e.single_step)
		strcat(to, " step");
	for (unsigned i = 0; i < CPU_DATA_SIZE; i += 8)
		if (memcmp(world.data + i, data_before + i, 8)) {
			u64 value;

			memcpy(&value, world.data + i, 8);
			say(to, " a%lx=%lx", i, value);
		}
	if (world.transfer.kind != TRANSFER_RETF && strstr(world.notes, "transfer") &&
	    !(world.transfer.rflags & FLAG_IF) != !world.interrupt_flag)
		strcat(to, " the-transfer-has-another-IF");
	if (world.notes[0]) {
		strcat(to, " ");
		strcat(to, world.notes);
	}
}

static enum emulate_verdict run(void)
{
	enum emulate_verdict verdict;

	if (!skips)
		return world_run(&world);
	verdict = emulate_decode(&world.e);
	if (verdict == EMULATE_OK)
		emulate_skip(&world.e);
	return verdict;
}

int main(void)
{
	unsigned failed = 0;

	for (size_t i = 0; i < ARRAY_SIZE(expectations); i++) {
		const struct expectation *x = &expectations[i];
		char came[700];

		set_up(x);
		describe(came, run());
		if (!strcmp(came, x->after))
			continue;
		failed++;
		printf("  %s (%s)\n    before:   %s\n    expected: %s\n    came:     %s\n", x->what,
		       x->where, x->before, x->after, came);
	}
	printf("%zu passed, %u failed\n", ARRAY_SIZE(expectations) - failed, failed);
	return failed != 0;
}
