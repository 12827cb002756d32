// SPDX-License-Identifier: MIT
/* memory.c - calls about address spaces. Any value is safe here: the shadows judge what it leads
 * to. */
#include "hypercall/native/native.h"

struct call_result native_load_cr3(struct guest *g, struct gn_args_load_cr3 *a)
{
	vcpu_load_cr3(&g->vcpu, a->cr3);
	return call_done(0);
}

struct call_result native_invalidate_page(struct guest *g, struct gn_args_invalidate_page *a)
{
	shadow_invlpg(&g->vcpu.shadow, GVA(a->address));
	return call_done(0);
}

struct call_result native_flush_tlb(struct guest *g, struct gn_args_flush_tlb *a)
{
	(void)a;
	shadow_flush(&g->vcpu.shadow);
	return call_done(0);
}

struct call_result native_drain(struct guest *g, struct gn_args_drain *a)
{
	(void)a;
	return call_done(hypercall_drain(g, &personality_native));
}
