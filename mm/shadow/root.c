// SPDX-License-Identifier: MIT
/*
 * root.c - vCPUs and the roots they run on. A root is a shadow page like another, but belongs to
 * one vCPU, holds the entries of reserved slots, and is pinned while it is that vCPU's present one.
 * Roots of other address spaces stay until they are reclaimed, so a switch to a known space is a
 * lookup.
 */
#include "lib/errno.h"
#include "mm/shadow/private.h"

static const u64 never; /* no shadow's generation: they begin with 1 */

__cold int shadow_vcpu_init(struct shadow_vcpu *sv, struct shadow *s, u16 id)
{
	if ((u64)(s->vcpu_count + 1) * SHADOW_FRAMES_MIN > s->config.limit)
		return -ENOSPC;
	s->vcpu_count++;
	*sv = (struct shadow_vcpu){.shadow = s, .id = id, .root_generation = &never};
	return 0;
}

/* sv->root is stale from here on. */
static void let_go(struct shadow_vcpu *sv)
{
	if (sv->root)
		sv->root->pins--;
	sv->shadow->links++;
}

__cold void shadow_vcpu_exit(struct shadow_vcpu *sv)
{
	let_go(sv);
	sv->root = NULL;
	sv->root_generation = &never;
	sv->shadow->vcpu_count--;
}

static struct page_key root_key(const struct shadow_vcpu *sv)
{
	return (struct page_key){
	    .gfn = GFN((sv->cr3 & PTE_FRAME) >> PAGE_SHIFT),
	    .role = 4 | ACCESS_ALL << ROLE_ACCESS_SHIFT | (u32)sv->mode << ROLE_MODE_SHIFT |
		    (u32)sv->id << ROLE_VCPU_SHIFT,
	};
}

static void set_fixed(struct shadow_page *root, unsigned slot, u64 entry)
{
	if (root->sptes[slot] == entry)
		return;
	WRITE_ONCE(root->sptes[slot], entry);
	page_note_slot(root, slot);
}

/* The guest's kernel is in all its address spaces: where the new one has the same entries as the
 * last, their pages are linked before the first faults come. */
static void inherit(struct shadow *s, struct shadow_page *root, const struct shadow_page *last)
{
	unsigned from = s->config.supervisor_from_slot / 8;

	if (s->stale)
		stale_flush(s); /* the table is protected on every CPU: no store comes any more */
	for (u64 groups = from < 64 ? last->groups >> from << from : 0; groups;
	     groups &= groups - 1) {
		unsigned slot = __builtin_ctzl(groups) * 8, end = slot + 8;

		for (; slot < end; slot++) {
			u64 gpte = READ_ONCE(root->table[slot]);
			struct shadow_page *child;

			if (!last->links[slot] || (gpte & (PTE_P | PTE_A)) != (PTE_P | PTE_A) ||
			    gpte_is_reserved(s, role_mode(root->key.role), 4, gpte))
				continue;
			child = spte_child(s, last->sptes[slot]);
			if (page_is_live(s, child) &&
			    key_equal(child->key, child_key(s, root, slot, gpte)))
				spte_set_child(s, root, slot, child);
		}
	}
}

/* last: the root that was let go just now, or NULL. */
static void find_root(struct shadow_vcpu *sv, const struct shadow_page *last)
{
	struct shadow *s = sv->shadow;
	struct shadow_page *root;

	while (!(root = page_get(s, root_key(sv))))
		call_begin(s); /* each turn has withdrawn CALL_BUDGET translations of the table */
	if (!root->groups && root->table && last && last != root && page_is_live(s, last) &&
	    s->config.policy == SHADOW_TRAPPED && !(s->config.without & SHADOW_INHERIT))
		inherit(s, root, last);
	root->pins++;
	root->used = s->clock;
	sv->root = root;
	sv->root_generation = &root->generation;
	sv->root_mfn = root->mfn;
	for (unsigned i = 0; i < sv->fixed_count; i++)
		set_fixed(root, sv->fixed[i].slot, sv->fixed[i].entry);
}

void root_settle(struct shadow_vcpu *sv)
{
	if (sv->root && page_is_live(sv->shadow, sv->root))
		return;
	let_go(sv);
	find_root(sv, NULL);
}

mfn_t shadow_find_root(struct shadow_vcpu *sv)
{
	call_begin(sv->shadow);
	root_settle(sv);
	call_end(sv->shadow);
	return sv->root_mfn;
}

__cold void shadow_set_slot(struct shadow_vcpu *sv, unsigned slot, u64 entry)
{
	unsigned i = 0;

	BUG_ON(!is_reserved_slot(sv->shadow, slot));
	while (i < sv->fixed_count && sv->fixed[i].slot != slot)
		i++;
	BUG_ON(i == SHADOW_FIXED_SLOTS);
	if (i == sv->fixed_count)
		sv->fixed_count++;
	sv->fixed[i].slot = slot;
	sv->fixed[i].entry = entry;
	if (sv->root)
		set_fixed(sv->root, slot, entry);
}

/* Make true what a TLB would now have forgotten. */
static void forget(struct shadow *s)
{
	if (s->config.policy == SHADOW_FORGETFUL)
		s->generation++, s->links++;
	else if (s->config.policy == SHADOW_TRAPPED)
		loose_resync(s);
}

mfn_t shadow_load_cr3(struct shadow_vcpu *sv, u64 cr3)
{
	struct shadow *s = sv->shadow;
	const struct shadow_page *last;

	call_begin(s);
	forget(s);
	last = sv->root;
	sv->cr3 = cr3;
	let_go(sv);
	find_root(sv, last);
	call_end(s);
	return sv->root_mfn;
}

void shadow_set_mode(struct shadow_vcpu *sv, struct shadow_mode mode)
{
	sv->mode = (mode.wp ? MODE_WP : 0) | (mode.nxe ? MODE_NXE : 0) |
		   (mode.smep ? MODE_SMEP : 0) | (mode.smap ? MODE_SMAP : 0);
	shadow_load_cr3(sv, sv->cr3);
}

void shadow_flush(struct shadow_vcpu *sv)
{
	shadow_load_cr3(sv, sv->cr3);
}

/* Down the shadow, not the guest's tables: what the CPU could have cached came from there. */
static void withdraw_way(struct shadow_vcpu *sv, gva_t gva)
{
	struct shadow *s = sv->shadow;
	struct shadow_page *page = sv->root, *child;
	unsigned slot;

	for (unsigned level = 4; level > 1; level--) {
		slot = slot_of(gva, level);
		if (!page->sptes[slot] || page->sptes[slot] & PTE_PS)
			break;
		child = spte_child(s, page->sptes[slot]);
		if (s->config.policy == SHADOW_FORGETFUL) /* INVLPG forgets upper levels, too */
			spte_withdraw(s, page, slot);
		page = child;
	}
	slot = slot_of(gva, role_level(page->key.role));
	if (spte_is_leaf(page, page->sptes[slot]) && page->sptes[slot])
		spte_withdraw(s, page, slot);
}

void shadow_invlpg(struct shadow_vcpu *sv, gva_t gva)
{
	struct shadow *s = sv->shadow;
	struct shadow_page *page;

	if (!sv->root || is_reserved_slot(s, slot_of(gva, 4)))
		return;
	call_begin(s);
	if (s->config.policy != SHADOW_TRAPPED) {
		withdraw_way(sv, gva);
	} else if (s->loose_count) {
		page = leaf_page(sv, gva);
		if (page && page_is_loose(page) && page->sptes[slot_of(gva, 1)])
			loose_resync_slot(s, page, slot_of(gva, 1));
	}
	call_end(s);
}

void shadow_drop_all(struct shadow *s)
{
	s->generation++;
	s->links++;
}
