/* SPDX-License-Identifier: MIT */
/*
 * loader.h - what the monitor and a guest's loader agree on. The loader (guests/loader) is a flat
 * image inside the monitor's ELF. For each new guest the monitor maps it into ring 1 of that guest,
 * in scratch frames above its RAM; it reads the kernel that the user named, puts it into RAM and
 * ends with start_kernel, which frees it. So a hostile kernel image is parsed with the rights of
 * its own guest.
 *
 * The loader's address space, in the lower half; everything supervisor, W^X:
 *	GN_LOADER_BASE	the image: text (read, execute), rodata (read), data, stack (read, write)
 *	GN_LOADER_INFO	struct gn_loader_info, the command line behind it (read)
 *	GN_LOADER_RAM	all of the guest's RAM from gpa 0 (read, write)
 *	GN_LOADER_KERNEL, GN_LOADER_INITRD	the modules, never changed (read)
 * It begins at the header's entry with RDI = GN_LOADER_INFO, RSP = the end of its last page, vif 0.
 * It may use SSE. It reports failure by shutdown(GN_SHUTDOWN_CRASH, text): the guest is refused
 * with it.
 */
#ifndef GUEST_ABI_LOADER_H
#define GUEST_ABI_LOADER_H

#define GN_LOADER_BASE	 0x010000000000
#define GN_LOADER_INFO	 0x018000000000
#define GN_LOADER_RAM	 0x020000000000
#define GN_LOADER_KERNEL 0x030000000000
#define GN_LOADER_INITRD 0x038000000000
#define GN_XEN_CONSOLE_PORT 1 /* the event channel of a Xen guest's console */
#define GN_LOADER_MAGIC	 0x72656461 /* "ader" */

#ifndef __ASSEMBLER__
#include <stdint.h>

/* The image's first bytes (they are in its text). All counts are of 4 KiB pages, in this order. */
struct gn_loader_header {
	uint32_t magic;
	uint32_t text_pages, rodata_pages, data_pages;
	uint32_t zero_pages; /* bss and stack: not in the image */
	uint32_t reserved;
	uint64_t entry;
};

struct gn_loader_info {
	uint64_t memory_size;		   /* of RAM, from gpa 0, whole pages */
	uint64_t kernel_size, initrd_size; /* bytes; initrd 0: none */
	uint64_t vcpu_page_gfn;
	uint32_t abi;		    /* 0 auto, else 1 + GN_ABI_ */
	uint32_t command_line_size; /* bytes behind this structure, without a terminator */
	/* For kernels of Xen's ABI: what their start info says. */
	uint64_t shared_info_gfn; /* above RAM */
	uint32_t console_port;
	uint32_t reserved;
};
#endif

#endif
