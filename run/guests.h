/* SPDX-License-Identifier: MIT */
/*
 * guests.h - from boot modules to guests: reads their command lines, makes each guest, maps the
 * loader into it. A module that is no guest, or a guest that cannot be, gets one line that says
 * why; the others run on.
 */
#ifndef RUN_GUESTS_H
#define RUN_GUESTS_H

#include "boot/boot-info.h"
#include "object/guest.h"
#include "run/options.h"

/* Judge a module's command line "guest=NAME mem=... append=REST" (a path before it is ignored).
 * False: *why says what is wrong; config->name is set when that much could be read. */
bool guests_parse(const char *line, struct guest_config *config, const char **why);

/* All guests that the modules describe, appended to the scheduler. Returns how many were asked for.
 * */
unsigned guests_start(const struct boot_info *info, const struct options *options);

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
