// SPDX-License-Identifier: MIT
/*
 * loader.c - see loader.h. The loader's address space is built in scratch frames above the guest's
 * RAM: image and info are copied there, the modules are shown where they lie (read-only: a reboot
 * needs them again), and ordinary page tables, which the shadows walk like any, map it all. Tables
 * grow from the end of the image's frames as they are needed.
 */
#include "run/loader.h"
#include "arch/x86/cpu/paging.h"
#include "guest-abi/loader.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/guest-copy.h"
#include "mm/machine.h"

extern const u8 loader_image[], loader_image_end[];

#define LARGE_SIZE	 (2ul << 20)

struct builder {
	struct guest *g;
	gfn_t next; /* the next scratch frame */
	u64 left;   /* how many there are */
	gfn_t top;  /* the level-4 table */
	int error;  /* the first one */
};

static gfn_t take(struct builder *b)
{
	if (!b->left) {
		b->error = -ENOMEM;
		return b->top;
	}
	b->left--;
	return GFN(b->next.v++);
}

static void put(struct builder *b, gpa_t at, const void *from, size_t size)
{
	if (!b->error)
		b->error = guest_copy_write(&b->g->p2m, at, from, size, NULL);
}

static u64 get_entry(struct builder *b, gpa_t at)
{
	u64 entry = 0;

	if (!b->error)
		b->error = guest_copy_read(&b->g->p2m, at, &entry, sizeof(entry), NULL);
	return entry;
}

/* Map one page (level 1) or 2 MiB (level 2) at address to the entry given. */
static void map(struct builder *b, u64 address, unsigned level, u64 entry)
{
	gfn_t table = b->top;
	gpa_t at;

	for (unsigned l = 4; l > level; l--) {
		u64 next;

		at = GPA(gfn_to_gpa(table).v + (address >> (3 + 9 * l) & 511) * 8);
		next = get_entry(b, at);
		if (!(next & PTE_P)) {
			next = gfn_to_gpa(take(b)).v | PTE_P | PTE_W | PTE_A;
			put(b, at, &next, sizeof(next));
		}
		table = GFN((next & PTE_FRAME) >> PAGE_SHIFT);
	}
	at = GPA(gfn_to_gpa(table).v + (address >> (3 + 9 * level) & 511) * 8);
	put(b, at, &entry, sizeof(entry));
}

static void map_run(struct builder *b, u64 address, gfn_t first, u64 pages, u64 flags)
{
	for (u64 i = 0; i < pages && !b->error; i++)
		map(b, address + i * PAGE_SIZE, 1, gfn_to_gpa(GFN(first.v + i)).v | flags);
}

static const u64 read_only = PTE_P | PTE_A | PTE_NX;
static const u64 executable = PTE_P | PTE_A;
static const u64 writable = PTE_P | PTE_W | PTE_A | PTE_D | PTE_NX;

static gfn_t take_run(struct builder *b, u64 pages)
{
	gfn_t first = b->next;

	if (pages > b->left) {
		b->error = -ENOMEM;
		pages = b->left;
	}
	b->next.v += pages;
	b->left -= pages;
	return first;
}

static void add_image(struct builder *b, const struct gn_loader_header *h)
{
	u64 stored = h->text_pages + h->rodata_pages + h->data_pages;
	gfn_t first = take_run(b, stored + h->zero_pages);
	u64 at = GN_LOADER_BASE;

	put(b, gfn_to_gpa(first), loader_image, stored * PAGE_SIZE);
	map_run(b, at, first, h->text_pages, executable);
	at += h->text_pages * PAGE_SIZE;
	first.v += h->text_pages;
	map_run(b, at, first, h->rodata_pages, read_only);
	at += h->rodata_pages * PAGE_SIZE;
	first.v += h->rodata_pages;
	map_run(b, at, first, h->data_pages + h->zero_pages, writable);
}

static void add_info(struct builder *b)
{
	const struct guest_config *config = &b->g->config;
	struct gn_loader_info info = {
	    .memory_size = config->memory_size,
	    .kernel_size = config->kernel_size,
	    .initrd_size = config->initrd_size,
	    .vcpu_page_gfn = guest_vcpu_page_gfn(b->g).v,
	    .abi = config->abi,
	    .command_line_size = config->append_size,
	    .shared_info_gfn = guest_shared_info_gfn(b->g).v,
	    .console_port = GN_XEN_CONSOLE_PORT,
	};
	gfn_t first = take_run(b, 2);

	put(b, gfn_to_gpa(first), &info, sizeof(info));
	put(b, GPA(gfn_to_gpa(first).v + sizeof(info)), config->append, config->append_size);
	map_run(b, GN_LOADER_INFO, first, 2, read_only);
}

/* RAM by pages of 2 MiB; the last may be mapped beyond RAM, where p2m has nothing to give. */
static void add_ram(struct builder *b)
{
	for (u64 at = 0; at < b->g->config.memory_size && !b->error; at += LARGE_SIZE)
		map(b, GN_LOADER_RAM + at, 2, at | writable | PTE_PS);
}

static void add_module(struct builder *b, u64 address, maddr_t module, u64 size, gfn_t gfn)
{
	u64 pages = ALIGN_UP(size, PAGE_SIZE) >> PAGE_SHIFT;

	for (u64 i = 0; i < pages && !b->error; i++)
		b->error = p2m_insert(&b->g->p2m, GFN(gfn.v + i), MFN((module.v >> PAGE_SHIFT) + i),
				      P2M_R);
	map_run(b, address, gfn, pages, read_only);
}

static u64 tables_for(u64 size, u64 covered)
{
	return size / covered + 2;
}

int loader_begin(struct guest *g)
{
	const struct gn_loader_header *h = (const void *)loader_image;
	const struct guest_config *config = &g->config;
	struct builder b = {.g = g, .next = guest_scratch_gfn(g)};
	u64 image = h->text_pages + h->rodata_pages + h->data_pages;
	u64 modules = config->kernel_size + config->initrd_size;
	gfn_t kernel, initrd;
	int error;

	if (h->magic != GN_LOADER_MAGIC ||
	    image * PAGE_SIZE > (u64)(loader_image_end - loader_image))
		return -EINVAL;
	b.left = image + h->zero_pages + 32 + tables_for(modules, LARGE_SIZE) * 2 +
		 tables_for(config->memory_size, 512 * LARGE_SIZE);
	error = guest_add_scratch(g, b.left);
	if (error)
		return error;
	kernel = GFN(guest_scratch_gfn(g).v + b.left);
	initrd = GFN(kernel.v + (ALIGN_UP(config->kernel_size, PAGE_SIZE) >> PAGE_SHIFT));
	g->scratch_pages += (ALIGN_UP(config->kernel_size, PAGE_SIZE) >> PAGE_SHIFT) +
			    (ALIGN_UP(config->initrd_size, PAGE_SIZE) >> PAGE_SHIFT);
	b.top = take(&b);
	add_image(&b, h);
	add_info(&b);
	add_ram(&b);
	add_module(&b, GN_LOADER_KERNEL, config->kernel, config->kernel_size, kernel);
	add_module(&b, GN_LOADER_INITRD, config->initrd, config->initrd_size, initrd);
	if (b.error)
		return b.error;
	vcpu_start(&g->vcpu, gfn_to_gpa(b.top).v, h->entry, 0, 0);
	g->vcpu.regs.rsp = GN_LOADER_BASE + (image + h->zero_pages) * PAGE_SIZE;
	g->vcpu.regs.rdi = GN_LOADER_INFO;
	g->loading = true;
	return 0;
}
