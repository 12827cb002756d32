// SPDX-License-Identifier: MIT
/* lib-test.c - see README.md. Argument: the random seed. */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/bug.h"
#include "lib/lock.h"
#include "lib/log.h"
#include "lib/print.h"
#include "lib/ranges.h"

#define UNIVERSE 200 /* numbers that the ranges are made of */
#define STEPS	 20000

static unsigned passed, failed;

static void check(bool good, const char *what)
{
	if (good) {
		passed++;
		return;
	}
	failed++;
	printf("lib: not so: %s\n", what);
}

#define CHECK(condition) check(condition, #condition)

/* ---- ranges, against an array of bits ---- */

static bool bits[UNIVERSE];

static bool ranges_agree(const struct range_set *set)
{
	u64 at = 0;

	for (u32 i = 0; i < set->count; i++) {
		const struct range *r = &set->range[i];

		/* Neighbours that touch would be one range. */
		if (r->start >= r->end || (i && r->start <= at))
			return false;
		for (; at < r->start; at++)
			if (bits[at])
				return false;
		for (; at < r->end; at++)
			if (!bits[at])
				return false;
	}
	for (; at < UNIVERSE; at++)
		if (bits[at])
			return false;
	return true;
}

static bool bits_are_set(u64 start, u64 end)
{
	for (u64 i = start; i < end; i++)
		if (!bits[i])
			return false;
	return start < end;
}

/* The highest place, as range_take() promises. */
static u64 bits_find(u64 size, u64 align, u64 limit)
{
	for (u64 start = UNIVERSE; start-- > 0;)
		if (start % align == 0 && start + size <= limit && start + size <= UNIVERSE &&
		    bits_are_set(start, start + size))
			return start;
	return ~0ul;
}

static bool step(struct range_set *set)
{
	u64 start = (u64)rand() % UNIVERSE, end = (u64)rand() % (UNIVERSE + 1);
	u64 size = 1 + (u64)rand() % 12, align = 1ul << rand() % 4, found;

	switch (rand() % 4) {
	case 0:
		range_add(set, start, end);
		for (u64 i = start; i < end; i++)
			bits[i] = true;
		break;
	case 1:
	case 2:
		end = start + (u64)rand() % 20;
		end = end > UNIVERSE ? UNIVERSE : end;
		range_remove(set, start, end);
		for (u64 i = start; i < end; i++)
			bits[i] = false;
		break;
	case 3:
		found = bits_find(size, align, end);
		if (range_take(set, size, align, end) != found)
			return false;
		for (u64 i = found; found != ~0ul && i < found + size; i++)
			bits[i] = false;
		break;
	}
	end = start + size > UNIVERSE ? UNIVERSE : start + size;
	return ranges_agree(set) && range_contains(set, start, end) == bits_are_set(start, end);
}

static void test_ranges(void)
{
	static struct range_set set;
	unsigned i;

	for (i = 0; i < STEPS && step(&set); i++)
		;
	CHECK(i == STEPS);
	/* Too many: the smallest is forgotten, and known to be. */
	memset(&set, 0, sizeof(set));
	for (u64 r = 0; r < RANGE_MAX; r++)
		range_add(&set, r * 10, r * 10 + (r == 7 ? 1 : 5));
	CHECK(set.count == RANGE_MAX && !set.overflowed);
	range_add(&set, 5000, 5002);
	CHECK(set.count == RANGE_MAX && set.overflowed);
	CHECK(!range_contains(&set, 70, 71) && range_contains(&set, 5000, 5002));
}

/* ---- print, against the C library ---- */

#define SAME(...)                                                                                  \
	do {                                                                                       \
		char ours[64], theirs[64];                                                         \
		int n = print_format(ours, sizeof(ours), __VA_ARGS__);                             \
		int m = snprintf(theirs, sizeof(theirs), __VA_ARGS__);                             \
		check(n == m && strcmp(ours, theirs) == 0, ours);                                  \
	} while (0)

static void test_print(void)
{
	char small[5] = "....", none[1] = ".";

	SAME("plain %% text");
	SAME("%s %5s %-5s| %.2s %.*s", "a", "bc", "de", "fgh", 1, "ij");
	SAME("%c%c %3c %-3c|", 'x', 'y', 'z', 'w');
	SAME("%d %5d %-5d| %05d %i", -1, -23, 45, -67, 2147483647);
	SAME("%u %x %08x %lx %16lx", 4294967295u, 0xbeefu, 0xau, ~0ul, 0x1234ul);
	SAME("%ld %lld %zu", -1l, -2ll, sizeof(small));
	SAME("%ld %lu", (long)(1ul << 63), ~0ul);
	SAME("%016lx %3u %*d", 0xfffful, 12345u, 6, 7);
	SAME("%p", (void *)0x1234);
	SAME("%#x %#lx", 0x12u, 0xabcul);
	CHECK(print_format(small, sizeof(small), "abcdefgh") == 8 && strcmp(small, "abcd") == 0);
	CHECK(print_format(none, 1, "x%d", 5) == 2 && none[0] == 0);
	CHECK(print_format(NULL, 0, "%s", "abc") == 3);
}

/* ---- log ---- */

struct recorder {
	struct log_sink sink;
	char text[65536];
	size_t size;
};

static void record(struct log_sink *sink, const char *text, size_t size)
{
	struct recorder *r = (struct recorder *)sink;

	if (r->size + size < sizeof(r->text)) {
		memcpy(r->text + r->size, text, size);
		r->size += size;
	}
}

static void test_log(void)
{
	static struct recorder early = {.sink.write = record}, late = {.sink.write = record};
	char quoted[8], line[600];

	log_info("before %d", 1);
	log_debug("not at this level");
	log_add_sink(&early.sink);
	log_warn("after");
	CHECK(strcmp(early.text, "gnomon: before 1\ngnomon: after\n") == 0);
	/* A line that is too long is cut, and still ends. */
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = 0;
	early.size = 0;
	log_info("%s", line);
	CHECK(early.size == 400 && early.text[399] == '\n');
	/* The ring has wrapped: a late sink gets its last bytes in order. */
	early.size = 0;
	for (int i = 0; i < 1000; i++)
		log_info("line %d of a thousand", i);
	log_add_sink(&late.sink);
	CHECK(late.size == 16384 &&
	      memcmp(late.text, early.text + early.size - late.size, late.size) == 0);

	CHECK(strcmp(log_quote(quoted, sizeof(quoted), "a\n\033\377b", 5), "a...b") == 0);
	CHECK(strcmp(log_quote(quoted, sizeof(quoted), "0123456789", 10), "0123456") == 0);
	CHECK(strcmp(log_quote(quoted, sizeof(quoted), "", 0), "") == 0);
}

/* ---- locks: compiled with GN_DEBUG, so that the order is checked ---- */

static jmp_buf after_panic;

__noreturn void bug_panic(const char *format, ...)
{
	(void)format;
	longjmp(after_panic, 1);
}

/* Does taking it end in bug_panic()? */
static bool take_panics(struct lock *lock, u32 cpu)
{
	if (setjmp(after_panic))
		return true;
	lock_take(lock, cpu);
	return false;
}

static void test_locks(void)
{
	static struct lock first = LOCK_INIT(1), second = LOCK_INIT(2);

	CHECK(!take_panics(&first, 3) && !take_panics(&second, 3));
	CHECK(lock_is_held(&first, 3) && !lock_is_held(&first, 2));
	CHECK(take_panics(&second, 3)); /* it has it */
	lock_drop(&second, 3);
	lock_drop(&first, 3);
	CHECK(!lock_is_held(&first, 3));
	CHECK(!take_panics(&second, 3));
	CHECK(take_panics(&first, 3));	/* the wrong order */
	CHECK(!take_panics(&first, 2)); /* which is each CPU's own */
}

int main(int argc, char **argv)
{
	srand(argc > 1 ? (unsigned)atoi(argv[1]) : 1);
	test_ranges();
	test_print();
	test_log();
	test_locks();
	printf("lib: %u passed, %u failed\n", passed, failed);
	return failed != 0;
}
