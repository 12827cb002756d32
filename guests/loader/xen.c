// SPDX-License-Identifier: MIT
/*
 * xen.c - see xen.h: what a kernel for Xen's paravirtual guests finds when it begins. It becomes a
 * domU: no devices, a console of two rings in one page of its own RAM.
 */
#include "guests/loader/xen.h"
#include "guest-abi/kit/memory.h"
#include "guest-abi/layout.h"

/* struct start_info of Xen's public header xen.h. */
struct xen_start_info {
	char magic[32];
	uint64_t nr_pages;
	uint64_t shared_info; /* machine address */
	uint32_t flags;
	uint64_t store_mfn;
	uint32_t store_evtchn;
	uint64_t console_mfn;
	uint32_t console_evtchn;
	uint64_t pt_base; /* linear address, as mfn_list */
	uint64_t nr_pt_frames;
	uint64_t mfn_list;
	uint64_t mod_start; /* linear address, or a PFN: see flags */
	uint64_t mod_len;
	char cmd_line[1024];
	uint64_t first_p2m_pfn, nr_p2m_frames; /* of a list outside the kernel's map: unused */
};

_Static_assert(sizeof(struct xen_start_info) == 1168, "as in Xen's header");
_Static_assert(__builtin_offsetof(struct xen_start_info, cmd_line) == 128, "as in Xen's header");

#define FLAG_MOD_START_PFN (1 << 3)
/* Whoever saves guests can read a flat p2m list: Linux then builds no tree of lists for them. */
#define FLAG_VIRT_P2M (1 << 4)

/* What Xen 4.x calls itself to its guests; Linux looks for the prefix "xen-3". */
static const char magic[] = "xen-3.0-x86_64";

/*
 * The page of stubs that older kernels call, one of 32 bytes for each hypercall:
 *	push %rcx; push %r11; mov $number,%eax; syscall; pop %r11; pop %rcx; ret
 * but that of iret, which does not return: push %rcx; push %r11; push %rax; mov; syscall.
 */
#define STUB_SIZE  32
#define CALL_IRET  23
#define BREAKPOINT 0xcc

static void fill_hypercall_page(unsigned char *page)
{
	static const unsigned char call[] = {0x51, 0x41, 0x53, 0xb8, 0,	   0,	 0,
					     0,	   0x0f, 0x05, 0x41, 0x5b, 0x59, 0xc3};
	static const unsigned char iret[] = {0x51, 0x41, 0x53, 0x50, 0xb8, 0, 0, 0, 0, 0x0f, 0x05};

	memset(page, BREAKPOINT, PAGE_SIZE);
	for (uint32_t number = 0; number < PAGE_SIZE / STUB_SIZE; number++) {
		unsigned char *stub = page + number * STUB_SIZE;

		if (number == CALL_IRET) {
			memcpy(stub, iret, sizeof(iret));
			memcpy(stub + 5, &number, sizeof(number));
		} else {
			memcpy(stub, call, sizeof(call));
			memcpy(stub + 4, &number, sizeof(number));
		}
	}
}

static void leave_start_info(const struct gn_loader_info *info, const struct xen_notes *notes,
			     const struct xen_layout *l, struct xen_start_info *start)
{
	memset(start, 0, PAGE_SIZE);
	memcpy(start->magic, magic, sizeof(magic));
	start->nr_pages = info->memory_size / PAGE_SIZE;
	start->shared_info = info->shared_info_gfn * PAGE_SIZE;
	start->flags = FLAG_VIRT_P2M;
	start->console_mfn = l->console / PAGE_SIZE;
	start->console_evtchn = info->console_port;
	start->pt_base = notes->virt_base + l->tables;
	start->nr_pt_frames = l->table_count;
	start->mfn_list = notes->virt_base + l->p2m;
	if (info->initrd_size) {
		start->mod_len = info->initrd_size;
		start->mod_start = notes->mod_start_pfn ? l->initrd / PAGE_SIZE
							: notes->virt_base + l->mapped_initrd;
		start->flags |= notes->mod_start_pfn ? FLAG_MOD_START_PFN : 0;
	}
	memcpy(start->cmd_line, info + 1, info->command_line_size);
}

const char *xen_prepare(const struct gn_loader_info *info, const void *initrd, char *ram,
			const struct elf_kernel *kernel, const struct xen_notes *notes,
			struct kernel_entry *entry, uint64_t *needed)
{
	struct xen_layout l;
	const char *why;
	uint64_t *p2m;

	if (info->command_line_size >= sizeof(((struct xen_start_info *)0)->cmd_line))
		return "the command line is longer than the 1023 bytes that a Xen kernel can take";
	why = xen_lay_out(info, kernel, notes, &l);
	*needed = l.end;
	if (why)
		return why;

	memcpy(ram + (notes->mod_start_pfn ? l.initrd : l.mapped_initrd), initrd,
	       info->initrd_size);
	p2m = (uint64_t *)(ram + l.p2m);
	for (uint64_t i = 0; i < info->memory_size / PAGE_SIZE; i++)
		p2m[i] = i; /* the guest's own numbers are all it ever sees */
	leave_start_info(info, notes, &l, (struct xen_start_info *)(ram + l.start_info));
	memset(ram + l.console, 0, PAGE_SIZE);
	memset(ram + l.stack, 0, PAGE_SIZE);
	if (notes->hypercall_page)
		fill_hypercall_page((unsigned char *)ram + notes->hypercall_page -
				    notes->virt_base);
	xen_build_tables(ram, notes, &l);
	*entry = (struct kernel_entry){
	    .cr3 = l.tables,
	    .rip = notes->entry,
	    .rsp = notes->virt_base + l.stack + PAGE_SIZE,
	    .argument = notes->virt_base + l.start_info,
	    .abi = GN_ABI_XEN,
	};
	return NULL;
}
