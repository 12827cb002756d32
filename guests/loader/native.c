// SPDX-License-Identifier: MIT
/*
 * native.c - what a kernel of the native ABI finds when it begins: struct gn_start_info with the
 * command line behind it, its initrd, its first page tables. guest-abi/layout.h promises it. Pure.
 */
#include "guest-abi/kit/memory.h"
#include "guest-abi/layout.h"
#include "guests/loader/loader.h"

static const char *take_initrd(struct room *room, const void *initrd, char *ram,
			       struct gn_start_info *start)
{
	if (!start->initrd_size)
		return NULL;
	if (!place_take(room, start->initrd_size, &start->initrd))
		return "the guest's memory is too small for kernel and initrd";
	memcpy(ram + start->initrd, initrd, start->initrd_size);
	return NULL;
}

const char *native_prepare(const struct gn_loader_info *info, const void *initrd, char *ram,
			   const struct elf_kernel *kernel, struct kernel_entry *entry)
{
	struct gn_start_info start = {
	    .magic = GN_START_MAGIC,
	    .abi_version = GN_ABI_MAJOR << 16 | GN_ABI_MINOR,
	    .memory_size = info->memory_size,
	    .initrd_size = info->initrd_size,
	    .vcpu_page_gfn = info->vcpu_page_gfn,
	};
	struct room room = place_room(kernel, info->memory_size);
	const char *why = elf_judge_links(kernel);
	uint64_t at, cr3;

	if (!why)
		why = take_initrd(&room, initrd, ram, &start);
	if (why)
		return why;
	if (!place_take(&room, sizeof(start) + info->command_line_size + 1, &at))
		return "the guest's memory is too small for kernel and command line";
	start.command_line = at + sizeof(start);
	memcpy(ram + start.command_line, info + 1, info->command_line_size);
	ram[start.command_line + info->command_line_size] = 0;
	why = tables_build(&room, ram, kernel, info->memory_size, &cr3);
	if (why)
		return why;
	start.free_start = room.start;
	start.free_end = room.end;
	memcpy(ram + at, &start, sizeof(start));
	*entry = (struct kernel_entry){
	    .cr3 = cr3, .rip = kernel->entry, .argument = at, .abi = GN_ABI_NATIVE};
	return NULL;
}
