/* SPDX-License-Identifier: MIT */
/*
 * boot-info.h - what the boot loader and the firmware told us, copied out of their memory and
 * judged. Nothing here points into memory that we do not own, so after boot_read() all of theirs
 * may be used as RAM, except the modules. Addresses are plain numbers: below mm nobody has boxes
 * for them.
 */
#ifndef BOOT_BOOT_INFO_H
#define BOOT_BOOT_INFO_H

#include "lib/ranges.h"
#include "lib/types.h"

#define BOOT_COMMAND_LINE_MAX 4095 /* bytes, the terminating zero not counted */
#define BOOT_MODULE_MAX	      64
#define BOOT_CPU_MAX	      64
#define BOOT_IOAPIC_MAX	      8
#define BOOT_OVERRIDE_MAX     16

struct boot_text {
	const char *bytes; /* arguments only, terminated; "" if there were none, or if too_long */
	bool too_long;	   /* more than BOOT_COMMAND_LINE_MAX bytes, or no room was left for it */
};

struct boot_module {
	u64 maddr; /* of RAM, on a page; the rest of its last page is ours to clear */
	u64 size;
	struct boot_text command_line;
	const char *refused; /* why it cannot be used, or NULL */
};

enum boot_screen_kind { BOOT_SCREEN_NONE, BOOT_SCREEN_TEXT, BOOT_SCREEN_PIXELS };

struct boot_screen {
	enum boot_screen_kind kind;
	u64 maddr;
	u32 pitch, width, height;	       /* bytes a line; pixels, or characters */
	u8 bits_per_pixel;		       /* 16, 24 or 32 */
	u8 red_shift, green_shift, blue_shift; /* lowest bit of each colour */
	u8 red_size, green_size, blue_size;    /* its bits */
};

/* From the firmware's ACPI tables; all zero where there are none. */
struct boot_acpi {
	const char *missing; /* why we know of one CPU only, or NULL */
	u32 cpu_count;
	u32 cpu_apic_id[BOOT_CPU_MAX];
	u32 cpus_left_out; /* usable CPUs past BOOT_CPU_MAX */
	u32 ioapic_count;
	struct {
		u64 maddr;
		u32 gsi_base;
	} ioapic[BOOT_IOAPIC_MAX];
	u32 override_count;
	struct {
		u8 irq; /* of the ISA bus */
		u32 gsi;
		bool active_low, level;
	} override[BOOT_OVERRIDE_MAX];
	/* To switch off: write SLP_TYP and SLP_EN to these ports; 0 = not known. */
	u16 pm1a_control, pm1b_control;
	u16 smi_command; /* firmware hands these ports over when enable_value is written there */
	u8 enable_value;
	u8 sleep_type_a, sleep_type_b;
};

struct boot_info {
	const char *protocol; /* "multiboot1" or "multiboot2" */
	char loader[64];      /* printable ASCII */
	struct boot_text command_line;
	struct range_set ram; /* whole pages, without what any entry of the map calls otherwise */
	u64 ram_bytes;	      /* what the map calls available, before anything was taken from it */
	u32 module_count;
	u32 modules_left_out; /* past BOOT_MODULE_MAX */
	struct boot_module module[BOOT_MODULE_MAX];
	struct boot_screen screen;
	u64 rsdp; /* its address, or 0 */
	struct boot_acpi acpi;
};

/* size bytes of physical memory at maddr, or NULL if they cannot be read. */
typedef const void *(*boot_map_fn)(u64 maddr, u64 size);

/*
 * Fill *info (zeroed by the caller) from what the loader left: the number in EAX and the address in
 * EBX. image_start..image_end is the monitor's own memory. Returns NULL, or what makes it
 * impossible to go on. map is called for every byte that is read.
 */
const char *boot_read(struct boot_info *info, u32 magic, u32 maddr, u64 image_start, u64 image_end,
		      boot_map_fn map);

#endif
