/* SPDX-License-Identifier: MIT */
/*
 * shadow.h - the door of mm/shadow: page tables for the CPU, made from a guest's own tables and its
 * p2m. It knows no vcpu and no CPU: faults come in as numbers, answers go out as verdicts, and the
 * same files compile for the host. Everything here is a cache: dropping any of it at any moment is
 * correct.
 *
 * The guest believes that its kernel runs at CPL 0; it runs at CPL 1, which paging calls supervisor
 * too. What the CPU must hold while a guest runs: CR0.WP=1, EFER.NXE=1, CR4.SMEP and CR4.SMAP as
 * the guest has set them, CR4.PGE, PKE, LA57 off, and the root that shadow_root() answers, asked
 * after the last other call here. Read README.md next.
 */
#ifndef MM_SHADOW_SHADOW_H
#define MM_SHADOW_SHADOW_H

#include "lib/compiler.h"
#include "lib/list.h"
#include "mm/guest-copy.h"
#include "mm/p2m.h"
#include "mm/pte.h"
#include "mm/types.h"

/* How shadows stay true to the guest's tables. */
enum shadow_policy {
	SHADOW_FORGETFUL, /* by living no longer than a TLB's entries: till CR3 load or flush */
	SHADOW_TRAPPED,	  /* tables are write-protected; writes to them are emulated */
	SHADOW_NOTIFIED,  /* the guest says what it changed: shadow_notify() */
};

/* A guest makes progress with this many frames of shadow memory: the least that limit may be. */
#define SHADOW_FRAMES_MIN 64
#define SHADOW_FRAMES_MAX 32768
#define SHADOW_SLOTS	  512

/* What can be switched off, to be measured and tested against. */
#define SHADOW_SHORT_WALK                                                                          \
	1		  /* of the guest's tables only the leaf is read where shadows lead to it */
#define SHADOW_PREFAULT 2 /* a changed entry's translation is set before it faults */
#define SHADOW_LOOSE	4 /* leaf tables go out of sync (SHADOW_TRAPPED) */
#define SHADOW_LARGE	8 /* large pages of the guest are large where the machine allows it */
#define SHADOW_REACH	16 /* copies by the sptes */
#define SHADOW_INHERIT	32 /* a new root takes over what the last one knew of the upper half */

struct shadow_config {
	struct p2m *p2m;
	enum shadow_policy policy;
	u32 limit;	    /* frames of shadow memory, at most */
	u16 reserved_first; /* top-level slots first..last are ours: the guest's entries there */
	u16 reserved_last;  /* are ignored */
	u16 supervisor_from_slot; /* from here on user access is refused at the top level; 512:
				     nowhere */
	u8 physical_bits;  /* the guest's MAXPHYADDR: entry bits from here to 51 are reserved */
	bool has_1g_pages; /* the guest's CPUID says so; otherwise PS at level 3 is reserved */
	u8 without;	   /* measured conveniences to do without: SHADOW_SHORT_WALK... */
};

/* The control bits that decide what an access may do, as the guest has set them. */
struct shadow_mode {
	bool wp;   /* CR0.WP */
	bool nxe;  /* EFER.NXE */
	bool smep; /* CR4.SMEP */
	bool smap; /* CR4.SMAP */
};

/* Counts since shadow_init(); only ever growing. */
struct shadow_stats {
	u64 faults, fills, large, reflected, emulated, zapped; /* large: of the fills */
	u64 reclaimed, dropped, out_of_sync, resynced, notified;
	u64 frames; /* of memory; shadow_get_stats() only */
};

struct shadow;
struct shadow_vcpu;

/* An access, as the guest sees it. Bits stand where a #PF's error code has them. */
struct shadow_access {
	u32 : 1;
	bool write : 1;
	bool user : 1; /* CPL 3; false also for the CPU's implicit accesses to descriptor tables */
	u32 : 1;
	bool fetch : 1;
	bool ac : 1; /* RFLAGS.AC; false for implicit accesses */
};

enum shadow_verdict {
	SHADOW_FIXED,	 /* run the instruction again; shadow_translate(): gpa is good */
	SHADOW_REFLECT,	 /* the guest's own #PF: error code in result, CR2 is gva */
	SHADOW_EMULATE,	 /* permitted, but this store must be made by the monitor at result->gpa */
	SHADOW_POPULATE, /* p2m has nothing for result->intent at result->gfn: supply it, then run
			    again */
	SHADOW_WATCHED,	 /* p2m refuses result->intent at result->gfn */
	SHADOW_KILL,	 /* the guest cannot go on: result->why */
};

struct shadow_result {
	u32 error_code;	 /* REFLECT: as bare hardware would push it */
	unsigned intent; /* POPULATE, WATCHED: P2M_R, P2M_W, P2M_X */
	gfn_t gfn;	 /* POPULATE, WATCHED: a page, or a table on the way to it */
	gpa_t gpa;	 /* EMULATE, and FIXED by shadow_translate() */
	const char *why; /* KILL */
};

/*
 * One per guest, at most 65535 vCPUs on it. The p2m must be initialised; this becomes its watcher.
 * -EINVAL: a limit or slot out of range; -ENOMEM. The structure's memory is the caller's.
 */
int shadow_init(struct shadow *s, const struct shadow_config *config) __must_check;

/* Give everything back, a bounded piece a call: -EAGAIN while there is more. No vCPU runs any more.
 */
int shadow_destroy(struct shadow *s) __must_check;

/* The top-level slots that are ours, and from where on user access is refused, change: as the
 * guest's ABI becomes known. Everything is forgotten. */
void shadow_set_upper_half(struct shadow *s, u16 reserved_first, u16 reserved_last,
			   u16 supervisor_from_slot);

/* Forget everything; any moment is good. Takes constant time: the frames come back as they are
 * needed. */
void shadow_drop_all(struct shadow *s);

/*
 * A vCPU: id is its number in the guest. It begins with CR3 0 and all mode bits clear. -ENOSPC:
 * each vCPU needs SHADOW_FRAMES_MIN of the limit. Entries of reserved top-level slots (the
 * window's, once; the switcher's, whenever another CPU loads the vCPU) are given by
 * shadow_set_slot() and stand in every root of this vCPU from then on.
 */
int shadow_vcpu_init(struct shadow_vcpu *sv, struct shadow *s, u16 id) __must_check;
void shadow_set_slot(struct shadow_vcpu *sv, unsigned slot, u64 entry);
void shadow_vcpu_exit(struct shadow_vcpu *sv);

/* The root for the CPU's CR3. Never none: when memory is short, others pay. Any other call for this
 * guest may change it. A root belongs to one vCPU, so it is never live on two CPUs (R2). */
static inline mfn_t shadow_root(struct shadow_vcpu *sv);
mfn_t shadow_find_root(struct shadow_vcpu *sv); /* its slow half */

/* The guest loads CR3 (bits 12 to 51 count) or changes its mode; both forget what a CR3 write
 * forgets on hardware, so far as the policy has not kept it true anyway. load_cr3 answers
 * shadow_root(). */
mfn_t shadow_load_cr3(struct shadow_vcpu *sv, u64 cr3);
void shadow_set_mode(struct shadow_vcpu *sv, struct shadow_mode mode);

/* INVLPG, and the forms of flush that a CR3 load does not express (CR4.PGE, INVPCID). */
void shadow_invlpg(struct shadow_vcpu *sv, gva_t gva);
void shadow_flush(struct shadow_vcpu *sv);

/*
 * A #PF in the guest. error_code is the CPU's, gva its CR2, user: the access was made as user as
 * the guest sees it (CPL 3, not implicit), ac: RFLAGS.AC. Always makes progress: the same access
 * faults a bounded number of times before it succeeds or is answered by something else than FIXED.
 */
enum shadow_verdict shadow_fault(struct shadow_vcpu *sv, gva_t gva, u32 error_code, bool user,
				 bool ac, struct shadow_result *result) __must_check;

/*
 * Where an access of the monitor on behalf of the guest goes: the guest's tables are walked with
 * all checks, A and D are set, p2m is asked; never EMULATE. One page: callers split what crosses.
 */
enum shadow_verdict shadow_translate(struct shadow_vcpu *sv, gva_t gva, struct shadow_access access,
				     struct shadow_result *result) __must_check;

/*
 * Copy bytes from (or, access.write, to) the guest where its sptes grant the access already, as a
 * CPU with an empty TLB would. False: nothing is copied, and shadow_translate() is to be asked,
 * since something must be found out, marked or told first, or the bytes lie in two pages.
 */
static inline bool shadow_copy(struct shadow_vcpu *sv, gva_t gva, struct shadow_access access,
			       void *bytes, size_t size) __must_check;

/* Where the guest's level-1 entry for gva is. False: no sptes say, so its tables must. */
bool shadow_find_entry(struct shadow_vcpu *sv, gva_t gva, gpa_t *entry) __must_check;

/* SHADOW_NOTIFIED: the entries at these physical addresses, which lie stride words apart, have
 * changed (their present content counts). An address that is no table of ours is ignored, one
 * outside memory too, and counted in the answer: a guest that lies hurts itself alone. At most 64
 * in a call. */
unsigned shadow_notify(struct shadow *s, const u64 *at, unsigned stride, unsigned count);

/* The guest says that a frame is no longer a table (it frees a top-level table, Xen's unpin). Under
 * SHADOW_NOTIFIED a top-level table must be given up so, or be emptied by notified stores, before
 * its frame is used for something else. */
void shadow_forget_table(struct shadow *s, gfn_t table);

void shadow_get_stats(const struct shadow *s, struct shadow_stats *stats);

/* Re-derive every invariant of README.md from scratch; false and one log line at the first that
 * does not hold. in_sync: the guest has told all its changes, so sptes of tables that are not loose
 * must agree with them (SHADOW_TRAPPED: always true). Takes as long as there are entries. */
bool shadow_is_sound(struct shadow *s, bool in_sync) __must_check;

/* ---- the structures, so that callers can embed them; the fields are mm/shadow's ---- */

struct shadow_page;

#define SHADOW_FIXED_SLOTS 3  /* entries of reserved slots that a vCPU can hold */
#define SHADOW_LOOSE_MAX   8  /* each resync compares them all */
#define SHADOW_HASH_FRAMES 16 /* at most; each holds 1024 buckets */

#define SHADOW_NEAR 16 /* regions of 2 MiB whose page of level 1 a vCPU remembers */

struct shadow_near {
	u64 region, links; /* shadow->links then */
	struct shadow_page *page;
};

struct shadow_vcpu {
	struct shadow *shadow;	  /* (c) */
	struct shadow_page *root; /* (s) what the CPU should load: pinned; NULL: to be found */
	const u64 *root_generation; /* (s) root's; another than shadow->generation: to be found */
	mfn_t root_mfn;		    /* (s) root's */
	u64 cr3;		  /* (v) */
	u16 id;			  /* (c) */
	u8 mode;		  /* (v) the mode as roles keep it: SHADOW_MODE_SMAP... */
#define SHADOW_MODE_SMAP 8u
	u8 fixed_count;		  /* (v) */
	struct {
		u16 slot;
		u64 entry;
	} fixed[SHADOW_FIXED_SLOTS]; /* (v) */
	struct shadow_near near[SHADOW_NEAR]; /* (v) by their last bits */
};

/* A leaf table out of sync: what its entries were when their sptes were made from them. */
struct shadow_loose {
	struct shadow_page *page; /* NULL: unused */
	u64 *entries;		  /* NULL: never used */
	mfn_t mfn;
};

/* What leaf_spte() has answered last, without frames; gpte and word are what it was asked. */
struct shadow_grant {
	u64 gpte, word, spte; /* word 0: nothing yet */
	u32 role;
};

/* What every fault reads stands first, where an instruction's displacement is one byte. */
struct shadow {
	struct p2m_watcher watcher;  /* (c) how p2m reaches us */
	struct shadow_config config; /* (c) */
	struct shadow_page **pages;  /* (c) where the rows of pages are, by number */
	u64 generation;		     /* (s) pages of an older one are dropped: nobody finds them */
	u64 clock;		     /* (s) counts faults: a page's age */
	u64 links;		     /* (s) counts ways between pages withdrawn; from 1 */
	u64 reserved_bits;	     /* (c) of the guest's entries: MAXPHYADDR to 51 */
	u32 budget;		     /* (s) entries that the present call may still withdraw */
	u32 loose_count;	     /* (s) */
	u32 free;		     /* (s) first of the free pages */
	u32 frames;		     /* (s) frames held, never above config.limit */
	u32 page_count;		     /* (s) the next page's number; 0 is none */
	bool stale;		     /* (s) something was withdrawn since CPUs were last flushed */
	bool flushed;		     /* (s) they were, since the present fault began */
	u8 known_from;		     /* (c) the level from which shadows speak for tables above */
	u8 bucket_bits;		     /* (c) */
	struct shadow_grant grant;   /* (s) */
	struct shadow_page *recent[8]; /* (s) of tables stored to of late: page_lone_leaf() */
	u64 near_first;		       /* (s) the first gfn whose p2m entry is in near_leaf */
	struct p2m_entry *near_leaf;   /* (s) */
	struct list used;	     /* (s) pages in use, the oldest first */
	u32 vcpu_count;		     /* (s) */
	struct shadow_stats stats;   /* (s) */
	struct shadow_loose loose[SHADOW_LOOSE_MAX]; /* (s) leaf tables out of sync */
	u32 *buckets[SHADOW_HASH_FRAMES];	     /* (c) pages by gfn; the words are (s) */
	mfn_t bucket_mfns[SHADOW_HASH_FRAMES];	     /* (c) */
	mfn_t directory;			     /* (c) the frames that are pages */
	mfn_t rows; /* (s) the rows' frames, a list through struct frame's link */
};

/* Bits of ours in leaf sptes, where the CPU ignores them. A user page of the guest, for the moment
 * mapped for its kernel alone; and a writable mapping of a table that is out of sync: its D says
 * that the table was written. */
#define SPTE_KERNEL_VIEW (1ul << 9)
#define SPTE_LOOSE	 (1ul << 10)

/* Where the sptes lead to, if that of gva has all of need and nothing of never; or NULL. */
void *shadow_reach(struct shadow_vcpu *sv, gva_t gva, size_t size, u64 need, u64 never);

/* Inline, since mostly access and size are known. */
static inline bool shadow_copy(struct shadow_vcpu *sv, gva_t gva, struct shadow_access access,
			       void *bytes, size_t size)
{
	u64 need = PTE_P | (access.write ? PTE_W : 0) | (access.user ? PTE_U : 0);
	u64 never = SPTE_KERNEL_VIEW | (access.write ? SPTE_LOOSE : 0) |
		    (access.fetch ? PTE_NX : 0);
	void *at;

	if (!access.user && (access.fetch || (sv->mode & SHADOW_MODE_SMAP && !access.ac)))
		never |= PTE_U; /* whose answer depends on more than the spte */
	at = shadow_reach(sv, gva, size, need, never);
	if (unlikely(!at))
		return false;
	if (access.write)
		__builtin_memcpy(at, bytes, size);
	else
		__builtin_memcpy(bytes, at, size);
	return true;
}

/* Asked before each entry into the guest, so nothing of the rare case is on its way. */
static inline mfn_t shadow_root(struct shadow_vcpu *sv)
{
	if (likely(*sv->root_generation == sv->shadow->generation))
		return sv->root_mfn;
	return shadow_find_root(sv);
}

#endif
