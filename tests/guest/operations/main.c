// SPDX-License-Identifier: MIT
/*
 * operations - what the ABI offers in the place of privileged work does what it says.
 *
 *   (i)   an operation of the code area that stands for one instruction
 *   (ii)  descriptor tables: what was loaded is what is read
 *   (iii) what is Gnomon's alone
 *
 * A row is a few instructions that call operations and leave what they found in RBX and RDX, or end
 * with a fault. On the bare machine an operation is a routine of its one instruction and RET, on
 * Gnomon it is the slot. The bare machine says whether the row is right; on Gnomon a fault must be
 * reported at the call, as if the instruction ended where the call does.
 *
 * Left out is what QEMU's processor does not do as the manual says: reserved bits of MSRs and CR4,
 * performance counters.
 */
#include "guest-abi/kit/operations.h"
#include "tests/guest/lib/test.h"

const char test_name[] = "operations";

#define UD	 6
#define GP	 13
#define PF	 14
#define NO_PLACE 0x123456789000

/* ---- (i) ---- */

/* name, the instruction; its size is that from where a fault is reported */
#define OPERATIONS(O)                                                                              \
	O(cpuid, "cpuid")                                                                          \
	O(rdtsc, "rdtsc")                                                                          \
	O(rdpmc, "rdpmc")                                                                          \
	O(rdmsr, "rdmsr")                                                                          \
	O(wrmsr, "wrmsr")                                                                          \
	O(read_cr0, "mov %cr0, %rax")                                                              \
	O(read_cr3, "mov %cr3, %rax")                                                              \
	O(read_cr4, "mov %cr4, %rax")                                                              \
	O(read_cr8, "mov %cr8, %rax")                                                              \
	O(write_cr0, "mov %rdi, %cr0")                                                             \
	O(write_cr2, "mov %rdi, %cr2")                                                             \
	O(write_cr4, "mov %rdi, %cr4")                                                             \
	O(write_cr8, "mov %rdi, %cr8")                                                             \
	O(clts, "clts")                                                                            \
	O(read_dr, "cmp $3, %edi; je 1f; ja 2f; mov %db0, %rax; ret; 1: mov %db3, %rax; ret; "     \
		   "2: mov %cr1, %rax")                                                            \
	O(write_dr, "cmp $3, %edi; je 1f; ja 2f; mov %rsi, %db0; ret; 1: mov %rsi, %db3; ret; "    \
		    "2: mov %cr1, %rax")                                                           \
	O(pause, "pause")                                                                          \
	O(wbinvd, "wbinvd")                                                                        \
	O(invd, "nop")                                                                             \
	O(swapgs, "swapgs")                                                                        \
	O(xsetbv, "xsetbv")                                                                        \
	O(lgdt, "lgdt (%rdi)")                                                                     \
	O(lidt, "lidt (%rdi)")                                                                     \
	O(lldt, "lldt %di")                                                                        \
	O(ltr, "ltr %di")                                                                          \
	O(sgdt, "sgdt (%rdi)")                                                                     \
	O(sidt, "sidt (%rdi)")                                                                     \
	O(sldt, "sldt %eax")                                                                       \
	O(str, "str %eax")                                                                         \
	O(in8, "in %dx, %al")                                                                      \
	O(in16, "in %dx, %ax")                                                                     \
	O(in32, "in %dx, %eax")                                                                    \
	O(out8, "out %al, %dx")                                                                    \
	O(out16, "out %ax, %dx")                                                                   \
	O(out32, "out %eax, %dx")                                                                  \
	O(ins8, "rep insb")                                                                        \
	O(ins16, "rep insw")                                                                       \
	O(ins32, "rep insl")                                                                       \
	O(outs8, "rep outsb")                                                                      \
	O(outs16, "rep outsw")                                                                     \
	O(outs32, "rep outsl")

#define O(name, text)                                                                              \
	__asm__(".pushsection .text; native_" #name ": " text "; ret; .popsection");               \
	extern const u8 native_##name[];                                                           \
	extern u64 operation_##name; /* where it is called, for the rows */                        \
	u64 operation_##name;
OPERATIONS(O)
#undef O

#define OP(name)	     "call *operation_" #name "; "
#define MSR(index)	     "mov $" index ", %ecx; "
#define WRITE_MSR(index, to) MSR(index) "mov $" to ", %eax; xor %edx, %edx; " OP(wrmsr)
#define READ_MSR(index)	     MSR(index) OP(rdmsr)
#define PORT		     "mov $0x7774, %edx; "

/* name, instructions, vector, error code, RBX and RDX at their end; or, for RBX, how many bytes
 * before its return address the last call faults */
/* clang-format off */
#define ROWS(X) \
	X(cpuid, \
	  "xor %eax, %eax; cpuid; mov %ebx, %esi; xor %eax, %eax; " OP(cpuid) "sub %esi, %ebx; " \
	  "xor %edx, %edx", DONE, 0, 0, 0) \
	X(rdtsc, \
	  OP(rdtsc) "shl $32, %rdx; lea (%rax,%rdx), %rsi; " OP(rdtsc) "shl $32, %rdx; " \
	  "add %rax, %rdx; xor %ebx, %ebx; cmp %rsi, %rdx; seta %bl; xor %edx, %edx", \
	  DONE, 0, 1, 0) \
	X(msr, \
	  WRITE_MSR("0xc0000100", "0x1234") READ_MSR("0xc0000100") "mov %rax, %rbx; " \
	  WRITE_MSR("0xc0000100", "0") READ_MSR("0xc0000100"), DONE, 0, 0x1234, 0) \
	X(swapgs, \
	  WRITE_MSR("0xc0000101", "0x1000") WRITE_MSR("0xc0000102", "0x2000") OP(swapgs) \
	  READ_MSR("0xc0000101") "mov %rax, %rbx; " WRITE_MSR("0xc0000101", "0") \
	  READ_MSR("0xc0000102") "mov %rax, %rsi; " WRITE_MSR("0xc0000102", "0") \
	  "mov %rsi, %rdx", DONE, 0, 0x2000, 0x1000) \
	X(cr0, \
	  OP(read_cr0) "mov %rax, %rdi; or $8, %rdi; " OP(write_cr0) OP(read_cr0) \
	  "mov %rax, %rbx; " OP(clts) OP(read_cr0) "mov %rax, %rdx; and $8, %ebx; and $8, %edx", \
	  DONE, 0, 8, 0) \
	X(cr2, \
	  "mov $0x123456789, %rdi; " OP(write_cr2) "mov %cr2, %rbx", DONE, 0, 0x123456789, 0) \
	X(cr3, OP(read_cr3) "mov %cr3, %rbx; sub %rax, %rbx", DONE, 0, 0, 0) \
	X(cr4, \
	  OP(read_cr4) "mov %rax, %rsi; lea 4(%rax), %rdi; " OP(write_cr4) OP(read_cr4) \
	  "mov %rax, %rbx; mov %rsi, %rdi; " OP(write_cr4) OP(read_cr4) \
	  "sub %rax, %rbx; mov %rax, %rdx; and $4, %edx", DONE, 0, 4, 0) \
	X(cr8, \
	  "mov $5, %edi; " OP(write_cr8) OP(read_cr8) "mov %rax, %rbx; xor %edi, %edi; " \
	  OP(write_cr8) OP(read_cr8) "mov %rax, %rdx", DONE, 0, 5, 0) \
	X(dr, \
	  "mov $0x12345, %esi; xor %edi, %edi; " OP(write_dr) "mov $3, %edi; inc %rsi; " \
	  OP(write_dr) OP(read_dr) "mov %rax, %rdx; xor %edi, %edi; " OP(read_dr) \
	  "mov %rax, %rbx; xor %esi, %esi; " OP(write_dr) "mov $3, %edi; " OP(write_dr), \
	  DONE, 0, 0x12345, 0x12346) \
	X(no_dr_to_read, "mov $8, %edi; " OP(read_dr), UD, 0, 3, 0) \
	X(no_dr_to_write, "mov $8, %edi; " OP(write_dr), UD, 0, 3, 0) \
	X(nothing, OP(pause) OP(wbinvd) OP(invd) "mov $1, %ebx", DONE, 0, 1, 0) \
	X(lldt_null, "xor %edi, %edi; " OP(lldt) OP(sldt) "lea 7(%rax), %rbx", DONE, 0, 7, 0) \
	X(lldt_data, "mov $0x18, %edi; " OP(lldt), GP, 0x18, 3, 0) \
	X(ltr_data, "mov $0x18, %edi; " OP(ltr), GP, 0x18, 3, 0) \
	X(lgdt_nowhere, "mov $0x123456789000, %rdi; " OP(lgdt), PF, 0, 3, 0) \
	X(sidt_nowhere, "mov $0x123456789000, %rdi; " OP(sidt), PF, 2, 3, 0) \
	X(in, \
	  PORT OP(in32) "mov %rax, %rbx; xor %eax, %eax; " OP(in16) "shl $8, %rax; " OP(in8) \
	  "mov %rax, %rdx", DONE, 0, 0xffffffff, 0xffffff) \
	X(out, PORT OP(out8) OP(out16) OP(out32) "mov %rdx, %rbx", DONE, 0, 0x7774, 0x7774) \
	X(ins, \
	  "push $0; mov %rsp, %rdi; cld; " PORT "mov $1, %ecx; " OP(ins8) "mov $1, %ecx; " \
	  OP(ins16) "mov $1, %ecx; " OP(ins32) "pop %rbx; sub %rsp, %rdi; mov %rdi, %rdx", \
	  DONE, 0, 0xffffffffffffff, -1ul) \
	X(outs, \
	  "push $0; mov %rsp, %rsi; cld; " PORT "mov $2, %ecx; " OP(outs8) "mov $1, %ecx; " \
	  OP(outs16) "mov $1, %ecx; " OP(outs32) "pop %rbx; sub %rsp, %rsi; mov %rsi, %rdx", \
	  DONE, 0, 0, 0) \
	X(ins_nowhere, \
	  "mov $0x123456789000, %rdi; mov $3, %ecx; " PORT OP(ins8), PF, 2, 2, 0)
/* clang-format on */

#define X(name, text, vector, error, rbx, rdx) SNIPPET(row_##name, text);
ROWS(X)
#undef X

static const struct row {
	const char *name;
	const struct snippet *code;
	u64 vector, error, rbx, rdx;
} rows[] = {
#define X(name, text, vector, error, rbx, rdx) {#name, &row_##name, vector, error, rbx, rdx},
    ROWS(X)
#undef X
};

static void find_operations(void)
{
#define O(name, text) operation_##name = on_gnomon ? GN_SLOT(GN_OP_##name) : (u64)native_##name;
	OPERATIONS(O)
#undef O
}

/* The fault of a row's last call, RBX of the row so many bytes before its return address. */
static void judge_fault(const struct row *r, const struct state *s)
{
	u64 end = KERNEL_CODE + (u64)(r->code->end - r->code->start);

	check(s->vector == r->vector && s->error == r->error, "%s took %lu, error %lx, at %lx",
	      r->name, s->vector, s->error, s->rip);
	check(r->vector != PF || s->cr2 >> 12 == NO_PLACE >> 12, "%s: CR2 %lx", r->name, s->cr2);
	if (on_gnomon)
		check(s->rip == end - r->rbx && s->rsp == state_for(KERNEL).rsp,
		      "%s: at %lx for %lx, RSP %lx", r->name, s->rip, end - r->rbx, s->rsp);
}

static void judge(const struct row *r, const struct state *s)
{
	if (r->vector != DONE)
		judge_fault(r, s);
	else
		check(ran_through(s, r->code) && s->rbx == r->rbx && s->rdx == r->rdx,
		      "%s took %lu, error %lx, at %lx; RBX %lx RDX %lx", r->name, s->vector,
		      s->error, s->rip, s->rbx, s->rdx);
}

/* ---- (ii) ---- */

SNIPPET(load_and_store_gdt, OP(lgdt) "lea 16(%rdi), %rdi; " OP(sgdt));
SNIPPET(load_and_store_idt, OP(lidt) "lea 16(%rdi), %rdi; " OP(sidt));
SNIPPET(read_task, OP(str) "mov %rax, %rbx");
SNIPPET(invalid, "ud2");

extern u64 gdt[]; /* the library's */

static void loaded_is_read(const struct snippet *code, const void *table, u16 limit)
{
	static u8 image[2][16] __attribute__((aligned(16)));
	struct state s = state_for(KERNEL);

	for (unsigned i = 0; i < sizeof(image[1]); i++)
		image[0][i] = image[1][i] = 0;
	*(u16 *)image[0] = limit;
	*(const void **)(image[0] + 2) = table;
	s.rdi = (u64)image[0];
	run_state(&s, KERNEL, code);
	check(ran_through(&s, code), "a table: vector %lu at %lx", s.vector, s.rip);
	for (unsigned i = 0; i < sizeof(image[1]); i++)
		check(image[0][i] == image[1][i], "limit %x: byte %u is %x, was %x", limit, i,
		      image[1][i], image[0][i]);
}

static void tables(void)
{
	static u64 gate[256][2] __attribute__((aligned(16)));
	struct state s;

	for (unsigned v = 0; v < 256; v++) {
		u64 handler = (u64)exception_stubs[v];

		gate[v][0] = (handler & 0xffff) | KERNEL_CS << 16 | 1ul << 32 | 0xeeul << 40 |
			     (handler & 0xffff0000) << 32;
	}
	loaded_is_read(&load_and_store_gdt, gdt, 9 * 8 - 1);
	loaded_is_read(&load_and_store_idt, gate, sizeof(gate) - 1);
	s = run(USER, &invalid);
	check(s.vector == UD, "by the new IDT ring 3 took %lu", s.vector);
	s = run(KERNEL, &read_task);
	check(s.rbx == (on_gnomon ? 0 : TSS_SEL), "TR is %lx", s.rbx);
}

/* ---- (iii) ---- */

SNIPPET(bad_msr, MSR("0x12345678") OP(rdmsr));
SNIPPET(bad_efer, MSR("0xc0000080") "xor %eax, %eax; xor %edx, %edx; " OP(wrmsr));
SNIPPET(no_counter, "xor %ecx, %ecx; " OP(rdpmc));
SNIPPET(extended, "xor %ecx, %ecx; xgetbv; " OP(xsetbv) "mov $1, %ebx");
SNIPPET(not_so_extended, "xor %ecx, %ecx; xor %eax, %eax; xor %edx, %edx; " OP(xsetbv));
SNIPPET(no_stack, "mov $0x123456789000, %rsp; jmp *operation_ltr");

static void refused(const char *name, const struct snippet *code, u64 size)
{
	const struct row r = {name, code, GP, 0, size, 0};
	struct state s = run(KERNEL, code);

	judge_fault(&r, &s);
}

/* The kit's functions reach the slots that they are named after. */
static void by_kit(void)
{
	u64 cr0 = gn_read_cr0(), cr4 = gn_read_cr4(), dr7 = gn_read_dr(7), cr0_ts;
	u8 image[10] = {0};

	gn_write_cr0(cr0 | 8);
	cr0_ts = gn_read_cr0();
	gn_clts();
	check(cr0_ts == (cr0 | 8) && gn_read_cr0() == cr0, "CR0 %lx, then %lx", cr0, cr0_ts);
	gn_write_cr4(cr4 | 4);
	check(gn_read_cr4() == (cr4 | 4), "CR4 %lx", gn_read_cr4());
	gn_write_cr4(cr4);
	gn_write_cr2(77);
	check(gn_get_cr2() == 77, "CR2 %lx", gn_get_cr2());
	gn_write_cr8(3);
	check(gn_read_cr8() == 3, "CR8 %lx", gn_read_cr8());
	gn_write_cr8(0);
	check(gn_read_cr3() == (u64)page_root, "CR3 %lx", gn_read_cr3());
	gn_wrmsr(0xc0000102, 0x123456789000);
	gn_swapgs();
	check(gn_rdmsr(0xc0000101) == 0x123456789000, "GS %lx", gn_rdmsr(0xc0000101));
	gn_swapgs();
	gn_wrmsr(0xc0000102, 0);
	gn_write_dr(7, dr7 | 1 << 8);
	check(gn_read_dr(7) == (dr7 | 1 << 8), "DR7 %lx", gn_read_dr(7));
	gn_write_dr(7, dr7);
	gn_lldt(0);
	gn_pause();
	gn_sgdt(image);
	check(*(u64 *)(image + 2) == (u64)gdt && !gn_sldt() && !gn_str(), "GDT at %lx",
	      *(u64 *)(image + 2));
}

static void gnomon_alone(void)
{
	struct state s;

	by_kit();

	refused("an MSR that is none", &bad_msr, 2);
	refused("EFER", &bad_efer, 2);
	refused("a performance counter", &no_counter, 2);
	if (CALL(features) & GN_FEATURE_XSAVE) {
		s = run(KERNEL, &extended);
		check(s.rbx == 1, "XSETBV took %lu", s.vector);
		refused("XCR0", &not_so_extended, 3);
	}
	s = run(KERNEL, &no_stack);
	check(s.vector == PF && s.cr2 == NO_PLACE, "without a stack: %lu, CR2 %lx", s.vector,
	      s.cr2);
}

/* An entry is read as it was written, but for the accessed bit. */
static void descriptors_are_read(void)
{
	static const struct {
		u64 written, read;
	} entries[] = {
	    {0x00cf92000000ffff, 0x00cf93000000ffff}, /* the kernel's data */
	    {0x80cff2123456ffff, 0x80cff3123456ffff}, /* the user's, with a base */
	    {0x00affa000000ffff, 0x00affb000000ffff}, /* its code */
	    {0x00cf12000000ffff, 0},		      /* not present */
	};

	for (unsigned i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
		check(!CALL(set_gdt, &entries[i].written, 100 + i, 1), "set_gdt, entry %u", i);
		check((u64)CALL(get_descriptor, (100 + i) * 8 + 3) == entries[i].read,
		      "descriptor %u is %lx", i, (u64)CALL(get_descriptor, (100 + i) * 8));
	}
	check(CALL(get_descriptor, 0) == 0, "the null descriptor");
	check(CALL(get_descriptor, GN_GDT_ENTRIES * 8) == -(s64)GN_EINVAL, "the monitor's");
	check(CALL(get_descriptor, -1) == -(s64)GN_EINVAL, "the last descriptor");
}

/* A call that has a number and nothing behind it is refused, whatever it is given: a kernel that
 * tries it learns that it has one vCPU and no APIC. */
static void absent_calls(void)
{
	static const struct {
		const char *name;
		u64 number;
	} calls[] = {
#define X(number, name, arguments, flags, promise) {(flags)&GN_ABSENT ? #name : NULL, number},
	    GN_HYPERCALLS(X)
#undef X
	};
	unsigned absent = 0;

	for (unsigned i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (!calls[i].name)
			continue;
		absent++;
		for (u64 a = 0; a < 3; a++) {
			s64 answer = hypercall(calls[i].number, a - 1, a * 0x20, 0, 0, 0);

			check(answer == -(s64)GN_ENODEV, "%s: %ld", calls[i].name, answer);
		}
	}
	check(absent == 4, "%u calls of those with several vCPUs", absent);
}

void test_main(void)
{
	find_operations();
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct state s = run(KERNEL, rows[i].code);

		judge(&rows[i], &s);
	}
	tables();
	if (on_gnomon) {
		gnomon_alone();
		descriptors_are_read();
		absent_calls();
	}
}
