/* SPDX-License-Identifier: MIT */
/*
 * keyboard.h - which guest gets the keys. KEYBOARD_ESCAPE then n: the next guest; twice: the key
 * itself.
 */
#ifndef RUN_KEYBOARD_H
#define RUN_KEYBOARD_H

#include "lib/list.h"

#define KEYBOARD_ESCAPE 0x1d /* Ctrl-] */

/* Give what was typed to the guest that has the keyboard. */
void keyboard_poll(struct list *guests);

#endif
