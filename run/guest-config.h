/* SPDX-License-Identifier: MIT */
/* guest-config.h - a module's command line: what a guest is to be. */
#ifndef RUN_GUEST_CONFIG_H
#define RUN_GUEST_CONFIG_H

#include "object/guest.h"

/* Judge "guest=NAME mem=... append=REST" (a path before it is ignored). False: *why says what is
 * wrong; config->name is set when that much could be read. */
bool guest_config_parse(const char *line, struct guest_config *config, const char **why);

#endif
