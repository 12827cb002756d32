/* SPDX-License-Identifier: MIT */
/*
 * gnomon.lds.S - the linker script. One ELF file whose bytes lie in the file as they lie in memory,
 * so that a boot loader that knows no 64-bit ELF can copy them by the multiboot address fields
 * alone: every section begins and ends on a page, and addresses in memory follow each other without
 * a hole.
 *
 *   .boot      multiboot headers and 32-bit code, linked where it is loaded
 *   .switcher  text that guests' address spaces map, linked in slot 271
 *   .window    the code area that guests call, linked in slot 270
 *   .init      what only boot runs; the monitor gives its memory away before the first guest runs
 *   .text .rodata .data .bss   the monitor, linked at IMAGE_BASE + its physical address
 */
#include "boot/layout.h"
#include "arch/x86/switcher/area.h"
#include "guest-abi/layout.h"

OUTPUT_FORMAT(elf64-x86-64)
ENTRY(start)

PHDRS
{
	boot PT_LOAD FLAGS(5);
	switcher PT_LOAD FLAGS(5);
	window PT_LOAD FLAGS(5);
	text PT_LOAD FLAGS(5);
	init PT_LOAD FLAGS(5);
	rodata PT_LOAD FLAGS(4);
	data PT_LOAD FLAGS(6);
}

SECTIONS
{
	. = IMAGE_LOAD;
	.boot : AT(IMAGE_LOAD) {
		KEEP(*(.boot.header))
		*(.boot)
		. = ALIGN(4096);
	} :boot

	. = AREA_TEXT;
	.switcher : AT(LOADADDR(.boot) + SIZEOF(.boot)) {
		*(.switcher.text)
		switcher_text_end = .;
		. = ALIGN(4096);
	} :switcher

	. = GN_CODE_AREA;
	.window : AT(LOADADDR(.switcher) + SIZEOF(.switcher)) {
		*(.window.text)
		. = ALIGN(4096);
	} :window

	/* Where the two lie in memory, as the monitor writes addresses of its image. */
	switcher_image = IMAGE_BASE + LOADADDR(.switcher);
	window_image = IMAGE_BASE + LOADADDR(.window);

	. = window_image + SIZEOF(.window);
	/* Whole files first, or .text would take them; then what is marked __init in others. */
	.init : AT(ADDR(.init) - IMAGE_BASE) {
		init_start = .;
		*boot/acpi.o(.text .text.*)
		*boot/boot.o(.text .text.*)
		*boot/multiboot1.o(.text .text.*)
		*boot/multiboot2.o(.text .text.*)
		*lib/ranges.o(.text .text.*)
		*lib/string.o(.text.memmove .text.strcmp .text.strchr)
		*run/guest-config.o(.text .text.*)
		*run/modules.o(.text .text.*)
		*run/options.o(.text .text.*)
		*run/self-test.o(.text .text.*)
		*(.text.init)
		. = ALIGN(4096);
		init_end = .;
	} :init

	/* -Oz does not align functions; live patching will want them on 16 bytes. */
	.text : AT(ADDR(.text) - IMAGE_BASE) SUBALIGN(16) {
		text_start = .;
		*(.text .text.*)
		. = ALIGN(4096);
		text_end = .;
	} :text

	.rodata : AT(ADDR(.rodata) - IMAGE_BASE) {
		rodata_start = .;
		build_id_note = .;
		KEEP(*(.note.gnu.build-id))
		*(.rodata .rodata.* .got .got.plt)
		. = ALIGN(16);
		exception_table_start = .;
		KEEP(*(.exception_table))
		exception_table_end = .;
		/* Last, so that the second link, which fills the table, moves no function. */
		KEEP(*(.symbols))
		. = ALIGN(4096);
		rodata_end = .;
	} :rodata

	.data : AT(ADDR(.data) - IMAGE_BASE) {
		data_start = .;
		*(.data .data.*)
		. = ALIGN(4096);
	} :data
	image_load_end = .;

	.bss : AT(ADDR(.bss) - IMAGE_BASE) {
		*(.bss .bss.*)
		. = ALIGN(4096);
		/* Used until the monitor has its own tables and stacks, then given back as RAM. */
		boot_memory_start = .;
		*(.boot.bss)
		. = ALIGN(4096);
		boot_memory_end = .;
	} :data
	image_end = .;
	ASSERT(init_end == text_start && text_end == rodata_start && rodata_end == data_start,
	       "a section that this script does not name has come between")

	/DISCARD/ : {
		*(.comment .note.GNU-stack .note.gnu.property .eh_frame .eh_frame_hdr)
	}
}
