/* SPDX-License-Identifier: MIT */
/* loader.h - a guest with its loader (guest-abi/loader.h): frames, first tables, registers. */
#ifndef RUN_LOADER_H
#define RUN_LOADER_H

#include "object/guest.h"

/* Give the guest its RAM and the loader, in pieces: begin, then continue until it is 0. One guest
 * at a time. -EAGAIN: a bounded piece is done. Other -E: not enough memory, or the embedded image
 * is not whole. */
void loader_begin(struct guest *g);
int loader_continue(void) __must_check;

/* How many frames all of that takes, but for the p2m's tables. */
u64 loader_frames(const struct guest_config *config);

#endif
