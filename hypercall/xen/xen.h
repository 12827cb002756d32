/* SPDX-License-Identifier: MIT */
/*
 * xen.h - the Xen personality's state of one guest, and what its files share. It serves over the
 * same objects as the native ABI: vcpu, shadows, p2m, timer, console.
 */
#ifndef HYPERCALL_XEN_XEN_H
#define HYPERCALL_XEN_XEN_H

#include "guest-abi/loader.h"
#include "hypercall/hypercall.h"
#include "hypercall/xen/interface.h"
#include "lib/errno.h"

#define XEN_PORTS_USED 64 /* ports 1 to 63 can be bound: a guest of one vCPU uses fewer than ten */
#define XEN_CONSOLE_PORT GN_XEN_CONSOLE_PORT
#define XEN_GDT_FRAMES 1  /* 512 descriptors, of which GN_GDT_ENTRIES count */
#define XEN_COUNT_MASK	 0x7fffffff /* bit 31 of a count marks a call that goes on */
#define XEN_M2P_TABLES 64 /* tables of level 1: 64 GiB of the guest's RAM */

enum xen_port { XEN_PORT_FREE, XEN_PORT_UNBOUND, XEN_PORT_VIRQ, XEN_PORT_IPI, XEN_PORT_CONSOLE };

/* One frame, gone with the guest. All fields are (v). */
struct xen {
	mfn_t self;
	mfn_t shared_mfn;
	struct xen_shared_info *shared; /* the guest writes it too */
	struct xen_vcpu_info *info;	/* there, or where the guest wanted it; likewise */
	u8 port[XEN_PORTS_USED];	/* enum xen_port */
	u8 virq_port[XEN_VIRQS];	/* 0: not bound */
	gpa_t console;			/* of its ring */
	gpa_t gdt;			/* of its first frame */
	bool info_registered;
	mfn_t m2p_top[2];		/* tables of levels 3 and 2 */
	mfn_t m2p_table[XEN_M2P_TABLES]; /* of level 1 */
	u64 m2p_pages;
};

static inline struct xen *xen_of(struct guest *g)
{
	return g->personality_state;
}

/* memory.c */
int xen_m2p_make(struct guest *g) __must_check;
void xen_m2p_free(struct guest *g);
void xen_pin_boot_tables(struct guest *g, u64 count);

/* processor.c */
int xen_set_ldt(struct guest *g, u64 at, u64 count);

/* events.c */
void xen_raise(struct guest *g, unsigned port);
void xen_raise_object(struct guest *g, unsigned object_port); /* GN_PORT_TIMER, GN_PORT_CONSOLE */

/* console.c: move bytes between the guest's ring and its console. */
void xen_console_drain(struct guest *g);
void xen_console_fill(struct guest *g);

/* cpuid.c: what the guest is told; in and out EAX EBX ECX EDX. */
void xen_cpuid(struct vcpu *v, u32 registers[4]);

/* Copy a structure from or to the guest's virtual address, as its kernel: most calls do. */
static inline bool xen_get(struct guest *g, u64 gva, void *to, size_t size)
{
	const struct shadow_access read = {.ac = true};
	struct vcpu_copy_result result __uninitialized;

	return shadow_copy(&g->vcpu.shadow, GVA(gva), read, to, size) ||
	       !vcpu_read(&g->vcpu, gva, to, size, &result);
}

static inline bool xen_put(struct guest *g, u64 gva, const void *from, size_t size)
{
	const struct shadow_access write = {.write = true, .ac = true};
	struct vcpu_copy_result result __uninitialized;

	return shadow_copy(&g->vcpu.shadow, GVA(gva), write, (void *)from, size) ||
	       !vcpu_write(&g->vcpu, gva, from, size, &result);
}

#define X(number, name) struct call_result xen_##name(struct guest *g, u64 *a);
XEN_HYPERCALLS(X)
#undef X

extern const call_fn xen_calls[XEN_CALL_COUNT]; /* none is NULL */

#endif
