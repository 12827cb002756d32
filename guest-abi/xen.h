/* SPDX-License-Identifier: MIT */
/*
 * xen.h - what the switcher knows of the ABI of Xen's paravirtual guests: the three calls that it
 * answers itself, and the frame of one of them. C11 and assembler. The rest of that ABI is in
 * hypercall/xen/interface.h.
 */
#ifndef GUEST_ABI_XEN_H
#define GUEST_ABI_XEN_H

#define XEN_CALL_STACK_SWITCH	  3
#define XEN_CALL_IRET		  23
#define XEN_CALL_SET_SEGMENT_BASE 25

/* set_segment_base */
#define XEN_SEGBASE_FS		0
#define XEN_SEGBASE_GS_USER	1
#define XEN_SEGBASE_GS_KERNEL	2
#define XEN_SEGBASE_GS_USER_SEL 3

/* iret: what it finds at RSP. */
#define XEN_IRET_RAX	0
#define XEN_IRET_R11	8
#define XEN_IRET_RCX	16
#define XEN_IRET_RIP	32
#define XEN_IRET_CS	40
#define XEN_IRET_RFLAGS 48
#define XEN_IRET_RSP	56
#define XEN_IRET_SS	64

#ifndef __ASSEMBLER__
#include <stdint.h>

struct xen_iret_frame {
	uint64_t rax, r11, rcx, flags, rip, cs, rflags, rsp, ss;
};

_Static_assert(__builtin_offsetof(struct xen_iret_frame, rcx) == XEN_IRET_RCX, "");
_Static_assert(__builtin_offsetof(struct xen_iret_frame, rip) == XEN_IRET_RIP, "");
_Static_assert(__builtin_offsetof(struct xen_iret_frame, ss) == XEN_IRET_SS, "");
#endif

#endif
