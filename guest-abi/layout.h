/* SPDX-License-Identifier: MIT */
/*
 * layout.h - what a guest finds at fixed addresses: the window (code area and vcpu page), the
 * selectors that the monitor keeps, and the structures that both sides read. C11 and assembler.
 * The calls themselves are in hypercalls.h; ABI.md explains both.
 */
#ifndef GUEST_ABI_LAYOUT_H
#define GUEST_ABI_LAYOUT_H

#define GN_ABI_MAJOR 0
#define GN_ABI_MINOR 1

/* The window: PML4 slot 270. Ring 1 only; a guest's own entry for this slot, and for 271, is
 * ignored. */
#define GN_WINDOW_BASE	       0xffff870000000000
#define GN_CODE_AREA	       (GN_WINDOW_BASE + 0x00000) /* read-only, executable */
#define GN_CODE_SIZE	       0x4000
#define GN_CODE_PAGING	       0x2000 /* of it: the page that differs by coherence policy */
#define GN_VCPU_PAGE	       (GN_WINDOW_BASE + 0x10000) /* read-write, struct gn_vcpu_page */
#define GN_VCPU_INFO_PAGE (GN_WINDOW_BASE + 0x11000) /* Xen guests: the page of their vcpu_info */
#define GN_LDT	       (GN_WINDOW_BASE + 0x12000) /* the LDT in use, read-only */
#define GN_RESERVED_FIRST_SLOT 270
#define GN_RESERVED_LAST_SLOT  271

/* One operation a slot of 32 bytes: hypercall number n is slot n, other operations follow (ABI.md).
 * */
#define GN_SLOT_SIZE	 32
#define GN_SLOT(n)	 (GN_CODE_AREA + (n)*GN_SLOT_SIZE)
#define GN_FIRST_OP_SLOT 128

/* The software interrupt that also makes a hypercall; ring 3 may not use it. */
#define GN_HYPERCALL_VECTOR 0x82

/*
 * Selectors. A guest's own GDT has at most GN_GDT_ENTRIES entries; those above are the monitor's.
 * Code in ring 1 runs on GN_KERNEL_CS and GN_KERNEL_SS, but sees the selectors of its own gates,
 * with RPL 0, in the frames that it is given. SYSCALL and SYSRET use GN_USER_CS and GN_USER_SS.
 * Until a guest loads a GDT it has a flat one with exactly the four GN_GUEST_ and GN_USER_
 * descriptors.
 */
#define GN_GDT_ENTRIES	   256
#define GN_KERNEL_CS	   0xf91
#define GN_KERNEL_SS	   0xf99
#define GN_GUEST_KERNEL_CS 0x10
#define GN_GUEST_KERNEL_SS 0x18
#define GN_USER_SS	   0x2b
#define GN_USER_CS	   0x33

/* set_segment_base */
#define GN_BASE_FS 0
#define GN_BASE_GS 1

/* Ports: sources of events. Each is bound to a vector of the guest's IDT by port_bind. */
#define GN_PORT_TIMER	0
#define GN_PORT_CONSOLE 1
#define GN_PORT_SELF	2 /* raised by port_raise: an IPI to oneself */
#define GN_PORT_COUNT	8

#define GN_TIMER_PERIOD 100000 /* ns: the least that timer_periodic takes */

/* shutdown */
#define GN_SHUTDOWN_POWEROFF 0
#define GN_SHUTDOWN_REBOOT   1
#define GN_SHUTDOWN_CRASH    2
#define GN_SHUTDOWN_TEXT     80

/* start_kernel */
#define GN_ABI_NATIVE 0
#define GN_ABI_XEN    1

/* features */
#define GN_FEATURE_XSAVE (1 << 0) /* XGETBV works; the guest's user may use what XCR0 shows */
#define GN_FEATURE_SMEP	 (1 << 1) /* ring 1 cannot execute user pages, asked for or not */
#define GN_FEATURE_NOTIFIED (1 << 2) /* the monitor must be told of changed page tables */

/* set_lazy: which calls their slots put in the ring. */
#define GN_LAZY_MMU 2
#define GN_LAZY_CPU 4

/* table_allocate, table_release: a level of 1 to 4, and what the frame holds. */
#define GN_TABLE_LEVEL	7
#define GN_TABLE_ZEROED (1 << 3) /* no entry */
#define GN_TABLE_CLONE	(1 << 4) /* the entries of the table at physical address original */

#define GN_LINEAR_MAPS 4

/* vcpu page offsets that the code area uses; layout-check in the monitor compares them with C's. */
#define GN_VP_PENDING	      0
#define GN_VP_VIF	      1
#define GN_VP_CR2	      8
#define GN_VP_DELIVER	      128
#define GN_VP_DELIVER_RIP     (GN_VP_DELIVER + 0)
#define GN_VP_DELIVER_CS      (GN_VP_DELIVER + 8)
#define GN_VP_DELIVER_FLAGS   (GN_VP_DELIVER + 16)
#define GN_VP_DELIVER_RSP     (GN_VP_DELIVER + 24)
#define GN_VP_DELIVER_SS      (GN_VP_DELIVER + 32)
#define GN_VP_DELIVER_ERROR   (GN_VP_DELIVER + 40)
#define GN_VP_DELIVER_HANDLER (GN_VP_DELIVER + 48)
#define GN_VP_SITE	      184
#define GN_VP_SYSRET	      192
#define GN_VP_SYSCALL	  232
#define GN_VP_SYSCALL_RSP     (GN_VP_SYSCALL + 0)
#define GN_VP_SYSCALL_HANDLER (GN_VP_SYSCALL + 8)
#define GN_VP_MASK	      (GN_VP_SYSCALL + 16)
#define GN_VP_KERNEL_STACK    (GN_VP_SYSCALL + 24)
#define GN_VP_LINEAR	      288
#define GN_VP_LINEAR_FIRST    0
#define GN_VP_LINEAR_SIZE     8
#define GN_VP_LINEAR_PHYSICAL 16
#define GN_VP_LINEAR_BYTES    24
#define GN_VP_LAZY	      384
#define GN_VP_RING	      1024
#define GN_VP_RING_HEAD	      (GN_VP_RING + 0)
#define GN_VP_RING_TAIL	      (GN_VP_RING + 4)
#define GN_VP_RING_FIRST      (GN_VP_RING + 8)
#define GN_RING_ENTRY_BYTES   40
#define GN_RING_ENTRIES	      64

#ifndef __ASSEMBLER__
#include <stdint.h>

/* The frame that IRETQ pops, low address first. */
struct gn_iret_frame {
	uint64_t rip, cs, rflags, rsp, ss;
};

/*
 * Time without a call. Read seq (odd: being written, try again), the fields, RDTSC, then seq again:
 * ns since the monitor booted = ns_base + ((((tsc - tsc_base) << shift, or >> -shift) * mul) >> 32.
 */
struct gn_clock {
	uint32_t seq;
	int8_t shift;
	uint8_t reserved[3];
	uint32_t mul;
	uint32_t tsc_khz;
	uint64_t tsc_base;
	uint64_t ns_base;
	uint64_t wall_seconds; /* since 1970-01-01 00:00 UTC, when ns was 0 */
};

/* A deferred call, as the hypercall of that number takes it. */
struct gn_ring_entry {
	uint64_t call, argument[4];
};

/* Where page tables lie in the kernel's address space, for the code area: size bytes at the linear
 * address first are those at the physical address. Size 0: unused. */
struct gn_linear_map {
	uint64_t first, size, physical;
};

/* What guest and monitor share for one vCPU. The guest may write all of it; it harms itself alone.
 * */
struct gn_vcpu_page {
	uint8_t pending; /* an event waits for vif to become 1 */
	uint8_t vif;	 /* the virtual interrupt flag; counts as 1 in ring 3 */
	uint8_t reserved0[6];
	uint64_t cr2; /* written before a page fault is delivered */
	uint64_t reserved1[6];
	struct gn_clock clock; /* at 64 */
	uint64_t reserved2[3];
	/* Between the monitor and the code area; guests leave these alone. */
	struct gn_iret_frame deliver; /* at 128 */
	uint64_t deliver_error, deliver_handler;
	uint64_t site;		     /* the end of the site of the IRET that is under way, or 0 */
	struct gn_iret_frame sysret; /* at 192 */
	/* at 232; Xen guests */
	uint64_t syscall_rsp, syscall_handler, mask_address, kernel_stack;
	uint64_t reserved4[3];
	struct gn_linear_map linear[GN_LINEAR_MAPS]; /* at 288 */
	uint8_t lazy;				     /* GN_LAZY_ */
	uint8_t reserved5[639];
	/* The ring: entries [head, tail) modulo GN_RING_ENTRIES wait; the guest moves tail, the
	 * monitor head. */
	uint32_t ring_head, ring_tail; /* at 1024 */
	struct gn_ring_entry ring[GN_RING_ENTRIES];
};

_Static_assert(sizeof(struct gn_vcpu_page) <= 4096, "the vcpu page is a page");
_Static_assert(__builtin_offsetof(struct gn_vcpu_page, pending) == GN_VP_PENDING, "");
_Static_assert(__builtin_offsetof(struct gn_vcpu_page, vif) == GN_VP_VIF, "");
_Static_assert(__builtin_offsetof(struct gn_vcpu_page, cr2) == GN_VP_CR2, "");
_Static_assert(__builtin_offsetof(struct gn_vcpu_page, clock) == 64, "");
_Static_assert(__builtin_offsetof(struct gn_vcpu_page, deliver) == GN_VP_DELIVER, "");
_Static_assert(__builtin_offsetof(struct gn_vcpu_page, deliver_error) == GN_VP_DELIVER_ERROR, "");
_Static_assert(__builtin_offsetof(struct gn_vcpu_page, deliver_handler) == GN_VP_DELIVER_HANDLER,
	       "");
_Static_assert(__builtin_offsetof(struct gn_vcpu_page, site) == GN_VP_SITE, "");
_Static_assert(__builtin_offsetof(struct gn_vcpu_page, sysret) == GN_VP_SYSRET, "");
_Static_assert(__builtin_offsetof(struct gn_vcpu_page, syscall_rsp) == GN_VP_SYSCALL, "");
_Static_assert(__builtin_offsetof(struct gn_vcpu_page, linear) == GN_VP_LINEAR, "");
_Static_assert(sizeof(struct gn_linear_map) == GN_VP_LINEAR_BYTES, "");
_Static_assert(__builtin_offsetof(struct gn_vcpu_page, lazy) == GN_VP_LAZY, "");
_Static_assert(__builtin_offsetof(struct gn_vcpu_page, ring_head) == GN_VP_RING, "");
_Static_assert(__builtin_offsetof(struct gn_vcpu_page, ring) == GN_VP_RING_FIRST, "");
_Static_assert(sizeof(struct gn_ring_entry) == GN_RING_ENTRY_BYTES, "");

/* get_stats: counters of the guest since it started. */
struct gn_stats {
	uint64_t exits, hypercalls, fills, cr3_writes, events, reflections, shadow_frames;
	uint64_t stolen_ns;
};

/*
 * What the loader leaves for a native kernel, whose first instruction finds
 *	RIP	the ELF file's entry point
 *	RSI	the linear address of struct gn_start_info, which is also its physical address
 *	RSP	0: there is no stack before the kernel takes one of its own
 *	CR3	tables that map all RAM at its physical address (read, write, not execute) and
 *		each segment where it is linked, with its program header's rights; nothing for
 *		ring 3
 *	vif	0, no gate, no port bound; the default GDT; every other register 0
 * Addresses here are guest physical. [free_start, free_end) are whole pages, the one range of RAM
 * that neither kernel, tables, initrd nor this structure and its command line use.
 */
#define GN_START_MAGIC 0x6e6f6d6f6e67 /* "gnomon" */
struct gn_start_info {
	uint64_t magic, abi_version;
	uint64_t memory_size;
	uint64_t command_line; /* NUL-terminated */
	uint64_t initrd, initrd_size;
	uint64_t free_start, free_end;
	uint64_t vcpu_page_gfn; /* maps the vcpu page a second time, within the guest's own reach */
};
#endif

#endif
