// SPDX-License-Identifier: MIT
/*
 * packed-test.c - packed kernels: packed-test ELF PACKED... Each packed file must put into RAM what
 * the ELF file puts there, no beginning of it may be accepted, and no random change of it may
 * deceive judge.c. A file whose name contains "bomb" must be refused.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/host/loader/judge.h"

#define MEMORY	  (8ul << 20)
#define MUTATIONS 60
#define CUTS	  60

static unsigned passed, failed;

/* xorshift64: the same sequence in each run. */
static uint64_t random_word(void)
{
	static uint64_t x = 88172645463325252;

	x ^= x << 13;
	x ^= x >> 7;
	return x ^= x << 17;
}

static unsigned char *read_file(const char *path, size_t *size)
{
	FILE *f = fopen(path, "rb");
	unsigned char *bytes = NULL;
	long end;

	if (f && !fseek(f, 0, SEEK_END) && (end = ftell(f)) > 0) {
		rewind(f);
		bytes = malloc(end);
		*size = fread(bytes, 1, end, f);
	}
	if (!bytes) {
		printf("cannot read %s\n", path);
		exit(1);
	}
	fclose(f);
	return bytes;
}

static void check(bool is_right, const char *path, const char *what, const char *why)
{
	if (is_right) {
		passed++;
		return;
	}
	failed++;
	printf("FAILED %s: %s: %s\n", path, what, why ? why : "accepted");
}

/* A copy of exactly this size, so that the sanitizer sees a read past its end. */
static const char *judge_copy(const unsigned char *bytes, size_t size, uint64_t memory_size,
			      uint64_t *sum)
{
	unsigned char *copy = malloc(size ? size : 1);
	struct judged_file f = {copy, size, memory_size, 5000, 500};
	const char *why;

	memcpy(copy, bytes, size);
	why = judge_image(&f, sum);
	free(copy);
	return why;
}

static void test_cuts(const char *path, const unsigned char *bytes, size_t size)
{
	const char *why = "";

	for (unsigned i = 0; i < CUTS && why; i++)
		why = judge_copy(bytes, i < 20 ? size - 1 - i : random_word() % size, MEMORY, NULL);
	check(why, path, "a beginning of it", why);
}

static void test_mutations(unsigned char *bytes, size_t size)
{
	for (unsigned i = 0; i < MUTATIONS; i++) {
		size_t at = random_word() % (i % 2 ? size : 1024 < size ? 1024 : size);
		unsigned char was = bytes[at];

		bytes[at] = random_word();
		judge_copy(bytes, size, MEMORY, NULL);
		bytes[at] = was;
	}
}

static void test_packed(const char *path, uint64_t wanted)
{
	uint64_t sum = 0;
	size_t size;
	unsigned char *bytes = read_file(path, &size);
	const char *why = judge_copy(bytes, size, MEMORY, &sum);

	if (strstr(path, "bomb")) {
		check(why && strstr(why, "unpacks to more bytes"), path, "it is a bomb", why);
	} else {
		check(!why && sum == wanted, path, "not what the ELF file is", why);
		test_cuts(path, bytes, size);
		test_mutations(bytes, size);
	}
	free(bytes);
}

int main(int count, char **argument)
{
	uint64_t wanted = 0;
	unsigned char *bytes;
	const char *why;
	size_t size;

	if (count < 2)
		return 2;
	bytes = read_file(argument[1], &size);
	why = judge_copy(bytes, size, count > 2 ? MEMORY : JUDGE_MEMORY_MAX, &wanted);
	check(!why, argument[1], "not accepted", why);
	free(bytes);
	for (int i = 2; i < count; i++)
		test_packed(argument[i], wanted);
	printf("packed: %u passed, %u failed\n", passed, failed);
	return failed != 0;
}
