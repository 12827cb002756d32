/* SPDX-License-Identifier: MIT */
/*
 * xen.h - kernels that are built to be Xen's paravirtual guests, as a distribution's Linux is: what
 * they say of themselves in ELF notes, and what they expect to find. The structures are Xen's
 * public interface (its headers elfnote.h and xen.h). Pure.
 */
#ifndef GUESTS_LOADER_XEN_H
#define GUESTS_LOADER_XEN_H

#include "guests/loader/loader.h"

/* What the notes of a kernel say; what is absent is 0. */
struct xen_notes {
	uint64_t entry;		 /* 0: no kernel of this kind */
	uint64_t virt_base;	 /* the linear address of gpa 0 */
	uint64_t paddr_offset;	 /* what the file adds to physical addresses */
	uint64_t hypercall_page; /* linear address of a page to be filled with stubs */
	uint64_t mod_start_pfn;	 /* 1: the initrd need not be mapped */
	bool is_linux;
};

/* xen-notes.c: read the notes, which have been loaded with their segments. NULL, or what is
 * absurd. */
const char *xen_read_notes(const char *ram, const struct elf_kernel *kernel,
			   struct xen_notes *notes);

/*
 * Where in RAM everything lies; guest physical addresses, whole pages, in this order. What lies in
 * [0, map_end) is mapped when the kernel begins, at virt_base and on.
 */
struct xen_layout {
	uint64_t mapped_initrd; /* only if the kernel wants it in the map */
	uint64_t p2m;
	uint64_t start_info;
	uint64_t console;
	uint64_t tables, table_count; /* level 4, then 3, 2, 1 */
	uint64_t stack;
	uint64_t map_end;
	uint64_t initrd;
	uint64_t end;
};

/* xen-layout.c. NULL, or why it cannot be; memory_too_small: it ends at layout->end. */
const char *xen_lay_out(const struct gn_loader_info *info, const struct elf_kernel *kernel,
			const struct xen_notes *notes, struct xen_layout *layout);

/* xen-tables.c: the first page tables, as laid out. */
void xen_build_tables(char *ram, const struct xen_notes *notes, const struct xen_layout *layout);

/*
 * xen.c: the kernel's segments are in RAM, which this program sees at ram; leave for it all that
 * Xen's ABI promises. NULL, or why it cannot be; memory_too_small: it needs *needed bytes.
 */
const char *xen_prepare(const struct gn_loader_info *info, const void *initrd, char *ram,
			const struct elf_kernel *kernel, const struct xen_notes *notes,
			struct kernel_entry *entry, uint64_t *needed);

#endif
