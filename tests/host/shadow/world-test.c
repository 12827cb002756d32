// SPDX-License-Identifier: MIT
/*
 * world-test.c - random worlds: world-test [operations [seed [no-shrink]]]. Each world is 4000
 * operations under one policy. A failing world is run again in child processes with ever fewer
 * operations, and what is left is printed.
 */
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tests/host/mm/host.h"
#include "tests/host/shadow/world.h"

#define WORLD 4000

static const struct {
	const char *name;
	enum shadow_policy policy;
	bool lies;
} kinds[] = {
    {"trapped", SHADOW_TRAPPED, false},
    {"notified", SHADOW_NOTIFIED, false},
    {"forgetful", SHADOW_FORGETFUL, false},
    {"notified, a liar", SHADOW_NOTIFIED, true},
};

static bool shrinks = true;
static struct world_counts totals[ARRAY_SIZE(kinds)];

/* In a child, since a failure may be a crash. Its output is seen only if it is asked for. */
static bool holds(unsigned kind, const struct op *ops, size_t count, bool quiet)
{
	struct world_counts counts;
	int status;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (!child) {
		if (quiet &&
		    (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr)))
			_exit(2);
		if (!world_run(kinds[kind].policy, kinds[kind].lies, ops, count, &counts))
			printf("  %s\n", counts.fault);
		fflush(stdout);
		_exit(counts.fault[0] != 0);
	}
	waitpid(child, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void shrink(unsigned kind, struct op *ops, size_t count)
{
	for (size_t piece = shrinks ? count / 2 : 0; piece; piece /= 2) {
		for (size_t at = 0; at + piece <= count;) {
			static struct op fewer[WORLD];

			memcpy(fewer, ops, at * sizeof(*ops));
			memcpy(fewer + at, ops + at + piece, (count - at - piece) * sizeof(*ops));
			if (holds(kind, fewer, count - piece, true)) {
				at += piece;
				continue;
			}
			count -= piece;
			memcpy(ops, fewer, count * sizeof(*ops));
		}
	}
	printf("%s: fails after these %zu operations:\n", kinds[kind].name, count);
	if (!shrinks)
		return;
	for (size_t i = 0; i < count; i++)
		printf("  {%3u, 0x%02x, 0x%02x, 0x%02x, 0x%08x},\n", ops[i].kind, ops[i].a,
		       ops[i].b, ops[i].c, ops[i].d);
	holds(kind, ops, count, false);
}

static void add(struct world_counts *to, const struct world_counts *from)
{
	to->accesses += from->accesses;
	to->fixed += from->fixed;
	to->reflected += from->reflected;
	to->emulated += from->emulated;
	to->refused += from->refused;
	to->copied += from->copied;
	to->audits += from->audits;
	to->stats.large += from->stats.large;
	to->stats.out_of_sync += from->stats.out_of_sync;
	to->stats.resynced += from->stats.resynced;
	to->stats.reclaimed += from->stats.reclaimed;
}

static void run_batch(unsigned kind, unsigned worlds)
{
	static struct op ops[WORLD];
	struct world_counts counts;

	for (unsigned i = 0; i < worlds; i++) {
		for (unsigned o = 0; o < WORLD; o++) {
			u64 random = host_random();

			memcpy(&ops[o], &random, sizeof(random));
		}
		if (i == 0 && !holds(kind, ops, WORLD, true)) { /* a crash is cheap to find here */
			host_failed++;
			shrink(kind, ops, WORLD);
			return;
		}
		if (!world_run(kinds[kind].policy, kinds[kind].lies, ops, WORLD, &counts)) {
			host_failed++;
			shrink(kind, ops, WORLD);
			return;
		}
		host_passed++;
		add(&totals[kind], &counts);
	}
}

static void report(const char *name, const struct world_counts *c)
{
	printf(
	    "  %s: %lu accesses, %lu fixed, %lu reflected, %lu emulated, %lu refused, %lu copied, "
	    "%lu audits, %lu large, %lu out of sync, %lu resynced, %lu reclaimed\n",
	    name, c->accesses, c->fixed, c->reflected, c->emulated, c->refused, c->copied,
	    c->audits, c->stats.large, c->stats.out_of_sync, c->stats.resynced, c->stats.reclaimed);
}

int main(int argc, char **argv)
{
	u64 operations = argc > 1 ? strtoull(argv[1], NULL, 0) : 1000000;
	unsigned worlds = operations / WORLD / ARRAY_SIZE(kinds);

	host_seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 20240818;
	shrinks = argc <= 3;
	printf("world-test: %lu operations, seed %lu\n", operations, host_seed);
	for (unsigned kind = 0; kind < ARRAY_SIZE(kinds); kind++) {
		run_batch(kind, worlds ? worlds : 1);
		report(kinds[kind].name, &totals[kind]);
	}
	return host_finish();
}
