// SPDX-License-Identifier: MIT
/*
 * lengths.c - is the length of every instruction right? Two oracles: Zydis, and where it disagrees
 * the processor itself (cpu.h), which settles the matter in 32 and 64-bit mode. In 16-bit mode we
 * have no processor, nor in 32-bit mode on a machine that executes no such code; the listed
 * exceptions stand there instead. What is compared: random windows,
 * half of them begun with prefixes, in three modes; and the executable sections of the files named.
 * Every 500th window on which Zydis and we agree is put to the processor as well.
 *
 *   lengths [-w WINDOWS] [-s SEED] [-t FILE-TO-TIME] [FILE...]
 *
 * Planted to see it fail: any map line with one immediate too few.
 */
#include <Zydis/Zydis.h>
#include <cpuid.h>
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "arch/x86/emulate/decode.h"
#include "tests/host/emulate/cpu.h"
#include "tests/host/emulate/random.h"

enum relation {
	SAME,	    /* the same length, or both say that there is none */
	CPU_AGREES, /* we differ from Zydis, and the processor says what we say */
	LISTED,	    /* without a processor: an exception of the list below */
	FOREIGN,    /* Zydis knows it from the Xeon Phi coprocessor */
	DIFFERENT,
	RELATIONS
};

static const char *const relation_names[RELATIONS] = {
    "the same", "CPU agrees with us", "listed exceptions", "Xeon Phi's own", "different",
};

static ZydisDecoder zydis[3];
static struct cpu cpu;
static unsigned vendor_flag; /* DECODE_AMD_BRANCHES on AMD's processors */
static u64 counts[3][RELATIONS], shown, asked, windows_seen;

/*
 * Modes without a processor, and what this processor may lack: Zydis refuses, and we give a
 * length, when only the meaning of a field is reserved. None of these fields changes a length (SDM
 * vol. 2, 2.1); the processor says so in the other modes.
 *  - BAD_REGISTER: VEX.vvvv of an instruction without a third operand, control registers that do
 *    not exist, registers of a gather that must differ (SDM vol. 2, 2.3.5.6, 2.3.12);
 *  - INVALID_MASK, MALFORMED_EVEX: EVEX.aaa, z, b, V' that must or must not be set (2.7.11);
 *  - DECODING_ERROR: a form without broadcast or rounding (2.7.11); MPX with 16-bit addresses
 *    (vol. 2, "BNDLDX").
 */
static bool is_listed(ZyanStatus status)
{
	return status == ZYDIS_STATUS_BAD_REGISTER || status == ZYDIS_STATUS_INVALID_MASK ||
	       status == ZYDIS_STATUS_MALFORMED_EVEX || status == ZYDIS_STATUS_DECODING_ERROR;
}

/* Opcodes at which some processors raise #UD before they have fetched the whole: UD0 and UD1, whose
 * ModRM byte AMD's do not read, and what a processor may lack: VMREAD and VMWRITE (SSE4a's EXTRQ
 * and INSERTQ on the other side), VIA's PadLock, XOP, AVX, AVX-512. */
static bool is_given_up_early(const struct insn *insn)
{
	if (insn->map >= MAP_EVEX_0F && insn->map < MAP_XOP_8)
		return !__builtin_cpu_supports("avx512f");
	if (insn->map >= MAP_VEX_0F && insn->map < MAP_EVEX_0F)
		return !__builtin_cpu_supports("avx");
	if (insn->map != MAP_TWO_BYTE)
		return insn->map >= MAP_XOP_8;
	switch (insn->opcode) {
	case 0x78:
	case 0x79:
	case 0xa6:
	case 0xa7:
	case 0xb9:
	case 0xff:
		return true;
	}
	return false;
}

static bool has_processor(int mode)
{
	return mode == DECODE_64 || (mode == DECODE_32 && cpu.has_32);
}

static bool cpu_says(const u8 *bytes, size_t length, int mode)
{
	return !cpu_wants_more(&cpu, bytes, length, mode == DECODE_32) &&
	       (length == 1 || cpu_wants_more(&cpu, bytes, length - 1, mode == DECODE_32));
}

static void show(int mode, const u8 *bytes, size_t ours, const ZydisDecodedInstruction *z,
		 size_t theirs)
{
	if (shown++ >= 20)
		return;
	printf("  %d-bit:", 16 << mode);
	for (int i = 0; i < INSN_MAX; i++)
		printf(" %02x", bytes[i]);
	printf(": ours %zu, Zydis %zu %s\n", ours, theirs,
	       theirs ? ZydisMnemonicGetString(z->mnemonic) : "");
}

/* Returns our length, 0 if there is none. */
static size_t compare(int mode, const u8 *bytes, size_t size)
{
	ZydisDecodedInstruction z;
	struct insn insn;
	size_t ours = 0, theirs = 0;
	enum relation relation = SAME;
	ZyanStatus status = ZydisDecoderDecodeInstruction(&zydis[mode], NULL, bytes, size, &z);

	if (ZYAN_SUCCESS(status))
		theirs = z.length;
	if (decode(&insn, bytes, size, mode | (mode == DECODE_64 ? vendor_flag : 0)) == DECODE_OK)
		ours = insn.length;
	if (ours != theirs) {
		relation = DIFFERENT;
		if (!ours && (z.encoding == ZYDIS_INSTRUCTION_ENCODING_MVEX ||
			      strstr(ZydisISASetGetString(z.meta.isa_set), "KNC")))
			relation = FOREIGN;
		else if ((!has_processor(mode) || is_given_up_early(&insn)) && !theirs &&
			 is_listed(status))
			relation = LISTED;
		else if (has_processor(mode) && ours && cpu_says(bytes, ours, mode))
			relation = CPU_AGREES;
		if (relation == DIFFERENT)
			show(mode, bytes, ours, &z, theirs);
	} else if (ours && has_processor(mode) && windows_seen++ % 500 == 0 &&
		   !is_given_up_early(&insn)) {
		asked++;
		if (!cpu_says(bytes, ours, mode)) {
			relation = DIFFERENT;
			show(mode, bytes, ours, &z, theirs);
		}
	}
	counts[mode][relation]++;
	return ours;
}

/* Any prefixes, in any order and number. */
static void put_prefixes(u8 *bytes)
{
	static const u8 prefixes[] = {0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x2e, 0x36, 0x3e,
				      0x26, 0x64, 0x65, 0x0f, 0x0f, 0x0f, 0x40, 0x48,
				      0x4f, 0xc4, 0xc5, 0x62, 0x62, 0x8f};

	for (unsigned n = random_below(6), i = 0; i < n; i++)
		bytes[i] = prefixes[random_below(sizeof(prefixes))];
}

/* A VEX, EVEX or XOP prefix whose map exists, with what follows and its other fields left to
 * chance but for the reserved ones. */
static void put_vector_prefix(u8 *bytes)
{
	switch (random_below(4)) {
	case 0:
		bytes[0] = 0xc4;
		bytes[1] = 0xe0 | (1 + random_below(3));
		bytes[2] |= random_below(2) ? 0x78 : 0;
		break;
	case 1:
		bytes[0] = 0x8f;
		bytes[1] = 0xe0 | (8 + random_below(3));
		bytes[2] = 0x78 | (bytes[2] & 0x84);
		break;
	default:
		bytes[0] = 0x62;
		bytes[1] = 0xf0 | (1 + random_below(6));
		bytes[2] |= random_below(2) ? 0x7c : 4;
		bytes[3] &= random_below(2) ? 0x78 : 0xff;
		break;
	}
}

static void compare_windows(u64 windows)
{
	for (u64 i = 0; i < windows; i++) {
		u64 random[2] = {random_u64(), random_u64()};
		u8 bytes[16];

		memcpy(bytes, random, sizeof(bytes));
		if (i % 4 == 1)
			put_prefixes(bytes);
		else if (i % 4 == 3)
			put_vector_prefix(bytes);
		for (int mode = DECODE_16; mode <= DECODE_64; mode++)
			compare(mode, bytes, INSN_MAX);
	}
}

/* A file's executable sections, each handed to visit. Anything but an ELF file for x86 is passed
 * over. */
static bool visit_text(const char *path, void (*visit)(const u8 *text, size_t size, int mode))
{
	int fd = open(path, O_RDONLY);
	struct stat st;
	const u8 *file;
	bool found = false;

	if (fd < 0)
		return false;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size < (off_t)sizeof(Elf64_Ehdr)) {
		close(fd);
		return false;
	}
	file = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (file == MAP_FAILED)
		return false;
	if (!memcmp(file, ELFMAG, SELFMAG)) {
		const Elf64_Ehdr *e = (const void *)file;
		const Elf32_Ehdr *e32 = (const void *)file;
		bool wide = e->e_ident[EI_CLASS] == ELFCLASS64;
		bool ours = e->e_machine == (wide ? EM_X86_64 : EM_386);

		for (unsigned i = 0; ours && i < (wide ? e->e_shnum : e32->e_shnum); i++) {
			const Elf64_Shdr *s = (const void *)(file + e->e_shoff + i * sizeof(*s));
			const Elf32_Shdr *s32 =
			    (const void *)(file + e32->e_shoff + i * sizeof(*s32));
			u64 flags = wide ? s->sh_flags : s32->sh_flags;
			u64 offset = wide ? s->sh_offset : s32->sh_offset;
			u64 size = wide ? s->sh_size : s32->sh_size;

			if (!(flags & SHF_EXECINSTR) || offset + size > (u64)st.st_size)
				continue;
			visit(file + offset, size, wide ? DECODE_64 : DECODE_32);
			found = true;
		}
	}
	munmap((void *)file, st.st_size);
	return found;
}

static void compare_text(const u8 *text, size_t size, int mode)
{
	u8 bytes[INSN_MAX];

	for (size_t at = 0; at < size;) {
		size_t left = size - at, length;

		memset(bytes, 0x90, sizeof(bytes));
		memcpy(bytes, text + at, left < INSN_MAX ? left : INSN_MAX);
		length = compare(mode, bytes, INSN_MAX);
		at += length ? length : 1;
	}
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double time_ours(const u8 *text, size_t size, int mode, u64 *count)
{
	double start = seconds();
	struct insn insn;

	*count = 0;
	for (size_t at = 0; at < size; ++*count)
		at += decode(&insn, text + at, size - at, mode) == DECODE_OK ? insn.length : 1;
	return seconds() - start;
}

static double time_zydis(const ZydisDecoder *minimal, const u8 *text, size_t size)
{
	double start = seconds();
	ZydisDecodedInstruction z;
	ZyanStatus s;

	for (size_t at = 0; at < size;) {
		s = ZydisDecoderDecodeInstruction(minimal, NULL, text + at, size - at, &z);
		at += ZYAN_SUCCESS(s) ? z.length : 1;
	}
	return seconds() - start;
}

/* The best of several rounds by turns, since the machine has other things to do. */
static void time_text(const u8 *text, size_t size, int mode)
{
	double ours = 1e9, theirs = 1e9;
	ZydisDecoder minimal = zydis[mode];
	u64 count;

	if (size < 65536)
		return;
	ZydisDecoderEnableMode(&minimal, ZYDIS_DECODER_MODE_MINIMAL, ZYAN_TRUE);
	for (int i = 0; i < 7; i++) {
		ours = MIN(ours, time_ours(text, size, mode, &count));
		theirs = MIN(theirs, time_zydis(&minimal, text, size));
	}
	printf("speed: %lu instructions, ours %.1f ns, Zydis minimal %.1f ns: %.1f times as fast\n",
	       count, ours * 1e9 / (double)count, theirs * 1e9 / (double)count, theirs / ours);
}

static int report(u64 files)
{
	u64 failed = 0, passed = 0;

	for (int mode = DECODE_16; mode <= DECODE_64; mode++) {
		printf("%d-bit:", 16 << mode);
		for (int r = 0; r < RELATIONS; r++)
			printf(" %lu %s%s", counts[mode][r], relation_names[r],
			       r < RELATIONS - 1 ? "," : "\n");
		for (int r = 0; r < DIFFERENT; r++)
			passed += counts[mode][r];
		failed += counts[mode][DIFFERENT];
	}
	printf("lengths: %lu files; %lu agreements put to the processor too\n", files, asked);
	printf("%lu passed, %lu failed\n", passed, failed);
	return failed != 0 || passed == 0;
}

int main(int argc, char **argv)
{
	u64 windows = 1000000, files = 0;
	const char *timed = NULL;
	unsigned a, b, c, d;
	int option;

	while ((option = getopt(argc, argv, "w:s:t:")) != -1) {
		if (option == 'w')
			windows = strtoull(optarg, NULL, 0);
		else if (option == 's')
			random_state = strtoull(optarg, NULL, 0);
		else if (option == 't')
			timed = optarg;
		else
			return 2;
	}
	__cpuid(0, a, b, c, d);
	vendor_flag = c == signature_AMD_ecx ? DECODE_AMD_BRANCHES : 0;
	ZydisDecoderInit(&zydis[DECODE_16], ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16);
	ZydisDecoderInit(&zydis[DECODE_32], ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32);
	ZydisDecoderInit(&zydis[DECODE_64], ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	cpu_start(&cpu);
	printf("lengths: %lu windows, seed %lu\n", windows, random_state);
	compare_windows(windows);
	for (int i = optind; i < argc; i++)
		files += visit_text(argv[i], compare_text);
	if (timed)
		visit_text(timed, time_text);
	cpu_stop(&cpu);
	return report(files);
}
