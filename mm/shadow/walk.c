// SPDX-License-Identifier: MIT
/*
 * walk.c - the guest's own tables, walked as the CPU would walk them for a guest at CPL 0 or 3:
 * what an access to gva may do, and which error code it gets (SDM volume 3, 4.6 and 4.7).
 *
 * Every entry is read once. A table in a frame that p2m does not grant is an answer like any other;
 * one in a published frame looks like an entry with reserved bits, since such frames are never
 * tables.
 */
#include "lib/errno.h"
#include "mm/shadow/private.h"

bool gpte_read(const struct shadow *s, gfn_t table, unsigned slot, u64 *gpte)
{
	const struct p2m_entry *e = p2m_lookup(s->config.p2m, table);

	if (!e || (e->word & (P2M_R | P2M_PUBLISHED)) != P2M_R)
		return false;
	*gpte = READ_ONCE(((u64 *)machine_map(p2m_entry_mfn(e)))[slot]);
	return true;
}

static enum shadow_verdict refused(const struct p2m_entry *e, gfn_t gfn, unsigned intent,
				   struct shadow_result *result)
{
	result->gfn = gfn;
	result->intent = intent;
	return p2m_entry_answer(e, intent) == P2M_POPULATE ? SHADOW_POPULATE : SHADOW_WATCHED;
}

static enum shadow_verdict reflect(unsigned mode, struct shadow_access access, u32 cause,
				   struct shadow_result *result)
{
	result->error_code = cause | (access.write ? PF_W : 0) | (access.user ? PF_U : 0);
	if (access.fetch && mode & (MODE_NXE | MODE_SMEP))
		result->error_code |= PF_I;
	return SHADOW_REFLECT;
}

/* SDM volume 3, 4.6.1. */
static bool may_access(unsigned mode, unsigned have, struct shadow_access access)
{
	bool is_user_page = have & ACCESS_U;

	if (access.fetch && !(have & ACCESS_X))
		return false;
	if (access.user)
		return is_user_page && (!access.write || have & ACCESS_W);
	if (access.fetch)
		return !is_user_page || !(mode & MODE_SMEP);
	if (is_user_page && mode & MODE_SMAP && !access.ac)
		return false;
	return !access.write || have & ACCESS_W || !(mode & MODE_WP);
}

enum shadow_verdict walk_read(struct shadow_vcpu *sv, gva_t gva, struct shadow_access access,
			      struct walk *w, struct shadow_result *result)
{
	const struct shadow *s = sv->shadow;
	gfn_t table = GFN((sv->cr3 & PTE_FRAME) >> PAGE_SHIFT);
	unsigned have = ACCESS_ALL, level = 4;
	u64 gpte;

	for (;; level--) {
		const struct p2m_entry *e = p2m_lookup(s->config.p2m, table);
		unsigned slot = slot_of(gva, level);

		if (p2m_entry_answer(e, P2M_R) != P2M_GRANTED)
			return refused(e, table, P2M_R, result);
		if (e->word & P2M_PUBLISHED)
			return reflect(sv->mode, access, PF_P | PF_RSVD, result);
		w->table[level] = table;
		w->cell[level] = (u64 *)machine_map(p2m_entry_mfn(e)) + slot;
		w->gpte[level] = gpte = READ_ONCE(*w->cell[level]);
		if (!(gpte & PTE_P))
			return reflect(sv->mode, access, 0, result);
		if (gpte_is_reserved(s, sv->mode, level, gpte))
			return reflect(sv->mode, access, PF_P | PF_RSVD, result);
		have &= gpte_access(gpte);
		if (level == 4 && slot >= s->config.supervisor_from_slot)
			have &= ~ACCESS_U;
		if (level == 1 || gpte & PTE_PS)
			break;
		table = GFN((gpte & PTE_FRAME) >> PAGE_SHIFT);
	}
	if (!may_access(sv->mode, have, access))
		return reflect(sv->mode, access, PF_P, result);

	w->level = level;
	w->access = have;
	w->gfn = GFN((gpte & PTE_FRAME) >> PAGE_SHIFT);
	if (level > 1) {
		u64 frames = 1ul << 9 * (level - 1);

		w->gfn.v = (w->gfn.v & ~(frames - 1)) | (gva.v >> PAGE_SHIFT & (frames - 1));
	}
	return SHADOW_FIXED;
}

int walk_mark(struct shadow_vcpu *sv, struct walk *w, bool write, struct shadow_result *result,
	      enum shadow_verdict *verdict)
{
	for (unsigned level = 4; level >= w->level; level--) {
		u64 old = w->gpte[level], new = old | PTE_A;
		const struct p2m_entry *e;

		if (write && level == w->level)
			new |= PTE_D;
		if (new == old)
			continue;
		e = p2m_lookup(sv->shadow->config.p2m, w->table[level]);
		if (p2m_entry_answer(e, P2M_W) != P2M_GRANTED) {
			*verdict = refused(e, w->table[level], P2M_W, result);
			return 0;
		}
		if (!__atomic_compare_exchange_n(w->cell[level], &old, new, false, __ATOMIC_SEQ_CST,
						 __ATOMIC_SEQ_CST))
			return -EAGAIN;
		w->gpte[level] = new;
	}
	*verdict = SHADOW_FIXED;
	return 0;
}
