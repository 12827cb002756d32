// SPDX-License-Identifier: MIT
/* modules.c - see modules.h. It runs at boot only: the linker script gives its code away. */
#include "run/modules.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "run/guest-config.h"

/* One of each 16 frames of RAM may be shadow memory, and never fewer than keeps a small guest
 * quick. */
#define SHADOW_SHARE   16
#define SHADOW_DEFAULT 512

static struct guests_asked asked; /* (c) after modules_read() */

static struct guest_config *find(const char *name, size_t size)
{
	for (unsigned i = 0; i < asked.count; i++)
		if (strlen(asked.config[i].name) == size &&
		    !strncmp(asked.config[i].name, name, size))
			return &asked.config[i];
	return NULL;
}

/* "initrd=NAME", after a path or alone: the initrd of a guest named before. */
static const char *initrd_name(const char *line)
{
	const char *second = strchr(line, ' ');

	if (!strncmp(line, "initrd=", 7))
		return line + 7;
	return second && !strncmp(second + 1, "initrd=", 7) ? second + 8 : NULL;
}

static void add_initrd(const struct boot_module *m, const char *name)
{
	struct guest_config *config = find(name, strlen(name));

	if (!config || config->initrd_size) {
		guests_refuse("", config ? "a second initrd of one guest"
				  : "an initrd without a kernel of its name before it");
		return;
	}
	config->initrd = MADDR(m->maddr);
	config->initrd_size = m->size;
}

static void add_kernel(const struct boot_module *m)
{
	struct guest_config config;
	const char *why;

	if (!guest_config_parse(m->command_line.bytes, &config, &why)) {
		guests_refuse(config.name, why);
		return;
	}
	if (find(config.name, strlen(config.name))) {
		guests_refuse(config.name, "another guest has this name");
		return;
	}
	if (!config.shadow_frames)
		config.shadow_frames =
		    MIN(MAX((config.memory_size >> PAGE_SHIFT) / SHADOW_SHARE, SHADOW_DEFAULT),
			SHADOW_FRAMES_MAX);
	config.kernel = MADDR(m->maddr);
	config.kernel_size = m->size;
	asked.config[asked.count++] = config;
	asked.config[asked.count - 1].owner = asked.count;
}

/* Its command line may still say whose kernel it would have been. */
static void refuse_module(const struct boot_module *m, const char *why)
{
	struct guest_config config;
	const char *ignored;

	(void)guest_config_parse(m->command_line.bytes, &config, &ignored);
	guests_refuse(config.name, why);
}

static void add_module(const struct boot_module *m)
{
	const char *name = initrd_name(m->command_line.bytes);

	if (m->refused) {
		refuse_module(m, m->refused);
	} else if (m->command_line.too_long) {
		refuse_module(m, "its command line is longer than 4095 bytes");
	} else {
		/* Guests read modules where they lie; nobody changes them. */
		frame_claim(MFN(m->maddr >> PAGE_SHIFT), ALIGN_UP(m->size, PAGE_SIZE) >> PAGE_SHIFT,
			    FRAME_PUBLISHED);
		if (name)
			add_initrd(m, name);
		else
			add_kernel(m);
	}
}

const struct guests_asked *modules_read(const struct boot_info *info)
{
	for (unsigned i = 0; i < info->module_count; i++)
		add_module(&info->module[i]);
	return &asked;
}
