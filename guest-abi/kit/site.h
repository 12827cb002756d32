/* SPDX-License-Identifier: MIT */
/*
 * site.h - GN_SITE(name): the native instruction of an operation (guest-abi/sites.h names them),
 * annotated, so that gn_patch_sites() (patch.h) can make of it what a monitor asks for. Lines of
 * assembler in a .S file, a string for asm() in C; in any section. The record goes to section
 * .gn_sites, whose ends are the linker script's gn_site_table and gn_site_table_end (kernel.ld).
 *
 * What an operation takes and loses stands in guest-abi/sites.h. On Gnomon it may push a return
 * address: no red zone.
 *
 * site-native.h is the same without annotations. Include that one first, or give it to the compiler
 * by -include, and this one does nothing.
 */
#ifndef GUEST_ABI_KIT_SITE_H
#define GUEST_ABI_KIT_SITE_H

#include "guest-abi/sites.h"

/* clang-format off */
#ifdef __ASSEMBLER__
#define GN_SITE_TEXT(number, room, size, ...) \
	771: .nops room - size ; .byte __VA_ARGS__ ; .pushsection .gn_sites, "a" ; \
	.balign 4 ; .long 771b - . ; .short number ; .byte room, 0 ; .popsection
#else
#define GN_SITE_TEXT(number, room, size, ...) \
	"771: .nops " #room " - " #size "\n\t.byte " #__VA_ARGS__ \
	"\n\t.pushsection .gn_sites, \"a\"\n\t.balign 4\n\t.long 771b - .\n\t.short " #number \
	"\n\t.byte " #room ", 0\n\t.popsection\n\t"
#endif
/* clang-format on */
#define GN_SITE_EXPAND(...) GN_SITE_TEXT(__VA_ARGS__)
#define GN_SITE(name)	    GN_SITE_EXPAND(GN_SITE_##name)

#endif
