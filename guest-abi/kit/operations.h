/* SPDX-License-Identifier: MIT */
/*
 * operations.h - the operations of the code area that C can call: what replaces CLI, STI, PUSHF and
 * POPF of the interrupt flag, and MOV from CR2. The two that are jumped to, iret and sysret, are
 * for assembler: see asm.h.
 */
#ifndef GUEST_ABI_KIT_OPERATIONS_H
#define GUEST_ABI_KIT_OPERATIONS_H

#include <stdbool.h>
#include <stdint.h>
#include "guest-abi/hypercalls.h"
#include "guest-abi/layout.h"

static inline volatile struct gn_vcpu_page *gn_vcpu_page(void)
{
	return (volatile struct gn_vcpu_page *)GN_VCPU_PAGE;
}

/* No events from here on: a store, for there is nothing to look at afterwards. */
static inline void gn_cli(void)
{
	gn_vcpu_page()->vif = 0;
	__asm__ volatile("" : : : "memory");
}

/* Events from here on; one that waits comes before this returns. */
static inline void gn_sti(void)
{
	__asm__ volatile("call *%0" : : "r"(GN_SLOT(GN_OP_sti)) : "memory", "cc");
}

static inline bool gn_get_vif(void)
{
	return gn_vcpu_page()->vif;
}

static inline void gn_set_vif(bool vif)
{
	uint64_t value = vif;

	__asm__ volatile("call *%1"
			 : "+D"(value)
			 : "r"(GN_SLOT(GN_OP_set_vif))
			 : "memory", "cc");
}

/* The address of the last page fault; the next one overwrites it. */
static inline uint64_t gn_get_cr2(void)
{
	return gn_vcpu_page()->cr2;
}

#endif
