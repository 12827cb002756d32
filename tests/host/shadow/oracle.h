/* SPDX-License-Identifier: MIT */
/*
 * oracle.h - what the architecture says about an access, from the guest's tables as they are now: a
 * plain walk that knows the test's own list of frames instead of a p2m, and nothing of mm/shadow.
 */
#ifndef TESTS_HOST_SHADOW_ORACLE_H
#define TESTS_HOST_SHADOW_ORACLE_H

#include "mm/shadow/shadow.h"

#define ORACLE_GFNS 1024

/* The test's own list of a guest's memory. */
struct oracle_memory {
	mfn_t mfn[ORACLE_GFNS]; /* MFN_NONE: nothing there */
	unsigned rights[ORACLE_GFNS];
	bool published[ORACLE_GFNS];
};

struct oracle_cpu {
	u64 cr3;
	struct shadow_mode mode;
	unsigned supervisor_from_slot;
	unsigned physical_bits;
	bool has_1g_pages;
};

/* A translation: where to, and what all levels together grant. */
struct oracle_translation {
	bool present;
	gfn_t gfn;
	bool w, u, x;
};

struct oracle_answer {
	enum shadow_verdict verdict; /* FIXED: permitted */
	u32 error_code;
	gfn_t gfn;
	unsigned intent;
	struct oracle_translation translation;
};

struct oracle_answer oracle_access(const struct oracle_memory *m, const struct oracle_cpu *cpu,
				   gva_t gva, struct shadow_access access);

/* The translation alone, without an access. */
struct oracle_translation oracle_translate(const struct oracle_memory *m,
					   const struct oracle_cpu *cpu, gva_t gva);

/* Whether a translation permits an access: SDM volume 3, 4.6.1. */
bool oracle_permits(const struct oracle_cpu *cpu, const struct oracle_translation *t,
		    struct shadow_access access);

/* Whether A is set at all levels, and D where the access needs it. */
bool oracle_is_marked(const struct oracle_memory *m, const struct oracle_cpu *cpu, gva_t gva,
		      bool write);

#endif
