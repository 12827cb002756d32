// SPDX-License-Identifier: MIT
/*
 * main.c - the loader, in the order of events: read the kernel's headers, copy it into RAM, leave
 * for it what the native ABI promises (struct gn_start_info), build its first page tables, enter
 * it.
 *
 * It runs in ring 1 of the new guest and can harm nothing else, however the kernel's file was made.
 * What it finds wrong it reports by shutdown, and the guest is refused with that sentence.
 */
#include "guest-abi/kit/calls.h"
#include "guest-abi/kit/memory.h"
#include "guest-abi/layout.h"
#include "guest-abi/loader.h"
#include "guests/loader/loader.h"

void loader_main(const struct gn_loader_info *info);

static char *ram_at(uint64_t gpa)
{
	return (char *)GN_LOADER_RAM + gpa;
}

static _Noreturn void refuse(const char *why)
{
	size_t size = 0;

	while (why[size] && size < GN_SHUTDOWN_TEXT)
		size++;
	gn_shutdown(GN_SHUTDOWN_CRASH, (uint64_t)why, size);
	for (;;) /* shutdown does not return */
		gn_block();
}

/* RAM that a segment does not fill from the file is zeroed, also if it has been used before. */
static void load_segments(const struct elf_kernel *kernel, const char *image)
{
	for (unsigned i = 0; i < kernel->count; i++) {
		const struct elf_segment *s = &kernel->segment[i];

		memcpy(ram_at(s->at), image + s->file_offset, s->file_size);
		memset(ram_at(s->at + s->file_size), 0, s->size - s->file_size);
	}
}

static uint64_t take(struct room *room, uint64_t size, const char *why)
{
	uint64_t at;

	if (!place_take(room, size, &at))
		refuse(why);
	return at;
}

/* Copy the initrd and make the start info, with the command line behind it; returns its address. */
static uint64_t leave_start_info(struct room *room, const struct gn_loader_info *info)
{
	struct gn_start_info start = {
	    .magic = GN_START_MAGIC,
	    .abi_version = GN_ABI_MAJOR << 16 | GN_ABI_MINOR,
	    .memory_size = info->memory_size,
	    .initrd_size = info->initrd_size,
	    .vcpu_page_gfn = info->vcpu_page_gfn,
	};
	uint64_t at;

	if (info->initrd_size) {
		start.initrd = take(room, info->initrd_size,
				    "the guest's memory is too small for kernel and initrd");
		memcpy(ram_at(start.initrd), (const char *)GN_LOADER_INITRD, info->initrd_size);
	}
	at = take(room, sizeof(start) + info->command_line_size + 1,
		  "the guest's memory is too small for kernel and command line");
	start.command_line = at + sizeof(start);
	memcpy(ram_at(start.command_line), info + 1, info->command_line_size);
	*ram_at(start.command_line + info->command_line_size) = 0;
	memcpy(ram_at(at), &start, sizeof(start));
	return at;
}

void loader_main(const struct gn_loader_info *info)
{
	const char *image = (const char *)GN_LOADER_KERNEL;
	static struct elf_kernel kernel;
	struct gn_start_info *start;
	uint64_t start_at, cr3;
	struct room room;
	const char *why;

	if (info->abi && info->abi != 1 + GN_ABI_NATIVE)
		refuse("only kernels of the native ABI can be loaded");
	why = elf_read(image, info->kernel_size, info->memory_size, &kernel);
	if (why)
		refuse(why);
	load_segments(&kernel, image);

	room = place_room(&kernel, info->memory_size);
	start_at = leave_start_info(&room, info);
	why = tables_build(&room, ram_at(0), &kernel, info->memory_size, &cr3);
	if (why)
		refuse(why);
	start = (struct gn_start_info *)ram_at(start_at);
	start->free_start = room.start;
	start->free_end = room.end;

	gn_start_kernel(cr3, kernel.entry, 0, start_at, GN_ABI_NATIVE);
	refuse("the monitor does not accept the kernel's entry point");
}
