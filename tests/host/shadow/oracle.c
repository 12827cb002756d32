// SPDX-License-Identifier: MIT
/* oracle.c - see oracle.h. */
#include "mm/machine.h"
#include "tests/host/shadow/oracle.h"

enum { P = 1, W = 2, U = 4, A = 32, D = 64, PS = 128 };
#define NX   (1ul << 63)
#define ADDR 0x000ffffffffff000ul

struct path {
	int levels; /* entries read */
	u64 gfns[4], entries[4];
	u32 fault;   /* error bits P and RSVD; ~0: none */
	int missing; /* level whose table is not to be had, as an index; -1: none */
	struct oracle_translation t;
};

static bool has(const struct oracle_memory *m, u64 gfn)
{
	return gfn < ORACLE_GFNS && !mfn_is_none(m->mfn[gfn]);
}

static bool is_malformed(const struct oracle_cpu *cpu, int index, u64 entry)
{
	u64 frame = entry & ADDR;

	if (frame >> cpu->physical_bits)
		return true;
	if (entry & NX && !cpu->mode.nxe)
		return true;
	if (index == 3 || !(entry & PS))
		return false;
	if (index == 0 || (index == 1 && !cpu->has_1g_pages))
		return true;
	return frame & (index == 1 ? 0x3fffe000ul : 0x1fe000ul);
}

static struct path walk(const struct oracle_memory *m, const struct oracle_cpu *cpu, gva_t gva)
{
	struct path p = {.fault = ~0u, .missing = -1, .t = {.w = true, .u = true, .x = true}};
	u64 gfn = (cpu->cr3 & ADDR) >> 12;

	for (int i = 0; i < 4; i++) {
		unsigned shift = 39 - 9 * i, slot = gva.v >> shift & 511;
		u64 entry;

		p.gfns[i] = gfn;
		if (!has(m, gfn) || !(m->rights[gfn] & P2M_R)) {
			p.missing = i;
			return p;
		}
		if (m->published[gfn]) {
			p.fault = 9;
			return p;
		}
		entry = ((u64 *)machine_map(m->mfn[gfn]))[slot];
		p.entries[p.levels++] = entry;
		if (!(entry & P) || is_malformed(cpu, i, entry)) {
			p.fault = entry & P ? 9 : 0;
			return p;
		}
		p.t.w &= !!(entry & W);
		p.t.u &= entry & U && !(i == 0 && slot >= cpu->supervisor_from_slot);
		p.t.x &= !(entry & NX);
		gfn = (entry & ADDR) >> 12;
		if (i == 3 || entry & PS) {
			u64 within = (1ul << shift >> 12) - 1;

			p.t.present = true;
			p.t.gfn = GFN((gfn & ~within) | (gva.v >> 12 & within));
			return p;
		}
	}
	return p;
}

bool oracle_permits(const struct oracle_cpu *cpu, const struct oracle_translation *t,
		    struct shadow_access access)
{
	if (!t->present || (access.fetch && !t->x))
		return false;
	if (access.user)
		return t->u && (t->w || !access.write);
	if (t->u && access.fetch && cpu->mode.smep)
		return false;
	if (t->u && !access.fetch && cpu->mode.smap && !access.ac)
		return false;
	return t->w || !access.write || !cpu->mode.wp;
}

static struct oracle_answer refused(const struct oracle_memory *m, u64 gfn, unsigned intent)
{
	bool watched = has(m, gfn) && !(m->rights[gfn] & P2M_ON_DEMAND);

	return (struct oracle_answer){
	    .verdict = watched ? SHADOW_WATCHED : SHADOW_POPULATE,
	    .gfn = GFN(gfn),
	    .intent = intent,
	};
}

struct oracle_answer oracle_access(const struct oracle_memory *m, const struct oracle_cpu *cpu,
				   gva_t gva, struct shadow_access access)
{
	unsigned intent = access.write ? P2M_W : access.fetch ? P2M_X : P2M_R;
	struct path p = walk(m, cpu, gva);
	u64 gfn = p.t.gfn.v;

	if (p.missing >= 0)
		return refused(m, p.gfns[p.missing], P2M_R);
	if (p.fault == ~0u && !oracle_permits(cpu, &p.t, access))
		p.fault = 1;
	if (p.fault != ~0u) {
		bool tells_fetch = cpu->mode.nxe || cpu->mode.smep;

		return (struct oracle_answer){
		    .verdict = SHADOW_REFLECT,
		    .error_code = p.fault | access.write << 1 | access.user << 2 |
				  (access.fetch && tells_fetch) << 4,
		};
	}
	if (!has(m, gfn) || (m->rights[gfn] & (intent | P2M_R)) != (intent | P2M_R))
		return refused(m, gfn, intent);
	for (int i = 0; i < p.levels; i++) {
		bool d = access.write && i == p.levels - 1 && !(p.entries[i] & D);

		if ((d || !(p.entries[i] & A)) && !(m->rights[p.gfns[i]] & P2M_W))
			return refused(m, p.gfns[i], P2M_W);
	}
	return (struct oracle_answer){.verdict = SHADOW_FIXED, .translation = p.t};
}

struct oracle_translation oracle_translate(const struct oracle_memory *m,
					   const struct oracle_cpu *cpu, gva_t gva)
{
	struct path p = walk(m, cpu, gva);

	if (!p.t.present)
		p.t = (struct oracle_translation){.present = false};
	return p.t;
}

bool oracle_is_marked(const struct oracle_memory *m, const struct oracle_cpu *cpu, gva_t gva,
		      bool write)
{
	struct path p = walk(m, cpu, gva);

	for (int i = 0; i < p.levels; i++)
		if (!(p.entries[i] & A))
			return false;
	return p.t.present && (!write || p.entries[p.levels - 1] & D);
}
