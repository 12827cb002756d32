// SPDX-License-Identifier: MIT
/* table.c - the native ABI as a table of calls. */
#include "hypercall/native/native.h"

#define X(number, name, arguments, flags, promise)                                                 \
	static struct call_result call_##name(struct guest *g, u64 *registers)                     \
	{                                                                                          \
		return native_##name(g, (struct gn_args_##name *)registers);                       \
	}
GN_HYPERCALLS(X)
#undef X

static struct call_result no_device(struct guest *g, u64 *registers)
{
	(void)g, (void)registers;
	return call_done(-ENODEV);
}

static const call_fn native_calls[] = {
#define X(number, name, arguments, flags, promise)                                                 \
	[number] = (flags)&GN_ABSENT ? no_device : call_##name,
    GN_HYPERCALLS(X)
#undef X
};

static const u8 native_flags[] = {
#define X(number, name, arguments, flags, promise) [number] = flags,
    GN_HYPERCALLS(X)
#undef X
};

_Static_assert(sizeof(native_flags) <= GN_FIRST_OP_SLOT, "each call has a slot of its own");

/* A native guest has everything from the start. */
static int begin(struct guest *g, u64 argument)
{
	(void)g, (void)argument;
	return 0;
}

static void end(struct guest *g)
{
	(void)g;
}

const struct personality personality_native = {
    .name = "native",
    .count = ARRAY_SIZE(native_calls),
    .call = native_calls,
    .flags = native_flags,
    .notice = GN_CALL_pte_changed,
    .begin = begin,
    .end = end,
};
