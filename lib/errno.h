/* SPDX-License-Identifier: MIT */
/* errno.h - the errors that functions of the monitor return, negated. The numbers are Linux's. */
#ifndef LIB_ERRNO_H
#define LIB_ERRNO_H

enum {
	EPERM = 1,
	ENOENT = 2,
	E2BIG = 7,
	EAGAIN = 11,
	ENOMEM = 12,
	EFAULT = 14,
	EBUSY = 16,
	EEXIST = 17,
	ENODEV = 19,
	EINVAL = 22,
	ENOSPC = 28,
	ENOSYS = 38,
};

#endif
