// SPDX-License-Identifier: MIT
/*
 * options.c - the monitor's command line, by tables. The line is whoever's wrote the boot menu:
 * quoted.
 */
#include "arch/x86/cpu/console.h"
#include "lib/print.h"
#include "lib/string.h"
#include "run/options.h"

struct choice {
	const char *name;
	u32 value;
};

struct option {
	const char *name;
	bool list;		      /* several, with commas between: all their bits */
	const struct choice *choices; /* ends with a NULL name */
	size_t offset;		      /* of the u32 in struct options that it sets */
};

struct word {
	const char *text;
	size_t size;
};

static const struct choice consoles[] = {
	{"com1", CONSOLE_COM1}, {"screen", CONSOLE_SCREEN}, {"none", 0}, {NULL, 0}};
static const struct choice logs[] = {{"com2", CONSOLE_LOG_COM2}, {"none", 0}, {NULL, 0}};
static const struct choice levels[] = {
    {"error", LOG_ERROR}, {"warn", LOG_WARN}, {"info", LOG_INFO}, {"debug", LOG_DEBUG}, {NULL, 0}};
static const struct choice exits[] = {{"acpi", EXIT_BY_ACPI},	  {"debug", EXIT_BY_DEBUG},
				      {"bochs", EXIT_BY_BOCHS},	  {"halt", EXIT_BY_HALT},
				      {"reboot", EXIT_BY_REBOOT}, {NULL, 0}};
static const struct choice mitigations[] = {{"auto", true}, {"off", false}, {NULL, 0}};
static const struct choice checks[] = {
	{"audit", OPTION_AUDIT}, {"nmi", OPTION_NMI}, {"events", OPTION_EVENTS},
	{"secret", OPTION_SECRET}, {"untested", OPTION_UNTESTED}, {NULL, 0}};
static const struct choice flag[] = {{"", true}, {NULL, 0}}; /* a word without = */

static const struct option known[] = {
	{"console", true, consoles, offsetof(struct options, console)},
	{"log", false, logs, offsetof(struct options, log)},
	{"loglevel", false, levels, offsetof(struct options, log_level)},
	{"exit", false, exits, offsetof(struct options, exit)},
	{"mitigations", false, mitigations, offsetof(struct options, mitigations)},
	{"stats", false, flag, offsetof(struct options, stats)},
	{"debug", true, checks, offsetof(struct options, debug)},
};

static bool word_is(struct word w, const char *text)
{
	return strlen(text) == w.size && strncmp(w.text, text, w.size) == 0;
}

static const struct option *find_option(struct word name)
{
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (word_is(name, known[i].name))
			return &known[i];
	return NULL;
}

static const struct choice *find_choice(const struct option *option, struct word value)
{
	for (const struct choice *c = option->choices; c->name; c++)
		if (word_is(value, c->name))
			return c;
	return NULL;
}

/* One of the choices, or a list of them. */
static bool read_value(const struct option *option, struct word value, u32 *result)
{
	const char *end = value.text + value.size;

	*result = 0;
	for (;;) {
		struct word piece = {.text = value.text};
		const struct choice *choice;

		while (piece.text + piece.size < end &&
		       !(option->list && piece.text[piece.size] == ','))
			piece.size++;
		choice = find_choice(option, piece);
		if (!choice)
			return false;
		*result |= choice->value;
		if (piece.text + piece.size == end)
			return true;
		value.text = piece.text + piece.size + 1;
	}
}

/* Returns false if the word is none that we know, or its value is none that it takes. */
static bool read_word(struct options *options, struct word word)
{
	struct word name = word, value = {.text = ""};
	const struct option *option;
	u32 result;

	for (size_t i = 0; i < word.size; i++) {
		if (word.text[i] != '=')
			continue;
		name.size = i;
		value = (struct word){word.text + i + 1, word.size - i - 1};
		break;
	}
	option = find_option(name);
	/* "stats=" and "exit" are wrong both. */
	if (!option || (option->choices == flag) != (name.size == word.size))
		return false;
	if (!read_value(option, value, &result))
		return false;
	*(u32 *)((char *)options + option->offset) = result;
	return true;
}

static void explain(struct word word, char *error, size_t error_size)
{
	char quoted[64];
	struct word name = word;

	for (size_t i = 0; i < word.size && name.size == word.size; i++)
		if (word.text[i] == '=')
			name.size = i;
	log_quote(quoted, sizeof(quoted), word.text, word.size);
	print_format(error, error_size, "option '%s' of the monitor: %s", quoted,
		     find_option(name) ? "its value is not one that it takes"
				       : "there is none such");
}

bool options_read(struct options *options, const struct boot_text *line, char *error,
		  size_t error_size)
{
	const char *text = line->bytes;
	bool good = true;

	*options = (struct options){
	    .console = CONSOLE_COM1 | CONSOLE_SCREEN,
	    .log = CONSOLE_LOG_COM2,
	    .log_level = LOG_INFO,
	    .exit = EXIT_BY_ACPI,
	    .mitigations = true,
	};
	if (line->too_long) {
		print_format(error, error_size,
			     "the monitor's command line is longer than %d bytes",
			     BOOT_COMMAND_LINE_MAX);
		return false;
	}
	while (*text) {
		struct word word = {.text = text};

		for (; *text && *text != ' '; text++)
			word.size++;
		while (*text == ' ')
			text++;
		if (!word.size || read_word(options, word))
			continue;
		if (good)
			explain(word, error, error_size);
		good = false;
	}
	return good;
}
