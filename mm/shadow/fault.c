// SPDX-License-Identifier: MIT
/*
 * fault.c - the life of a fault: the guest's tables say whether it is the guest's; p2m says whether
 * the frame may be had; A and D are set; a store to a protected table is settled; then the way from
 * the root to the leaf is made true, page by page, and the leaf is set. Whatever on that way no
 * longer matches the guest's tables is replaced, so a stale shadow costs one more fault and nothing
 * else.
 */
#include "lib/errno.h"
#include "mm/shadow/private.h"

/*
 * The last shadow page on the way to gva to which all sptes are there. They say what the guest's
 * upper entries say, A included, where every store to a table is heard of. A guest that notifies
 * may owe a notice of an upper entry: of its tables a way that ends early is not believed. Split
 * pages are no tables, so the way ends above them.
 */
static __noinline struct known descend_known(struct shadow_vcpu *sv, gva_t gva)
{
	const struct shadow *s = sv->shadow;
	struct shadow_page *page = sv->root, *child;
	unsigned level = 4;

	if (unlikely(*sv->root_generation != s->generation || !page->table))
		return (struct known){NULL, 0};
	for (; level > 1; level--) {
		u64 spte = page->sptes[slot_of(gva, level)];

		if ((spte & (PTE_P | PTE_PS)) != PTE_P)
			break;
		child = spte_child(s, spte);
		if (!child->table)
			break;
		page = child;
	}
	if (unlikely(level > s->known_from))
		return (struct known){NULL, 0};
	if (level == 1)
		leaf_page_remember(sv, gva, page);
	return (struct known){page, READ_ONCE(page->table[slot_of(gva, level)])};
}

/* Every fault comes through here. */
static inline struct known find_known(struct shadow_vcpu *sv, gva_t gva)
{
	struct shadow_page *page = leaf_page_near(sv, gva);

	if (likely(page && page->table && sv->shadow->known_from))
		return (struct known){page, READ_ONCE(page->table[slot_of(gva, 1)])};
	return descend_known(sv, gva);
}

/* A user page that this kernel access needs to see in a way of its own: spte.c, "the views". */
static bool needs_kernel_view(struct shadow_access access, unsigned have)
{
	return access.write && !access.user && (have & (ACCESS_U | ACCESS_W)) == ACCESS_U;
}

/* The shadow page under a slot of this one, as the guest's entry wants it. */
static struct shadow_page *descend(struct shadow *s, struct shadow_page *page, unsigned slot,
				   u64 gpte)
{
	struct page_key key = child_key(s, page, slot, gpte);
	u64 spte = page->sptes[slot];
	struct shadow_page *child;

	if (likely(spte && !(spte & PTE_PS))) {
		child = spte_child(s, spte);
		if (likely(key_equal(child->key, key) && page_is_live(s, child)))
			return child;
	}
	child = page_get(s, key);
	if (!child)
		return NULL;
	if (page->sptes[slot])
		spte_withdraw(s, page, slot);
	spte_set_child(s, page, slot, child);
	return child;
}

static void set_spte(struct shadow *s, struct shadow_page *page, unsigned slot, u64 spte, gfn_t gfn,
		     struct p2m_entry *target)
{
	u64 old = page->sptes[slot];

	if (old && (old ^ spte) & PTE_FRAME) {
		spte_withdraw(s, page, slot);
		old = 0;
	}
	if (!old)
		spte_set_leaf(s, page, slot, spte, gfn, target);
	else if ((old ^ spte) & ~PTE_D)
		spte_change(s, page, slot, spte);
}

static void set_leaf(struct shadow *s, struct shadow_page *page, unsigned slot, u64 gpte,
		     const struct walk *w, struct p2m_entry *target, bool kernel_view)
{
	u64 spte = unlikely(kernel_view) ? leaf_spte(s, page->key.role, gpte, target, true)
					 : leaf_grant(s, page->key.role, gpte, target);

	loose_note(s, page, slot, gpte);
	set_spte(s, page, slot, spte, w->gfn, target);
}

/* A large page in one spte. Where a split page hangs already, something stood against it. */
static bool set_large(struct shadow *s, struct shadow_page *page, unsigned slot, u64 gpte)
{
	struct page_key block = child_key(s, page, slot, gpte);
	u64 spte, old = page->sptes[slot];

	if ((old && !(old & PTE_PS)) || s->config.without & SHADOW_LARGE)
		return false;
	spte = large_spte(s, block);
	if (!spte)
		return false;
	set_spte(s, page, slot, spte, block.gfn, p2m_lookup(s->config.p2m, block.gfn));
	s->stats.large++;
	return true;
}

/* Tables were protected since the walk, and have been so on every CPU since the last flush. Before
 * that another CPU may have changed what the walk had read: then all that was linked by it goes. */
static bool unlink_if_changed(struct shadow_vcpu *sv, gva_t gva, const struct walk *w)
{
	struct shadow *s = sv->shadow;
	struct shadow_page *page = sv->root, *child;

	if (s->stale)
		stale_flush(s);
	s->flushed = false;
	if (walk_holds(sv, gva, w))
		return false;
	for (unsigned level = 4; level > 1; level--) {
		u64 spte = page->sptes[slot_of(gva, level)];

		if (!spte)
			break;
		child = spte & PTE_PS ? NULL : spte_child(s, spte);
		spte_withdraw(s, page, slot_of(gva, level));
		if (!child)
			break;
		page = child;
	}
	return true;
}

/* tour: the way down */
/* Whatever is still missing afterwards faults again: this call has done its share. */
static void fill(struct shadow_vcpu *sv, gva_t gva, struct shadow_page *page, const struct walk *w,
		 struct p2m_entry *target, bool kernel_view)
{
	struct shadow *s = sv->shadow;

	for (unsigned level = w->top; level > 1; level--) {
		u64 gpte = level >= w->level ? w->gpte[level] : 0;

		page->used = s->clock;
		if (level == 2 && w->level > 1 && !kernel_view) {
			if (unlikely(s->stale || s->flushed) && unlink_if_changed(sv, gva, w))
				return;
			if (set_large(s, page, slot_of(gva, 2), gpte))
				return;
		}
		page = descend(s, page, slot_of(gva, level), gpte);
		if (!page)
			return;
	}
	page->used = s->clock;
	if (unlikely(s->stale || s->flushed) && unlink_if_changed(sv, gva, w))
		return;
	set_leaf(s, page, slot_of(gva, 1), w->level == 1 ? w->gpte[1] : 0, w, target, kernel_view);
}
/* tour ends */

/* Where the way to be filled begins; NULL: this call has done its share. */
static struct shadow_page *begin_fill(struct shadow_vcpu *sv, struct shadow_page *known)
{
	if (likely(known))
		return known;
	root_settle(sv);
	return sv->root->table || !page_track(sv->shadow, sv->root) ? sv->root : NULL;
}

/* tour: from verdict to spte */
static enum shadow_verdict fix(struct shadow_vcpu *sv, gva_t gva, struct shadow_access access,
			       struct known known, struct shadow_result *result)
{
	struct shadow *s = sv->shadow;
	struct shadow_page *page;
	struct p2m_entry *target;
	struct walk w __uninitialized;
	enum shadow_verdict verdict = walk_resolve(sv, gva, access, known, &w, &target, result);
	bool kernel_view;

	if (verdict != SHADOW_FIXED)
		return verdict;
	kernel_view = needs_kernel_view(access, w.access);
	/* The kernel view knows no AC: with SMAP such a store is made by the monitor. */
	if (kernel_view && sv->mode & MODE_SMAP)
		return SHADOW_EMULATE;
	if (access.write && unlikely(table_is_protected(s, target)))
		return table_allow_write(s, target, w.gfn) ? SHADOW_FIXED : SHADOW_EMULATE;
	page = begin_fill(sv, known.page);
	if (likely(page))
		fill(sv, gva, page, &w, target, kernel_view);
	return SHADOW_FIXED;
}
/* tour ends */

/* A fault that is not the guest's at first sight. */
static __noinline enum shadow_verdict settle(struct shadow_vcpu *sv, gva_t gva,
					     struct shadow_access access, struct known known,
					     struct shadow_result *result)
{
	struct shadow *s = sv->shadow;
	enum shadow_verdict verdict;

	call_begin(s);
	s->flushed = false;
	verdict = fix(sv, gva, access, known, result);
	if (verdict == SHADOW_REFLECT)
		s->stats.reflected++;
	else if (verdict == SHADOW_EMULATE)
		s->stats.emulated++;
	call_end(s);
	return verdict;
}

/* What the guest hears is what the CPU said. */
static enum shadow_verdict reflect(struct shadow_vcpu *sv, u32 error_code,
				   struct shadow_result *result)
{
	if (!(sv->mode & (MODE_NXE | MODE_SMEP)))
		error_code &= ~PF_I;
	result->error_code = error_code & (PF_P | PF_W | PF_U | PF_I);
	sv->shadow->stats.reflected++;
	return SHADOW_REFLECT;
}

/* What the leaf alone refuses, whatever is above it: it is absent, or a user's store finds it
 * read-only. */
static inline bool is_refused_by(const struct shadow_vcpu *sv, struct known known, u32 error_code,
				 bool user)
{
	unsigned role;

	if (!known.page)
		return false;
	if (!((known.gpte | error_code) & PTE_P))
		return true;
	role = known.page->key.role;
	return user && (error_code & (PF_P | PF_W)) == (PF_P | PF_W) && role_level(role) == 1 &&
	       (known.gpte & (PTE_P | PTE_W)) == PTE_P &&
	       !gpte_is_reserved(sv->shadow, role_mode(role), 1, known.gpte);
}

/* A kernel's store to a protected table by a leaf entry that wants nothing but that it is made: the
 * table's p2m entry. NULL: it is not so simple. */
static inline struct p2m_entry *stored_table(const struct shadow_vcpu *sv, struct known known,
					     u32 error_code, bool user)
{
	const u64 all = PTE_P | PTE_A | PTE_D;
	const struct shadow *s = sv->shadow;
	struct p2m_entry *e;
	unsigned role;

	if (user || (error_code & (PF_P | PF_W)) != (PF_P | PF_W) || !known.page)
		return NULL;
	role = known.page->key.role;
	if (role_level(role) != 1 || (known.gpte & (all | PTE_U)) != all ||
	    gpte_is_reserved(s, role_mode(role), 1, known.gpte))
		return NULL;
	e = p2m_place(s->config.p2m, GFN((known.gpte & PTE_FRAME) >> PAGE_SHIFT));
	if (!e || (e->word & (P2M_R | P2M_W)) != (P2M_R | P2M_W) || !table_is_protected(s, e))
		return NULL;
	if (!(known.gpte & PTE_W && role_access(role) & ACCESS_W) && !(e->word & P2M_TABLE))
		return NULL;
	return e;
}

static __noinline enum shadow_verdict settle_store(struct shadow *s, gva_t gva, u64 gpte,
						   struct p2m_entry *e,
						   struct shadow_result *result)
{
	enum shadow_verdict verdict = SHADOW_FIXED;

	call_begin(s);
	result->gpa = GPA((gpte & PTE_FRAME) | (gva.v & ~PAGE_MASK));
	if (!table_allow_write(s, e, gpa_to_gfn(result->gpa))) {
		s->stats.emulated++;
		verdict = SHADOW_EMULATE;
	}
	call_end(s);
	return verdict;
}

/* tour: a fault */
enum shadow_verdict shadow_fault(struct shadow_vcpu *sv, gva_t gva, u32 error_code, bool user,
				 bool ac, struct shadow_result *result)
{
	struct shadow *s = sv->shadow;
	struct p2m_entry *table;
	struct known known;

	s->clock++;
	s->stats.faults++;
	if (is_reserved_slot(s, slot_of(gva, 4))) /* what is there is ours */
		return reflect(sv, error_code, result);
	known = find_known(sv, gva);
	if (is_refused_by(sv, known, error_code, user))
		return reflect(sv, error_code, result);
	table = stored_table(sv, known, error_code, user);
	if (table)
		return settle_store(s, gva, known.gpte, table, result);
	return settle(sv, gva,
		      (struct shadow_access){
			  .write = error_code & PF_W,
			  .fetch = error_code & PF_I,
			  .user = user,
			  .ac = ac,
		      },
		      known, result);
}
/* tour ends */

enum shadow_verdict shadow_translate(struct shadow_vcpu *sv, gva_t gva, struct shadow_access access,
				     struct shadow_result *result)
{
	struct p2m_entry *target;
	struct walk w __uninitialized;

	if (is_reserved_slot(sv->shadow, slot_of(gva, 4))) {
		result->error_code = (access.write ? PF_W : 0) | (access.user ? PF_U : 0);
		return SHADOW_REFLECT;
	}
	return walk_resolve(sv, gva, access, find_known(sv, gva), &w, &target, result);
}
