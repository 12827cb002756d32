/* SPDX-License-Identifier: MIT */
/*
 * support.h - what the unpacking libraries expect of a C library that there is none of here: an
 * allocator, a stack guard's value, constructors that have run.
 */
#ifndef GUESTS_LOADER_SUPPORT_H
#define GUESTS_LOADER_SUPPORT_H

#include "guests/loader/heap.h"

/* Before any library function: malloc() takes from this heap, which is of RAM at ram. */
void support_begin(struct heap *heap, char *ram);

#endif
