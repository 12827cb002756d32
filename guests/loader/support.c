// SPDX-License-Identifier: MIT
/* support.c - see support.h. */
#include "guests/loader/support.h"
#include <stddef.h>
#include "guest-abi/kit/calls.h"
#include "guest-abi/kit/memory.h"

/* What the libraries call by these names; the declarations are those of <stdlib.h>. */
void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void free(void *block);
_Noreturn void __stack_chk_fail(void);
unsigned long long ZSTD_trace_decompress_begin(const void *context);
void ZSTD_trace_decompress_end(unsigned long long trace, const void *what);

extern void (*const loader_constructors[])(void), (*const loader_constructors_end[])(void);

static struct heap *heap;
static char *ram;

/*
 * The libraries are compiled with stack guards, which read the guard's value at 0x28 from the FS
 * base. It need not be secret: who smashes this stack gains what the guest has anyway.
 */
static uint64_t thread_block[6] = {[5] = 0x6e6f6d6f6e6700ff};

void support_begin(struct heap *new_heap, char *new_ram)
{
	heap = new_heap;
	ram = new_ram;
	gn_set_segment_base(GN_BASE_FS, (uint64_t)thread_block);
	for (void (*const *f)(void) = loader_constructors; f < loader_constructors_end; f++)
		(*f)();
}

void *malloc(size_t size)
{
	uint64_t at;

	return heap_take(heap, size, &at) ? ram + at : NULL;
}

void *calloc(size_t count, size_t size)
{
	size_t total;
	void *block = __builtin_mul_overflow(count, size, &total) ? NULL : malloc(total);

	return block ? memset(block, 0, total) : NULL;
}

void free(void *block)
{
	(void)block; /* a decoder takes what it needs once, and all of it ends with the loader */
}

void __stack_chk_fail(void)
{
	static const char why[] = "a library overran its stack while it unpacked the kernel";

	gn_shutdown(GN_SHUTDOWN_CRASH, (uint64_t)why, sizeof(why) - 1);
	for (;;) /* shutdown does not return */
		gn_block();
}

/*
 * libzstd's hooks for a tracer, which it looks for at link time as weak symbols. Undefined they
 * would be at address 0, out of this program's reach. A trace of 0 is none.
 */
unsigned long long ZSTD_trace_decompress_begin(const void *context)
{
	(void)context;
	return 0;
}

void ZSTD_trace_decompress_end(unsigned long long trace, const void *what)
{
	(void)trace, (void)what;
}
