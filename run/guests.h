/* SPDX-License-Identifier: MIT */
/*
 * guests.h - the guests: made as they are asked for, taken apart when they have ended. One that
 * cannot be gets one line that says why; the others run on.
 */
#ifndef RUN_GUESTS_H
#define RUN_GUESTS_H

#include "boot/boot-info.h"
#include "object/guest.h"
#include "run/options.h"

struct guests_asked {
	struct guest_config config[BOOT_MODULE_MAX];
	unsigned count;
};

/* All of these, appended to the scheduler. */
void guests_start(const struct guests_asked *asked, const struct options *options);

/* Say that this guest (or "": nobody knows whose module) is not to be. */
void guests_refuse(const char *name, const char *why);

/* Begin to make the guest of this configuration, or refuse it, which the log says. None may be in
 * the making. */
void guests_make(const struct guest_config *config, bool shared_console);

/* It has ended: say how, and take it from the scheduler. */
void guests_finish(struct cpu *cpu, struct guest *g);

/* Do a bounded piece of making a guest, or of giving back what guests that have ended had; the last
 * piece of one that rebooted begins to make it again. False: there is nothing to do. */
bool guests_work(void);

/* How many guests were refused, crashed or killed: the run failed. */
unsigned guests_failed(void);

#endif
