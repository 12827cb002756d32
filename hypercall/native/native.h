/* SPDX-License-Identifier: MIT */
/*
 * native.h - the handlers of the native ABI, one for each line of guest-abi/hypercalls.h. The
 * arguments are named once, there; they lie in the guest's registers, and a handler that works in
 * pieces advances them there.
 */
#ifndef HYPERCALL_NATIVE_NATIVE_H
#define HYPERCALL_NATIVE_NATIVE_H

#include "guest-abi/hypercalls.h"
#include "hypercall/hypercall.h"

#define X(number, name, arguments, flags, promise)                                                 \
	struct call_result native_##name(struct guest *g, struct gn_args_##name *a);
GN_HYPERCALLS(X)
#undef X

#endif
