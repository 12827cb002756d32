/* SPDX-License-Identifier: MIT */
/*
 * types.h - addresses and frame numbers, each boxed in a structure of its own, so that a guest's
 * address cannot be dereferenced and a guest's frame number cannot be used as the machine's. The
 * boxes cost nothing: they travel in registers.
 *
 *   gva  guest virtual    gpa  guest physical    gfn  gpa >> 12
 *                         maddr  the machine's   mfn  maddr >> 12
 */
#ifndef MM_TYPES_H
#define MM_TYPES_H

#include "lib/types.h"

#define PAGE_SHIFT 12
#define PAGE_SIZE  4096ul
#define PAGE_MASK  (~(PAGE_SIZE - 1))

typedef struct { u64 v; } gva_t;
typedef struct { u64 v; } gpa_t;
typedef struct { u64 v; } gfn_t;
typedef struct { u64 v; } maddr_t;
typedef struct { u64 v; } mfn_t;

#define GVA(x)	 ((gva_t){(x)})
#define GPA(x)	 ((gpa_t){(x)})
#define GFN(x)	 ((gfn_t){(x)})
#define MADDR(x) ((maddr_t){(x)})
#define MFN(x)	 ((mfn_t){(x)})

#define MFN_NONE ((mfn_t){~0ul})
#define GFN_NONE ((gfn_t){~0ul})

static inline bool mfn_is_none(mfn_t m) { return m.v == ~0ul; }
static inline bool gfn_is_none(gfn_t g) { return g.v == ~0ul; }
static inline bool mfn_equal(mfn_t a, mfn_t b) { return a.v == b.v; }
static inline bool gfn_equal(gfn_t a, gfn_t b) { return a.v == b.v; }
static inline gfn_t gpa_to_gfn(gpa_t a) { return GFN(a.v >> PAGE_SHIFT); }
static inline gpa_t gfn_to_gpa(gfn_t g) { return GPA(g.v << PAGE_SHIFT); }
static inline mfn_t maddr_to_mfn(maddr_t a) { return MFN(a.v >> PAGE_SHIFT); }
static inline maddr_t mfn_to_maddr(mfn_t m) { return MADDR(m.v << PAGE_SHIFT); }

#endif
