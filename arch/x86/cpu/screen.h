/* SPDX-License-Identifier: MIT */
/* screen.h - text on the VGA's text mode or on a framebuffer, whichever the boot loader left. */
#ifndef CPU_SCREEN_H
#define CPU_SCREEN_H

#include "boot/boot-info.h"

bool screen_init(const struct boot_screen *screen); /* false: there is none */
void screen_write(const char *text, size_t size);

#endif
