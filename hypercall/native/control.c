// SPDX-License-Identifier: MIT
/* control.c - calls about the guest as a whole: what it runs on, how it is doing, how it begins and
 * ends. */
#include "hypercall/native/native.h"
#include "lib/errno.h"
#include "lib/log.h"

struct call_result native_version(struct guest *g, struct gn_args_version *a)
{
	(void)g, (void)a;
	return call_done(GN_ABI_MAJOR << 16 | GN_ABI_MINOR);
}

struct call_result native_features(struct guest *g, struct gn_args_features *a)
{
	(void)a;
	return call_done(vcpu_features(&g->vcpu));
}

struct call_result native_get_stats(struct guest *g, struct gn_args_get_stats *a)
{
	struct vcpu_copy_result result;
	struct gn_stats stats;
	u64 size = MIN(a->size, sizeof(stats));

	guest_get_stats(g, &stats);
	if (vcpu_write(&g->vcpu, a->address, &stats, size, &result))
		return call_done(-EFAULT);
	return call_done(size);
}

/* The loader hands over. Its frames go first, a piece at a time; the code area, from which the call
 * is executed again, is in no table of the guest's. */
struct call_result native_start_kernel(struct guest *g, struct gn_args_start_kernel *a)
{
	if (!g->loading)
		return call_done(-EPERM);
	if (!personality_of(a->abi))
		return call_done(-ENODEV);
	if (!is_guest_address(a->rip) || !is_guest_address(a->rsp) ||
	    a->cr3 >= g->config.memory_size)
		return call_done(-EINVAL);

	vcpu_load_cr3(&g->vcpu, a->cr3);
	if (guest_free_scratch(g) == -EAGAIN)
		return (struct call_result){0, CALL_AGAIN};
	g->personality = personality_of(a->abi);
	if (g->personality->begin(g, a->argument)) {
		guest_crash(g, "its ABI's pages cannot be made");
		return (struct call_result){0, CALL_YIELD};
	}
	g->loading = false;
	vcpu_start(&g->vcpu, a->cr3, a->rip, a->rsp, a->argument);
	return (struct call_result){g->vcpu.regs.rax, CALL_DONE};
}

struct call_result native_shutdown(struct guest *g, struct gn_args_shutdown *a)
{
	char text[GN_SHUTDOWN_TEXT], quoted[GN_SHUTDOWN_TEXT + 1];
	u64 size = MIN(a->size, sizeof(text));
	struct vcpu_copy_result result;

	if (a->kind > GN_SHUTDOWN_CRASH)
		return call_done(-EINVAL);
	if (size && vcpu_read(&g->vcpu, a->text, text, size, &result))
		return call_done(-EFAULT);

	log_quote(quoted, sizeof(quoted), text, size);
	if (a->kind == GN_SHUTDOWN_POWEROFF)
		guest_shut_down(g, GUEST_POWEROFF);
	else if (a->kind == GN_SHUTDOWN_REBOOT)
		guest_shut_down(g, GUEST_REBOOT);
	else if (g->loading)
		guest_crash(g, "%s",
			    quoted); /* our loader's words, unless its image has taken it over */
	else
		guest_crash(g, "shutdown(2), the guest says: %s", quoted);
	return (struct call_result){0, CALL_YIELD};
}
