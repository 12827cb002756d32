/* SPDX-License-Identifier: MIT */
/* universe.h - what there is in the small world: frames, pages, entries that chance makes. */
#ifndef TESTS_HOST_SHADOW_UNIVERSE_H
#define TESTS_HOST_SHADOW_UNIVERSE_H

#include "tests/host/shadow/world.h"

#define TABLES	   14 /* gfns 0.. are tables; the first ROOTS of them top-level ones */
#define ROOTS	   3
#define LINEAR	   14 /* gfns 14, 15, 16: levels 3, 2, 1 of the kernel's view of all frames */
#define PUBLISHED  60
#define GFNS	   64  /* frames of all kinds, which the linear map shows */
#define BLOCK	   512 /* gfns 512 to 1023 are one run of machine frames: room for a large page */
#define PAGES	   (16 + GFNS)

gva_t page_gva(unsigned page);
u64 entry_of(const struct op *op);

#endif
