// SPDX-License-Identifier: MIT
/* poweroff.c - the last instructions. Each method that does not work ends in HLT. */
#include "arch/x86/cpu/insn.h"
#include "arch/x86/cpu/poweroff.h"
#include "arch/x86/cpu/serial.h"
#include "lib/compiler.h"

#define DEBUG_EXIT_PORT	 0xf4
#define BOCHS_PORT	 0x8900
#define RESET_PORT	 0xcf9 /* PCI chipsets: 2 = hard reset, 6 = do it */
#define KEYBOARD_COMMAND 0x64
#define KEYBOARD_RESET	 0xfe
#define SLEEP_TYPE_SHIFT 10
#define SLEEP_ENABLE	 (1 << 13)
#define SCI_ENABLED	 (1 << 0)
#define ENABLE_TRIES	 1000000 /* about a second */

static enum exit_method exit_method = EXIT_BY_HALT; /* (c) after poweroff_set() */
static struct boot_acpi acpi;			    /* (c) likewise */

__init void poweroff_set(enum exit_method method, const struct boot_acpi *tables)
{
	exit_method = method;
	acpi = *tables;
}

/* Firmware keeps the ports until it is asked for them; it answers with SCI_EN (ACPI 6.4, 4.8.2.5).
 * */
static void enable_acpi(void)
{
	if (!acpi.smi_command || !acpi.enable_value || (inw(acpi.pm1a_control) & SCI_ENABLED))
		return;
	outb(acpi.smi_command, acpi.enable_value);
	for (int i = 0; i < ENABLE_TRIES && !(inw(acpi.pm1a_control) & SCI_ENABLED); i++)
		;
}

/* ACPI 6.4, 4.8.3.2.1 and 7.4.2. */
static void soft_off(u16 port, u8 type)
{
	if (port)
		outw(port, (u16)((inw(port) & 0xc3ff) | type << SLEEP_TYPE_SHIFT | SLEEP_ENABLE));
}

static void reboot(void)
{
	const struct {
		u16 limit;
		u64 base;
	} __attribute__((packed)) no_idt = {0};

	outb(RESET_PORT, 2);
	outb(RESET_PORT, 6);
	outb(KEYBOARD_COMMAND, KEYBOARD_RESET);
	/* The last means that every CPU has: an exception without handlers. */
	__asm__ volatile("lidt %0; ud2" : : "m"(no_idt));
}

__noreturn void poweroff(bool failed)
{
	serial_drain(); /* the last line is on its way, and a machine that stops would swallow it */
	switch (exit_method) {
	case EXIT_BY_ACPI:
		enable_acpi();
		soft_off(acpi.pm1a_control, acpi.sleep_type_a);
		soft_off(acpi.pm1b_control, acpi.sleep_type_b);
		break;
	case EXIT_BY_DEBUG:
		outb(DEBUG_EXIT_PORT, failed);
		break;
	case EXIT_BY_BOCHS:
		for (const char *c = "Shutdown"; *c; c++)
			outb(BOCHS_PORT, (u8)*c);
		break;
	case EXIT_BY_REBOOT:
		reboot();
		break;
	case EXIT_BY_HALT:
		break;
	}
	for (;;)
		__asm__ volatile("cli; hlt");
}

__noreturn void poweroff_after_panic(void)
{
	if (exit_method == EXIT_BY_ACPI)
		exit_method = EXIT_BY_HALT;
	poweroff(true);
}
