// SPDX-License-Identifier: MIT
/*
 * calls-test.c - random worlds of hostile calls: calls-test [calls [no-shrink]]. SEED= in the
 * environment chooses the first world; each has a process of its own and STEPS steps. A world that
 * fails is run again with ever fewer steps, and what is left is told: SEED=n KEEP=step,step,...
 * repeats it.
 */
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "guest-abi/hypercalls.h"
#include "hypercall/xen/interface.h"
#include "lib/log.h"
#include "tests/host/calls/world.h"
#include "tests/host/mm/host.h"

#define STEPS	      40000
#define WORLD_SECONDS 300 /* seldom 5: one that takes longer never ends */

static u64 steps[STEPS], kept[STEPS];

static u64 mix(u64 x)
{
	x += 0x9e3779b97f4a7c15;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

/* ---- one world, in a child ---- */

static void write_log(struct log_sink *sink, const char *text, size_t size)
{
	(void)sink;
	fwrite(text, 1, size, stdout);
}

static bool holds(const u64 *chosen, u64 count, bool quiet)
{
	static struct log_sink sink = {.write = write_log};
	int status;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (!child) {
		if (quiet &&
		    (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr)))
			_exit(2);
		alarm(WORLD_SECONDS);
		world_is_told = !quiet;
		if (!quiet)
			log_add_sink(&sink);
		world_run(chosen, count);
		fflush(stdout);
		_exit(0);
	}
	waitpid(child, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* ---- a world that fails ---- */

static u64 without(u64 *to, u64 count, u64 at, u64 piece)
{
	memcpy(to, kept, at * sizeof(*to));
	memcpy(to + at, kept + at + piece, (count - at - piece) * sizeof(*to));
	return count - piece;
}

/* Of the steps from first to last: mostly the life in which it failed is enough. */
static void shrink(u64 seed, u64 first, u64 last)
{
	static u64 fewer[STEPS];
	u64 count = last - first + 1;

	world_judge_interval = 1; /* so that it fails as early as it can */
	printf("calls-test: SEED=%lu KEEP=0-%lu fails; shrinking\n", seed, last);
	memmove(kept, kept + first, count * sizeof(*kept));
	if (holds(kept, count, true)) {
		count = last + 1;
		memcpy(kept, steps, count * sizeof(*kept));
	}
	for (u64 piece = count / 2; piece; piece /= 2)
		for (u64 at = 0; at + piece <= count;) {
			u64 left = without(fewer, count, at, piece);

			if (holds(fewer, left, true)) {
				at += piece;
				continue;
			}
			count = left;
			memcpy(kept, fewer, count * sizeof(*kept));
		}
	printf("calls-test: fails after %lu steps: SEED=%lu KEEP=", count, seed);
	for (u64 i = 0, n = 0; i < count; i++, n++) {
		while (steps[n] != kept[i])
			n++;
		printf("%s%lu", i ? "," : "", n);
	}
	printf("\n");
	holds(kept, count, false);
}

/* KEEP=: these of the world's steps, n or n-n between commas, told one by one. */
static int repeat(const char *list)
{
	u64 count = 0;

	world_judge_interval = 1;
	while (*list) {
		char *end;
		u64 first = strtoull(list, &end, 0), last = first;

		if (*end == '-')
			last = strtoull(end + 1, &end, 0);
		for (u64 n = first; n <= last && n < STEPS && count < STEPS; n++)
			kept[count++] = steps[n];
		list = *end ? end + 1 : end;
	}
	return !holds(kept, count, false);
}

/* ---- reports ---- */

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/* Each call that there is must have been made. */
static void check_coverage(const struct world_counts *c)
{
#define X(number, name, arguments, flags, promise) CHECK(c->by_number[0][number]);
	GN_HYPERCALLS(X)
#undef X
#define X(number, name) CHECK(c->by_number[1][number]);
	XEN_HYPERCALLS(X)
#undef X
}

static void report(const struct world_counts *c, double time)
{
	printf("  %lu calls obeyed, %lu refused, %lu begun again; %lu exits, %lu page faults; "
	       "%lu lives, %lu deaths, %lu audits, %lu pages reclaimed\n",
	       c->obeyed, c->refused, c->restarts, c->exits, c->faults, c->lives, c->deaths,
	       c->audits, c->reclaimed);
	printf("  the longest exit: %lu basic blocks, reason %lu, RAX %#lx\n", c->work,
	       c->worst_reason, c->worst_call);
	printf("  %lu calls in %.1f s: %.0f a second\n", c->calls, time, c->calls / time);
}

static void make_steps(u64 seed)
{
	for (u64 i = 0; i < STEPS; i++)
		steps[i] = mix(mix(seed) + i);
	memcpy(kept, steps, sizeof(steps));
}

int main(int argc, char **argv)
{
	u64 calls = argc > 1 ? strtoull(argv[1], NULL, 0) : 100000;
	u64 seed = getenv("SEED") ? strtoull(getenv("SEED"), NULL, 0) : 20261129;
	double began = seconds();

	world_counts = mmap(NULL, sizeof(*world_counts), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (getenv("KEEP")) {
		make_steps(seed);
		return repeat(getenv("KEEP"));
	}
	printf("calls-test: %lu calls, seed %lu\n", calls, seed);
	for (; world_counts->calls < calls; seed++) {
		make_steps(seed);
		if (!holds(steps, STEPS, true)) {
			host_failed++;
			if (argc <= 2)
				shrink(seed, world_counts->life, world_counts->step);
			break;
		}
		host_passed++;
	}
	if (!host_failed)
		check_coverage(world_counts);
	report(world_counts, seconds() - began);
	return host_finish();
}
