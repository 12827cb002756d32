// SPDX-License-Identifier: MIT
/*
 * loader.c - see loader.h. The loader's address space is built in scratch frames above the guest's
 * RAM: image and info are copied there, the modules are shown where they lie (read-only: a reboot
 * needs them again), and ordinary page tables, which the shadows walk like any, map it all. Tables
 * grow from the end of the image's frames as they are needed. All of it, and the guest's RAM, is a
 * row of small things to do, so that it can be done in bounded pieces while other guests run.
 */
#include "run/loader.h"
#include "arch/x86/cpu/paging.h"
#include "guest-abi/loader.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/guest-copy.h"
#include "mm/machine.h"

extern const u8 loader_image[], loader_image_end[];

#define LARGE_SIZE (2ul << 20)
#define PIECE	   64 /* things done by one call */

struct builder {
	struct guest *g;
	u64 done;    /* of the row of things to do */
	u64 scratch; /* frames above RAM */
	gfn_t next;  /* the next of them */
	u64 left;    /* how many there are */
	gfn_t top;   /* the level-4 table */
	int error;   /* the first one */
};

static struct builder builder; /* (v) one guest is built at a time */

static u64 pages_of(u64 size)
{
	return ALIGN_UP(size, PAGE_SIZE) >> PAGE_SHIFT;
}

static u64 module_pages(const struct guest_config *config)
{
	return pages_of(config->kernel_size) + pages_of(config->initrd_size);
}

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

/* One page of the kernel's file or, behind it, of the initrd. */
static void add_module_page(struct builder *b, u64 n)
{
	const struct guest_config *config = &b->g->config;
	gfn_t gfn = GFN(guest_scratch_gfn(b->g).v + b->scratch + n);
	u64 kernel = pages_of(config->kernel_size), address = GN_LOADER_KERNEL;
	maddr_t module = config->kernel;

	if (n >= kernel) {
		n -= kernel;
		address = GN_LOADER_INITRD;
		module = config->initrd;
	}
	b->error = p2m_insert(&b->g->p2m, gfn, MFN((module.v >> PAGE_SHIFT) + n), P2M_R);
	b->g->scratch_pages++;
	map(b, address + n * PAGE_SIZE, 1, gfn_to_gpa(gfn).v | read_only);
}

static const struct gn_loader_header *header(void)
{
	return (const void *)loader_image;
}

static u64 stored_pages(void)
{
	return header()->text_pages + header()->rodata_pages + header()->data_pages;
}

/* Next in the row: frames of RAM, scratch frames, the image, RAM's mapping by pages of 2 MiB (the
 * last may lead beyond RAM, where p2m has nothing to give), the modules. False: no more. */
static bool do_next(struct builder *b)
{
	const struct guest_config *config = &b->g->config;
	u64 n = b->done++, ram = config->memory_size >> PAGE_SHIFT;
	u64 large = ALIGN_UP(config->memory_size, LARGE_SIZE) / LARGE_SIZE;

	if (n < ram) {
		b->error = guest_add_frame(b->g, GFN(n));
		return true;
	}
	n -= ram;
	if (n < b->scratch) {
		b->error = guest_add_frame(b->g, GFN(guest_scratch_gfn(b->g).v + n));
		b->g->scratch_pages++;
		return true;
	}
	n -= b->scratch;
	if (n == 0) {
		b->top = take(b);
		add_image(b, header());
		add_info(b);
	} else if (n <= large) {
		n = (n - 1) * LARGE_SIZE;
		map(b, GN_LOADER_RAM + n, 2, n | writable | PTE_PS);
	} else if (n - large <= module_pages(config)) {
		add_module_page(b, n - large - 1);
	} else {
		return false;
	}
	return true;
}

static u64 tables_for(u64 size, u64 covered)
{
	return size / covered + 2;
}

static u64 scratch_for(const struct guest_config *config)
{
	return stored_pages() + header()->zero_pages + 32 +
	       tables_for(module_pages(config) * PAGE_SIZE, LARGE_SIZE) * 2 +
	       tables_for(config->memory_size, 512 * LARGE_SIZE);
}

u64 loader_frames(const struct guest_config *config)
{
	return (config->memory_size >> PAGE_SHIFT) + scratch_for(config);
}

void loader_begin(struct guest *g)
{
	u64 scratch = scratch_for(&g->config);

	builder = (struct builder){
	    .g = g, .scratch = scratch, .left = scratch, .next = guest_scratch_gfn(g)};
	if (header()->magic != GN_LOADER_MAGIC ||
	    stored_pages() * PAGE_SIZE > (u64)(loader_image_end - loader_image))
		builder.error = -EINVAL;
}

int loader_continue(void)
{
	struct builder *b = &builder;
	struct guest *g = b->g;

	for (unsigned i = 0; i < PIECE && !b->error; i++) {
		if (do_next(b))
			continue;
		vcpu_start(&g->vcpu, gfn_to_gpa(b->top).v, header()->entry, 0, 0);
		g->vcpu.regs.rsp =
		    GN_LOADER_BASE + (stored_pages() + header()->zero_pages) * PAGE_SIZE;
		g->vcpu.regs.rdi = GN_LOADER_INFO;
		g->loading = true;
		return 0;
	}
	return b->error ? b->error : -EAGAIN;
}
