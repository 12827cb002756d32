/* SPDX-License-Identifier: MIT */
/*
 * guest-copy.h - the only way to a guest's memory: it copies, and never hands out a pointer, so
 * what a caller judges is what it uses. Addresses are guest physical; shadow_translate() makes them
 * from the guest's virtual ones. Each access asks p2m with its intent, and each store tells the
 * shadows.
 */
#ifndef MM_GUEST_COPY_H
#define MM_GUEST_COPY_H

#include "mm/p2m.h"

/* Why a copy stopped: the first page that p2m refused. */
struct guest_copy_refusal {
	enum p2m_answer answer; /* P2M_POPULATE or P2M_WATCHED */
	unsigned intent;
	gfn_t gfn;
};

/*
 * Copy size bytes; pages may be crossed. 0, or -EFAULT with *why filled (why may be NULL). A write
 * looks at every page before it stores the first byte: it happens whole or not at all.
 */
int guest_copy_read(struct p2m *p2m, gpa_t from, void *to, size_t size,
		    struct guest_copy_refusal *why) __must_check;
int guest_copy_write(struct p2m *p2m, gpa_t to, const void *from, size_t size,
		     struct guest_copy_refusal *why) __must_check;

/* Eight bytes at once, as an entry of a table is stored. -EFAULT: refused; -EINVAL: not aligned. */
int guest_copy_store(struct p2m *p2m, gpa_t at, u64 value) __must_check;

/*
 * Atomically: if the size (1, 2, 4, 8) bytes at gpa equal *old, they become new. *old is then what
 * was there. 0 whether or not they were equal; -EFAULT refused; -EINVAL: another size, or not
 * aligned to it.
 */
int guest_copy_cmpxchg(struct p2m *p2m, gpa_t at, unsigned size, u64 *old, u64 new,
		       struct guest_copy_refusal *why) __must_check;

/* The same cell without the comparison: becomes new, *old is what was there. */
int guest_copy_xchg(struct p2m *p2m, gpa_t at, unsigned size, u64 new, u64 *old,
		    struct guest_copy_refusal *why) __must_check;

#endif
