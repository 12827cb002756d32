// SPDX-License-Identifier: MIT
/*
 * reach.c - what the shadows know already of a guest's address, so that nothing is to be walked,
 * marked or asked: most of what a guest hands over by address it has just written there. The way is
 * that of a CPU with an empty TLB; what needs a decision is left to shadow_translate().
 *
 * A vCPU remembers which page of level 1 some regions of 2 MiB have led to. That holds until a way
 * between pages is withdrawn, which shadow->links counts.
 */
#include "mm/shadow/private.h"

/* NULL: no sptes lead to a page of level 1. */
struct shadow_page *leaf_page_find(struct shadow_vcpu *sv, gva_t gva)
{
	const struct shadow *s = sv->shadow;
	struct shadow_page *page = sv->root;

	if (*sv->root_generation != s->generation || is_reserved_slot(s, slot_of(gva, 4)) ||
	    (u64)((s64)(gva.v << 16) >> 16) != gva.v)
		return NULL;
	for (unsigned level = 4; level > 1; level--) {
		u64 spte = page->sptes[slot_of(gva, level)];

		if ((spte & (PTE_P | PTE_PS)) != PTE_P)
			return NULL;
		page = spte_child(s, spte);
	}
	leaf_page_remember(sv, gva, page);
	return page;
}

/* What is found is remembered, so it is asked again. */
static __noinline void *reach_anew(struct shadow_vcpu *sv, gva_t gva, size_t size, u64 need,
				   u64 never)
{
	if (sv->shadow->config.without & SHADOW_REACH || !leaf_page_find(sv, gva))
		return NULL;
	return shadow_reach(sv, gva, size, need, never);
}

void *shadow_reach(struct shadow_vcpu *sv, gva_t gva, size_t size, u64 need, u64 never)
{
	const struct shadow_page *page = leaf_page_near(sv, gva);
	u64 offset = gva.v & ~PAGE_MASK, spte;

	if (unlikely(!page))
		return reach_anew(sv, gva, size, need, never);
	spte = READ_ONCE(page->sptes[slot_of(gva, 1)]); /* of upper levels the role tells */
	if (unlikely((spte & (need | never)) != need || offset + size > PAGE_SIZE))
		return NULL;
	if (need & PTE_W && sv->shadow->config.policy != SHADOW_TRAPPED)
		return NULL; /* it may be a table of which we are to hear */
	return (char *)machine_map(MFN((spte & PTE_FRAME) >> PAGE_SHIFT)) + offset;
}

bool shadow_find_entry(struct shadow_vcpu *sv, gva_t gva, gpa_t *entry)
{
	const struct shadow_page *page = leaf_page(sv, gva);

	if (!page || !page->table || sv->shadow->config.policy != SHADOW_TRAPPED)
		return false;
	*entry = GPA(gfn_to_gpa(page->key.gfn).v + slot_of(gva, 1) * sizeof(u64));
	return true;
}
