// SPDX-License-Identifier: MIT
/*
 * known.c - what the shadows know of the guest's tables already, so that a walk need not read them
 * again. Each fault comes through here, and one at an address that the guest does not map needs
 * nothing else: this file is compiled for speed. Next: walk.c.
 */
#include "mm/shadow/private.h"

/*
 * The last shadow page on the way to gva to which all sptes are there. They say what the guest's
 * upper entries say, A included, where every store to a table is heard of. A guest that notifies
 * may owe a notice of an upper entry: of its tables a way that ends early is not believed. Split
 * pages are no tables, so the way ends above them.
 */
struct shadow_page *walk_known(const struct shadow_vcpu *sv, gva_t gva)
{
	const struct shadow *s = sv->shadow;
	struct shadow_page *page = sv->root, *child;
	unsigned level = 4;

	if (s->config.policy == SHADOW_FORGETFUL || s->config.without & SHADOW_SHORT_WALK)
		return NULL;
	if (!page || !page_is_live(s, page) || !page->tracked)
		return NULL;
	for (; level > 1; level--) {
		u64 spte = page->sptes[slot_of(gva, level)];

		if (!spte || spte & PTE_PS)
			break;
		child = spte_child(s, spte);
		if (child->key.role & ROLE_SPLIT)
			break;
		page->used = s->clock;
		page = child;
	}
	return level == 1 || s->config.policy == SHADOW_TRAPPED ? page : NULL;
}

bool gpte_read(const struct shadow *s, gfn_t table, unsigned slot, u64 *gpte)
{
	const struct p2m_entry *e = p2m_lookup(s->config.p2m, table);

	if (!e || (e->word & (P2M_R | P2M_PUBLISHED)) != P2M_R)
		return false;
	*gpte = READ_ONCE(*gpte_of(e, slot));
	return true;
}

bool walk_is_absent(const struct shadow *s, const struct shadow_page *known, gva_t gva)
{
	u64 gpte;

	return gpte_read(s, known->key.gfn, slot_of(gva, role_level(known->key.role)), &gpte) &&
	       !(gpte & PTE_P);
}
