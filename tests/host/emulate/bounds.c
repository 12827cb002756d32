// SPDX-License-Identifier: MIT
/*
 * bounds.c - does the decoder ever read past its input, and does it judge every beginning of an
 * instruction alike? The input ends where a page that nobody may touch begins. Enumerated are mode,
 * map, opcode, ModRM and class of SIB, with single prefixes, pairs of 66 F2 F3, REX, VEX, EVEX and
 * XOP fields, each truncated at every length. For a whole instruction of n bytes every shorter
 * input must give DECODE_MORE, every longer one n; where there is none, the answer must stay
 * "invalid" once given.
 *
 *   bounds [DIVISOR]     take one case in DIVISOR, by a hash
 *
 * Planted to see it fail: take() without its check, and a check that lets one byte too many
 * through.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "arch/x86/emulate/decode.h"

#define PAGE 4096

static u8 *end; /* the first byte that must not be read */
static u64 cases, failures, divisor = 1, number;
static const u8 tail[INSN_MAX] = {0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88,
				  0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};

static enum decode_result decode_truncated(struct insn *insn, const u8 *bytes, size_t count,
					   int mode)
{
	memcpy(end - count, bytes, count);
	return decode(insn, end - count, count, mode);
}

static void fail(const u8 *bytes, size_t count, int mode, const char *why)
{
	if (failures++ > 20)
		return;
	printf("  %d-bit, %zu bytes of", 16 << mode, count);
	for (int i = 0; i < INSN_MAX; i++)
		printf(" %02x", bytes[i]);
	printf(": %s\n", why);
}

static void check(const u8 *start, size_t size, int mode)
{
	struct insn whole, part;
	enum decode_result result, partial;
	bool invalid = false;
	u8 bytes[2 * INSN_MAX];

	if ((++number * 0x9e3779b97f4a7c15ul >> 33) % divisor)
		return;
	memcpy(bytes, start, size);
	memcpy(bytes + size, tail, INSN_MAX);
	result = decode_truncated(&whole, bytes, INSN_MAX, mode);
	cases++;
	if (result == DECODE_MORE ||
	    (result == DECODE_OK && (whole.length < 1 || whole.length > INSN_MAX)))
		fail(bytes, INSN_MAX, mode, "no answer for 15 bytes");
	for (size_t count = 0; count < INSN_MAX; count++) {
		partial = decode_truncated(&part, bytes, count, mode);
		cases++;
		if (partial == DECODE_TOO_LONG)
			fail(bytes, count, mode, "too long too early");
		if (result == DECODE_OK && count < whole.length && partial != DECODE_MORE)
			fail(bytes, count, mode, "a part is not a whole");
		if (result == DECODE_OK && count >= whole.length &&
		    (partial != DECODE_OK || memcmp(&part, &whole, sizeof(part))))
			fail(bytes, count, mode, "depends on what follows");
		if (result != DECODE_OK && partial == DECODE_OK)
			fail(bytes, count, mode, "valid only when short");
		if (invalid && partial != DECODE_INVALID)
			fail(bytes, count, mode, "invalid, then not");
		invalid |= partial == DECODE_INVALID;
	}
}

/* All ModRM bytes, or those that differ in shape, each with a SIB byte with and without
 * displacement. */
static void check_operands(u8 *bytes, size_t size, int mode, bool all)
{
	for (unsigned modrm = 0; modrm < 256; modrm++) {
		if (!all && !(0x71 >> (modrm & 7) & 1))
			continue;
		bytes[size] = modrm;
		bytes[size + 1] = 0x25;
		check(bytes, size + 2, mode);
		if ((modrm & 7) == 4 && modrm < 0xc0) {
			bytes[size + 1] = 0x10;
			check(bytes, size + 2, mode);
		}
	}
}

static void check_legacy(int mode)
{
	static const char *const prefixes[] = {
	    "",		"\x66",	    "\x67",	"\xf2",	    "\xf3",	"\xf0",	    "\x2e",
	    "\x36",	"\x26",	    "\x3e",	"\x64",	    "\x65",	"\x66\xf2", "\x66\xf3",
	    "\xf2\xf3", "\xf3\xf2", "\xf2\x66", "\xf3\x66", "\x67\x66", "\x48",	    "\x41",
	    "\x42",	"\x44",	    "\x66\x48", "\xf3\x48", "\xf2\x41", "\x48\x66",
	};
	static const char *const escapes[] = {"", "\x0f", "\x0f\x38", "\x0f\x3a"};
	u8 bytes[INSN_MAX];

	for (size_t p = 0; p < ARRAY_SIZE(prefixes); p++)
		for (size_t e = 0; e < ARRAY_SIZE(escapes); e++)
			for (unsigned opcode = 0; opcode < 256; opcode++) {
				size_t n = strlen(prefixes[p]), m = strlen(escapes[e]);

				memcpy(bytes, prefixes[p], n);
				memcpy(bytes + n, escapes[e], m);
				bytes[n + m] = opcode;
				check_operands(bytes, n + m + 1, mode, true);
			}
}

/* C5, C4 and 8F with all their maps and fields, legal or not. */
static void check_vex(int mode)
{
	u8 bytes[INSN_MAX];

	for (unsigned opcode = 0; opcode < 256; opcode++) {
		for (unsigned fields = 0; fields < 256; fields += fields & 4 ? 1 + 0x78 : 1) {
			bytes[0] = 0xc5;
			bytes[1] = fields;
			bytes[2] = opcode;
			check_operands(bytes, 3, mode, false);
		}
		for (unsigned rxb_map = 0; rxb_map < 256; rxb_map++) {
			if ((rxb_map & 0x1f) > 10 && (rxb_map & 0x1f) != 0x1f)
				continue;
			for (unsigned w_l_pp = 0; w_l_pp < 16; w_l_pp++) {
				bytes[0] = w_l_pp & 1 && rxb_map & 8 ? 0x8f : 0xc4;
				bytes[1] = rxb_map;
				bytes[2] = 0x78 | (w_l_pp & 8) << 4 | (w_l_pp & 7);
				bytes[3] = opcode;
				check_operands(bytes, 4, mode, false);
			}
		}
	}
}

static void check_evex(int mode)
{
	u8 bytes[INSN_MAX] = {0x62};

	for (unsigned opcode = 0; opcode < 256; opcode++)
		for (unsigned map = 0; map < 16; map++)
			for (unsigned w_pp = 0; w_pp < 8; w_pp++)
				for (unsigned l_b = 0; l_b < 8; l_b++) {
					bytes[1] = 0xf0 | map;
					bytes[2] = 0x7c | (w_pp & 4) << 5 | (w_pp & 3);
					bytes[3] = 0x08 | l_b << 4;
					bytes[4] = opcode;
					check_operands(bytes, 5, mode, false);
				}
}

static void check_prefix_runs(int mode)
{
	u8 bytes[INSN_MAX];

	for (unsigned count = 0; count <= INSN_MAX; count++) {
		memset(bytes, 0x66, sizeof(bytes));
		if (count < INSN_MAX)
			bytes[count] = 0x90;
		check(bytes, INSN_MAX, mode);
	}
}

int main(int argc, char **argv)
{
	u8 *pages =
	    mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (pages == MAP_FAILED || mprotect(pages + PAGE, PAGE, PROT_NONE))
		return 2;
	end = pages + PAGE;
	if (argc > 1)
		divisor = strtoull(argv[1], NULL, 0);
	for (int mode = DECODE_16; mode <= DECODE_64; mode++) {
		check_legacy(mode);
		check_vex(mode);
		check_evex(mode);
		check_prefix_runs(mode);
	}
	printf("bounds: %lu inputs, one case in %lu\n", cases, divisor);
	printf("%lu passed, %lu failed\n", cases - failures, failures);
	return failures != 0 || cases == 0;
}
