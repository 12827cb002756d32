/* SPDX-License-Identifier: MIT */
/* poweroff.h - how the machine stops, by the monitor's option exit=. */
#ifndef CPU_POWEROFF_H
#define CPU_POWEROFF_H

#include "boot/boot-info.h"
#include "lib/compiler.h"
#include "lib/types.h"

enum exit_method {
	EXIT_BY_ACPI,  /* soft-off by the firmware's tables; halts where there are none */
	EXIT_BY_DEBUG, /* QEMU's isa-debug-exit at port 0xf4: status 1, or 3 after a failure */
	EXIT_BY_BOCHS, /* "Shutdown" to port 0x8900 */
	EXIT_BY_HALT,
	EXIT_BY_REBOOT,
};

/* What to use from now on. Before that: EXIT_BY_HALT. */
void poweroff_set(enum exit_method method, const struct boot_acpi *acpi);

__noreturn void poweroff(bool failed);
/* After a panic: the emulators' ways and reboot as asked, else stand still, so that it can be read.
 * */
__noreturn void poweroff_after_panic(void);

#endif
