/* SPDX-License-Identifier: MIT */
/*
 * site-native.h - GN_SITE(name) as the native instruction and nothing else: for a kernel without
 * annotations from the same source. It stands in for site.h; see there.
 */
#ifndef GUEST_ABI_KIT_SITE_H
#define GUEST_ABI_KIT_SITE_H

#include "guest-abi/sites.h"

#ifdef __ASSEMBLER__
#define GN_SITE_TEXT(number, room, size, ...) .byte __VA_ARGS__
#else
#define GN_SITE_TEXT(number, room, size, ...) ".byte " #__VA_ARGS__ "\n\t"
#endif
#define GN_SITE_EXPAND(...) GN_SITE_TEXT(__VA_ARGS__)
#define GN_SITE(name)	    GN_SITE_EXPAND(GN_SITE_##name)

#endif
