// SPDX-License-Identifier: MIT
/* world.c - see world.h. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "tests/host/emulate/world.h"

static struct world *world_of(struct emulate *e)
{
	return e->owner;
}

static void note(struct world *w, const char *format, ...)
{
	size_t used = strlen(w->notes);
	va_list args;

	va_start(args, format);
	if (used)
		used += snprintf(w->notes + used, sizeof(w->notes) - used, " ");
	if (used < sizeof(w->notes))
		vsnprintf(w->notes + used, sizeof(w->notes) - used, format, args);
	va_end(args);
}

/* Where a byte of the machine's memory is, or NULL with a page fault raised. */
static u8 *find(struct world *w, u64 linear, bool write)
{
	u32 user = w->r.cpl == 3 ? 4 : 0, wants = write ? 2 : 0;

	if (linear >= CPU_DATA && linear < CPU_DATA + CPU_DATA_SIZE) {
		if (!write || !w->data_read_only || linear < CPU_DATA + 4096)
			return w->data + (linear - CPU_DATA);
		emulate_page_fault(&w->e, linear, 1 | user | wants);
		return NULL;
	}
	if (linear >= CPU_CODE && linear < CPU_CODE + 4096 && !write)
		return w->code + (linear - CPU_CODE);
	emulate_page_fault(&w->e, linear,
			   user | wants | (linear >= CPU_CODE && linear < CPU_CODE + 4096));
	return NULL;
}

static enum emulate_verdict fetch(struct emulate *e, u64 linear, u8 *to, size_t size)
{
	struct world *w = world_of(e);

	if (linear < CPU_CODE || linear >= CPU_CODE + 4096)
		return emulate_page_fault(e, linear, 0x10 | (w->r.cpl == 3 ? 4 : 0));
	for (size_t i = 0; i < size; i++) {
		to[i] = READ_ONCE(w->code[linear - CPU_CODE + i]);
		w->fetched[linear - CPU_CODE + i]++;
	}
	if (w->on_fetch)
		w->on_fetch(w, linear, to, size);
	return EMULATE_OK;
}

static enum emulate_verdict read_memory(struct emulate *e, u64 linear, void *to, size_t size,
					enum emulate_access access)
{
	for (size_t i = 0; i < size; i++) {
		u8 *p = find(world_of(e), linear + i, access == ACCESS_READ_TO_WRITE);

		if (!p)
			return EMULATE_EVENT;
		((u8 *)to)[i] = *p;
	}
	return EMULATE_OK;
}

static enum emulate_verdict write_memory(struct emulate *e, u64 linear, const void *from,
					 size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (!find(world_of(e), linear + i, true))
			return EMULATE_EVENT;
	for (size_t i = 0; i < size; i++)
		*find(world_of(e), linear + i, true) = ((const u8 *)from)[i];
	return EMULATE_OK;
}

static enum emulate_verdict compare_exchange(struct emulate *e, u64 linear, const void *from,
					     const void *to, size_t size)
{
	u8 old[16];

	TRY(read_memory(e, linear, old, size, ACCESS_READ_TO_WRITE));
	if (memcmp(old, from, size))
		return EMULATE_AGAIN;
	note(world_of(e), "atomic");
	return write_memory(e, linear, to, size);
}

static enum emulate_verdict get_segment(struct emulate *e, enum segment segment,
					struct emulate_segment *to)
{
	*to = world_of(e)->segment[segment];
	return EMULATE_OK;
}

static enum emulate_verdict set_stack_segment(struct emulate *e, u16 selector, u64 descriptor)
{
	note(world_of(e), "ss=%x:%lx", selector, descriptor);
	return EMULATE_OK;
}

static enum emulate_verdict read_descriptor(struct emulate *e, u16 selector, u64 *descriptor)
{
	struct world *w = world_of(e);

	if (selector & 4 || selector >> 3 >= ARRAY_SIZE(w->descriptors))
		return emulate_fault_error(e, EXCEPTION_GP, selector & ~3u);
	*descriptor = w->descriptors[selector >> 3];
	return EMULATE_OK;
}

static enum emulate_verdict transfer(struct emulate *e, const struct emulate_transfer *to)
{
	world_of(e)->transfer = *to;
	note(world_of(e), "transfer");
	return EMULATE_OK;
}

static enum emulate_verdict read_cr(struct emulate *e, unsigned number, u64 *value)
{
	*value = world_of(e)->cr[number];
	return EMULATE_OK;
}

static enum emulate_verdict write_cr(struct emulate *e, unsigned number, u64 value)
{
	note(world_of(e), "cr%u=%lx", number, value);
	return EMULATE_OK;
}

static enum emulate_verdict read_dr(struct emulate *e, unsigned number, u64 *value)
{
	*value = world_of(e)->dr[number];
	return EMULATE_OK;
}

static enum emulate_verdict write_dr(struct emulate *e, unsigned number, u64 value)
{
	note(world_of(e), "dr%u=%lx", number, value);
	return EMULATE_OK;
}

static enum emulate_verdict read_msr(struct emulate *e, u32 index, u64 *value)
{
	struct world *w = world_of(e);

	for (int i = 0; i < WORLD_MSRS; i++)
		if (w->msr[i].index == index) {
			*value = w->msr[i].value;
			return EMULATE_OK;
		}
	return emulate_fault_error(e, EXCEPTION_GP, 0);
}

static enum emulate_verdict write_msr(struct emulate *e, u32 index, u64 value)
{
	u64 old;

	TRY(read_msr(e, index, &old));
	note(world_of(e), "msr%x=%lx", index, value);
	return EMULATE_OK;
}

static enum emulate_verdict set_xcr(struct emulate *e, u32 index, u64 value)
{
	note(world_of(e), "xcr%u=%lx", index, value);
	return EMULATE_OK;
}

static enum emulate_verdict read_tsc(struct emulate *e, u64 *tsc, u32 *aux)
{
	(void)e;
	*tsc = 0x1122334455667788;
	*aux = 7;
	return EMULATE_OK;
}

static enum emulate_verdict read_pmc(struct emulate *e, u32 index, u64 *value)
{
	(void)e;
	*value = 0x9900000000ul + index;
	return EMULATE_OK;
}

static enum emulate_verdict cpuid(struct emulate *e, u32 registers[4])
{
	u32 features = world_of(e)->features;

	for (int i = 0; i < 4; i++)
		registers[i] = features ^ (u32)i << 28;
	return EMULATE_OK;
}

static enum emulate_verdict get_table(struct emulate *e, enum emulate_table table,
				      struct emulate_table_register *to)
{
	*to = world_of(e)->table[table];
	return EMULATE_OK;
}

static enum emulate_verdict set_table(struct emulate *e, enum emulate_table table,
				      const struct emulate_table_register *from)
{
	note(world_of(e), "%s=%lx/%x", table == TABLE_GDT ? "gdt" : "idt", from->base, from->limit);
	return EMULATE_OK;
}

static enum emulate_verdict get_selector(struct emulate *e, enum emulate_selector which, u16 *to)
{
	*to = world_of(e)->selector[which];
	return EMULATE_OK;
}

static enum emulate_verdict set_selector(struct emulate *e, enum emulate_selector which,
					 u16 selector)
{
	note(world_of(e), "%s=%x", which == SELECTOR_LDT ? "ldt" : "tr", selector);
	return EMULATE_OK;
}

static enum emulate_verdict invalidate(struct emulate *e, const struct emulate_invalidation *what)
{
	note(world_of(e), "invalidate%u:%x:%lx", what->kind, what->pcid, what->address);
	return EMULATE_OK;
}

static enum emulate_verdict flush_caches(struct emulate *e)
{
	note(world_of(e), "flush");
	return EMULATE_OK;
}

static enum emulate_verdict swapgs(struct emulate *e)
{
	note(world_of(e), "swapgs");
	return EMULATE_OK;
}

static bool get_interrupt_flag(struct emulate *e)
{
	return world_of(e)->interrupt_flag;
}

static void set_interrupt_flag(struct emulate *e, bool enabled)
{
	world_of(e)->interrupt_flag = enabled;
	note(world_of(e), "if=%u", enabled);
}

static enum emulate_verdict check_port(struct emulate *e, u16 port, unsigned size)
{
	(void)size;
	return port == 0x60 ? EMULATE_OK : emulate_fault_error(e, EXCEPTION_GP, 0);
}

static enum emulate_verdict port_in(struct emulate *e, u16 port, unsigned size, u32 *value)
{
	note(world_of(e), "in%x/%u", port, size);
	*value = 0xa1b2c3d4;
	return EMULATE_OK;
}

static enum emulate_verdict port_out(struct emulate *e, u16 port, unsigned size, u32 value)
{
	note(world_of(e), "out%x/%u=%x", port, size, value);
	return EMULATE_OK;
}

static enum emulate_verdict read_vector(struct emulate *e, unsigned number, u8 to[16])
{
	memcpy(to, world_of(e)->vectors[number & 15], 16);
	return EMULATE_OK;
}

static const struct emulate_operations operations = {
    .fetch = fetch,
    .read = read_memory,
    .write = write_memory,
    .compare_exchange = compare_exchange,
    .get_segment = get_segment,
    .set_stack_segment = set_stack_segment,
    .read_descriptor = read_descriptor,
    .transfer = transfer,
    .read_cr = read_cr,
    .write_cr = write_cr,
    .read_dr = read_dr,
    .write_dr = write_dr,
    .read_msr = read_msr,
    .write_msr = write_msr,
    .set_xcr = set_xcr,
    .read_tsc = read_tsc,
    .read_pmc = read_pmc,
    .cpuid = cpuid,
    .get_table = get_table,
    .set_table = set_table,
    .get_selector = get_selector,
    .set_selector = set_selector,
    .invalidate = invalidate,
    .flush_caches = flush_caches,
    .swapgs = swapgs,
    .get_interrupt_flag = get_interrupt_flag,
    .set_interrupt_flag = set_interrupt_flag,
    .check_port = check_port,
    .port_in = port_in,
    .port_out = port_out,
    .read_vector = read_vector,
};

void world_set_mode(struct world *w, enum decode_mode mode)
{
	u16 size = mode == DECODE_64 ? ATTRIBUTE_LONG : mode == DECODE_32 ? ATTRIBUTE_BIG : 0;

	w->r.mode = mode;
	for (int i = 0; i < SEGMENT_COUNT; i++)
		w->segment[i] = (struct emulate_segment){
		    .limit = 0xffffffff,
		    .attributes = ATTRIBUTE_PRESENT | ATTRIBUTE_MEMORY | ATTRIBUTE_WRITABLE |
				  ATTRIBUTE_PAGES | (size & ATTRIBUTE_BIG),
		};
	w->segment[SEGMENT_CS].attributes |= ATTRIBUTE_CODE | size;
}

void world_reset(struct world *w)
{
	static const u64 descriptors[] = {
	    0,
	    0x00af9b000000ffff, /* 08 64-bit kernel code */
	    0x00cf93000000ffff, /* 10 kernel data */
	    0x00cf9b000000ffff, /* 18 32-bit kernel code */
	    0x00cffb000000ffff, /* 20 32-bit user code */
	    0x00cff3000000ffff, /* 28 user data */
	    0x00affb000000ffff, /* 30 64-bit user code */
	    0x00af1b000000ffff, /* 38 code that is not present */
	    0x00cf13000000ffff, /* 40 data that is not present */
	    0x00cf91000000ffff, /* 48 read-only data */
	    0x00af9f000000ffff, /* 50 conforming code */
	    0x00ef9b000000ffff, /* 58 L and D */
	    0x00008b0000000067, /* 60 a system segment */
	    0x000f9b000000ffff, /* 68 16-bit kernel code */
	};

	memset(w, 0, offsetof(struct world, code));
	memset(w->notes, 0, sizeof(w->notes));
	memset(w->msr, 0, sizeof(w->msr));
	w->e.operations = &operations;
	w->e.registers = &w->r;
	w->e.owner = w;
	w->r.rip = CPU_CODE;
	w->r.rflags = 2;
	w->r.gpr[RSP] = CPU_DATA + 0x800;
	w->r.selector[SEGMENT_CS] = 8;
	w->r.selector[SEGMENT_SS] = 0x10;
	w->data_read_only = false;
	w->interrupt_flag = false;
	w->on_fetch = NULL;
	memset(w->cr, 0, sizeof(w->cr));
	memset(w->dr, 0, sizeof(w->dr));
	w->cr[0] = 0x80050033;
	w->cr[4] = 0x406b0;
	w->features = 0xffffffff;
	memcpy(w->descriptors, descriptors, sizeof(descriptors));
	world_set_mode(w, DECODE_64);
}

enum emulate_verdict world_run(struct world *w)
{
	TRY(emulate_decode(&w->e));
	return emulate_execute(&w->e);
}
