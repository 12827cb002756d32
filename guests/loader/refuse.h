/* SPDX-License-Identifier: MIT */
/* refuse.h - the loader's other end: it tells the monitor why this guest cannot be. */
#ifndef GUESTS_LOADER_REFUSE_H
#define GUESTS_LOADER_REFUSE_H

#include <stdint.h>

/* A sentence of at most GN_SHUTDOWN_TEXT bytes. */
_Noreturn void refuse(const char *why);

/* Too little memory; both in bytes. */
_Noreturn void refuse_memory(uint64_t needed, uint64_t present);

#endif
