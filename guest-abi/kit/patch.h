/* SPDX-License-Identifier: MIT */
/*
 * patch.h - rewrite a kernel's sites as the monitor's relocation table says. Needs nothing but its
 * arguments, so that it can be tested anywhere; start.c calls it for kernels that use the kit's
 * start.
 */
#ifndef GUEST_ABI_KIT_PATCH_H
#define GUEST_ABI_KIT_PATCH_H

#include <stdbool.h>
#include <stdint.h>
#include "guest-abi/sites.h"

struct gn_patch {
	const struct gn_site *sites, *sites_end;
	uint64_t text, text_end; /* sites lie in here */
	int64_t write_offset;	 /* where text can be written: this far from where it runs */
	uint64_t vcpu_page;	 /* the vcpu page within 2 GiB of text; 0: not mapped there */
	uint64_t *targets;	 /* GN_SITE_COUNT words within 2 GiB of text: calls go by them */
	/* What the monitor says of an operation below GN_SITE_COUNT: gn_relocation() below. */
	const struct gn_relocation *(*relocation)(unsigned operation);
};

/*
 * Judge all sites, then rewrite all of them: NULL, or what is wrong (and *wrong is the site), with
 * nothing changed. To do it again changes nothing. The result is in force for code that runs after
 * this has returned.
 */
const char *gn_patch_sites(const struct gn_patch *patch, const struct gn_site **wrong);

/* The bytes that one site gets, room of them; NULL or what is wrong. */
const char *gn_patch_form(const struct gn_patch *patch, const struct gn_site *site, uint8_t *bytes);

/* The first byte of a site; and its operation's name. */
uint64_t gn_site_start(const struct gn_site *site);
const char *gn_site_name(unsigned operation);

/* Ask the monitor; NULL for what it does not know, which stays native. */
const struct gn_relocation *gn_relocation(unsigned operation);

#endif
