// SPDX-License-Identifier: MIT
/*
 * guest-copy.c - copies between the monitor and a guest's frames, page by page, each page asked of
 * p2m. May assume nothing of the addresses: a sum that wraps, or ends beyond all memory, is
 * refused.
 */
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/guest-copy.h"
#include "mm/machine.h"

static __cold void refuse(const struct p2m_entry *e, u64 gpa, unsigned intent,
			  struct guest_copy_refusal *why)
{
	if (why)
		*why = (struct guest_copy_refusal){
		    p2m_entry_answer(e && e->word ? e : NULL, intent), intent,
		    gpa_to_gfn(GPA(gpa))};
}

/* The page of a guest byte, if p2m grants the intent; or NULL. */
static inline struct p2m_entry *reach(const struct p2m *p2m, u64 gpa, unsigned intent,
				      struct guest_copy_refusal *why)
{
	struct p2m_entry *e = p2m_place(p2m, gpa_to_gfn(GPA(gpa)));

	if (likely(e && (e->word & intent) == intent))
		return e;
	refuse(e, gpa, intent, why);
	return NULL;
}

/* The monitor's address of the byte. */
static void *address_in(const struct p2m_entry *e, u64 gpa)
{
	return (char *)machine_map(p2m_entry_mfn(e)) + (gpa & ~PAGE_MASK);
}

static size_t piece_of(u64 gpa, size_t size)
{
	return MIN(size, PAGE_SIZE - (gpa & ~PAGE_MASK));
}

int guest_copy_read(struct p2m *p2m, gpa_t from, void *to, size_t size,
		    struct guest_copy_refusal *why)
{
	for (u64 at = from.v; size;) {
		size_t piece = piece_of(at, size);
		const struct p2m_entry *e = reach(p2m, at, P2M_R, why);

		if (!e)
			return -EFAULT;
		memcpy(to, address_in(e, at), piece);
		to = (char *)to + piece;
		at += piece;
		size -= piece;
	}
	return 0;
}

static inline int tell(struct p2m *p2m, const struct p2m_entry *e, u64 gpa, size_t size)
{
	return e->tables ? p2m->watcher->written(p2m->watcher, e, GPA(gpa), size) : 0;
}

static int check_write(struct p2m *p2m, u64 at, size_t size, struct guest_copy_refusal *why)
{
	while (size) {
		size_t piece = piece_of(at, size);

		if (!reach(p2m, at, P2M_W, why))
			return -EFAULT;
		at += piece;
		size -= piece;
	}
	return 0;
}

int guest_copy_write(struct p2m *p2m, gpa_t to, const void *from, size_t size,
		     struct guest_copy_refusal *why)
{
	if (piece_of(to.v, size) < size && check_write(p2m, to.v, size, why))
		return -EFAULT;
	for (u64 at = to.v; size;) {
		size_t piece = piece_of(at, size);
		struct p2m_entry *e = reach(p2m, at, P2M_W, why);

		if (!e) /* of several pages only if another CPU took the right away just now */
			return -EFAULT;
		memcpy(address_in(e, at), from, piece);
		tell(p2m, e, at, piece);
		from = (const char *)from + piece;
		at += piece;
		size -= piece;
	}
	return 0;
}

/* ---- one cell, atomically ---- */

static inline int store(struct p2m *p2m, const struct p2m_entry *e, gpa_t at, u64 value)
{
	if (unlikely(at.v & 7))
		return -EINVAL;
	if (unlikely(!e || !(e->word & P2M_W)))
		return -EFAULT;
	WRITE_ONCE(*(u64 *)address_in(e, at.v), value);
	return tell(p2m, e, at.v, sizeof(value));
}

static __cold int store_far(struct p2m *p2m, gpa_t at, u64 value)
{
	return store(p2m, p2m_lookup(p2m, gpa_to_gfn(at)), at, value);
}

int guest_copy_store(struct p2m *p2m, gpa_t at, u64 value)
{
	if (unlikely(!p2m_is_near(gpa_to_gfn(at))))
		return store_far(p2m, at, value);
	return store(p2m, p2m_place(p2m, gpa_to_gfn(at)), at, value);
}

static bool is_cell(gpa_t at, unsigned size)
{
	return (size == 1 || size == 2 || size == 4 || size == 8) && !(at.v & (size - 1));
}

#define CELL_CMPXCHG(type, cell, old, new)                                                         \
	({                                                                                         \
		type expected = (type) * (old);                                                    \
		__atomic_compare_exchange_n((type *)(cell), &expected, (type)(new), false,         \
					    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);                   \
		*(old) = expected;                                                                 \
	})

int guest_copy_cmpxchg(struct p2m *p2m, gpa_t at, unsigned size, u64 *old, u64 new,
		       struct guest_copy_refusal *why)
{
	u64 expected = *old;
	const struct p2m_entry *e;
	void *cell;

	if (!is_cell(at, size))
		return -EINVAL;
	e = reach(p2m, at.v, P2M_R | P2M_W, why);
	if (!e)
		return -EFAULT;
	cell = address_in(e, at.v);
	switch (size) {
	case 1:
		CELL_CMPXCHG(u8, cell, old, new);
		break;
	case 2:
		CELL_CMPXCHG(u16, cell, old, new);
		break;
	case 4:
		CELL_CMPXCHG(u32, cell, old, new);
		break;
	default:
		CELL_CMPXCHG(u64, cell, old, new);
		break;
	}
	if (size < 8)
		expected &= (1ul << 8 * size) - 1;
	if (*old == expected)
		tell(p2m, e, at.v, size);
	return 0;
}

int guest_copy_xchg(struct p2m *p2m, gpa_t at, unsigned size, u64 new, u64 *old,
		    struct guest_copy_refusal *why)
{
	const struct p2m_entry *e;
	void *cell;

	if (!is_cell(at, size))
		return -EINVAL;
	e = reach(p2m, at.v, P2M_R | P2M_W, why);
	if (!e)
		return -EFAULT;
	cell = address_in(e, at.v);
	switch (size) {
	case 1:
		*old = __atomic_exchange_n((u8 *)cell, (u8) new, __ATOMIC_SEQ_CST);
		break;
	case 2:
		*old = __atomic_exchange_n((u16 *)cell, (u16) new, __ATOMIC_SEQ_CST);
		break;
	case 4:
		*old = __atomic_exchange_n((u32 *)cell, (u32) new, __ATOMIC_SEQ_CST);
		break;
	default:
		*old = __atomic_exchange_n((u64 *)cell, new, __ATOMIC_SEQ_CST);
		break;
	}
	tell(p2m, e, at.v, size);
	return 0;
}
