// SPDX-License-Identifier: MIT
/*
 * xen.c - see xen.h. The kernel's image is mapped by the tables of the loader; the lower half gets
 * tables of its own with the user's pages.
 */
#include "tests/guest/lib-xen/xen.h"

#define VIRT_BASE 0xffffffff80000000ul
#define PAGE	  4096ul

/* struct start_info */
#define START_PT_BASE 88
#define START_COMMAND 128

enum {
	CALL_SET_TRAP_TABLE = 0,
	CALL_MMU_UPDATE = 1,
	CALL_SET_GDT = 2,
	CALL_UPDATE_DESCRIPTOR = 10,
	CALL_CONSOLE_IO = 18,
	CALL_VCPU_OP = 24,
	CALL_MMUEXT_OP = 26,
	CALL_SCHED_OP = 29,
	CALL_CALLBACK_OP = 30,
};

#define VCPUOP_REGISTER_INFO 10
#define MMUEXT_FLUSH	     6
#define MMUEXT_SET_LDT	     13
#define SHUTDOWN	     2
#define SHUTDOWN_CRASH	     3

bool on_gnomon = true, on_tcg;
char command_line[256];
struct xen_taken xen_taken;
struct xen_info *xen_info;
u64 xen_words[XEN_WORDS], xen_stack;
u8 xen_user_code[4096] __attribute__((aligned(4096)));
u8 xen_user_stack[4096] __attribute__((aligned(4096)));
u64 xen_gdt[512] __attribute__((aligned(4096))) = {
    [2] = 0x00af9b000000ffff, /* the kernel's, which it never sees */
    [3] = 0x00cf93000000ffff,
    [4] = 0x00cffb000000ffff, /* the user's: 32-bit code, data, 64-bit code */
    [5] = 0x00cff3000000ffff,
    [6] = 0x00affb000000ffff,
};

static u64 tables[3][512] __attribute__((aligned(4096))); /* levels 3, 2, 1 of the lower half */
static u8 info_page[4096] __attribute__((aligned(4096)));

extern const u8 xen_stubs[XEN_VECTORS][XEN_STUB_SIZE];
extern u8 xen_trap_stack_end[];
void xen_enter(struct xen_state *s);

s64 xen_call(u64 number, u64 a, u64 b, u64 c)
{
	register u64 r10 __asm__("r10") = 0x7ff0; /* this domain, for mmu_update and its like */
	s64 result;

	__asm__ volatile("syscall"
			 : "=a"(result), "+D"(a), "+S"(b), "+d"(c), "+r"(r10)
			 : "a"(number)
			 : "rcx", "r11", "memory");
	return result;
}

bool xen_call_keeps(u64 number, u64 a, u64 b)
{
	register u64 r8 __asm__("r8") = 8, r9 __asm__("r9") = 9, r10 __asm__("r10") = 10;
	register u64 r12 __asm__("r12") = 12, r15 __asm__("r15") = 15;
	u64 rdi = a, rsi = b, rdx = ~2ul, rbx = 3, rax = number;

	__asm__ volatile("syscall"
			 : "+a"(rax), "+D"(rdi), "+S"(rsi), "+d"(rdx), "+b"(rbx), "+r"(r8),
			   "+r"(r9), "+r"(r10), "+r"(r12), "+r"(r15)
			 :
			 : "rcx", "r11", "memory");
	return rdi == a && rsi == b && rdx == ~2ul && rbx == 3 && r8 == 8 && r9 == 9 &&
	       r10 == 10 && r12 == 12 && r15 == 15;
}

s64 console_call(const char *text, u64 size)
{
	return xen_call(CALL_CONSOLE_IO, 0, size, (u64)text) ? -1 : (s64)size;
}

void test_end(void)
{
	u32 reason = checks_failed ? SHUTDOWN_CRASH : 0;

	print("%s: %u passed, %u failed\n", test_name, checks_passed, checks_failed);
	for (;;)
		xen_call(CALL_SCHED_OP, SHUTDOWN, (u64)&reason, 0);
}

u64 xen_frame_of(const void *address)
{
	return ((u64)address - VIRT_BASE) / PAGE;
}

struct extended {
	u32 command, pad;
	u64 argument[2];
};

/* Store to a table as Xen's kernels do. */
static void set_entry(u64 physical, u64 value)
{
	const u64 request[2] = {physical, value};

	if (xen_call(CALL_MMU_UPDATE, (u64)request, 1, 0))
		check(false, "mmu_update of %lx", physical);
}

void xen_map(u64 address, const void *page)
{
	struct extended flush = {.command = MMUEXT_FLUSH};
	u64 entry = page ? xen_frame_of(page) * PAGE | PTE_P | PTE_W | PTE_U | PTE_A | PTE_D : 0;

	set_entry(xen_frame_of(tables[2]) * PAGE + address / PAGE % 512 * 8, entry);
	xen_call(CALL_MMUEXT_OP, (u64)&flush, 1, 0);
}

int xen_set_descriptor(unsigned index, u64 descriptor)
{
	return xen_call(CALL_UPDATE_DESCRIPTOR, xen_frame_of(xen_gdt) * PAGE + index * 8,
			descriptor, 0);
}

int xen_set_ldt(const u64 *table, u64 count)
{
	struct extended set = {MMUEXT_SET_LDT, 0, {(u64)table, count}};

	return xen_call(CALL_MMUEXT_OP, (u64)&set, 1, 0);
}

static void make_user(const char *start)
{
	const u64 link = PTE_P | PTE_W | PTE_U | PTE_A;
	u64 root = *(const u64 *)(start + START_PT_BASE);

	tables[0][0] = xen_frame_of(tables[1]) * PAGE | link;
	tables[0][511] = tables[0][0];
	tables[1][XEN_USER_CODE >> 21] = xen_frame_of(tables[2]) * PAGE | link;
	tables[1][511] = tables[1][XEN_USER_CODE >> 21];
	set_entry(root - VIRT_BASE, xen_frame_of(tables[0]) * PAGE | link);
	set_entry(root - VIRT_BASE + 255 * 8, xen_frame_of(tables[0]) * PAGE | link);
	xen_map(XEN_USER_CODE, xen_user_code);
	xen_map(XEN_USER_STACK - PAGE, xen_user_stack);
}

static void register_callback(u16 type, u64 address)
{
	struct {
		u16 type, flags;
		u32 pad;
		u64 address;
	} callback = {type, 1, 0, address};

	check(xen_call(CALL_CALLBACK_OP, 0, (u64)&callback, 0) == 0, "callback_op %u", type);
}

static void make_gates(void)
{
	struct {
		u8 vector, flags;
		u16 cs;
		u32 pad;
		u64 address;
	} traps[XEN_EXCEPTIONS + 1] = {{0}};

	for (unsigned i = 0; i < XEN_EXCEPTIONS; i++) {
		traps[i].vector = i;
		traps[i].flags = i == 3 || i == 4 ? 3 : 0;
		traps[i].address = (u64)xen_stubs[i];
	}
	check(xen_call(CALL_SET_TRAP_TABLE, (u64)traps, 0, 0) == 0, "set_trap_table");
	register_callback(0, (u64)xen_stubs[XEN_EVENT]);
	register_callback(1, (u64)xen_stubs[XEN_FAILSAFE]);
	register_callback(2, (u64)xen_stubs[XEN_SYSCALL]);
}

static void make_info(void)
{
	struct {
		u64 frame;
		u32 offset, reserved;
	} where = {xen_frame_of(info_page), 128, 0};

	check(xen_call(CALL_VCPU_OP, VCPUOP_REGISTER_INFO, 0, (u64)&where) == 0, "vcpu_info");
	xen_info = (struct xen_info *)(info_page + 128);
	xen_info->pending = 0;
	xen_info->pending_sel = 0;
}

void xen_main(const char *start);
void xen_main(const char *start)
{
	u64 frame = xen_frame_of(xen_gdt);

	for (unsigned i = 0; i < sizeof(command_line) - 1; i++)
		command_line[i] = start[START_COMMAND + i];
	make_gates();
	make_info();
	check(xen_call(CALL_SET_GDT, (u64)&frame, 512, 0) == 0, "set_gdt");
	check(xen_call(XEN_CALL_STACK_SWITCH, 0x18, (u64)xen_trap_stack_end, 0) == 0,
	      "stack_switch");
	make_user(start);
	test_main();
	test_end();
}

bool command_line_is(const char *word)
{
	unsigned i = 0;

	while (word[i] && command_line[i] == word[i])
		i++;
	return !word[i] && !command_line[i];
}

struct xen_state xen_state_for(const struct snippet *code)
{
	struct xen_state s;
	u64 *words = (u64 *)&s;

	for (unsigned i = 0; i < sizeof(s) / sizeof(u64); i++)
		words[i] = 0x1111111111111111 * (i % 15 + 1);
	s.frame.flags = 0;
	s.frame.rip = XEN_USER_CODE;
	s.frame.cs = GN_USER_CS;
	s.frame.rflags = 0x202;
	s.frame.rsp = XEN_USER_STACK;
	s.frame.ss = GN_USER_SS;
	for (const u8 *c = code->start; c < code->end; c++)
		xen_user_code[c - code->start] = *c;
	xen_user_code[code->end - code->start] = 0xcc;
	return s;
}

static bool has_error(u64 vector)
{
	return vector == 8 || (vector >= 10 && vector <= 14) || vector == 17;
}

static void read_words(void)
{
	u64 *to = (u64 *)&xen_taken, *from = xen_words;

	for (unsigned i = 0; i < offsetof(struct xen_taken, error) / 8; i++)
		*to++ = *from++;
	*to++ = has_error(xen_taken.vector) ? *from++ : 0;
	if (xen_taken.vector == XEN_FAILSAFE)
		from += 4; /* DS ES FS GS */
	for (unsigned i = 0; i < 5; i++)
		*to++ = *from++;
	xen_taken.stack = xen_stack + offsetof(struct xen_taken, rcx);
}

u64 xen_run(struct xen_state *s)
{
	xen_info->mask = 1;
	xen_enter(s);
	read_words();
	return xen_taken.vector;
}

/* Taken where nobody entered anything. */
void xen_unexpected(void);
void xen_unexpected(void)
{
	read_words();
	check(false, "took %lu, error %lx, at RIP %lx RSP %lx", xen_taken.vector, xen_taken.error,
	      xen_taken.rip, xen_taken.rsp);
	test_end();
}
