// SPDX-License-Identifier: MIT
/*
 * walk.c - the guest's own tables, walked as the CPU would walk them for a guest at CPL 0 or 3:
 * what an access to gva may do, and which error code it gets (SDM volume 3, 4.6 and 4.7).
 *
 * Every entry is read once, the first perhaps by the caller. A table in a frame that p2m does not
 * grant is an answer like any other; one in a published frame looks like an entry with reserved
 * bits, since such frames are never tables.
 */
#include "lib/errno.h"
#include "mm/shadow/private.h"

#define WALK_TRIES 100 /* another vCPU may change entries between our reading and marking them */

static gfn_t gfn_in(u64 entry)
{
	return GFN((entry & PTE_FRAME) >> PAGE_SHIFT);
}

/* Where a level's table was, by what the walk has read above it. */
static gfn_t table_of(const struct walk *w, unsigned level)
{
	return level == w->top ? w->table : gfn_in(w->gpte[level + 1]);
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

/* A kernel's store to what it has said to be a page table, through a read-only mapping of its own.
 * */
static bool is_told_table(const struct shadow *s, unsigned have, struct shadow_access access,
			  gfn_t gfn)
{
	const struct p2m_entry *e;

	if (access.user || !access.write || access.fetch || have & ACCESS_U)
		return false;
	e = p2m_lookup(s->config.p2m, gfn);
	return e && e->word & P2M_TABLE;
}

/* tour: the walk */
static enum shadow_verdict read_entries(struct shadow_vcpu *sv, gva_t gva,
					struct shadow_access access, struct known known,
					struct walk *w, struct shadow_result *result)
{
	const struct shadow *s = sv->shadow;
	unsigned have = known.page ? role_access(known.page->key.role) : ACCESS_ALL;
	unsigned level = known.page ? role_level(known.page->key.role) : 4;
	gfn_t table = known.page ? known.page->key.gfn : gfn_in(sv->cr3);
	u64 gpte = known.gpte, all = PTE_A, frames;
	bool is_read = known.page;

	w->table = table;
	w->top = level;
	for (;; level--, is_read = false) {
		if (!is_read) {
			const struct p2m_entry *e = p2m_lookup_inline(s->config.p2m, table);

			if (unlikely(p2m_entry_answer(e, P2M_R) != P2M_GRANTED))
				return refused(e, table, P2M_R, result);
			if (unlikely(e->word & P2M_PUBLISHED))
				return reflect(sv->mode, access, PF_P | PF_RSVD, result);
			gpte = READ_ONCE(*gpte_of(e, slot_of(gva, level)));
		}
		w->gpte[level] = gpte;
		if (!(gpte & PTE_P))
			return reflect(sv->mode, access, 0, result);
		if (unlikely(gpte_is_reserved(s, sv->mode, level, gpte)))
			return reflect(sv->mode, access, PF_P | PF_RSVD, result);
		all &= gpte;
		have &= gpte_access(gpte);
		if (level == 4 && slot_of(gva, 4) >= s->config.supervisor_from_slot)
			have &= ~ACCESS_U;
		if (level == 1 || gpte & PTE_PS)
			break;
		table = gfn_in(gpte);
	}
	frames = 1ul << 9 * (level - 1);
	w->level = level;
	w->access = have;
	w->accessed = all;
	w->gfn = GFN((gfn_in(gpte).v & ~(frames - 1)) | (gva.v >> PAGE_SHIFT & (frames - 1)));
	if (!may_access(sv->mode, have, access) && !is_told_table(s, have, access, w->gfn))
		return reflect(sv->mode, access, PF_P, result);
	return SHADOW_FIXED;
}
/* tour ends */

static int mark_level(struct shadow_vcpu *sv, gva_t gva, struct walk *w, unsigned level, u64 bits,
		      struct shadow_result *result, enum shadow_verdict *verdict)
{
	gfn_t table = table_of(w, level);
	const struct p2m_entry *e = p2m_lookup_inline(sv->shadow->config.p2m, table);
	u64 old = w->gpte[level];

	if (p2m_entry_answer(e, P2M_W) != P2M_GRANTED) {
		*verdict = refused(e, table, P2M_W, result);
		return 0;
	}
	w->gpte[level] = old | bits;
	return __atomic_compare_exchange_n(gpte_of(e, slot_of(gva, level)), &old, old | bits, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
		   ? 0
		   : -EAGAIN;
}

/* Set A, and D for a write. 0, and what p2m says of a table; -EAGAIN: an entry has changed. */
static int mark_entries(struct shadow_vcpu *sv, gva_t gva, struct walk *w, bool write,
			struct shadow_result *result, enum shadow_verdict *verdict)
{
	*verdict = SHADOW_FIXED;
	for (unsigned level = w->top; level >= w->level; level--) {
		u64 bits = write && level == w->level ? PTE_A | PTE_D : PTE_A;
		int error = 0;

		if (unlikely(~w->gpte[level] & bits))
			error = mark_level(sv, gva, w, level, bits, result, verdict);
		if (error || *verdict != SHADOW_FIXED)
			return error;
	}
	return 0;
}

enum shadow_verdict walk_resolve(struct shadow_vcpu *sv, gva_t gva, struct shadow_access access,
				 struct known known, struct walk *w, struct p2m_entry **target,
				 struct shadow_result *result)
{
	unsigned intent = access.write ? P2M_W : access.fetch ? P2M_X : P2M_R;

	for (unsigned i = 0; i < WALK_TRIES; i++) {
		enum shadow_verdict verdict = read_entries(sv, gva, access, known, w, result);
		enum p2m_answer answer;

		if (verdict != SHADOW_FIXED)
			return verdict;
		*target = p2m_lookup_inline(sv->shadow->config.p2m, w->gfn);
		answer = p2m_entry_answer(*target, intent | P2M_R);
		if (answer != P2M_GRANTED) {
			result->gfn = w->gfn;
			result->intent = intent;
			return answer == P2M_POPULATE ? SHADOW_POPULATE : SHADOW_WATCHED;
		}
		result->gpa = GPA(gfn_to_gpa(w->gfn).v | (gva.v & ~PAGE_MASK));
		if (likely(w->accessed && (!access.write || w->gpte[w->level] & PTE_D)))
			return SHADOW_FIXED;
		if (!mark_entries(sv, gva, w, access.write, result, &verdict))
			return verdict;
		if (known.page)
			known.gpte = READ_ONCE(known.page->table[slot_of(gva, w->top)]);
	}
	result->why = "its page tables never stand still";
	return SHADOW_KILL;
}

bool walk_holds(const struct shadow_vcpu *sv, gva_t gva, const struct walk *w)
{
	for (unsigned level = w->top; level >= w->level; level--) {
		const struct p2m_entry *e = p2m_lookup(sv->shadow->config.p2m, table_of(w, level));

		if (p2m_entry_answer(e, P2M_R) != P2M_GRANTED ||
		    (READ_ONCE(*gpte_of(e, slot_of(gva, level))) ^ w->gpte[level]) &
			~(PTE_A | PTE_D))
			return false;
	}
	return true;
}
