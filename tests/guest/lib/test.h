/* SPDX-License-Identifier: MIT */
/*
 * test.h - the door of the guest tests' library. A test is a kernel: it defines test_name and
 * test_main(), which judges things by check() and returns. The same ELF runs on the bare machine
 * at CPL 0 and on Gnomon in ring 1, so the bare machine says what is right; where the two must
 * differ the test asks on_gnomon.
 *
 * The heart is enter(): load every register, run at ring 0 or 3 until the next exception,
 * interrupt or SYSCALL, and have every register back with what was taken. Code to run that way is
 * written as a SNIPPET.
 */
#ifndef TESTS_GUEST_LIB_TEST_H
#define TESTS_GUEST_LIB_TEST_H

#include "guest-abi/hypercalls.h"
#include "guest-abi/layout.h"
#include "tests/guest/lib/layout.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t s64;

/* ---- the test's own part ---- */

extern const char test_name[];
void test_main(void);

/* ---- machine.c ---- */

extern bool on_gnomon;
extern bool on_tcg;			/* QEMU's own CPU, which has faults that no silicon has */
extern struct gn_start_info start_info; /* on Gnomon */
extern char command_line[256];		/* bare, too: behind the file's name */
bool command_line_is(const char *word);
bool command_line_has(const char *word); /* among others, apart by blanks */

#define MEMORY_SIZE                                                                                \
	0x1000000 /* what a test may count on: 16 MiB from 0, identity-mapped but for page 0 */

/*
 * Every gate uses the library's handler on IST 1, DPL 3 for 3, 4, 0x80; this changes one of them.
 */
void gate_set(unsigned vector, unsigned ist, unsigned dpl);
void gate_unset(unsigned vector);

/*
 * A handler of the test's own; it may end at the library's, exception_stubs[vector], as if just
 * called.
 */
void gate_set_handler(unsigned vector, u64 handler, unsigned ist, unsigned dpl);
extern const u8 exception_stubs[256][16];

/* Where SYSCALL of ring 3 arrives, if not at the library's entry. */
void syscall_entry_set(u64 rip);

/* RSP after an exception from ring 3 through a gate without IST. */
void kernel_stack_set(u64 rsp);

/* On Gnomon: tell it of the library's gates, stacks and entries once more. */
void machine_restore(void);

/* End at once: a verdict from the counts of check(). */
void test_end(void) __attribute__((noreturn));

/* ---- console.c: d u x (with l, with width and 0), s c p % ---- */

void print(const char *format, ...) __attribute__((format(printf, 1, 2)));
s64 console_call(const char *text, u64 size); /* its way out on Gnomon; how much was taken */

/* ---- check.c ---- */

/* Count one thing that must hold, and print what failed; true if it held. */
bool check(bool holds, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The attack has got through: the line that `make rules` looks for, and a failure. */
void breach(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What the bare machine prints by this, Gnomon must print, too: tests/guest/run compares. */
void result(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Not a failure, but worth a line. */
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));

extern unsigned checks_passed, checks_failed;

/* ---- enter.c ---- */

/* Every register, as enter() loads them and gives them back; laid out as layout.h says. */
struct state {
	u64 rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15;
	u64 rip, cs, rflags, rsp, ss;
	u64 vector; /* what was taken: 0 to 255, or TAKEN_SYSCALL */
	u64 error;
	u64 cr2; /* of the last page fault */
};

/* The kernel's ring is 0 on the bare machine. */
enum ring { KERNEL = 1, USER = 3 };
enum way { BY_IRET, BY_SYSRET, BY_RAW_IRET, BY_RAW_SYSRET };

/* Code that can run anywhere: it must not name its own addresses but relative to RIP. */
struct snippet {
	const u8 *start, *end;
};

#define SNIPPET(name, text)                                                                        \
	__asm__(".pushsection .rodata\n" #name "_start: " text "\n" #name "_end: .popsection");    \
	extern const u8 name##_start[], name##_end[];                                              \
	static const struct snippet name = {name##_start, name##_end}

/* Two pages for snippets, followed by INT3, and two stacks; see stage_code(). */
#define KERNEL_CODE  0x0000000040000000
#define KERNEL_STACK 0x0000000040010000 /* its end */
#define USER_CODE    0x0000000050000000
#define USER_STACK   0x0000000050010000 /* its end */

/* Fresh registers for a ring: all 0, RIP and RSP on the stage, RFLAGS 2 (and IF at ring 3). */
struct state state_for(enum ring ring);

/* Put a snippet on the ring's page, at this offset from its start; INT3 around it. */
void stage_code(enum ring ring, const struct snippet *code, unsigned offset);

/* Run the state until something is taken; returns the vector (also in s). */
unsigned enter(struct state *s);
unsigned enter_by_way(struct state *s, enum way way);

/*
 * The same by code of the test's own, which finds the frame for IRETQ at RSP and all else loaded.
 */
unsigned enter_through(struct state *s, u64 code);

/* Stage it, run it from fresh registers; and say whether it ran to its end (the INT3 behind it). */
struct state run(enum ring ring, const struct snippet *code);
unsigned run_state(struct state *s, enum ring ring, const struct snippet *code);
bool ran_through(const struct state *s, const struct snippet *code);

/* Read or write 8 bytes in a ring, without harm if it faults: the vector, 3 when it worked. */
struct state try_read(enum ring ring, u64 address);
struct state try_write(enum ring ring, u64 address, u64 value);
#define DONE 3 /* #BP: the snippet ran to its end */

/* Both rings still run, and ring 3 still cannot reach what is the kernel's. */
bool rings_work(void);

/* ---- paging.c ---- */

enum {
	PTE_P = 1 << 0,
	PTE_W = 1 << 1,
	PTE_U = 1 << 2,
	PTE_A = 1 << 5,
	PTE_D = 1 << 6,
	PTE_PS = 1 << 7,
	PTE_G = 1 << 8,
};
#define PTE_NX	 (1ul << 63)
#define PTE_ADDR 0x000ffffffffff000ul

/* The test's own tables. pte_of makes the tables on the way (present, writable, user). */
extern u64 *page_root;
u64 *pte_of(u64 address);
void pte_store(u64 *entry, u64 value); /* told as a guest with paging=notified must tell it */
void map(u64 address, u64 physical, u64 flags);
void invalidate(u64 address);
void load_root(u64 *root); /* also: forget all translations */
u64 *root_copy(void);	   /* a new root with the entries of the present one */
void *page_alloc(void);	   /* one zeroed page, never given back */

/* ---- entry.S ---- */

s64 hypercall(u64 number, u64 a, u64 b, u64 c, u64 d, u64 e);
#define CALL(name, ...) hypercall_fill(GN_CALL_##name, ##__VA_ARGS__, 0, 0, 0, 0, 0)
#define hypercall_fill(number, a, b, c, d, e, ...)                                                 \
	hypercall(number, (u64)(a), (u64)(b), (u64)(c), (u64)(d), (u64)(e))

/* ---- what a guest can know of the monitor without being told ---- */

#define SWITCHER	   0xffff878000000000 /* PML4 slot 271: of it, by page: */
#define SWITCHER_CONSTANTS (SWITCHER + 0x0000)
#define SWITCHER_GDT	   (SWITCHER + 0x1000)
#define SWITCHER_IDT	   (SWITCHER + 0x2000)
#define SWITCHER_STACK	   (SWITCHER + 0x3000) /* the one page there that ring 1 may write */
#define SWITCHER_TEXT	   (SWITCHER + 0x10000)
#define MONITOR_IMAGE	   0xffff878040000000
#define MONITOR_MEMORY	   0xffff880000000000
#define MONITOR_CS	   0xf80 /* in the GDT, DPL 0 */

#define VCPU_PAGE ((volatile struct gn_vcpu_page *)GN_VCPU_PAGE)

#endif
