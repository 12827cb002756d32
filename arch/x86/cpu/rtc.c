// SPDX-License-Identifier: MIT
/*
 * rtc.c - MC146818 registers by ports 0x70 and 0x71. Read twice, as they may change between two
 * reads.
 */
#include "arch/x86/cpu/insn.h"
#include "arch/x86/cpu/rtc.h"
#include "lib/string.h"

enum { SECOND, MINUTE, HOUR, DAY, MONTH, YEAR, FIELDS };

#define INDEX		0x70
#define DATA		0x71
#define STATUS_A	0x0a
#define STATUS_A_UPDATE 0x80
#define STATUS_B	0x0b
#define STATUS_B_24	0x02
#define STATUS_B_BINARY 0x04
#define HOUR_PM		0x80
#define TRIES		100
#define UPDATE_TRIES	100000

static u8 read(u8 reg)
{
	outb(INDEX, reg);
	return inb(DATA);
}

static void read_fields(u8 *field)
{
	static const u8 reg[FIELDS] = {0, 2, 4, 7, 8, 9};

	for (int i = 0; i < UPDATE_TRIES && (read(STATUS_A) & STATUS_A_UPDATE); i++)
		;
	for (int i = 0; i < FIELDS; i++)
		field[i] = read(reg[i]);
}

static u8 from_bcd(u8 value)
{
	return (u8)((value >> 4) * 10 + (value & 15));
}

static void normalise(u8 *field)
{
	u8 status = read(STATUS_B);
	u8 pm = field[HOUR] & HOUR_PM;

	if (!(status & STATUS_B_24))
		field[HOUR] &= (u8)~HOUR_PM;
	if (!(status & STATUS_B_BINARY))
		for (int i = 0; i < FIELDS; i++)
			field[i] = from_bcd(field[i]);
	if (!(status & STATUS_B_24))
		field[HOUR] = (u8)(field[HOUR] % 12 + (pm ? 12 : 0));
}

/* year is 0 to 99 of this century. Counted from March 1900, so that a leap day is its year's last;
 * the first of March 1900 was 25508 days before 1970. */
static u64 days_since_1970(u32 year, u32 month, u32 day)
{
	u32 y = month <= 2 ? year + 99 : year + 100;
	u32 m = (month + 9) % 12;

	return y * 365ul + y / 4 + (153ul * m + 2) / 5 + day - 1 - 25508;
}

u64 rtc_seconds(void)
{
	u8 field[FIELDS], again[FIELDS];
	u64 hours;

	for (int i = 0; i < TRIES; i++) {
		read_fields(field);
		read_fields(again);
		if (memcmp(field, again, FIELDS) == 0)
			break;
	}
	normalise(field);
	if (field[MONTH] < 1 || field[MONTH] > 12 || field[DAY] < 1 || field[DAY] > 31 ||
	    field[YEAR] > 99)
		return 0;
	hours = days_since_1970(field[YEAR], field[MONTH], field[DAY]) * 24 + field[HOUR];
	return (hours * 60 + field[MINUTE]) * 60 + field[SECOND];
}
