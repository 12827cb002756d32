/* SPDX-License-Identifier: MIT */
/* prompt.h - commands, typed at the console or all in a row. */
#ifndef GUESTS_TOUR_PROMPT_H
#define GUESTS_TOUR_PROMPT_H

/* Read commands and carry them out, until one ends the guest. */
_Noreturn void prompt_run(void);
/* Show everything. Power off if all went as it should, else end by a crash. */
_Noreturn void prompt_run_all(void);

#endif
