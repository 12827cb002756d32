// SPDX-License-Identifier: MIT
/* p2m-test.c - p2m and guest-copy: who may be inserted, what a refusal says, nothing cut, nothing
 * lost. */
#include <string.h>
#include "lib/errno.h"
#include "mm/guest-copy.h"
#include "mm/machine.h"
#include "tests/host/mm/host.h"

#define RWX (P2M_R | P2M_W | P2M_X)

static mfn_t insert(struct p2m *p2m, u64 gfn, unsigned rights)
{
	mfn_t mfn = frame_alloc(FRAME_GUEST, p2m->owner);

	CHECK(p2m_insert(p2m, GFN(gfn), mfn, rights) == 0);
	frame_put(mfn);
	return mfn;
}

static void test_ownership(struct p2m *p2m)
{
	static const enum frame_type refused[] = {FRAME_MONITOR, FRAME_SWITCHER, FRAME_SHADOW,
						  FRAME_P2M};
	mfn_t mfn, other = frame_alloc(FRAME_GUEST, 2);

	for (unsigned i = 0; i < ARRAY_SIZE(refused); i++) {
		mfn = frame_alloc(refused[i], 1);
		CHECK(p2m_insert(p2m, GFN(7), mfn, P2M_R) == -EPERM);
		frame_put(mfn);
		CHECK(p2m_insert(p2m, GFN(7), mfn, P2M_R) == -EPERM); /* free */
	}
	CHECK(p2m_insert(p2m, GFN(7), MFN(0xfee00), P2M_R) == -EPERM); /* the LAPIC: not RAM */
	mfn = frame_alloc(FRAME_GUEST, FRAME_OWNER_MONITOR);
	CHECK(p2m_insert(p2m, GFN(7), mfn, P2M_R) == -EPERM);
	frame_put(mfn);

	mfn = frame_alloc(FRAME_PUBLISHED, 1);
	CHECK(p2m_insert(p2m, GFN(7), mfn, P2M_R | P2M_X) == -EINVAL);
	CHECK(p2m_insert(p2m, GFN(7), mfn, P2M_R | P2M_W) == 0);
	CHECK(p2m_insert(p2m, GFN(7), mfn, P2M_R) == -EEXIST);
	CHECK(p2m_set_rights(p2m, GFN(7), P2M_X) == -EINVAL);
	CHECK(p2m_remove(p2m, GFN(7)) == 0);
	frame_put(mfn);

	CHECK(p2m_insert(p2m, GFN(9), other, RWX) == 0); /* lent by guest 2 */
	frame_put(other);
	CHECK(frame_of(other)->type == FRAME_GUEST);
	CHECK(p2m_remove(p2m, GFN(9)) == 0);
	CHECK(frame_of(other)->type == FRAME_FREE);
}

static void test_widths(struct p2m *p2m)
{
	static const u64 far[] = {
	    0, 255, 256, 131071, 131072, 1ul << 26, (1ul << 32) + 5, 1ul << 35, (1ul << 40) - 1};
	mfn_t mfn[ARRAY_SIZE(far)], got;
	gfn_t at = GFN(0);

	for (unsigned i = 0; i < ARRAY_SIZE(far); i++)
		mfn[i] = insert(p2m, far[i], P2M_R);
	for (unsigned i = 0; i < ARRAY_SIZE(far); i++) {
		CHECK(p2m_resolve(p2m, GFN(far[i]), P2M_R, &got) == P2M_GRANTED);
		CHECK(p2m_next(p2m, &at) && at.v == far[i]);
		at.v++;
	}
	CHECK(!p2m_next(p2m, &at));
	CHECK(p2m_lookup(p2m, GFN(5)) == NULL);
	CHECK(p2m_lookup(p2m, GFN((1ul << 40) + 255)) == NULL);
	CHECK(p2m_lookup(p2m, GFN(1ul << 52)) == NULL);
	CHECK(p2m_lookup(p2m, GFN(~0ul)) == NULL);
	CHECK(p2m_insert(p2m, GFN(1ul << 40), mfn[0], P2M_R) == -EINVAL);
	for (unsigned i = 0; i < ARRAY_SIZE(far); i++)
		CHECK(p2m_remove(p2m, GFN(far[i])) == 0);
	CHECK(p2m->count == 0);
}

static void test_answers(struct p2m *p2m)
{
	mfn_t got;

	insert(p2m, 3, P2M_R);
	CHECK(p2m_resolve(p2m, GFN(3), P2M_W, &got) == P2M_WATCHED && mfn_is_none(got));
	CHECK(p2m_resolve(p2m, GFN(3), P2M_R | P2M_X, &got) == P2M_WATCHED);
	CHECK(p2m_resolve(p2m, GFN(4), P2M_R, &got) == P2M_POPULATE);
	CHECK(p2m_set_rights(p2m, GFN(3), P2M_R | P2M_ON_DEMAND) == 0);
	CHECK(p2m_resolve(p2m, GFN(3), P2M_W, &got) == P2M_POPULATE);
	CHECK(p2m_resolve(p2m, GFN(3), P2M_R, &got) == P2M_GRANTED);
	CHECK(p2m_set_rights(p2m, GFN(3), 64) == -EINVAL);
	CHECK(p2m_set_rights(p2m, GFN(4), P2M_R) == -ENOENT);
	CHECK(p2m_remove(p2m, GFN(3)) == 0);
	CHECK(p2m_remove(p2m, GFN(3)) == -ENOENT);
}

static void test_copy(struct p2m *p2m)
{
	static u8 out[3 * PAGE_SIZE], in[3 * PAGE_SIZE];
	struct guest_copy_refusal why;
	u64 old;

	insert(p2m, 10, RWX);
	insert(p2m, 11, RWX);
	insert(p2m, 12, P2M_R);
	for (unsigned i = 0; i < sizeof(out); i++)
		out[i] = i * 7;
	CHECK(guest_copy_write(p2m, GPA(0xa123), out, PAGE_SIZE, NULL) == 0);
	CHECK(guest_copy_read(p2m, GPA(0xa123), in, PAGE_SIZE, NULL) == 0);
	CHECK(!memcmp(in, out, PAGE_SIZE));
	CHECK(guest_copy_write(p2m, GPA(0xa000), in + 1, 2 * PAGE_SIZE + 1, &why) == -EFAULT);
	CHECK(why.answer == P2M_WATCHED && why.gfn.v == 12 && why.intent == P2M_W);
	CHECK(guest_copy_read(p2m, GPA(0xa123), in, PAGE_SIZE, NULL) == 0);
	CHECK(!memcmp(in, out, PAGE_SIZE)); /* nothing of it was stored */
	CHECK(guest_copy_read(p2m, GPA(0xcff8), in, 16, &why) == -EFAULT);
	CHECK(why.answer == P2M_POPULATE && why.gfn.v == 13);
	CHECK(guest_copy_read(p2m, GPA(~0ul - 3), in, 8, &why) == -EFAULT);
	CHECK(guest_copy_read(p2m, GPA((1ul << 52) | 0xa000), in, 8, &why) == -EFAULT);
	CHECK(guest_copy_read(p2m, GPA(0x7000000000000), in, 0, &why) == 0);

	CHECK(guest_copy_write(p2m, GPA(0xa008), &(u64){0x1122334455667788}, 8, NULL) == 0);
	old = 0x88;
	CHECK(guest_copy_cmpxchg(p2m, GPA(0xa008), 1, &old, 0xff, NULL) == 0 && old == 0x88);
	old = 0;
	CHECK(guest_copy_cmpxchg(p2m, GPA(0xa008), 8, &old, 1, NULL) == 0);
	CHECK(old == 0x11223344556677ff);
	CHECK(guest_copy_cmpxchg(p2m, GPA(0xa008), 8, &old, 5, NULL) == 0);
	CHECK(guest_copy_xchg(p2m, GPA(0xa008), 4, ~0ul, &old, NULL) == 0 && old == 5);
	CHECK(guest_copy_xchg(p2m, GPA(0xa008), 8, 0, &old, NULL) == 0 && old == 0xffffffff);
	CHECK(guest_copy_xchg(p2m, GPA(0xa009), 2, 0, &old, NULL) == -EINVAL);
	CHECK(guest_copy_cmpxchg(p2m, GPA(0xa008), 3, &old, 0, NULL) == -EINVAL);
	CHECK(guest_copy_xchg(p2m, GPA(0xc008), 2, 0, &old, &why) == -EFAULT);
}

static void test_destroy(struct p2m *p2m, u64 free_before)
{
	unsigned calls = 1;

	for (u64 gfn = 1000; gfn < 1300; gfn++)
		insert(p2m, gfn, RWX);
	while (p2m_destroy(p2m) == -EAGAIN)
		calls++;
	CHECK(calls > 4);
	CHECK(frame_count_free() == free_before);
}

int main(void)
{
	struct p2m p2m;
	u64 free_before;

	printf("p2m-test: no seed\n");
	host_machine_init(0x40, 1024);
	free_before = frame_count_free();
	CHECK(p2m_init(&p2m, 1) == 0);
	test_ownership(&p2m);
	test_widths(&p2m);
	test_answers(&p2m);
	test_copy(&p2m);
	test_destroy(&p2m, free_before);
	host_machine_end();
	return host_finish();
}
