// SPDX-License-Identifier: MIT
/* prompt.c - see prompt.h. */
#include "guests/tour/prompt.h"
#include <stdbool.h>
#include <stddef.h>
#include "guest-abi/layout.h"
#include "guests/tour/check.h"
#include "guests/tour/console.h"
#include "guests/tour/process.h"

#define LINE_SIZE 64

static void help(void);
static void list_processes(void);
static void crash(void);
static void reboot(void);
static void power_off(void);

static const struct command {
	const char *name;
	void (*run)(void);
	const char *text;
	bool shows; /* one of the sights */
} commands[] = {
    {"help", help, "this list", false},
    {"ps", list_processes, "which processes there are", false},
    {"run", show_processes, "processes make system calls, the kernel makes hypercalls", true},
    {"mem", show_memory, "page tables, demand paging, separate address spaces", true},
    {"fault", show_faults, "processes misbehave and are ended; the kernel errs and goes on", true},
    {"time", show_time, "clock, timer, preemption, the virtual interrupt flag", true},
    {"attack", show_attacks, "what a kernel in ring 1 must not do, and what comes of it", true},
    {"crash", crash, "the kernel errs and is not prepared: this guest ends", false},
    {"reboot", reboot, "end this guest, and perhaps begin again", false},
    {"poweroff", power_off, "end this guest", false},
};

#define COUNT (sizeof(commands) / sizeof(commands[0]))

static void help(void)
{
	for (size_t i = 0; i < COUNT; i++)
		print("  %-10s%s\n", commands[i].name, commands[i].text);
}

static void list_processes(void)
{
	static const char *const states[] = {"", "ready", "asleep", "waiting", "ended"};
	struct process *p;

	print("  %6s  %-8s  %6s  %6s  %s\n", "number", "state", "ticks", "pages", "name");
	for (uint64_t i = 0; (p = process_number(i)); i++)
		if (p->state != PROCESS_NONE)
			print("  %6u  %-8s  %6u  %6u  %s\n", i, states[p->state], p->ticks,
			      p->pages, p->name);
}

static void crash(void)
{
	__asm__ volatile("movb $0, 8"); /* C has no way to say this */
}

static void reboot(void)
{
	shut_down(GN_SHUTDOWN_REBOOT, "");
}

static void power_off(void)
{
	shut_down(GN_SHUTDOWN_POWEROFF, "");
}

static bool is_equal(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

static void run(const char *line)
{
	for (size_t i = 0; i < COUNT; i++) {
		if (is_equal(line, commands[i].name)) {
			commands[i].run();
			return;
		}
	}
	if (*line)
		print("  no command '%s'; try help\n", line);
}

static void read_line(char line[LINE_SIZE])
{
	size_t size = 0;

	for (;;) {
		char key = console_key();

		if (key == '\r' || key == '\n')
			break;
		if ((key == '\b' || key == 0x7f) && size) {
			size--;
			print("\b \b");
		} else if (key >= ' ' && key < 0x7f && size < LINE_SIZE - 1) {
			line[size++] = key;
			print("%c", key);
		}
	}
	line[size] = 0;
	print("\n");
}

_Noreturn void prompt_run(void)
{
	char line[LINE_SIZE];

	for (;;) {
		print("tour> ");
		read_line(line);
		run(line);
	}
}

_Noreturn void prompt_run_all(void)
{
	char text[GN_SHUTDOWN_TEXT];

	for (size_t i = 0; i < COUNT; i++) {
		if (!commands[i].shows)
			continue;
		print("%s: %s\n", commands[i].name, commands[i].text);
		commands[i].run();
	}
	print("%u passed, %u failed\n", check_passed(), check_failed());
	if (!check_failed())
		power_off();
	format(text, sizeof(text), "%u of its checks failed", check_failed());
	shut_down(GN_SHUTDOWN_CRASH, text);
}
