// SPDX-License-Identifier: MIT
/*
 * emulated - what a kernel does by privileged instructions has the same results at CPL 0 and in
 * ring 1.
 *
 * The bare machine executes the instructions below, Gnomon's emulator does them for a kernel in
 * ring 1 that believes itself at CPL 0. Each row is a few instructions that leave what they found
 * in RBX and RDX, or the fault that they end with; the bare machine says whether the row is right.
 * Left out is what QEMU's processor does not do as the manual says: canonical checks of IRET, LGDT
 * and MSRs, unknown MSRs, reserved bits of CR4, a null TR, LOCK where it is wrong, INT1.
 */
#include "tests/guest/lib/test.h"

const char test_name[] = "emulated";

#define READ_MSR(index) "mov $" index ", %ecx; rdmsr; "
#define WRITE_MSR(index, value)                                                                    \
	"mov $" index ", %ecx; mov $" value ", %eax; xor %edx, %edx; wrmsr; "
#define FRAME(ss, cs)                                                                              \
	"mov %rsp, %rax; push $" ss "; push %rax; push $2; push $" cs "; lea 1f(%rip), %rax; "     \
	"push %rax; iretq; 1: mov $7, %ebx"

/* name, instructions, vector, error code, RBX, RDX afterwards (if it ran to its end) */
#define ROWS(X)                                                                                    \
	X(cr0_ts,                                                                                  \
	  "mov %cr0, %rax; or $8, %rax; mov %rax, %cr0; mov %cr0, %rbx; clts; mov %cr0, %rdx; "    \
	  "and $8, %ebx; and $8, %edx",                                                            \
	  DONE, 0, 8, 0)                                                                           \
	X(lmsw,                                                                                    \
	  "mov %cr0, %rax; or $8, %rax; lmsw %ax; mov %cr0, %rbx; clts; and $9, %ebx",             \
	  DONE, 0, 9, 0)                                                                           \
	X(lmsw_keeps_pe, "mov %cr0, %rax; and $-2, %eax; lmsw %ax; mov %cr0, %rbx; and $1, %ebx",  \
	  DONE, 0, 1, 0)                                                                           \
	X(cr2, "mov $0x123456789, %rax; mov %rax, %cr2; mov %cr2, %rbx", DONE, 0, 0x123456789, 0)  \
	X(cr3, "mov %cr3, %rax; mov %rax, %cr3; mov %cr3, %rbx; sub %rax, %rbx", DONE, 0, 0, 0)    \
	X(cr4,                                                                                     \
	  "mov %cr4, %rax; mov %rax, %rdx; or $4, %rax; mov %rax, %cr4; mov %cr4, %rbx; "          \
	  "mov %rdx, %cr4; xor %rbx, %rdx; and $4, %ebx",                                          \
	  DONE, 0, 4, 4)                                                                           \
	X(cr8,                                                                                     \
	  "mov $5, %eax; mov %rax, %cr8; mov %cr8, %rbx; xor %edx, %edx; mov %rdx, %cr8; "         \
	  "mov %cr8, %rdx",                                                                        \
	  DONE, 0, 5, 0)                                                                           \
	X(cr1, ".byte 0x0f, 0x20, 0xc8", 6, 0, 0, 0)                                               \
	X(cr_mod_ignored, "mov %cr3, %rbx; .byte 0x0f, 0x20, 0x18; sub %rax, %rbx", DONE, 0, 0, 0) \
	X(dr0,                                                                                     \
	  "mov $0x12345, %eax; mov %rax, %dr0; mov %dr0, %rbx; xor %eax, %eax; mov %rax, %dr0; "   \
	  "mov %dr0, %rdx",                                                                        \
	  DONE, 0, 0x12345, 0)                                                                     \
	X(dr7, "mov %dr7, %rbx; mov %rbx, %dr7; mov %dr7, %rdx", DONE, 0, 0x400, 0x400)            \
	X(fs_base,                                                                                 \
	  WRITE_MSR("0xc0000100", "0x1234") READ_MSR("0xc0000100") "mov %rax, %rbx; "              \
	  WRITE_MSR("0xc0000100", "0") READ_MSR("0xc0000100"),                                     \
	  DONE, 0, 0x1234, 0)                                                                      \
	X(swapgs,                                                                                  \
	  WRITE_MSR("0xc0000101", "0x1000") WRITE_MSR("0xc0000102", "0x2000") "swapgs; "           \
	  READ_MSR("0xc0000101") "mov %rax, %rbx; " WRITE_MSR("0xc0000101", "0")                   \
	  READ_MSR("0xc0000102") "mov %rax, %rsi; " WRITE_MSR("0xc0000102", "0") "mov %rsi, %rdx", \
	  DONE, 0, 0x2000, 0x1000)                                                                 \
	X(efer, READ_MSR("0xc0000080") "mov %eax, %ebx; and $0x501, %ebx", DONE, 0, 0x501, 0)      \
	X(tables, "invlpg (%rsp); wbinvd; mov $1, %ebx", DONE, 0, 1, 0)                            \
	X(flags, "mov $-1, %al; out %al, $0x21; out %al, $0xa1; sti; nop; cli; mov $1, %ebx",      \
	  DONE, 0, 1, 0)                                                                           \
	X(no_device, "mov $0x7774, %edx; in %dx, %eax; mov %eax, %ebx; in %dx, %ax; in %dx, %al",  \
	  DONE, 0, 0xffffffff, 0x7774)                                                             \
	X(port_string,                                                                             \
	  "push $0; mov %rsp, %rdi; mov $0x7774, %edx; mov $5, %ecx; cld; rep insb; pop %rbx; "    \
	  "mov %rcx, %rdx",                                                                        \
	  DONE, 0, 0xffffffffff, 0)                                                                \
	X(iret, FRAME("0x18", "0x10"), DONE, 0, 7, 0)                                              \
	X(iret_null_cs, FRAME("0x18", "0"), 13, 0, 0, 0)                                           \
	X(iret_to_data, FRAME("0x18", "0x18"), 13, 0x18, 0, 0)                                     \
	X(iret_ss_is_code, FRAME("0x10", "0x10"), 13, 0x10, 0, 0)                                  \
	X(iret_ss_rpl, FRAME("0x2b", "0x10"), 13, 0x28, 0, 0)                                      \
	X(retf, "push $0x10; lea 1f(%rip), %rax; push %rax; lretq; 1: mov $7, %ebx",               \
	  DONE, 0, 7, 0)                                                                           \
	X(retf_to_data, "push $0x18; lea 1f(%rip), %rax; push %rax; lretq; 1:", 13, 0x18, 0, 0)    \
	X(mov_ss, "mov $0x18, %eax; mov %eax, %ss; mov $7, %ebx", DONE, 0, 7, 0)                   \
	X(mov_ss_code, "mov $0x10, %eax; mov %eax, %ss", 13, 0x10, 0, 0)                           \
	X(mov_ss_rpl, "mov $0x2b, %eax; mov %eax, %ss", 13, 0x28, 0, 0)                            \
	X(lldt_null, "xor %eax, %eax; lldt %ax; mov $7, %ebx", DONE, 0, 7, 0)                      \
	X(ltr_data, "mov $0x18, %eax; ltr %ax", 13, 0x18, 0, 0)                                    \
	X(int_31, "int $0x31", 0x31, 0, 0, 0)                                                      \
	X(int_80, "int $0x80", 0x80, 0, 0, 0)                                                      \
	X(no_media, "mov %cr0, %rax; or $8, %rax; mov %rax, %cr0; fnop", 7, 0, 0, 0)   \
	X(media_again, "clts; fnop; mov $7, %ebx", DONE, 0, 7, 0)

#define X(name, text, vector, error, rbx, rdx) SNIPPET(name, text);
ROWS(X)
#undef X

static const struct {
	const char *name;
	const struct snippet *code;
	u64 vector, error, rbx, rdx;
} rows[] = {
#define X(name, text, vector, error, rbx, rdx) {#name, &name, vector, error, rbx, rdx},
	ROWS(X)
#undef X
};

void test_main(void)
{
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct state s = run(KERNEL, rows[i].code);

		check(s.vector == rows[i].vector && s.error == rows[i].error,
		      "%s took %lu, error %lx, at %lx", rows[i].name, s.vector, s.error, s.rip);
		if (rows[i].vector == DONE)
			check(s.rbx == rows[i].rbx && s.rdx == rows[i].rdx, "%s: RBX %lx RDX %lx",
			      rows[i].name, s.rbx, s.rdx);
	}
}
