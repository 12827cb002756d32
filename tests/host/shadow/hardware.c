// SPDX-License-Identifier: MIT
/* hardware.c - see hardware.h. Written without a look at mm/shadow: it shares only the manual with
 * it. */
#include "mm/machine.h"
#include "tests/host/shadow/hardware.h"

enum { P = 1, W = 2, U = 4, A = 32, D = 64, PS = 128 };
#define NX   (1ul << 63)
#define ADDR 0x000ffffffffff000ul

void hardware_flush(struct hardware *h)
{
	for (unsigned i = 0; i < ARRAY_SIZE(h->tlb); i++)
		h->tlb[i].page = ~0ul;
}

static bool permits(const struct hardware *h, u64 bits, struct shadow_access access)
{
	if (access.fetch && bits & NX)
		return false;
	if (access.user)
		return bits & U && (!access.write || bits & W);
	if (bits & U && access.fetch && h->smep)
		return false;
	if (bits & U && !access.fetch && h->smap && !access.ac)
		return false;
	return !access.write || bits & W; /* CR0.WP is 1 */
}

static struct hardware_answer refuse(u32 code, struct shadow_access access)
{
	return (struct hardware_answer){
	    .error_code = code | access.write << 1 | access.user << 2 | access.fetch << 4,
	};
}

/* What all levels grant together, in the bits of an entry. */
static u64 narrow(u64 have, u64 entry)
{
	return (have & entry & (W | U)) | ((have | entry) & NX);
}

static bool cached(struct hardware *h, gva_t gva, struct shadow_access access, mfn_t *mfn)
{
	for (unsigned i = 0; i < ARRAY_SIZE(h->tlb); i++) {
		u64 bits = h->tlb[i].spte_bits;

		if (h->tlb[i].page != gva.v >> 12 || !permits(h, bits, access))
			continue;
		if (access.write && !(bits & D))
			continue; /* the walk will set it */
		*mfn = h->tlb[i].mfn;
		return true;
	}
	return false;
}

/* A and D are set in one locked step, and only in an entry that is still what the walk has read:
 * the monitor may change it on another CPU meanwhile. */
static bool set_bits(u64 *cell, u64 *entry, u64 bits)
{
	u64 old = *entry;

	*entry |= bits;
	return *entry == old || __atomic_compare_exchange_n(cell, &old, *entry, false,
							    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

struct hardware_answer hardware_access(struct hardware *h, mfn_t root, gva_t gva,
				       struct shadow_access access)
{
	u64 have, entry, *cell;
	mfn_t table, hit;
	int level;

	if (cached(h, gva, access, &hit))
		return (struct hardware_answer){.ok = true, .mfn = hit};
again:
	have = W | U;
	table = root;
	for (level = 4;; level--) {
		cell = (u64 *)machine_map(table) + (gva.v >> (3 + 9 * level) & 511);
		entry = __atomic_load_n(cell, __ATOMIC_RELAXED);
		if (!(entry & P))
			return refuse(0, access);
		if (entry & PS && (level > 2 || (level == 2 && entry & 0x1ff000)))
			return refuse(P | 8, access); /* none are made */
		have = narrow(have, entry);
		table = MFN((entry & ADDR) >> 12);
		if (level == 1 || entry & PS)
			break;
		if (!set_bits(cell, &entry, A))
			goto again;
	}
	if (!permits(h, have, access))
		return refuse(P, access);
	if (!set_bits(cell, &entry, access.write ? A | D : A))
		goto again;
	if (level == 2)
		table.v += gva.v >> 12 & 511;
	h->tlb[h->next].page = gva.v >> 12;
	h->tlb[h->next].spte_bits = have | (entry & D);
	h->tlb[h->next].mfn = table;
	h->next = (h->next + 1) % ARRAY_SIZE(h->tlb);
	return (struct hardware_answer){.ok = true, .mfn = table};
}
