/* SPDX-License-Identifier: MIT */
/*
 * unpack.h - the packings in which kernels come: gzip, xz, lz4, zstd, or none. The work is done by
 * the distribution's static libraries; here their ways of streaming become one.
 */
#ifndef GUESTS_LOADER_UNPACK_H
#define GUESTS_LOADER_UNPACK_H

#include "guests/loader/image.h"
#include "guests/loader/stream.h"

/* Unpack all of it into the stream. NULL: every byte is in its place, and the packing's own checks
 * have passed; or why not. */
const char *unpack(const struct payload *payload, struct stream *s);

#endif
