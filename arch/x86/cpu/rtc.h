/* SPDX-License-Identifier: MIT */
/* rtc.h - the battery-backed clock, taken as UTC. */
#ifndef CPU_RTC_H
#define CPU_RTC_H

#include "lib/types.h"

u64 rtc_seconds(void); /* since 1970-01-01; 0 if the clock shows no date */

#endif
