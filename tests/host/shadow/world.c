// SPDX-License-Identifier: MIT
/*
 * world.c - see world.h. The rules that it checks:
 *
 *   SAFE  what the CPU can do through the root or its TLB, the guest's tables permitted at some
 * moment since the vCPU last invalidated that page, and p2m permits now; LIVE  what the guest's
 * tables and p2m permit now succeeds after a few faults, or is EMULATE; EXACT a refusal has the
 * error code, or the frame and intent, that the oracle has; SOUND the audit holds; COPY what the
 * monitor reaches by the sptes, a CPU with an empty TLB does.
 *
 * History: for each vCPU and page of the small universe, every translation since its last flush. A
 * forgetful shadow, like a CPU's caches of upper levels, may also mix old and new entries of
 * several levels; there SAFE looks at the tables only until the first store after a flush.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "lib/errno.h"
#include "mm/machine.h"
#include "tests/host/mm/host.h"
#include "tests/host/shadow/hardware.h"
#include "tests/host/shadow/oracle.h"
#include "tests/host/shadow/universe.h"
#include "tests/host/shadow/world.h"

#define VCPUS	   2
#define REMEMBERED 24
#define TRIES	   5

struct history {
	struct oracle_translation known[REMEMBERED];
	unsigned count;
	bool overflowed; /* anything goes */
};

struct world_vcpu {
	struct shadow_vcpu sv;
	struct hardware hw;
	struct oracle_cpu cpu;
	mfn_t root; /* on which the CPU entered the guest */
	bool in_guest;
	bool stored; /* since its last flush: what the CPU keeps of upper levels may be old, too */
	struct history history[PAGES];
};

static struct world {
	enum shadow_policy policy;
	bool lies, calm;
	struct oracle_memory memory;
	struct p2m p2m;
	struct shadow shadow;
	struct world_vcpu vcpus[VCPUS];
	u64 queue[64]; /* addresses to notify */
	unsigned queued;
	struct world_counts *counts;
} w;

static void fault(const char *format, ...)
{
	va_list args;

	if (w.counts->fault[0])
		return;
	va_start(args, format);
	vsnprintf(w.counts->fault, sizeof(w.counts->fault), format, args);
	va_end(args);
}

/* ---- the universe ---- */

static u64 *guest_word(u64 gfn, unsigned slot)
{
	return (u64 *)machine_map(w.memory.mfn[gfn]) + slot;
}

static void put_frame(u64 gfn, enum frame_type type, unsigned rights)
{
	mfn_t mfn = frame_alloc(type, 1);

	if (p2m_insert(&w.p2m, GFN(gfn), mfn, rights))
		fault("p2m_insert failed");
	frame_put(mfn);
	w.memory.mfn[gfn] = mfn;
	w.memory.rights[gfn] = rights;
	w.memory.published[gfn] = type == FRAME_PUBLISHED;
}

static void put_block(void)
{
	mfn_t mfn = frame_alloc_run(9, FRAME_GUEST, 1);

	for (u64 gfn = BLOCK; gfn < 2 * BLOCK; gfn++, mfn.v++) {
		if (p2m_insert(&w.p2m, GFN(gfn), mfn, P2M_RIGHTS))
			fault("p2m_insert failed");
		frame_put(mfn);
		w.memory.mfn[gfn] = mfn;
		w.memory.rights[gfn] = P2M_RIGHTS;
	}
}

static unsigned usual_rights(u64 gfn)
{
	static const unsigned special[] = {P2M_R | P2M_W, P2M_R | P2M_X, P2M_R | P2M_W,
					   P2M_R | P2M_X | P2M_ON_DEMAND};

	return gfn >= PUBLISHED && gfn < GFNS ? special[gfn - PUBLISHED] : P2M_RIGHTS;
}

static void remember(struct world_vcpu *v, unsigned page)
{
	struct oracle_translation t = oracle_translate(&w.memory, &v->cpu, page_gva(page));
	struct history *h = &v->history[page];

	if (!t.present)
		return;
	for (unsigned i = 0; i < h->count; i++)
		if (gfn_equal(h->known[i].gfn, t.gfn) && h->known[i].w == t.w &&
		    h->known[i].u == t.u && h->known[i].x == t.x)
			return;
	if (h->count == REMEMBERED)
		h->overflowed = true;
	else
		h->known[h->count++] = t;
}

static void forget(struct world_vcpu *v, unsigned page)
{
	v->history[page].count = 0;
	v->history[page].overflowed = false;
	remember(v, page);
}

static void forget_all(struct world_vcpu *v)
{
	v->stored = false;
	for (unsigned page = 0; page < PAGES; page++)
		forget(v, page);
}

static void tables_changed(void)
{
	for (unsigned i = 0; i < VCPUS; i++)
		for (unsigned page = 0; page < PAGES; page++)
			remember(&w.vcpus[i], page);
}

/* ---- the machine: CPUs enter and leave ---- */

static void on_flush(void)
{
	for (unsigned i = 0; i < VCPUS; i++) {
		w.vcpus[i].in_guest = false;
		hardware_flush(&w.vcpus[i].hw);
	}
}

static void drain(void)
{
	shadow_notify(&w.shadow, w.queue, w.lies ? 2 : 1, w.lies ? w.queued / 2 : w.queued);
	w.queued = 0;
}

static void leave(struct world_vcpu *v)
{
	v->in_guest = false;
	hardware_flush(&v->hw);
	drain();
}

static void enter(struct world_vcpu *v)
{
	if (v->in_guest)
		return;
	v->root = shadow_root(&v->sv);
	v->in_guest = true;
	v->hw.smap = v->cpu.mode.smap;
	v->hw.smep = v->cpu.mode.smep;
}

static void stored(u64 gpa)
{
	tables_changed();
	w.vcpus[0].stored = w.vcpus[1].stored = true;
	if (w.policy != SHADOW_NOTIFIED)
		return;
	if (w.queued == ARRAY_SIZE(w.queue))
		drain();
	w.queue[w.queued++] = gpa;
}

/* ---- accesses ---- */

static void check_safe(struct world_vcpu *v, unsigned page, struct shadow_access access, mfn_t mfn)
{
	unsigned intent = access.write ? P2M_W : access.fetch ? P2M_X : P2M_R;
	const struct history *h = &v->history[page];
	gfn_t gfn = GFN_NONE;

	for (u64 i = 0; i < ORACLE_GFNS; i++)
		if (mfn_equal(w.memory.mfn[i], mfn))
			gfn = GFN(i);
	if (gfn_is_none(gfn)) {
		fault("SAFE: reached a frame that is not the guest's");
		return;
	}
	if (!(w.memory.rights[gfn.v] & intent))
		fault("SAFE: p2m does not grant %u on gfn %lu", intent, gfn.v);
	if (w.lies || h->overflowed || (w.policy == SHADOW_FORGETFUL && v->stored))
		return;
	for (unsigned i = 0; i < h->count; i++)
		if (gfn_equal(h->known[i].gfn, gfn) &&
		    oracle_permits(&v->cpu, &h->known[i], access))
			return;
	fault("SAFE: page %u: gfn %lu was never there for w%d x%d u%d ac%d", page, gfn.v,
	      access.write, access.fetch, access.user, access.ac);
}

static bool same(const struct oracle_answer *o, enum shadow_verdict verdict,
		 const struct shadow_result *r)
{
	if (o->verdict != verdict)
		return false;
	if (verdict == SHADOW_REFLECT)
		return o->error_code == r->error_code;
	return verdict == SHADOW_FIXED || (gfn_equal(o->gfn, r->gfn) && o->intent == r->intent);
}

static void check_exact(struct world_vcpu *v, unsigned page, struct shadow_access access,
			const struct oracle_answer *o, enum shadow_verdict verdict,
			const struct shadow_result *r)
{
	enum shadow_verdict plain = verdict == SHADOW_EMULATE ? SHADOW_FIXED : verdict;

	if (w.lies && verdict != SHADOW_KILL)
		return;
	if (!same(o, plain, r))
		fault("EXACT: page %u w%d x%d u%d ac%d: verdict %d code %x gfn %lu intent %u, "
		      "oracle %d code %x gfn %lu intent %u",
		      page, access.write, access.fetch, access.user, access.ac, verdict,
		      r->error_code, r->gfn.v, r->intent, o->verdict, o->error_code, o->gfn.v,
		      o->intent);
	if (verdict == SHADOW_EMULATE && !access.write)
		fault("EXACT: a read is to be emulated");
	if (verdict == SHADOW_EMULATE && r->gpa.v >> 12 != o->translation.gfn.v)
		fault("EXACT: emulate at gpa %lx", r->gpa.v);
	if (plain == SHADOW_FIXED &&
	    !oracle_is_marked(&w.memory, &v->cpu, page_gva(page), access.write))
		fault("EXACT: page %u: A or D is missing", page);
}

/* FIXED: *mfn is reached; anything else: the last verdict, with its result. */
static enum shadow_verdict reach(struct world_vcpu *v, unsigned page, struct shadow_access access,
				 mfn_t *mfn, struct shadow_result *r)
{
	gva_t gva = page_gva(page);
	struct hardware_answer got;

	w.counts->accesses++;
	for (unsigned i = 0; i < TRIES; i++) {
		struct oracle_answer o;
		enum shadow_verdict verdict;

		enter(v);
		got = hardware_access(&v->hw, v->root, gva, access);
		if (got.ok) {
			check_safe(v, page, access, got.mfn);
			*mfn = got.mfn;
			return SHADOW_FIXED;
		}
		leave(v);
		o = oracle_access(&w.memory, &v->cpu, gva, access);
		memset(r, 0, sizeof(*r));
		verdict = shadow_fault(&v->sv, gva, got.error_code, access.user, access.ac, r);
		check_exact(v, page, access, &o, verdict, r);
		tables_changed(); /* A and D, no more */
		if (verdict != SHADOW_FIXED) {
			w.counts->reflected += verdict == SHADOW_REFLECT;
			w.counts->emulated += verdict == SHADOW_EMULATE;
			w.counts->refused +=
			    verdict == SHADOW_POPULATE || verdict == SHADOW_WATCHED;
			return verdict;
		}
		w.counts->fixed++;
	}
	fault("LIVE: page %u w%d x%d u%d ac%d faults for ever, code %x", page, access.write,
	      access.fetch, access.user, access.ac, got.error_code);
	return SHADOW_KILL;
}

/* ---- operations ---- */

static void store(struct world_vcpu *v, const struct op *op)
{
	u64 table = op->a % TABLES, value = entry_of(op);
	unsigned slot = op->b & 128 ? (op->b & 127) % 6 : op->b & 1;
	struct shadow_access access = {.write = true, .ac = true};
	struct shadow_result r;
	mfn_t mfn;

	switch (reach(v, 16 + table, access, &mfn, &r)) {
	case SHADOW_FIXED:
		__atomic_store_n((u64 *)machine_map(mfn) + slot, value, __ATOMIC_SEQ_CST);
		break;
	case SHADOW_EMULATE:
		r.gpa.v = (r.gpa.v & PAGE_MASK) + 8 * slot;
		if (guest_copy_write(&w.p2m, r.gpa, &value, 8, NULL))
			fault("the store that was to be emulated fails");
		break;
	default:
		return;
	}
	stored(table << 12 | slot * 8);
}

/* The guest clears bits of one byte, or the monitor stores some bytes for it, entries straddled. */
static void poke(const struct op *op)
{
	u64 gpa = (u64)(op->a % TABLES) << 12 | (op->b % 44);
	u64 old = 0;

	if (op->c & 1) {
		if (guest_copy_write(&w.p2m, GPA(gpa), &op->d, 1 + op->c % 4, NULL))
			return;
	} else {
		if (guest_copy_read(&w.p2m, GPA(gpa), &old, 1, NULL) ||
		    guest_copy_cmpxchg(&w.p2m, GPA(gpa), 1, &old, old & op->d, NULL))
			return;
	}
	stored(gpa);
	if ((gpa & 7) > 4)
		stored(gpa + 3);
}

/* What the monitor copies by the sptes, a CPU with an empty TLB reaches, in the same frame. */
static void copy(struct world_vcpu *v, unsigned page, const struct op *op)
{
	struct shadow_access access = {
	    .write = op->c & 1,
	    .fetch = (op->c & 3) == 2,
	    .user = op->c & 4,
	    .ac = op->c & 8,
	};
	unsigned slot = op->d % 6;
	struct hardware cpu = {.smap = v->cpu.mode.smap, .smep = v->cpu.mode.smep};
	struct hardware_answer got;
	u64 word = entry_of(op);

	hardware_flush(&cpu);
	if (!shadow_copy(&v->sv, GVA(page_gva(page).v + 8 * slot), access, &word, sizeof(word)))
		return;
	got = hardware_access(&cpu, shadow_root(&v->sv), page_gva(page), access);
	if (!got.ok)
		fault("COPY: page %u: the CPU may not, code %x", page, got.error_code);
	else if (word != ((u64 *)machine_map(got.mfn))[slot])
		fault("COPY: page %u: another frame's word", page);
	else
		check_safe(v, page, access, got.mfn);
	if (access.write)
		stored(0); /* never under SHADOW_NOTIFIED */
	w.counts->copied++;
}

static void access_page(struct world_vcpu *v, const struct op *op)
{
	struct shadow_access access = {
	    .write = op->b & 1,
	    .fetch = (op->b & 3) == 2,
	    .user = op->b & 4,
	    .ac = op->b & 8,
	};
	unsigned page = op->b & 128 ? 16 + op->a % GFNS : op->a % 16;
	struct shadow_result r;
	mfn_t mfn;

	if (reach(v, page, access, &mfn, &r) == SHADOW_FIXED)
		copy(v, page, op);
}

static void translate(struct world_vcpu *v, const struct op *op)
{
	struct shadow_access access = {.write = op->b & 1, .user = op->b & 4, .ac = op->b & 8};
	struct oracle_answer o = oracle_access(&w.memory, &v->cpu, page_gva(op->a % 16), access);
	struct shadow_result r = {0};
	enum shadow_verdict verdict = shadow_translate(&v->sv, page_gva(op->a % 16), access, &r);

	check_exact(v, op->a % 16, access, &o, verdict, &r);
	if (!w.lies && verdict == SHADOW_FIXED && r.gpa.v >> 12 != o.translation.gfn.v)
		fault("EXACT: translate to gpa %lx", r.gpa.v);
}

static void load(struct world_vcpu *v, const struct op *op)
{
	static const u64 odd[] = {100, PUBLISHED, 1ul << 39, 5, 13, LINEAR};
	u64 gfn = op->a < 240 ? op->a % ROOTS : odd[op->a % ARRAY_SIZE(odd)];

	leave(v);
	v->cpu.cr3 = gfn << 12 | (op->b & 0x18);
	shadow_load_cr3(&v->sv, v->cpu.cr3);
	forget_all(v);
}

static void set_mode(struct world_vcpu *v, const struct op *op)
{
	struct shadow_mode mode = {
	    .wp = op->a & 3,
	    .nxe = op->a & 12,
	    .smep = op->a & 16,
	    .smap = op->a & 32,
	};

	leave(v);
	v->cpu.mode = mode;
	shadow_set_mode(&v->sv, mode);
	forget_all(v);
}

static void change_p2m(const struct op *op)
{
	u64 gfn = op->a < 192 ? op->a % GFNS : BLOCK + op->a % 4;
	int error;

	if (gfn < ROOTS || (gfn >= LINEAR && gfn < LINEAR + 3))
		return;
	drain();
	if (mfn_is_none(w.memory.mfn[gfn])) {
		put_frame(gfn, gfn == PUBLISHED ? FRAME_PUBLISHED : FRAME_GUEST, usual_rights(gfn));
	} else if (op->b & 1) {
		unsigned rights = op->b & 2 ? usual_rights(gfn) : op->c & 15;

		if (gfn == PUBLISHED)
			rights &= ~P2M_X;
		while ((error = p2m_set_rights(&w.p2m, GFN(gfn), rights)) == -EAGAIN)
			;
		if (error)
			fault("p2m_set_rights: %d", error);
		w.memory.rights[gfn] = rights;
	} else {
		while ((error = p2m_remove(&w.p2m, GFN(gfn))) == -EAGAIN)
			;
		if (error)
			fault("p2m_remove: %d", error);
		w.memory.mfn[gfn] = MFN_NONE;
	}
	tables_changed();
}

static void audit(void)
{
	w.counts->audits++;
	drain();
	if (!shadow_is_sound(&w.shadow, w.policy == SHADOW_TRAPPED))
		fault("SOUND: the audit fails");
}

static void run_op(const struct op *op)
{
	struct world_vcpu *v = &w.vcpus[op->kind >> 7];
	unsigned kind = op->kind & 127, page;

	if (w.calm && kind >= 92 && kind < 112 && op->b & 7)
		kind -= 92; /* what is stale stays so for long */

	if (kind < 48) {
		access_page(v, op);
	} else if (kind < 88) {
		store(v, op);
		for (unsigned i = 1; kind >= 80 && i < 4;
		     i++) { /* as kernels do: several in a row */
			struct op more = *op;

			more.b ^= i;
			more.d ^= op->d << i;
			store(v, &more);
		}
	} else if (kind < 92) {
		poke(op);
	} else if (kind < 100) {
		page = op->b & 128 ? 16 + op->a % GFNS : op->a % 16;
		leave(v);
		shadow_invlpg(&v->sv, page_gva(page));
		forget(v, page);
	} else if (kind < 108) {
		load(v, op);
	} else if (kind < 110) {
		leave(v);
		shadow_flush(&v->sv);
		forget_all(v);
	} else if (kind < 112) {
		set_mode(v, op);
	} else if (kind < 116) {
		change_p2m(op);
	} else if (kind < 122) {
		leave(v);
		translate(v, op);
		tables_changed();
	} else if (kind < 124) {
		drain();
		shadow_forget_table(&w.shadow, GFN(op->a % GFNS));
	} else if (kind == 124 && op->a < 64) {
		shadow_drop_all(&w.shadow);
	} else if (op->a < 32) {
		audit();
	}
}

/* ---- begin and end ---- */

static void begin(const struct op *first)
{
	struct shadow_config config = {
	    .p2m = &w.p2m,
	    .policy = w.policy,
	    .limit = VCPUS * SHADOW_FRAMES_MIN,
	    .reserved_first = 270,
	    .reserved_last = 271,
	    .supervisor_from_slot = first->a & 1 ? 1 : 512,
	    .physical_bits = 46,
	    .has_1g_pages = first->a & 2,
	};

	for (u64 gfn = 0; gfn < ORACLE_GFNS; gfn++)
		w.memory.mfn[gfn] = MFN_NONE;
	w.calm = first->c & 1;
	if (p2m_init(&w.p2m, 1) || shadow_init(&w.shadow, &config))
		fault("init failed");
	for (u64 gfn = 0; gfn < GFNS; gfn++)
		put_frame(gfn, gfn == PUBLISHED ? FRAME_PUBLISHED : FRAME_GUEST, usual_rights(gfn));
	put_block();
	for (unsigned root = 0; root < ROOTS; root++)
		*guest_word(root, 511) = LINEAR << 12 | 0x63;
	*guest_word(LINEAR, 0) = (LINEAR + 1) << 12 | 0x63;
	*guest_word(LINEAR + 1, 0) = (LINEAR + 2) << 12 | 0x63;
	for (u64 gfn = 0; gfn < GFNS; gfn++)
		*guest_word(LINEAR + 2, gfn) = gfn << 12 | 0x63;
	for (unsigned i = 0; i < VCPUS; i++) {
		struct world_vcpu *v = &w.vcpus[i];

		v->cpu.supervisor_from_slot = config.supervisor_from_slot;
		v->cpu.physical_bits = config.physical_bits;
		v->cpu.has_1g_pages = config.has_1g_pages;
		v->cpu.mode = (struct shadow_mode){.wp = true, .nxe = true, .smep = true};
		hardware_flush(&v->hw);
		if (shadow_vcpu_init(&v->sv, &w.shadow, i))
			fault("shadow_vcpu_init failed");
		shadow_set_mode(&v->sv, v->cpu.mode);
		forget_all(v);
	}
}

static void end(u64 free_before)
{
	for (unsigned i = 0; i < VCPUS; i++)
		shadow_vcpu_exit(&w.vcpus[i].sv);
	while (shadow_destroy(&w.shadow))
		;
	while (p2m_destroy(&w.p2m))
		;
	if (frame_count_free() != free_before)
		fault("%ld frames leaked", (long)(free_before - frame_count_free()));
}

bool world_run(enum shadow_policy policy, bool lies, const struct op *ops, size_t count,
	       struct world_counts *counts)
{
	u64 free_before;

	memset(&w, 0, sizeof(w));
	memset(counts, 0, sizeof(*counts));
	w.policy = policy;
	w.lies = lies;
	w.counts = counts;
	host_machine_init(0x1000, 1536);
	free_before = frame_count_free();
	host_on_flush = on_flush;
	begin(ops);
	for (size_t i = 0; i < count && !counts->fault[0]; i++)
		run_op(&ops[i]);
	shadow_get_stats(&w.shadow, &counts->stats);
	if (!counts->fault[0]) {
		audit();
		end(free_before);
	}
	host_on_flush = NULL;
	host_machine_end();
	return !counts->fault[0];
}
