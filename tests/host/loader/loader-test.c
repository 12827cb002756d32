// SPDX-License-Identifier: MIT
/*
 * loader-test.c - the loader on the host, fed with files made here: a good kernel of each ABI, the
 * same spoilt in each way that has a sentence of its own, then random mutations. judge.c aborts if
 * a file is accepted and a promise is broken; the sanitizers look too.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "guests/loader/elf.h"
#include "guests/loader/heap.h"
#include "tests/host/loader/judge.h"

#define MEMORY	  (4ul << 20)
#define FILE_SIZE 0x3000
#define MUTATIONS 20000

static unsigned char file[FILE_SIZE];
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

/* Notes of Xen's, which the third program header says are in the first segment. */
#define NOTES	   0x1400
#define BASE	   0xffffffff80000000
#define NOTE(n)	   (NOTES + (n)*24 + 16) /* the content of the nth */
#define NOTE_COUNT 6

static void put_note(unsigned n, uint32_t type, uint64_t value)
{
	put(NOTES + n * 24, 4, 4);
	put(NOTES + n * 24 + 4, 8, 4);
	put(NOTES + n * 24 + 8, type, 4);
	memcpy(file + NOTES + n * 24 + 12, "Xen", 4);
	put(NOTE(n), value, 8);
}

enum { N_ENTRY, N_HYPERCALL_PAGE, N_VIRT_BASE, N_PADDR_OFFSET, N_GUEST_OS, N_MOD_START };

static void make_good_xen(void)
{
	make_good();
	/* As Linux links its per-CPU data: at 0. */
	put_segment(2, 6, 0x1800, 0, 0x200000, 0x800, 0x1100);
	put(PHNUM, 4, 2);
	put_segment(3, 4, NOTES, BASE + 0x100400, 0x100400, NOTE_COUNT * 24, NOTE_COUNT * 24);
	put(segment(3) + P_TYPE, 4, 4);
	put_note(N_ENTRY, 1, BASE + 0x100010);
	put_note(N_HYPERCALL_PAGE, 2, BASE + 0x200000);
	put_note(N_VIRT_BASE, 3, BASE);
	put_note(N_PADDR_OFFSET, 4, 0);
	put_note(N_GUEST_OS, 6, 0x78756e696d); /* "minux" */
	put(NOTES + N_GUEST_OS * 24 + 4, 6, 4);
	put_note(N_MOD_START, 16, 1);
}

static void expect_in(const char *name, size_t size, uint64_t memory_size, uint64_t initrd_size,
		      const char *wanted)
{
	/* A copy of exactly this size, so that the sanitizer sees a read past its end. */
	void *copy = malloc(size ? size : 1);
	struct judged_file f = {copy, size, memory_size, initrd_size, 500};
	const char *got;

	memcpy(copy, file, size);
	got = judge_image(&f, NULL);
	free(copy);
	if (wanted ? got && strstr(got, wanted) : !got) {
		passed++;
		return;
	}
	failed++;
	printf("FAILED %s: wanted '%s', got '%s'\n", name, wanted ? wanted : "accepted",
	       got ? got : "accepted");
}

static void expect(const char *name, size_t size, const char *wanted)
{
	expect_in(name, size, MEMORY, 0, wanted);
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
    {"headers past the end", PHOFF, FILE_SIZE - 100, 8, "not in the first 4096 bytes"},
    {"headers wrap", PHOFF, ~0ul - 10, 8, "not in the first 4096 bytes"},
    {"too many headers", PHNUM, 0xffff, 2, "not in the first 4096 bytes"},
    {"file > memory", 64 + P_MEMSZ, 0x700, 8, "more bytes in the file"},
    {"beyond the file", 64 + P_OFFSET, FILE_SIZE - 0x7ff, 8, "a segment lies beyond"},
    {"offset wraps", 64 + P_OFFSET, ~0ul - 0x10, 8, "a segment lies beyond"},
    {"beyond RAM", 64 + P_PADDR, MEMORY, 8, "memory is too small"},
    {"larger than RAM", 176 + P_MEMSZ, MEMORY, 8, "memory is too small"},
    {"memory wraps", 120 + P_MEMSZ, ~0ul, 8, "where no memory can be"},
    {"addresses wrap", 120 + P_VADDR, 0xffffffffffffd000, 8, "outside the address space"},
    {"odd offsets in a page", 64 + P_VADDR, 0xffffffff80100800, 8, "differ within a page"},
    {"one up to another", 64 + P_MEMSZ, 0x1000, 8, NULL},
    {"one byte into another", 64 + P_MEMSZ, 0x1001, 8, "share a page of memory"},
    {"one over another", 120 + P_PADDR, 0x100000, 8, "share a page of memory"},
    {"bss over another", 120 + P_MEMSZ, 0x100000, 8, "share a page of memory"},
    {"addresses up to another's", 120 + P_VADDR, 0xffffffff800fb000, 8, NULL},
    {"addresses into another's", 120 + P_VADDR, 0xffffffff800fc000, 8, "share a page of addresses"},
    {"same bytes", 120 + P_OFFSET, 0x1700, 8, "share bytes of the file"},
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

#define TOO_SMALL "memory is too small"

/* The same for a kernel of Xen's ABI. */
static const struct spoilt spoilt_xen[] = {
    {"longer than the list", NOTES + 4, 0x81, 4, "notes are absurd"},
    {"longest", NOTES + 4, 0xffffffff, 4, "notes are absurd"},
    {"longest name", NOTES, 0xffffffff, 4, "notes are absurd"},
    {"odd number", NOTES + 4, 7, 4, "neither 4 nor 8"},
    {"no Xen kernel after all", NOTES + 12, 'Z', 1, "where its memory is mapped"},
    {"notes in no segment", 64 + 3 * 56 + P_OFFSET, 0x2800, 8, "where its memory is mapped"},
    {"entry below", NOTE(N_ENTRY), BASE - 1, 8, "entry point"},
    {"entry above", NOTE(N_ENTRY), BASE + 0x201100, 8, "entry point"},
    {"base in the lower half", NOTE(N_VIRT_BASE), 0x100000000000, 8, "no kernel can have"},
    {"base among Xen's", NOTE(N_VIRT_BASE), 0xffff87fffffff000, 8, "no kernel can have"},
    {"base at the very end", NOTE(N_VIRT_BASE), 0xfffffffffffff000, 8, "no kernel can have"},
    {"base within a page", NOTE(N_VIRT_BASE), BASE + 8, 8, "no kernel can have"},
    {"moved", NOTE(N_PADDR_OFFSET), 0x1000, 8, "move its physical addresses"},
    {"hypercall page below", NOTE(N_HYPERCALL_PAGE), BASE - 0x1000, 8, "hypercall page"},
    {"hypercall page above", NOTE(N_HYPERCALL_PAGE), BASE + 0x201000, 8, "hypercall page"},
    {"hypercall page within", NOTE(N_HYPERCALL_PAGE), BASE + 0x200008, 8, "hypercall page"},
    {"Linux", NOTE(N_GUEST_OS), 'l', 1, TOO_SMALL},
    {"at 1 GiB", 64 + 2 * 56 + P_PADDR, 0x40000000, 8, TOO_SMALL},
};

static void test_spoilt_xen(void)
{
	make_good_xen();
	expect("good for Xen", FILE_SIZE, NULL);
	expect_in("its initrd", FILE_SIZE, MEMORY + 0x3000, 10000, NULL);
	expect_in("an initrd too many", FILE_SIZE, MEMORY + 0x2000, 10000, TOO_SMALL);
	put(NOTE(N_MOD_START), 0, 8);
	expect_in("an initrd in the map", FILE_SIZE, MEMORY, 10000, NULL);
	put(NOTE(N_HYPERCALL_PAGE), 0, 8);
	expect("without a hypercall page", FILE_SIZE, NULL);
	/* What follows the kernel ends at every distance from a border of 4 MiB. */
	for (uint64_t at = 0x200000; at <= 0x600000; at += 0x20000) {
		put(segment(2) + P_PADDR, at, 8);
		expect_in("a longer kernel", FILE_SIZE, 64 << 20, 0, NULL);
	}
	put(segment(2) + P_PADDR, 0x200000, 8);
	/* The map's end lies in a second table of level 3. */
	put(NOTE(N_VIRT_BASE), 0xffffff7fffe00000, 8);
	put(NOTE(N_ENTRY), 0xffffff7ffff00010, 8);
	expect("across tables of all levels", FILE_SIZE, NULL);
	expect_in("no MiB left", FILE_SIZE, MEMORY - 0x1000, 0, TOO_SMALL);
	for (size_t i = 0; i < sizeof(spoilt_xen) / sizeof(spoilt_xen[0]); i++) {
		make_good_xen();
		put(spoilt_xen[i].at, spoilt_xen[i].value, spoilt_xen[i].size);
		expect(spoilt_xen[i].name, FILE_SIZE, spoilt_xen[i].wanted);
	}
}

/* A bzImage's header in front of the good file. */
static void test_bzimage(void)
{
	make_good();
	memmove(file + 0x400, file, FILE_SIZE - 0x400);
	memset(file, 0, 0x400);
	put(0x1f1, 1, 1);
	put(0x1fe, 0xaa55, 2);
	memcpy(file + 0x202, "HdrS", 4);
	put(0x206, 0x20f, 2);
	put(0x248, 0, 4);
	put(0x24c, 0x2234 + 4, 4);
	put(0x400 + 0x2234, 0x2234, 4);
	expect("a bzImage of an ELF file", FILE_SIZE, NULL);
	put(0x400 + 0x2234, 0x2235, 4);
	expect("a size that does not agree", FILE_SIZE, "fewer bytes than it should");
	put(0x24c, 0x10000, 4);
	expect("cut in its payload", FILE_SIZE, "payload lies beyond");
	put(0x248, 0xffffffff, 4);
	put(0x24c, 0xffffffff, 4);
	expect("payload wraps", FILE_SIZE, "payload lies beyond");
	put(0x248, 0, 4);
	put(0x24c, 4, 4);
	expect("no payload", FILE_SIZE, "no payload");
	put(0x24c, 100, 4);
	put(0x400, 0, 4);
	expect("unknown packing", FILE_SIZE, "packed in a way");
	put(0x206, 0x207, 2);
	expect("old", FILE_SIZE, "too old");
	expect("cut in its header", 0x263, "not an ELF file");
}

/* Nothing but count segments of a page each, from the last page of RAM downwards. */
static void make_many(unsigned count)
{
	make_good();
	put(PHNUM, count, 2);
	for (unsigned i = 0; i < count; i++)
		put_segment(i, 5, 0x1000, 0xffffffff80100000 - i * 0x1000,
			    MEMORY - (i + 1) * 0x1000, i ? 0 : 0x100, 0x1000);
}

static void test_extremes(void)
{
	make_many(ELF_MAX_SEGMENTS);
	expect("as many segments as may be, at the end of RAM", FILE_SIZE, NULL);
	make_many(ELF_MAX_SEGMENTS + 1);
	expect("one segment more", FILE_SIZE, "too many segments");
	make_good();
	expect_in("RAM that ends with a small page", FILE_SIZE, MEMORY + 0x1000, 0, NULL);
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
	expect("empty", 0, "not an ELF file");
	expect("short header", 63, "too short");
	expect("cut in the headers", 64 + 2 * 56, "not in the first 4096 bytes");
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
static void test_mutations(void)
{
	unsigned char original[FILE_SIZE];
	const size_t size = FILE_SIZE, headers = 512;

	memcpy(original, file, size);
	for (unsigned i = 0; i < MUTATIONS; i++) {
		size_t cut = random_word() % 8 ? size : random_word() % (size + 1);
		unsigned char *copy = malloc(cut ? cut : 1);

		memcpy(copy, original, cut);
		for (unsigned n = random_word() % 4 + 1; n && cut; n--) {
			uint64_t r = random_word();
			size_t at = r % (headers < cut ? headers : cut);

			copy[at] = r >> 56 & 1 ? copy[at] ^ 1ul << (r >> 32 & 7) : r >> 40;
		}
		judge_image(&(struct judged_file){copy, cut, MEMORY, 0, 500}, NULL);
		free(copy);
	}
	passed++;
}

static void check(const char *name, bool is_right)
{
	if (is_right) {
		passed++;
		return;
	}
	failed++;
	printf("FAILED %s\n", name);
}

static void test_heap(void)
{
	struct heap h;
	uint64_t a, b;

	heap_begin(&h, 0x10000);
	check("heap: the first block", heap_take(&h, 0x100, &a) && a == 0xff00);
	check("heap: aligned, below",
	      heap_take(&h, 1, &b) && b == 0xfec0 && heap_used(&h) == 0x140);
	check("heap: a kernel below", heap_keep_above(&h, 0xfe80));
	check("heap: not into the kernel", !heap_take(&h, 0x41, &a) && heap_used(&h) == 0x181);
	check("heap: up to it", heap_take(&h, 0x40, &a) && a == 0xfe80);
	check("heap: more than all", !heap_take(&h, UINT64_MAX, &a));
	check("heap: a kernel in the way", !heap_keep_above(&h, 0xfe81));
}

int main(void)
{
	test_heap();
	test_spoilt();
	test_extremes();
	test_spoilt_xen();
	test_bzimage();
	make_good();
	test_mutations();
	make_good_xen();
	test_mutations();
	printf("loader: %u passed, %u failed\n", passed, failed);
	return failed != 0;
}
