// SPDX-License-Identifier: MIT
/*
 * race.c - the instruction that is emulated is the instruction that trapped. A second thread
 * rewrites the code without pause, so that a fetch finds one of several instructions or a mixture
 * of two. Whatever the emulator then does must be what the bytes that it fetched mean: a second
 * machine, on which nobody writes, executes a copy of them and must end in the same state. No byte
 * may be fetched twice.
 *
 *   race [ROUNDS]
 *
 * Planted to see it fail: a second emulate_decode() at the start of emulate_execute().
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/host/emulate/random.h"
#include "tests/host/emulate/world.h"

/* mov to memory; or to memory; mov cr3; cli behind prefixes; mov immediate; rep stosb; each 7
 * bytes. */
static const u8 choices[][7] = {
    {0x89, 0x83, 0x10, 0x00, 0x00, 0x00, 0x90}, {0x09, 0x83, 0x20, 0x00, 0x00, 0x00, 0x90},
    {0x0f, 0x22, 0xd8, 0x90, 0x90, 0x90, 0x90}, {0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0xfa},
    {0x48, 0xc7, 0x03, 0x78, 0x56, 0x34, 0x12}, {0x67, 0xf3, 0xaa, 0x90, 0x90, 0x90, 0x90},
};

static struct world world, reference;
static u8 copy[4096];
static bool stop;

static void *rewrite(void *unused)
{
	u64 at = 1;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		const u8 *from = choices[(at >> 33) % ARRAY_SIZE(choices)];

		for (int i = 0; i < 7; i++)
			WRITE_ONCE(world.code[i], from[i]);
		at = at * 6364136223846793005ul + 1442695040888963407ul;
	}
	return unused;
}

static void keep(struct world *w, u64 linear, const u8 *bytes, size_t size)
{
	(void)w;
	memcpy(copy + (linear - CPU_CODE), bytes, size);
}

static void set_up(struct world *w, u8 cpl)
{
	memset(w->data, 0x5a, sizeof(w->data));
	memset(w->fetched, 0, sizeof(w->fetched));
	world_reset(w);
	w->r.cpl = cpl;
	w->r.gpr[RAX] = 0x1111;
	w->r.gpr[RBX] = w->r.gpr[RDI] = CPU_DATA + 0x100;
	w->r.gpr[RCX] = 5;
}

/* One instruction in both machines; is the outcome the same? */
static bool round_agrees(u8 cpl)
{
	enum emulate_verdict verdict, expected;

	set_up(&world, cpl);
	world.on_fetch = keep;
	verdict = world_run(&world);
	for (size_t i = 0; i < ARRAY_SIZE(world.fetched); i++)
		if (world.fetched[i] > 1)
			return false;
	set_up(&reference, cpl);
	memcpy(reference.code, copy, sizeof(copy));
	expected = world_run(&reference);
	return verdict == expected && !memcmp(&world.r, &reference.r, sizeof(world.r)) &&
	       !memcmp(world.data, reference.data, sizeof(world.data)) &&
	       !strcmp(world.notes, reference.notes);
}

int main(int argc, char **argv)
{
	u64 rounds = argc > 1 ? strtoull(argv[1], NULL, 0) : 20000, failed = 0, changed = 0;
	u64 done;
	u8 last[7] = {0};
	pthread_t thread;

	if (pthread_create(&thread, NULL, rewrite, NULL))
		return 2;
	for (done = 0; done < rounds || (!changed && done < 1000 * rounds); done++) {
		failed += !round_agrees(done & 1 ? 3 : 0);
		changed += memcmp(last, copy, sizeof(last)) != 0;
		memcpy(last, copy, sizeof(last));
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	printf("race: the code had changed in %lu of %lu rounds\n", changed, done);
	printf("%lu passed, %lu failed\n", done - failed, failed);
	return failed != 0 || changed == 0;
}
