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

/*
 * Page tables: each changes one entry, in whatever way this guest's changes come to be known. What
 * they return is the old entry or bit. For what a TLB may hold, INVLPG and flush are wanted as on
 * hardware.
 */
#define GN_PTE_OPERATION(name, ...)                                                                \
	({                                                                                         \
		uint64_t rax_;                                                                     \
		__asm__ volatile("call *%1"                                                        \
				 : "=a"(rax_)                                                      \
				 : "r"(GN_SLOT(GN_OP_##name)), __VA_ARGS__                         \
				 : "rcx", "r11", "memory", "cc");                                  \
		rax_;                                                                              \
	})

static inline void gn_pte_set(uint64_t *entry, uint64_t value)
{
	GN_PTE_OPERATION(pte_set, "D"(entry), "S"(value));
}

static inline uint64_t gn_pte_swap(uint64_t *entry, uint64_t value)
{
	return GN_PTE_OPERATION(pte_swap, "D"(entry), "S"(value));
}

static inline bool gn_pte_test_and_set_bit(uint64_t *entry, unsigned bit)
{
	return GN_PTE_OPERATION(pte_test_and_set_bit, "D"(entry), "S"((uint64_t)bit));
}

static inline bool gn_pte_test_and_clear_bit(uint64_t *entry, unsigned bit)
{
	return GN_PTE_OPERATION(pte_test_and_clear_bit, "D"(entry), "S"((uint64_t)bit));
}

static inline uint64_t gn_pte_deactivate(uint64_t *entry)
{
	return GN_PTE_OPERATION(pte_deactivate, "D"(entry));
}

/* Where page tables lie in the kernel's address space; call it while vif is 0. 0, or -GN_EINVAL. */
static inline int64_t gn_set_linear_map(unsigned index, const void *address, uint64_t pages,
					uint64_t frame)
{
	register uint64_t r10 __asm__("r10") = frame;

	return GN_PTE_OPERATION(set_linear_map, "D"((uint64_t)index), "S"(address), "d"(pages),
				"r"(r10));
}

/* GN_LAZY_MMU, GN_LAZY_CPU, or 0: no more, and all that waits is carried out. How many failed. */
static inline uint64_t gn_set_lazy(unsigned mode)
{
	return GN_PTE_OPERATION(set_lazy, "D"((uint64_t)mode));
}

static inline uint64_t gn_flush_deferred(void)
{
	return GN_PTE_OPERATION(flush_deferred, "D"(0ul));
}

/* The address of the last page fault; the next one overwrites it. */
static inline uint64_t gn_get_cr2(void)
{
	return gn_vcpu_page()->cr2;
}

/* ---- single instructions: gn_read_cr0(), gn_write_cr0() and so on ---- */

#define GN_READ(name)                                                                              \
	static inline uint64_t gn_##name(void)                                                     \
	{                                                                                          \
		uint64_t value;                                                                    \
                                                                                                   \
		__asm__ volatile("call *%1"                                                        \
				 : "=a"(value)                                                     \
				 : "r"(GN_SLOT(GN_OP_##name))                                      \
				 : "memory", "cc");                                                \
		return value;                                                                      \
	}
#define GN_WRITE(name, type)                                                                       \
	static inline void gn_##name(type value)                                                   \
	{                                                                                          \
		__asm__ volatile("call *%0"                                                        \
				 :                                                                 \
				 : "r"(GN_SLOT(GN_OP_##name)), "D"(value)                          \
				 : "memory", "cc");                                                \
	}
#define GN_DO(name)                                                                                \
	static inline void gn_##name(void)                                                         \
	{                                                                                          \
		__asm__ volatile("call *%0" : : "r"(GN_SLOT(GN_OP_##name)) : "memory", "cc");      \
	}
GN_READ(read_cr0)
GN_READ(read_cr3)
GN_READ(read_cr4)
GN_READ(read_cr8)
GN_READ(sldt)
GN_READ(str)
GN_WRITE(write_cr0, uint64_t)
GN_WRITE(write_cr2, uint64_t)
GN_WRITE(write_cr4, uint64_t)
GN_WRITE(write_cr8, uint64_t)
GN_WRITE(lgdt, const void *)
GN_WRITE(lidt, const void *)
GN_WRITE(sgdt, void *)
GN_WRITE(sidt, void *)
GN_WRITE(lldt, uint16_t)
GN_WRITE(ltr, uint16_t)
GN_DO(clts)
GN_DO(swapgs)
GN_DO(pause)
#undef GN_READ
#undef GN_WRITE
#undef GN_DO

static inline uint64_t gn_rdmsr(uint32_t msr)
{
	uint32_t low, high;

	__asm__ volatile("call *%2"
			 : "=a"(low), "=d"(high)
			 : "r"(GN_SLOT(GN_OP_rdmsr)), "c"(msr)
			 : "memory", "cc");
	return low | (uint64_t)high << 32;
}

static inline void gn_wrmsr(uint32_t msr, uint64_t value)
{
	__asm__ volatile("call *%0"
			 :
			 : "r"(GN_SLOT(GN_OP_wrmsr)), "c"(msr), "a"((uint32_t)value),
			   "d"((uint32_t)(value >> 32))
			 : "memory", "cc");
}

/* Debug registers 0 to 7. */
static inline uint64_t gn_read_dr(unsigned number)
{
	uint64_t value;

	__asm__ volatile("call *%1"
			 : "=a"(value)
			 : "r"(GN_SLOT(GN_OP_read_dr)), "D"((uint64_t)number)
			 : "memory", "cc");
	return value;
}

static inline void gn_write_dr(unsigned number, uint64_t value)
{
	__asm__ volatile("call *%0"
			 :
			 : "r"(GN_SLOT(GN_OP_write_dr)), "D"((uint64_t)number), "S"(value)
			 : "rax", "memory", "cc");
}

#endif
