/* SPDX-License-Identifier: MIT */
/* pte.h - the bits of a page-table entry with 64-bit paging, whoever's it is (SDM 3A 4.5). */
#ifndef MM_PTE_H
#define MM_PTE_H

#define PTE_P	  (1ul << 0)
#define PTE_W	  (1ul << 1)
#define PTE_U	  (1ul << 2)
#define PTE_PWT	  (1ul << 3)
#define PTE_PCD	  (1ul << 4)
#define PTE_A	  (1ul << 5)
#define PTE_D	  (1ul << 6)
#define PTE_PS	  (1ul << 7) /* a large page, at levels 2 and 3 */
#define PTE_NX	  (1ul << 63)
#define PTE_FRAME 0x000ffffffffff000ul

#endif
