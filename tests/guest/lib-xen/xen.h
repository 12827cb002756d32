/* SPDX-License-Identifier: MIT */
/*
 * xen.h - the door of the library for test kernels of Xen's ABI. Such a kernel exists on Gnomon
 * alone: there is no bare machine that could say what is right, so the ABI does. check(), breach()
 * and print() are those of tests/guest/lib.
 */
#ifndef TESTS_GUEST_LIB_XEN_XEN_H
#define TESTS_GUEST_LIB_XEN_XEN_H

#include "guest-abi/xen.h"
#include "tests/guest/lib-xen/vectors.h"
#include "tests/guest/lib/test.h"

/* The user's two pages, in the lower half; code[] is the first one as the kernel sees it. */
#define XEN_USER_CODE  0x0000000000400000ul
#define XEN_USER_STACK 0x0000000000402000ul /* its end */
extern u8 xen_user_code[4096], xen_user_stack[4096];

/* Registers to enter the user by, in the order in which start.S loads them. */
struct xen_state {
	u64 rbx, rdx, rsi, rbp, r8, r9, r10, r12, r13, r14, r15, rdi;
	struct xen_iret_frame frame;
};

/* What was taken, and with what registers. */
struct xen_taken {
	u64 rbx, rdx, rsi, rbp, r8, r9, r10, r12, r13, r14, r15, rdi;
	u64 rax, vector, rcx, r11, error, rip, cs, rflags, rsp, ss;
	u64 stack; /* of the kernel: where the frame began */
};

/* What the kernel shares with the monitor: the vcpu_info's first fields. */
struct xen_info {
	volatile u8 pending, mask;
	u8 pad[6];
	volatile u64 pending_sel;
	u64 cr2, arch_pad;
	u64 time[4]; /* struct pvclock_vcpu_time_info */
};
extern struct xen_info *xen_info;

/* The state of a user about to execute the snippet, on his stack, all other registers marked. */
struct xen_state xen_state_for(const struct snippet *code);

/* Enter by it; what was taken is here and its vector returned. */
u64 xen_run(struct xen_state *s);
extern struct xen_taken xen_taken;

/* A hypercall, and one whose registers are looked at: false if it changed one that it may not. */
s64 xen_call(u64 number, u64 a, u64 b, u64 c);
bool xen_call_keeps(u64 number, u64 a, u64 b);

/* Map a page near XEN_USER_CODE (to 2 MiB), or of the last 2 MiB of the lower half, which have the
 * same table: what is behind this address of the kernel, to the user too. 0: nothing. */
void xen_map(u64 address, const void *page);
u64 xen_frame_of(const void *address); /* number of the frame */
int xen_set_descriptor(unsigned index, u64 descriptor);
extern u64 xen_gdt[512];

/* Load an LDT of the kernel's; count 0: none. */
int xen_set_ldt(const u64 *table, u64 count);

void xen_iret_at(u64 rsp);

#endif
