/* SPDX-License-Identifier: MIT */
/* loader.h - begin a guest with its loader (guest-abi/loader.h): frames, first tables, registers.
 * */
#ifndef RUN_LOADER_H
#define RUN_LOADER_H

#include "object/guest.h"

/* 0, or -E: not enough memory, or the embedded image is not whole. */
int loader_begin(struct guest *g) __must_check;

#endif
