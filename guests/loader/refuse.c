// SPDX-License-Identifier: MIT
/* refuse.c - see refuse.h. */
#include "guests/loader/refuse.h"
#include <stddef.h>
#include "guest-abi/kit/calls.h"
#include "guest-abi/layout.h"

#define MIB (1ul << 20)

struct text {
	char bytes[GN_SHUTDOWN_TEXT + 1];
	size_t size;
};

_Noreturn void refuse(const char *why)
{
	size_t size = 0;

	while (why[size] && size < GN_SHUTDOWN_TEXT)
		size++;
	gn_shutdown(GN_SHUTDOWN_CRASH, (uint64_t)why, size);
	for (;;) /* shutdown does not return */
		gn_block();
}

static void add(struct text *t, const char *words)
{
	while (*words && t->size < GN_SHUTDOWN_TEXT)
		t->bytes[t->size++] = *words++;
}

static void add_number(struct text *t, uint64_t value)
{
	char digits[21], *d = digits + sizeof(digits) - 1;

	*d = 0;
	do
		*--d = '0' + value % 10;
	while (value /= 10);
	add(t, d);
}

_Noreturn void refuse_memory(uint64_t needed, uint64_t present)
{
	static struct text t;

	add(&t, "the kernel needs ");
	add_number(&t, needed / MIB + (needed % MIB != 0));
	add(&t, " MiB of memory, and the guest has ");
	add_number(&t, present / MIB);
	add(&t, " MiB");
	refuse(t.bytes);
}
