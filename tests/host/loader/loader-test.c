// SPDX-License-Identifier: MIT
/*
 * loader-test.c - the loader's parser, placement and tables on the host: a good file, the same file
 * spoilt in each way that has a sentence of its own, then random mutations of it and of the files
 * named as arguments. judge.c aborts if a file is accepted and a promise is broken; the sanitizers
 * look too.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "guests/loader/elf.h"
#include "tests/host/loader/judge.h"

#define MEMORY	  (4ul << 20)
#define FILE_SIZE 0x3000
#define MUTATIONS 20000

static unsigned char file[FILE_SIZE];
static uint64_t memory_size = MEMORY;
static unsigned passed, failed;

static void put(size_t at, uint64_t value, size_t size)
{
	memcpy(file + at, &value, size);
}

/* Offsets in the file header and in program header n. */
enum { TYPE = 16, MACHINE = 18, ENTRY = 24, PHOFF = 32, PHENTSIZE = 54, PHNUM = 56, CLASS = 4 };
enum { P_TYPE, P_FLAGS = 4, P_OFFSET = 8, P_VADDR = 16, P_PADDR = 24, P_FILESZ = 32, P_MEMSZ = 40 };

static size_t segment(unsigned n)
{
	return 64 + 56 * n;
}

static void put_segment(unsigned n, uint32_t flags, uint64_t offset, uint64_t virtual,
			uint64_t physical, uint64_t filesz, uint64_t memsz)
{
	put(segment(n) + P_TYPE, 1, 4);
	put(segment(n) + P_FLAGS, flags, 4);
	put(segment(n) + P_OFFSET, offset, 8);
	put(segment(n) + P_VADDR, virtual, 8);
	put(segment(n) + P_PADDR, physical, 8);
	put(segment(n) + P_FILESZ, filesz, 8);
	put(segment(n) + P_MEMSZ, memsz, 8);
}

/* Text and data in the upper half, and a piece that is linked at its physical address. */
static void make_good(void)
{
	memset(file, 0xcc, sizeof(file));
	memset(file, 0, 0x200);
	memcpy(file, "\177ELF\2\1\1", 7);
	put(TYPE, 2, 2);
	put(MACHINE, 62, 2);
	put(ENTRY, 0xffffffff80100010, 8);
	put(PHOFF, 64, 8);
	put(PHENTSIZE, 56, 2);
	put(PHNUM, 3, 2);
	put_segment(0, 5, 0x1000, 0xffffffff80100000, 0x100000, 0x800, 0x800);
	put_segment(1, 6, 0x2000, 0xffffffff80101000, 0x101000, 0x234, 0x5000);
	put_segment(2, 5, 0x1800, 0x200800, 0x200800, 0x800, 0x900);
}

static void expect(const char *name, size_t size, const char *wanted)
{
	/* A copy of exactly this size, so that the sanitizer sees a read past its end. */
	void *copy = malloc(size ? size : 1);
	const char *got;

	memcpy(copy, file, size);
	got = judge_image(copy, size, memory_size);
	free(copy);
	if (wanted ? got && strstr(got, wanted) : !got) {
		passed++;
		return;
	}
	failed++;
	printf("FAILED %s: wanted '%s', got '%s'\n", name, wanted ? wanted : "accepted",
	       got ? got : "accepted");
}

static const struct spoilt {
	const char *name;
	size_t at;
	uint64_t value;
	size_t size;
	const char *wanted;
} spoilt[] = {
    {"magic", 0, 0, 1, "not an ELF file"},
    {"32 bits", CLASS, 1, 1, "not an ELF file for x86-64"},
    {"big endian", 5, 2, 1, "not an ELF file for x86-64"},
    {"other machine", MACHINE, 183, 2, "not an ELF file for x86-64"},
    {"shared object", TYPE, 3, 2, "not an executable"},
    {"no headers", PHNUM, 0, 2, "no program headers"},
    {"odd headers", PHENTSIZE, 32, 2, "no program headers"},
    {"headers past the end", PHOFF, FILE_SIZE - 100, 8, "program headers lie beyond"},
    {"headers wrap", PHOFF, ~0ul - 10, 8, "program headers lie beyond"},
    {"too many headers", PHNUM, 0xffff, 2, "program headers lie beyond"},
    {"file > memory", 64 + P_MEMSZ, 0x700, 8, "more bytes in the file"},
    {"beyond the file", 64 + P_OFFSET, FILE_SIZE - 0x7ff, 8, "a segment lies beyond"},
    {"offset wraps", 64 + P_OFFSET, ~0ul - 0x10, 8, "a segment lies beyond"},
    {"beyond RAM", 64 + P_PADDR, MEMORY - 0x1000 + 0x1000, 8, "outside the guest's memory"},
    {"larger than RAM", 120 + P_MEMSZ, MEMORY, 8, "outside the guest's memory"},
    {"memory wraps", 120 + P_MEMSZ, ~0ul, 8, "outside the guest's memory"},
    {"addresses wrap", 120 + P_VADDR, 0xffffffffffffd000, 8, "outside the address space"},
    {"odd offsets in a page", 64 + P_VADDR, 0xffffffff80100800, 8, "differ within a page"},
    {"one up to another", 64 + P_MEMSZ, 0x1000, 8, NULL},
    {"one byte into another", 64 + P_MEMSZ, 0x1001, 8, "share a page of memory"},
    {"one over another", 120 + P_PADDR, 0x100000, 8, "share a page of memory"},
    {"bss over another", 120 + P_MEMSZ, 0x100000, 8, "share a page of memory"},
    {"addresses up to another's", 120 + P_VADDR, 0xffffffff800fb000, 8, NULL},
    {"addresses into another's", 120 + P_VADDR, 0xffffffff800fc000, 8, "share a page of addresses"},
    {"same addresses", 120 + P_VADDR, 0xffffffff80100000, 8, "share a page of addresses"},
    {"entry nowhere", ENTRY, 0, 8, "entry point"},
    {"entry in data", ENTRY, 0xffffffff80101000, 8, "entry point"},
    {"entry behind text", ENTRY, 0xffffffff80100800, 8, "entry point"},
    {"not canonical", 120 + P_VADDR, 0x1234567890123000, 8, "not canonical"},
    {"out of the hole", 120 + P_VADDR, 0xffff7ffffffff000, 8, "not canonical"},
    {"across the hole", 120 + P_VADDR, 0x00007ffffffff000, 8, "not canonical"},
    {"in the window", 120 + P_VADDR, 0xffff870000000000, 8, "belong to the monitor"},
    {"ends before the window", 120 + P_VADDR, 0xffff86ffffffb000, 8, NULL},
    {"a page in the window", 120 + P_VADDR, 0xffff86ffffffc000, 8, "belong to the monitor"},
    {"ends in the window", 120 + P_VADDR, 0xffff86fffffff000, 8, "belong to the monitor"},
    {"in the switcher", 120 + P_VADDR, 0xffff87ffffffb000, 8, "belong to the monitor"},
    {"behind the switcher", 120 + P_VADDR, 0xffff880000000000, 8, NULL},
    {"where RAM is", 120 + P_VADDR, 0x1000, 8, "linked where its memory is mapped"},
    {"where a segment's RAM is", 120 + P_VADDR, 0x210000, 8, "linked where its memory is mapped"},
};

/* Nothing but count segments of a page each, from the last page of RAM downwards. */
static void make_many(unsigned count)
{
	make_good();
	put(PHNUM, count, 2);
	for (unsigned i = 0; i < count; i++)
		put_segment(i, 5, 0x1000, 0xffffffff80100000 - i * 0x1000,
			    MEMORY - (i + 1) * 0x1000, 0x100, 0x1000);
}

static void test_extremes(void)
{
	make_many(ELF_MAX_SEGMENTS);
	expect("as many segments as may be, at the end of RAM", FILE_SIZE, NULL);
	make_many(ELF_MAX_SEGMENTS + 1);
	expect("one segment more", FILE_SIZE, "too many segments");
	make_good();
	memory_size = MEMORY + 0x1000;
	expect("RAM that ends with a small page", FILE_SIZE, NULL);
	memory_size = MEMORY;
	put(120 + P_PADDR, 0x180000, 8);
	put(64 + P_MEMSZ, 0x1001, 8);
	expect("one byte into the addresses above", FILE_SIZE, "share a page of addresses");
	make_good();
	put(120 + P_VADDR, 0xffffffff800fb000, 8);
	put(120 + P_MEMSZ, 0x5001, 8);
	expect("one byte into those above, reversed", FILE_SIZE, "share a page of addresses");
	make_good();
	put(176 + P_VADDR, 0x1ff800, 8);
	put(176 + P_PADDR, 0x1ff800, 8);
	expect("a few bytes of a large page at their own address", FILE_SIZE, NULL);
	make_good();
	put_segment(1, 6, 0x2000, 0, ~0xffful, 0, 0);
	expect("a segment of no bytes, nowhere", FILE_SIZE, NULL);
}

static void test_spoilt(void)
{
	make_good();
	expect("good", FILE_SIZE, NULL);
	for (size_t i = 0; i < sizeof(spoilt) / sizeof(spoilt[0]); i++) {
		make_good();
		put(spoilt[i].at, spoilt[i].value, spoilt[i].size);
		expect(spoilt[i].name, FILE_SIZE, spoilt[i].wanted);
	}
	make_good();
	expect("empty", 0, "too short");
	expect("short header", 63, "too short");
	expect("cut in the headers", 64 + 2 * 56, "program headers lie beyond");
	expect("cut in a segment", 0x2233, "a segment lies beyond");
	expect("cut behind all segments", 0x2234, NULL);
	put(PHNUM, 2, 2);
	put(64 + P_TYPE, 6, 4);
	put(120 + P_TYPE, 6, 4);
	expect("nothing to load", FILE_SIZE, "nothing to load");
	make_good();
	put(120 + P_MEMSZ, MEMORY - 0x101000, 8);
	put(PHNUM, 2, 2);
	expect("RAM full but for 1 MiB", FILE_SIZE, NULL);
	put(64 + P_PADDR, 0x0, 8);
	put(120 + P_PADDR, 0x1000, 8);
	put(120 + P_MEMSZ, MEMORY - 0x1000 - 0x3000, 8);
	expect("RAM full but for three pages", FILE_SIZE, "too small for its page tables");
}

/* xorshift64: the same sequence in each run. */
static uint64_t random_word(void)
{
	static uint64_t x = 88172645463325252;

	x ^= x << 13;
	x ^= x >> 7;
	return x ^= x << 17;
}

/* Change some bytes, mostly of the headers, and the size; judge_image() aborts if that deceives
 * it. */
static void test_mutations(const unsigned char *original, size_t size, unsigned rounds)
{
	size_t headers = size < 512 ? size : 512;

	for (unsigned i = 0; i < rounds; i++) {
		size_t cut = random_word() % 8 ? size : random_word() % (size + 1);
		unsigned char *copy = malloc(cut ? cut : 1);

		memcpy(copy, original, cut);
		for (unsigned n = random_word() % 4 + 1; n && cut; n--) {
			uint64_t r = random_word();
			size_t at = r % (headers < cut ? headers : cut);

			copy[at] = r >> 56 & 1 ? copy[at] ^ 1ul << (r >> 32 & 7) : r >> 40;
		}
		judge_image(copy, cut, MEMORY);
		free(copy);
	}
	passed++;
}

static void test_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	unsigned char *bytes;
	long size;

	if (!f || fseek(f, 0, SEEK_END) || (size = ftell(f)) < 0) {
		printf("FAILED cannot read %s\n", path);
		failed++;
		return;
	}
	rewind(f);
	bytes = malloc(size);
	if (fread(bytes, 1, size, f) != (size_t)size ||
	    judge_image(bytes, size, JUDGE_MEMORY_MAX)) {
		printf("FAILED %s is not accepted\n", path);
		failed++;
	} else {
		passed++;
	}
	fclose(f);
	test_mutations(bytes, size, 500);
	free(bytes);
}

int main(int count, char **argument)
{
	test_spoilt();
	test_extremes();
	make_good();
	test_mutations(file, FILE_SIZE, MUTATIONS);
	for (int i = 1; i < count; i++)
		test_file(argument[i]);
	printf("loader: %u passed, %u failed\n", passed, failed);
	return failed != 0;
}
