// SPDX-License-Identifier: MIT
/*
 * main.c - the loader, in the order of events: find the kernel in the user's file, unpack it into
 * RAM, leave for it what its ABI promises, enter it.
 *
 * It runs in ring 1 of the new guest and can harm nothing else, however the kernel's file was made.
 * What it finds wrong it reports by shutdown, and the guest is refused with that sentence.
 */
#include "guest-abi/kit/calls.h"
#include "guest-abi/layout.h"
#include "guest-abi/loader.h"
#include "guests/loader/loader.h"
#include "guests/loader/refuse.h"
#include "guests/loader/support.h"
#include "guests/loader/unpack.h"
#include "guests/loader/xen.h"

void loader_main(const struct gn_loader_info *info);

static struct stream stream;
static struct heap heap;

/* Enough to unpack it and, for Linux, to come up: what to tell the user who gave less. */
static uint64_t memory_needed(const struct gn_loader_info *info, const struct payload *payload)
{
	uint64_t end = stream.is_judged ? stream.kernel.end : payload->kernel_end;
	uint64_t unpacking = end + heap_used(&heap), running = end;

	if (payload->is_bzimage)
		running += linux_room(info->initrd_size);
	return unpacking > running ? unpacking : running;
}

/* tour: a guest loads itself */
static void load(const struct gn_loader_info *info)
{
	char *ram = (char *)GN_LOADER_RAM;
	struct payload payload;
	const char *why =
	    image_find_payload((const void *)GN_LOADER_KERNEL, info->kernel_size, &payload);

	if (why)
		refuse(why);
	heap_begin(&heap, info->memory_size);
	support_begin(&heap, ram);
	stream_begin(&stream, ram, &heap, info->memory_size);
	why = unpack(&payload, &stream);
	if (why == memory_too_small)
		refuse_memory(memory_needed(info, &payload), info->memory_size);
	if (why)
		refuse(why);
}
/* tour ends */

/* Is it a kernel of Xen's ABI? If the user did not say, its notes do. */
static bool is_for_xen(const struct gn_loader_info *info, struct xen_notes *notes)
{
	const char *why = xen_read_notes((char *)GN_LOADER_RAM, &stream.kernel, notes);

	if (info->abi == 1 + GN_ABI_NATIVE)
		return false;
	if (why)
		refuse(why);
	if (info->abi == 1 + GN_ABI_XEN && !notes->entry)
		refuse("the kernel has no entry point for Xen's ABI, and abi=xen was asked for");
	return notes->entry;
}

void loader_main(const struct gn_loader_info *info)
{
	const void *initrd = (const void *)GN_LOADER_INITRD;
	char *ram = (char *)GN_LOADER_RAM;
	struct kernel_entry entry;
	struct xen_notes notes;
	uint64_t needed = 0;
	const char *why;

	load(info);
	if (is_for_xen(info, &notes))
		why = xen_prepare(info, initrd, ram, &stream.kernel, &notes, &entry, &needed);
	else
		why = native_prepare(info, initrd, ram, &stream.kernel, &entry);
	if (why == memory_too_small)
		refuse_memory(needed, info->memory_size);
	if (why)
		refuse(why);
	gn_start_kernel(entry.cr3, entry.rip, entry.rsp, entry.argument, entry.abi);
	refuse("the monitor does not accept the kernel's entry point");
}
