// SPDX-License-Identifier: MIT
/*
 * guest-config.c - what a module's command line asks for. The keys, each at most once:
 *	guest=NAME mem=SIZE[K|M|G] vcpus=1 abi=auto|native|xen paging=trapped|notified shadow=FRAMES
 *	on_reboot=restart|end append=REST OF THE LINE
 * A first word that is no key is the path that some boot loaders put there.
 */
#include "lib/compiler.h"
#include "lib/string.h"
#include "mm/types.h"
#include "run/guest-config.h"

#define MEMORY_DEFAULT (256ul << 20)
#define MEMORY_MIN     (1ul << 20)
#define MEMORY_MAX     (256ul << 30)

struct word {
	const char *start;
	size_t size;
};

static bool next_word(const char **line, struct word *w)
{
	while (**line == ' ')
		(*line)++;
	w->start = *line;
	while (**line && **line != ' ')
		(*line)++;
	w->size = *line - w->start;
	return w->size > 0;
}

/* Does the word begin with key? Then it becomes what follows. */
static bool take_key(struct word *w, const char *key)
{
	size_t n = strlen(key);

	if (w->size < n || strncmp(w->start, key, n))
		return false;
	w->start += n;
	w->size -= n;
	return true;
}

static bool is_word(const struct word *w, const char *text)
{
	return w->size == strlen(text) && !strncmp(w->start, text, w->size);
}

static bool parse_number(const struct word *w, u64 *value)
{
	*value = 0;
	for (size_t i = 0; i < w->size; i++) {
		unsigned digit = w->start[i] - '0';

		if (digit > 9 || *value > 1ul << 50)
			return false;
		*value = *value * 10 + digit;
	}
	return w->size > 0;
}

static const char *parse_memory(struct word w, struct guest_config *config)
{
	static const char units[] = "KMG";
	const char *unit = w.size ? strchr(units, w.start[w.size - 1]) : NULL;
	unsigned shift = 20;

	if (unit && *unit) {
		shift = 10 * (unit - units + 1);
		w.size--;
	}
	if (!parse_number(&w, &config->memory_size) || config->memory_size > MEMORY_MAX >> shift)
		return "mem= is no size up to 256G, such as 64M";
	config->memory_size = (config->memory_size << shift) & PAGE_MASK;
	return config->memory_size < MEMORY_MIN ? "mem= is less than 1M" : NULL;
}

static const char *parse_name(const struct word *w, struct guest_config *config)
{
	static const char allowed[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

	if (w->size == 0 || w->size > GUEST_NAME_MAX)
		return "guest= wants a name of 1 to 31 characters";
	for (size_t i = 0; i < w->size; i++)
		if (!strchr(allowed, w->start[i]))
			return "guest= wants a name of letters, digits, _ and -";
	memcpy(config->name, w->start, w->size);
	return NULL;
}

static const char *parse_vcpus(const struct word *w)
{
	u64 count;

	if (!parse_number(w, &count) || count == 0)
		return "vcpus= is no number";
	return count > 1 ? "vcpus= past 1 are not supported yet" : NULL;
}

static const char *parse_shadow(const struct word *w, struct guest_config *config)
{
	u64 count;

	if (!parse_number(w, &count) || count < SHADOW_FRAMES_MIN || count > SHADOW_FRAMES_MAX)
		return "shadow= is no number of frames from 64 to 32768";
	config->shadow_frames = count;
	return NULL;
}

static const char *parse_abi(const struct word *w, struct guest_config *config)
{
	if (is_word(w, "native"))
		config->abi = 1 + GN_ABI_NATIVE;
	else if (is_word(w, "xen"))
		config->abi = 1 + GN_ABI_XEN;
	else if (!is_word(w, "auto"))
		return "abi= wants auto, native or xen";
	return NULL;
}

static const char *parse_choice(struct word w, struct guest_config *config, unsigned key)
{
	switch (key) {
	case 3:
		return parse_abi(&w, config);
	case 4:
		config->policy = is_word(&w, "notified") ? SHADOW_NOTIFIED : SHADOW_TRAPPED;
		return is_word(&w, "notified") || is_word(&w, "trapped")
			   ? NULL
			   : "paging= wants trapped or notified";
	default:
		config->restart = is_word(&w, "restart");
		return config->restart || is_word(&w, "end") ? NULL
							     : "on_reboot= wants restart or end";
	}
}

static const char *const keys[] = {
    "guest=", "mem=", "vcpus=", "abi=", "paging=", "on_reboot=", "shadow="};

static const char *parse_key(struct word w, struct guest_config *config, unsigned key)
{
	switch (key) {
	case 0:
		return parse_name(&w, config);
	case 1:
		return parse_memory(w, config);
	case 2:
		return parse_vcpus(&w);
	case 6:
		return parse_shadow(&w, config);
	default:
		return parse_choice(w, config, key);
	}
}

bool guest_config_parse(const char *line, struct guest_config *config, const char **why)
{
	unsigned seen = 0, words = 0;
	struct word w;

	memset(config, 0, sizeof(*config));
	config->memory_size = MEMORY_DEFAULT;
	config->policy = SHADOW_TRAPPED;
	config->append = "";
	for (; next_word(&line, &w); words++) {
		unsigned key = 0;

		if (take_key(&w, "append=")) {
			config->append = w.start;
			config->append_size = strlen(w.start);
			break;
		}
		while (key < ARRAY_SIZE(keys) && !take_key(&w, keys[key]))
			key++;
		*why = key == ARRAY_SIZE(keys) ? (words ? "an unknown option" : NULL)
		       : seen >> key & 1       ? "an option is given twice"
					       : parse_key(w, config, key);
		if (*why)
			return false;
		seen |= key < ARRAY_SIZE(keys) ? 1u << key : 0;
	}
	*why = "its module has no guest=NAME";
	return seen & 1;
}
