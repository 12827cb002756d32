// SPDX-License-Identifier: MIT
/*
 * int-n - INT n for every n, from both rings (R17, R20).
 *
 * A gate decides by its DPL who may call it. The guest's gates allow ring 3 the vectors 3, 4 and
 * 0x80; any other INT of ring 3 must be #GP with the error code that names the gate (SDM 3A
 * 6.13), never the gate itself: a user who could INT 14 or INT 8 would run a handler on words
 * that no CPU pushed. From the kernel's ring every INT reaches its gate on the bare machine. On
 * Gnomon the vectors also have gates of the monitor, behind which lie its own handlers; neither
 * ring may get there, so ring 1 sees its own gate or #GP with the error code that names it. Ring
 * 3 may not make a hypercall by INT either.
 */
#include "tests/guest/lib/test.h"

const char test_name[] = "int-n";

/* INT n, the n at its second byte. */
static u8 code[] = {0xcd, 0};
static const struct snippet int_n = {code, code + sizeof(code)};

#define HAS_ERROR(v) (0x60227d00u >> (v)&1)

/* #GP's error code for a gate: vector * 8 + 2. QEMU without a monitor says vector * 16 + 2. */
static bool names_gate(u64 error, unsigned vector)
{
	return error == vector * 8 + 2 || error == vector * 16 + 2;
}

static void from_user(unsigned n)
{
	struct state s = run(USER, &int_n);

	if (n == 3 || n == 4 || n == 0x80) {
		check(s.vector == n && s.rip == USER_CODE + 2 && s.error == 0,
		      "INT %u at ring 3 took %lu at %lx, error %lx", n, s.vector, s.rip, s.error);
		return;
	}
	check(s.vector == 13 && names_gate(s.error, n) && s.rip == USER_CODE,
	      "INT %u at ring 3 took %lu at %lx, error %lx", n, s.vector, s.rip, s.error);
}

/*
 * The hypercall's gate takes INT 0x82 of the kernel's ring. A vector with an error code pushes
 * none by INT, so that its handler finds a frame that is short by a word: our handler would
 * misread it, and the gate is left out.
 */
static void from_kernel(unsigned n)
{
	struct state s;

	if (n < 32 && HAS_ERROR(n))
		return;
	s = state_for(KERNEL);
	s.rax = GN_CALL_version;
	run_state(&s, KERNEL, &int_n);
	if (on_gnomon && n == GN_HYPERCALL_VECTOR) {
		check(s.vector == DONE && s.rax == (GN_ABI_MAJOR << 16 | GN_ABI_MINOR),
		      "INT %x as a hypercall: %lu, RAX %lx", n, s.vector, s.rax);
		return;
	}
	if (on_gnomon && s.vector == 13)
		check(names_gate(s.error, n) && s.rip == KERNEL_CODE,
		      "INT %u at ring 1: error %lx at %lx", n, s.error, s.rip);
	else
		check(s.vector == n && s.rip == KERNEL_CODE + 2,
		      "INT %u at the kernel's ring took %lu at %lx", n, s.vector, s.rip);
}

void test_main(void)
{
	for (unsigned n = 0; n < 256; n++) {
		code[1] = n;
		from_user(n);
		from_kernel(n);
	}
}
