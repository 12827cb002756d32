// SPDX-License-Identifier: MIT
/* console.c - the guest's console. Short counts keep each call bounded. */
#include "hypercall/native/native.h"
#include "lib/errno.h"

#define PIECE 512

struct call_result native_console_write(struct guest *g, struct gn_args_console_write *a)
{
	struct vcpu_copy_result result;
	u64 size = MIN(a->size, PIECE);
	char text[PIECE];

	if (vcpu_read(&g->vcpu, a->address, text, size, &result))
		return call_done(-EFAULT);
	guest_console_write(g, text, size);
	return call_done(size);
}

struct call_result native_console_read(struct guest *g, struct gn_args_console_read *a)
{
	u32 head = g->console.head;
	struct vcpu_copy_result result;
	char text[CONSOLE_INPUT];
	u64 size = guest_console_read(g, text, MIN(a->size, sizeof(text)));

	if (size && vcpu_write(&g->vcpu, a->address, text, size, &result)) {
		g->console.head = head; /* nothing is lost */
		return call_done(-EFAULT);
	}
	return call_done(size);
}
