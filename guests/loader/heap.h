/* SPDX-License-Identifier: MIT */
/*
 * heap.h - memory for unpacking: the guest's own RAM from its end downwards. The kernel goes lower,
 * and all of this is free again when it begins, so unpacking costs the machine no frame of its own.
 * Nothing is ever given back: a decoder takes what it needs once. Pure.
 */
#ifndef GUESTS_LOADER_HEAP_H
#define GUESTS_LOADER_HEAP_H

#include <stdbool.h>
#include <stdint.h>

struct heap {
	uint64_t top;	 /* the end of RAM */
	uint64_t bottom; /* [bottom, top) is taken */
	uint64_t floor;	 /* below is the kernel's */
	uint64_t wanted; /* bytes of the first request that did not fit, or 0 */
};

/* The refusal when RAM does not hold what it must, from here and from others; main.c says in its
 * place how much would do. */
extern const char memory_too_small[];

void heap_begin(struct heap *h, uint64_t memory_size);
/* 64-aligned bytes at *at, of any content. False: they do not fit. */
bool heap_take(struct heap *h, uint64_t size, uint64_t *at) __attribute__((warn_unused_result));
/* RAM below end is the kernel's. False: the heap reaches into it already. */
bool heap_keep_above(struct heap *h, uint64_t end) __attribute__((warn_unused_result));
/* Bytes taken, and those of the request that did not fit. */
uint64_t heap_used(const struct heap *h);

#endif
