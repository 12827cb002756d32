// SPDX-License-Identifier: MIT
/* shadow.c - a guest's shadows begin and end, and say what they have counted. */
#include "lib/errno.h"
#include "mm/shadow/private.h"

#define DESTROY_PIECE 4 /* pages, each of up to 512 translations and 1024 parents */

int shadow_init(struct shadow *s, const struct shadow_config *config)
{
	int error;

	if (config->limit < SHADOW_FRAMES_MIN || config->limit > SHADOW_FRAMES_MAX ||
	    config->reserved_first > config->reserved_last ||
	    config->reserved_last >= SHADOW_SLOTS || config->supervisor_from_slot > SHADOW_SLOTS ||
	    config->physical_bits < 32 || config->physical_bits > 52)
		return -EINVAL;
	*s = (struct shadow){
	    .watcher = {.revoke = sync_revoke, .written = sync_written},
	    .config = *config,
	    .reserved_bits = PTE_FRAME & ~((1ul << config->physical_bits) - 1),
	    .generation = 1,
	    .links = 1,
	    .clock = 1,
	    .near_first = ~0ul,
	};
	if (config->policy != SHADOW_FORGETFUL && !(config->without & SHADOW_SHORT_WALK))
		s->known_from = config->policy == SHADOW_TRAPPED ? 4 : 1;
	error = page_pool_init(s);
	if (error) {
		while (page_pool_destroy(s))
			;
		return error;
	}
	config->p2m->watcher = &s->watcher;
	return 0;
}

int shadow_destroy(struct shadow *s)
{
	BUG_ON(s->vcpu_count);
	for (unsigned piece = 0; !list_is_empty(&s->used); piece++) {
		if (piece == DESTROY_PIECE) {
			call_end(s);
			return -EAGAIN;
		}
		page_free(s, list_entry(s->used.next, struct shadow_page, use));
	}
	call_end(s);
	s->config.p2m->watcher = NULL;
	return page_pool_destroy(s);
}

void shadow_get_stats(const struct shadow *s, struct shadow_stats *stats)
{
	*stats = s->stats;
	stats->frames = s->frames;
}

void shadow_set_upper_half(struct shadow *s, u16 reserved_first, u16 reserved_last,
			   u16 supervisor_from_slot)
{
	s->config.reserved_first = reserved_first;
	s->config.reserved_last = reserved_last;
	s->config.supervisor_from_slot = supervisor_from_slot;
	shadow_drop_all(s);
}
