/* SPDX-License-Identifier: MIT */
/* clock.h - what a guest reads the time from: struct gn_clock of its vcpu page. */
#ifndef VCPU_CLOCK_H
#define VCPU_CLOCK_H

#include "guest-abi/layout.h"

void clock_publish(struct gn_clock *clock);

#endif
