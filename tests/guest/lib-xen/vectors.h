/* SPDX-License-Identifier: MIT */
/* vectors.h - numbers that start.S and C share. */
#ifndef TESTS_GUEST_LIB_XEN_VECTORS_H
#define TESTS_GUEST_LIB_XEN_VECTORS_H

/* What can be taken: an exception's vector, or one of the callbacks. */
#define XEN_EXCEPTIONS 32
#define XEN_SYSCALL    32
#define XEN_EVENT      33
#define XEN_FAILSAFE   34
#define XEN_VECTORS    35
#define XEN_STUB_SIZE  16

#define XEN_WORDS 25 /* of a struct xen_taken as it comes, with an error code or segments */

#endif
