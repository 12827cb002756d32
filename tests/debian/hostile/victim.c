// SPDX-License-Identifier: MIT
/*
 * victim.c - a neighbour that watches over its memory: victim MIB SECONDS. It fills that much with
 * numbers that follow from their place and a generation, checks all of it again and again, lets a
 * child check and rewrite its copy, and goes on to the next generation. It ends when the time is
 * up or a line is typed, and fails at the first number that is not as it should be.
 */
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static uint64_t wanted(uint64_t place, uint64_t generation)
{
	uint64_t z = place * 0x9e3779b97f4a7c15ul + generation * 0xd1342543de82ef95ul;

	z = (z ^ z >> 32) * 0xbf58476d1ce4e5b9ul;
	return z ^ z >> 29;
}

static void fill(uint64_t *memory, uint64_t count, uint64_t generation)
{
	for (uint64_t i = 0; i < count; i++)
		memory[i] = wanted(i, generation);
}

static void check(const uint64_t *memory, uint64_t count, uint64_t generation)
{
	for (uint64_t i = 0; i < count; i++)
		if (memory[i] != wanted(i, generation)) {
			printf("victim: %#lx at place %#lx of generation %lu, not %#lx\n",
			       memory[i], i, generation, wanted(i, generation));
			exit(1);
		}
}

/* In its copy of an eighth of the memory, so that every page is copied on a write. */
static void check_in_child(uint64_t *memory, uint64_t count, uint64_t generation)
{
	uint64_t first = generation % 8 * (count / 8);
	int status = 1;

	if (fork() == 0) {
		check(memory, count, generation);
		fill(memory + first, count / 8, generation + 1);
		check(memory + first, count / 8, generation + 1);
		exit(0);
	}
	if (wait(&status) < 0 || status)
		exit(1);
}

static int is_told(void)
{
	struct pollfd keyboard = {.fd = 0, .events = POLLIN};

	return poll(&keyboard, 1, 0) > 0;
}

int main(int count, char **words)
{
	uint64_t size = count > 2 ? strtoul(words[1], NULL, 10) << 20 : 0, rounds = 0;
	time_t end = time(NULL) + (count > 2 ? atoi(words[2]) : 0);
	uint64_t *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				-1, 0);

	if (memory == MAP_FAILED)
		return 2;
	printf("victim: watches over %lu MiB\n", size >> 20);
	fflush(stdout);
	do {
		fill(memory, size / 8, rounds);
		for (unsigned i = 0; i < 4; i++)
			check(memory, size / 8, rounds);
		check_in_child(memory, size / 8, rounds);
		check(memory, size / 8, rounds);
	} while (++rounds < 2 || (time(NULL) < end && !is_told()));
	printf("victim: sums held for %lu generations\n", rounds);
	return 0;
}
