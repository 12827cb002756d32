// SPDX-License-Identifier: MIT
/* universe.c - see universe.h. */
#include "tests/host/shadow/universe.h"

gva_t page_gva(unsigned page)
{
	if (page >= 16)
		return GVA(0xffffff8000000000 | (u64)(page - 16) << 12);
	return GVA((u64)(page >> 3 & 1) << 39 | (u64)(page >> 2 & 1) << 30 |
		   (u64)(page >> 1 & 1) << 21 | (u64)(page & 1) << 12);
}

u64 entry_of(const struct op *op)
{
	u64 gfn = op->c % (GFNS + 4), entry = 0;
	u32 d = op->d;

	if (op->c < 128)
		gfn = op->c % TABLES; /* mostly tables */
	if (op->c >= 248)
		return BLOCK << 12 | 0xa7 | (op->d & 0x40);
	if (gfn >= GFNS)
		gfn = (u64[]){100, 1ul << 32, BLOCK, (1ul << 40) - 1}[gfn - GFNS];
	entry |= (d & 7) != 0;
	entry |= (u64)((d >> 3 & 3) != 0) << 1;
	entry |= (u64)((d >> 5 & 3) != 0) << 2;
	entry |= (u64)(d >> 7 & 1) << 5 | (u64)(d >> 8 & 1) << 6;
	entry |= (d >> 9 & 7) == 0 ? 1ul << 63 : 0;
	entry |= (u64)(d >> 12 & 1) << 8 | (u64)(d >> 13 & 1) << 4;
	if ((d >> 14 & 31) == 0)
		entry |= 1ul << (46 + (d >> 19 & 3));
	if ((d >> 21 & 7) == 0) {
		entry |= 1 << 7;
		gfn = (d >> 24 & 7) == 0 ? gfn : (d >> 24 & 7) == 1 ? 1 : d >> 27 & 1 ? BLOCK : 0;
	}
	return entry | gfn << 12;
}
