/* SPDX-License-Identifier: MIT */
/* modules.h - from boot modules to the guests that are asked for: which module is whose kernel, and
 * which whose initrd. What is neither gets one line that says why, and counts as a failure. */
#ifndef RUN_MODULES_H
#define RUN_MODULES_H

#include "boot/boot-info.h"
#include "run/guests.h"

/* Their frames can be shown to guests from now on. */
const struct guests_asked *modules_read(const struct boot_info *info);

#endif
