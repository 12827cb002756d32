// SPDX-License-Identifier: MIT
/* keyboard.c - see keyboard.h. The focus is a number, so that a guest may end at any time. */
#include "run/keyboard.h"
#include "arch/x86/cpu/console.h"
#include "arch/x86/cpu/tsc.h"
#include "lib/log.h"
#include "object/guest.h"

#define PATIENCE 1000000000ul /* ns */

static u16 focus;	  /* the owner number of the guest that has it; 0: nobody */
static bool escape_typed; /* (v) of the CPU that runs guests, as focus */

/* The guest with the focus; if that has ended, the one with the lowest number, since the ring's
 * order changes with each slice. */
static struct guest *focused(struct list *guests)
{
	struct guest *lowest = NULL;

	list_for_each (l, guests) {
		struct guest *g = list_entry(l, struct guest, link);

		if (g->owner == focus)
			return g;
		if (!lowest || g->owner < lowest->owner)
			lowest = g;
	}
	return lowest;
}

/* The guest with the next higher number, or the lowest. */
static void move(struct list *guests)
{
	struct guest *next = NULL, *lowest = NULL, *now = focused(guests);

	list_for_each (l, guests) {
		struct guest *g = list_entry(l, struct guest, link);

		if (!lowest || g->owner < lowest->owner)
			lowest = g;
		if (g->owner > now->owner && (!next || g->owner < next->owner))
			next = g;
	}
	next = next ? next : lowest;
	focus = next->owner;
	log_info("the keyboard is guest '%s's", next->config.name);
}

static void type(struct list *guests, char key)
{
	struct guest *g = focused(guests);

	if (!g)
		return;
	if (escape_typed && key == 'n') {
		move(guests);
	} else if (key != KEYBOARD_ESCAPE || escape_typed) {
		guest_console_type(g, key);
	} else {
		escape_typed = true;
		return;
	}
	escape_typed = false;
}

/* What is pasted comes faster than a guest takes it. It waits in the line's other end for a guest
 * whose ring is full, but not for long: one that takes nothing would lock all keys out. */
static bool must_wait(struct list *guests)
{
	static u64 full_since;
	struct guest *g = focused(guests);

	if (!g || !guest_console_is_full(&g->console))
		full_since = 0;
	else if (!full_since)
		full_since = tsc_ns();
	return full_since && tsc_ns() - full_since < PATIENCE;
}

void keyboard_poll(struct list *guests)
{
	int key;

	/* Bounded: a serial line brings no more than this between two looks. */
	for (unsigned i = 0; i < 256 && !must_wait(guests) && (key = console_read()) >= 0; i++)
		type(guests, key);
}
