// SPDX-License-Identifier: MIT
/*
 * draw.c - see draw.h.
 *
 *   (i)   numbers and addresses
 *   (ii)  what buffers hold
 *   (iii) the arguments of a call
 */
#include <string.h>
#include "guest-abi/hypercalls.h"
#include "hypercall/xen/xen.h"
#include "tests/host/calls/draw.h"

#define RANDOM(list) (list)[host_random() % ARRAY_SIZE(list)]

/* ---- (i) ---- */

static u64 place(const struct memory *m)
{
	const u64 places[] = {
	    0,
	    1,
	    0xfff,
	    memory_address(m->frames) - 8,
	    memory_address(m->frames) - 1,
	    memory_address(m->frames),
	    gfn_to_gpa(guest_vcpu_page_gfn(m->g)).v + (host_random() & 0xff8),
	    gfn_to_gpa(guest_shared_info_gfn(m->g)).v + (host_random() & 0xff8),
	    gfn_to_gpa(guest_scratch_gfn(m->g)).v,
	    1ul << 31,
	    1ul << 32,
	    (1ul << 32) + 8,
	    (1ul << 47) - 8,
	    1ul << 47,
	    0xffff7ffffffffff8,
	    XEN_M2P_START + 8,
	    GN_CODE_AREA,
	    GN_CODE_AREA + GN_CODE_SIZE - 1,
	    GN_VCPU_PAGE + 4090,
	    GN_VCPU_INFO_PAGE,
	    GN_LDT,
	    GN_WINDOW_BASE - 1,
	    AREA_CONSTANTS,
	    AREA_GDT,
	    AREA_STACK,
	    AREA_TEXT,
	    AREA_END - 1,
	    AREA_END,
	    1ul << 40,
	    1ul << 44,
	    1ul << 52,
	    (1ul << 52) - 8,
	    ~0ul << 52,
	    1ul << 63,
	    ~0ul - 7,
	    ~0ul,
	};

	return RANDOM(places);
}

/* A call takes its buffers in pieces of 16 to 256 entries. */
static u64 count(void)
{
	static const u64 counts[] = {255,
				     256,
				     257,
				     511,
				     512,
				     513,
				     0x7fffffff,
				     0x80000000,
				     0x80000003,
				     0xffffffff,
				     0x100000001,
				     1ul << 60,
				     (1ul << 60) + 1,
				     ~0ul};

	return one_in(8) ? RANDOM(counts) : host_random() % (one_in(4) ? 600 : 40);
}

static u64 gfn(const struct memory *m)
{
	if (one_in(48))
		return place(m) >> (one_in(2) ? PAGE_SHIFT : 0);
	if (one_in(4)) /* those that are reached from the beginning */
		return MEMORY_TREE + host_random() % 4;
	return one_in(2) ? MEMORY_TREE + host_random() % (MEMORY_TREE_END - MEMORY_TREE)
			 : host_random() % m->frames;
}

/* Of a table: mostly one of the ruined, sometimes the kernel's own, as far as it can do without. */
static u64 table_entry(const struct memory *m)
{
	u64 frame = gfn(m);

	if (frame < MEMORY_TREE && !one_in(64))
		frame = MEMORY_L2;
	return memory_address(frame) + 8 * (frame == MEMORY_L2
						? 2 + host_random() % 510
						: host_random() % (one_in(2) ? 8 : 512));
}

static u64 entry(const struct memory *m)
{
	static const u64 flags[] = {PTE_W,  PTE_U,   PTE_A,    PTE_D,	 PTE_PS,
				    PTE_NX, PTE_PWT, 1ul << 8, 1ul << 41};
	u64 value = memory_address(gfn(m)) | (one_in(8) ? 0 : PTE_P | PTE_W | PTE_U | PTE_A);

	for (unsigned i = host_random() % 4; i; i--)
		value ^= RANDOM(flags);
	return one_in(32) ? host_random() : value;
}

static u64 buffer_page(void)
{
	return memory_address(MEMORY_BUFFER + host_random() % (MEMORY_BUFFER_END - MEMORY_BUFFER));
}

static u64 address(const struct memory *m)
{
	switch (host_random() % 8) {
	case 0:
		return place(m);
	case 1: /* by way of the ruined tree */
		return ((u64)MEMORY_TREE_SLOT << 39) |
		       (host_random() & (one_in(4) ? 0x40207ff8 : 0x7ff8));
	case 2:
		return 0x200000 + (host_random() & 0xfff8); /* a large page */
	case 3:
		return 0xffff960000000000 | (host_random() & 0x3fff8); /* slot 300 */
	default:
		return buffer_page() + (host_random() & 0xfff);
	}
}

static u64 any(const struct memory *m)
{
	switch (host_random() % 6) {
	case 0:
		return host_random();
	case 1:
		return 1ul << host_random() % 64;
	case 2:
		return host_random() % 16;
	case 3:
		return address(m);
	default:
		return place(m);
	}
}

u64 draw(const struct memory *m, enum draw_kind kind)
{
	if (one_in(16))
		kind = DRAW_ANY;
	switch (kind) {
	case DRAW_BUFFER: /* nothing was written there */
		return one_in(2) ? address(m) : buffer_page() + 4096 - host_random() % 64;
	case DRAW_COUNT:
		return count();
	case DRAW_SMALL:
		return host_random() % (one_in(4) ? 64 : 8);
	case DRAW_ADDRESS:
		return address(m);
	case DRAW_TABLE:
		return table_entry(m) + (one_in(16) ? host_random() % 8 : 0);
	case DRAW_ENTRY:
		return entry(m);
	case DRAW_ROOT:
		return memory_address(one_in(2) ? MEMORY_L4 : gfn(m)) | (host_random() & 0xfff);
	case DRAW_GFN:
		return gfn(m);
	case DRAW_TIME:
		return one_in(4) ? any(m) : host_random() % 4000000000u;
	case DRAW_ZERO:
		return 0;
	default:
		return any(m);
	}
}

/* ---- (ii) ---- */

#define ITEM 72 /* the largest */

static size_t draw_gate(const struct memory *m, u64 *to)
{
	u64 handler = address(m);

	to[0] = (handler & 0xffff) | (u64)(host_random() & 0xfff8) << 16 |
		(one_in(4) ? host_random() % 8 : 0) << 32 | (one_in(2) ? 0xeul : 0xful) << 40 |
		(one_in(2) ? 3ul << 45 : 0) | (one_in(256) ? 0 : 1ul << 47) |
		(handler >> 16 & 0xffff) << 48;
	to[1] = handler >> 32;
	if (one_in(256))
		to[host_random() % 2] ^= 1ul << host_random() % 64;
	return 16;
}

static size_t draw_descriptor(u64 *to)
{
	static const u64 good[] = {0,
				   0x00cffb000000ffff,
				   0x00affb000000ffff,
				   0x00cff3000000ffff,
				   0x00cf93000000ffff,
				   0x00af9b000000ffff,
				   0x000ff3000000ffff};

	to[0] = RANDOM(good);
	if (one_in(8))
		to[0] ^= 1ul << host_random() % 64;
	return 8;
}

static size_t draw_update(const struct memory *m, struct xen_mmu_update *to)
{
	to->ptr = table_entry(m) | (one_in(8) ? host_random() % 4 : one_in(2) ? 2 : 0);
	to->val = entry(m);
	if ((to->ptr & 3) == XEN_MMU_MACHPHYS)
		to->val = to->ptr >> PAGE_SHIFT;
	return sizeof(*to);
}

static size_t draw_operation(const struct memory *m, struct xen_mmuext_op *to)
{
	*to = (struct xen_mmuext_op){.cmd = host_random() % 16, .arg2 = count()};
	to->arg1 = to->cmd >= XEN_MMUEXT_TLB_FLUSH_LOCAL ? address(m) : gfn(m);
	if (one_in(16)) /* the longest of them */
		to->cmd = XEN_MMUEXT_SET_LDT;
	if (to->cmd == 12 || to->cmd == 14)
		to->cmd = one_in(8) ? (u32)host_random() : XEN_MMUEXT_UNPIN;
	if (to->cmd == XEN_MMUEXT_NEW_BASEPTR && !one_in(4))
		to->arg1 = MEMORY_L4;
	return sizeof(*to);
}

static size_t draw_call(const struct memory *m, struct xen_multicall_entry *to)
{
	to->op = one_in(32) ? draw(m, DRAW_ANY) : host_random() % XEN_CALL_COUNT;
	to->result = 0;
	draw_xen(m, to->op, to->args);
	return sizeof(*to);
}

static size_t draw_trap(const struct memory *m, struct xen_trap_info *to)
{
	*to = (struct xen_trap_info){.vector = host_random(), .flags = host_random() % 8};
	to->address = one_in(64) ? 0 : address(m);
	return sizeof(*to);
}

static size_t draw_frame(const struct memory *m, struct xen_iret_frame *to)
{
	static const u16 code[] = {GN_USER_CS, GN_USER_CS, 0x10, 0x23, 0xf91, 7},
			 stack[] = {GN_USER_SS, GN_USER_SS, 0x18, 0, 0xf99, 15};

	*to = (struct xen_iret_frame){.rax = host_random(),
				      .r11 = host_random(),
				      .rcx = host_random(),
				      .flags = host_random(),
				      .rip = one_in(8) ? any(m) : address(m),
				      .cs = RANDOM(code),
				      .rflags = host_random(),
				      .rsp = any(m),
				      .ss = RANDOM(stack)};
	return sizeof(*to);
}

/* One item of the kind; returns its size. */
static size_t draw_item(const struct memory *m, enum draw_content content, void *to)
{
	u64 *words = to;

	switch (content) {
	case CONTENT_GATES:
		return draw_gate(m, to);
	case CONTENT_DESCRIPTORS:
		return draw_descriptor(to);
	case CONTENT_ENTRIES:
		words[0] = entry(m);
		return 8;
	case CONTENT_GFNS:
		words[0] = gfn(m);
		return 8;
	case CONTENT_SMALL:
		*(u32 *)to = one_in(8) ? host_random() : host_random() % (one_in(2) ? 2 : 70);
		return 4;
	case CONTENT_TRAPS:
		return draw_trap(m, to);
	case CONTENT_UPDATES:
		return draw_update(m, to);
	case CONTENT_OPERATIONS:
		return draw_operation(m, to);
	case CONTENT_CALLS:
		return draw_call(m, to);
	case CONTENT_CALLBACK:
		words[0] = host_random() % 4;
		words[1] = address(m);
		return 16;
	case CONTENT_FRAME:
		return draw_frame(m, to);
	case CONTENT_INFO:
		words[0] = gfn(m);
		words[1] = one_in(4) ? host_random() % 8192 : host_random() % 8 * 8;
		return 16;
	default:
		words[0] = any(m);
		return 8;
	}
}

u64 draw_buffer(const struct memory *m, enum draw_content content)
{
	u64 at = buffer_page() + (one_in(4) ? host_random() % 4096 : one_in(2) ? 4032 : 0), to = at;
	unsigned items = content == CONTENT_FRAME || content == CONTENT_INFO ? 1
			 : one_in(8)					     ? 256
				     : 1 + host_random() % 8;
	bool are_alike = one_in(4);
	u64 item[ITEM / 8];
	size_t size = 0;

	while (items--) {
		if (!size || !are_alike)
			size = draw_item(m, content, item);
		memory_put(m, to, item, size);
		to += size;
	}
	return one_in(16) ? draw(m, DRAW_ADDRESS) : at;
}

/* ---- (iii) ---- */

static enum draw_kind kind_of_name(const char *name)
{
	static const struct {
		const char *names;
		enum draw_kind kind;
	} known[] = {
	    {" address text argument ", DRAW_BUFFER},
	    {" size count ", DRAW_COUNT},
	    {" first index which port vector masked kind abi ", DRAW_SMALL},
	    {" rip rsp base ", DRAW_ADDRESS},
	    {" physical original ", DRAW_TABLE},
	    {" value ", DRAW_ENTRY},
	    {" cr3 ", DRAW_ROOT},
	    {" deadline period ", DRAW_TIME},
	};
	char word[32];

	snprintf(word, sizeof(word), " %s ", name);
	for (unsigned i = 0; i < ARRAY_SIZE(known); i++)
		if (strstr(known[i].names, word))
			return known[i].kind;
	return DRAW_ANY;
}

#define A0()					   NULL
#define A1(a)					   #a
#define A2(a, b)				   #a, #b
#define A3(a, b, c)				   #a, #b, #c
#define A4(a, b, c, d)				   #a, #b, #c, #d
#define A5(a, b, c, d, e)			   #a, #b, #c, #d, #e
#define X(number, name, arguments, flags, promise) [number] = {arguments},
static const char *const native_names[][6] = {GN_HYPERCALLS(X)};
#undef X

/* What a buffer argument gets: written just now, or whatever is there. */
static u64 argument(const struct memory *m, enum draw_kind kind, enum draw_content content)
{
	return kind == DRAW_BUFFER && !one_in(4) ? draw_buffer(m, content) : draw(m, kind);
}

enum draw_content draw_native(const struct memory *m, u64 number, u64 arguments[6])
{
	enum draw_content content = host_random() % CONTENTS;

	if (!one_in(4) && (number == GN_CALL_set_idt || number == GN_CALL_set_gdt ||
			   number == GN_CALL_set_ldt))
		content = number == GN_CALL_set_idt ? CONTENT_GATES : CONTENT_DESCRIPTORS;
	for (unsigned i = 0; i < 6; i++) {
		const char *name =
		    number < ARRAY_SIZE(native_names) ? native_names[number][i] : NULL;

		arguments[i] = name ? argument(m, kind_of_name(name), content) : any(m);
	}
	return content;
}

/* Operations that a call's first argument names; elsewhere it is what its kind says. */
#define OPERATIONS_MAX	8
#define OPERATIONS(...) .operation = {__VA_ARGS__}, .operations = sizeof((u8[]){__VA_ARGS__})

static const struct {
	enum draw_kind kind[6];
	enum draw_content content;
	u8 operation[OPERATIONS_MAX], operations;
} xen_known[XEN_CALL_COUNT] = {
    [0] = {{DRAW_BUFFER}, CONTENT_TRAPS},
    [1] = {{DRAW_BUFFER, DRAW_COUNT, DRAW_BUFFER}, CONTENT_UPDATES},
    [2] = {{DRAW_BUFFER, DRAW_COUNT}, CONTENT_GFNS},
    [3] = {{DRAW_SMALL, DRAW_ADDRESS}, CONTENT_WORDS},
    [5] = {{DRAW_SMALL}, CONTENT_WORDS},
    [8] = {{DRAW_SMALL, DRAW_ADDRESS}, CONTENT_WORDS},
    [9] = {{DRAW_SMALL}, CONTENT_WORDS},
    [10] = {{DRAW_TABLE, DRAW_ENTRY}, CONTENT_DESCRIPTORS},
    [12] = {{DRAW_SMALL, DRAW_BUFFER},
	    CONTENT_SMALL,
	    OPERATIONS(XEN_MEMORY_MAP, XEN_MACHPHYS_MAPPING)},
    [13] = {{DRAW_BUFFER, DRAW_COUNT}, CONTENT_CALLS},
    [14] = {{DRAW_ADDRESS, DRAW_ENTRY, DRAW_SMALL}, CONTENT_ENTRIES},
    [15] = {{DRAW_TIME}, CONTENT_WORDS},
    [17] = {{DRAW_SMALL, DRAW_BUFFER},
	    CONTENT_SMALL,
	    OPERATIONS(XEN_VERSION, XEN_EXTRAVERSION, XEN_GET_FEATURES, XEN_PAGESIZE)},
    [18] = {{DRAW_ZERO, DRAW_COUNT, DRAW_BUFFER}, CONTENT_WORDS},
    [23] = {{DRAW_ANY}, CONTENT_FRAME},
    [24] = {{DRAW_SMALL, DRAW_ZERO, DRAW_BUFFER},
	    CONTENT_INFO,
	    OPERATIONS(XEN_VCPU_IS_UP, XEN_VCPU_REGISTER_RUNSTATE, XEN_VCPU_STOP_PERIODIC,
		       XEN_VCPU_SET_SINGLESHOT, XEN_VCPU_STOP_SINGLESHOT, XEN_VCPU_REGISTER_INFO,
		       XEN_VCPU_REGISTER_TIME)},
    [25] = {{DRAW_SMALL, DRAW_ADDRESS}, CONTENT_WORDS},
    [26] = {{DRAW_BUFFER, DRAW_COUNT, DRAW_BUFFER}, CONTENT_OPERATIONS},
    [29] = {{DRAW_SMALL, DRAW_BUFFER}, CONTENT_SMALL},
    [30] = {{DRAW_ZERO, DRAW_BUFFER}, CONTENT_CALLBACK},
    [32] = {{DRAW_SMALL, DRAW_BUFFER},
	    CONTENT_SMALL,
	    OPERATIONS(XEN_EVTCHN_BIND_VIRQ, XEN_EVTCHN_CLOSE, XEN_EVTCHN_SEND,
		       XEN_EVTCHN_ALLOC_UNBOUND, XEN_EVTCHN_BIND_IPI, XEN_EVTCHN_BIND_VCPU,
		       XEN_EVTCHN_UNMASK)},
};

enum draw_content draw_xen(const struct memory *m, u64 number, u64 arguments[6])
{
	static unsigned depth; /* a multicall's calls have buffers, too */
	bool is_known = number < XEN_CALL_COUNT;
	enum draw_content content = host_random() % CONTENTS;

	if (is_known && !one_in(4))
		content = xen_known[number].content;
	if (depth && content == CONTENT_CALLS)
		content = CONTENT_WORDS;
	depth++;
	for (unsigned i = 0; i < 6; i++)
		arguments[i] =
		    argument(m, is_known ? xen_known[number].kind[i] : DRAW_ANY, content);
	if (is_known && xen_known[number].operations && !one_in(8))
		arguments[0] =
		    xen_known[number].operation[host_random() % xen_known[number].operations];
	depth--;
	return content;
}
