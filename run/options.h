/* SPDX-License-Identifier: MIT */
/*
 * options.h - the monitor's command line: words NAME or NAME=VALUE, apart by spaces.
 *
 *	console=WHERE,...  guests' text and the log: com1, screen (default both), or none
 *	log=WHERE	   the log alone: com2 (default) or none
 *	loglevel=LEVEL	   error, warn, info (default) or debug
 *	exit=HOW	   when all guests have ended: acpi (default), debug, bochs, halt or reboot
 *	mitigations=WHAT   auto (default) or off
 *	stats		   print each guest's counters when it ends
 *	debug=WHAT,...	   audit: check the monitor's page tables at boot, and the shadow tables
 *			   all the time; nmi: raise NMIs, and say where in the switcher they came;
 *			   events: say where in the code area the timer's interrupts came;
 *			   secret: fill free memory with a pattern that no guest may ever see;
 *			   untested: no self-test in ring 1, for tests that break the monitor
 */
#ifndef RUN_OPTIONS_H
#define RUN_OPTIONS_H

#include "arch/x86/cpu/poweroff.h"
#include "boot/boot-info.h"
#include "lib/log.h"

#define OPTION_AUDIT	(1u << 0)
#define OPTION_NMI	(1u << 1)
#define OPTION_SECRET	(1u << 2)
#define OPTION_UNTESTED (1u << 3)
#define OPTION_EVENTS	(1u << 4)

struct options {
	u32 console, log;	/* CONSOLE_ bits */
	u32 log_level;		/* enum log_level */
	u32 exit;		/* enum exit_method */
	u32 mitigations, stats; /* 0 or 1 */
	u32 debug;		/* OPTION_ bits */
};

/*
 * Reads all words even after a wrong one, so that exit= counts wherever it stands. Returns false
 * and says what is wrong with the first wrong word; error has room for error_size bytes.
 */
bool options_read(struct options *options, const struct boot_text *line, char *error,
		  size_t error_size);

#endif
