// SPDX-License-Identifier: MIT
/*
 * machine.c - one start, one end, one set of gates for two machines: the bare CPU is told by its
 * own instructions, Gnomon by hypercalls.
 */
#include "tests/guest/lib/private.h"

bool on_gnomon, on_tcg;
struct gn_start_info start_info;
char command_line[256];

#define EXIT_PORT_QEMU	0xf4
#define EXIT_PORT_BOCHS 0x8900

#define PIC_1_MASK 0x21
#define PIC_2_MASK 0xa1

#define MSR_STAR      0xc0000081
#define MSR_LSTAR     0xc0000082
#define MSR_FMASK     0xc0000084
#define SYSCALL_FLAGS 0x57700 /* what SYSCALL clears: TF IF DF IOPL NT RF AC */

#define GATE_INTERRUPT 0x8e

static u64 idt[256][2];
static u8 exception_stack[8192] __attribute__((aligned(16)));
static u8 ring0_stack[4096] __attribute__((aligned(16)));

/* SDM 3A 8.7; the I/O map base lies past the limit: no port for ring 3. */
static struct {
	u32 reserved0;
	u64 rsp[3], reserved1, ist[7], reserved2;
	u16 reserved3, iomap_base;
} __attribute__((packed)) tss = {.iomap_base = sizeof(tss)};

#define MULTIBOOT_LOADED  0x2badb002
#define MULTIBOOT2_LOADED 0x36d76289

extern u64 gdt[];
extern const u64 boot_info, boot_magic; /* start.S: what the boot loader left, bare */

static void load_gate(unsigned vector)
{
	if (on_gnomon)
		CALL(set_idt, idt[vector], vector, 1);
}

void gate_set_handler(unsigned vector, u64 handler, unsigned ist, unsigned dpl)
{
	idt[vector][0] = (handler & 0xffff) | KERNEL_CS << 16 | (u64)ist << 32 |
			 (u64)(GATE_INTERRUPT | dpl << 5) << 40 | (handler & 0xffff0000) << 32;
	idt[vector][1] = handler >> 32;
	load_gate(vector);
}

void gate_set(unsigned vector, unsigned ist, unsigned dpl)
{
	gate_set_handler(vector, (u64)exception_stubs[vector], ist, dpl);
}

void gate_unset(unsigned vector)
{
	idt[vector][0] = 0;
	load_gate(vector);
}

void kernel_stack_set(u64 rsp)
{
	tss.rsp[0] = rsp;
	if (on_gnomon)
		CALL(set_kernel_stack, rsp);
}

static void wrmsr(u32 msr, u64 value)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((u32)value), "d"((u32)(value >> 32)));
}

void syscall_entry_set(u64 rip)
{
	if (on_gnomon) {
		CALL(set_syscall_entry, rip, SYSCALL_FLAGS);
	} else {
		wrmsr(MSR_LSTAR, rip);
		wrmsr(MSR_FMASK, SYSCALL_FLAGS);
	}
}

static void bare_init(void)
{
	struct {
		u16 limit;
		u64 base;
	} __attribute__((packed)) idtr = {sizeof(idt) - 1, (u64)idt};
	u64 base = (u64)&tss;

	console_init();
	gdt[TSS_SEL / 8] =
	    (sizeof(tss) - 1) | (base & 0xffffff) << 16 | 0x89ul << 40 | (base & 0xff000000) << 32;
	gdt[TSS_SEL / 8 + 1] = base >> 32;
	tss.ist[0] = (u64)exception_stack + sizeof(exception_stack);
	__asm__ volatile("ltr %w0; lidt %1; lldt %w2" : : "r"(TSS_SEL), "m"(idtr), "r"(0));
	wrmsr(MSR_STAR, (u64)USER_CS32 << 48 | (u64)KERNEL_CS << 32);
	out8(PIC_1_MASK, 0xff); /* firmware leaves them on vectors that mean something else */
	out8(PIC_2_MASK, 0xff);
}

static void gnomon_init(void)
{
	CALL(set_idt, idt, 0, 256);
	CALL(set_ist, 1, (u64)exception_stack + sizeof(exception_stack));
}

/* By multiboot: after the flags, of which bit 2 says so; by multiboot 2: in a tag of type 1. */
static const char *bare_command_line(void)
{
	const u32 *info = (const u32 *)boot_info, *tag;

	if (boot_magic == MULTIBOOT_LOADED)
		return info[0] & 4 ? (const char *)(u64)info[4] : NULL;
	if (boot_magic != MULTIBOOT2_LOADED)
		return NULL;
	for (tag = info + 2; tag[0]; tag += (tag[1] + 7) / 8 * 2)
		if (tag[0] == 1)
			return (const char *)(tag + 2);
	return NULL;
}

/* The hypervisor leaf: "TCGTCGTCGTCG". */
static bool is_tcg(void)
{
	u32 eax = 0x40000000, ebx, ecx = 0, edx;

	__asm__("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
	return ebx == 0x54474354;
}

static void copy_command_line(const char *text)
{
	for (unsigned i = 0; text && text[i] && i < sizeof(command_line) - 1; i++)
		command_line[i] = text[i];
}

bool command_line_has(const char *word)
{
	for (const char *at = command_line; *at; at++) {
		unsigned i = 0;

		if (at != command_line && at[-1] != ' ')
			continue;
		while (word[i] && at[i] == word[i])
			i++;
		if (!word[i] && (!at[i] || at[i] == ' '))
			return true;
	}
	return false;
}

bool command_line_is(const char *word)
{
	for (unsigned i = 0;; i++) {
		if (command_line[i] != word[i])
			return false;
		if (!word[i])
			return true;
	}
}

s64 console_call(const char *text, u64 size)
{
	return CALL(console_write, text, size);
}

void test_end(void)
{
	char text[] = "N checks failed";

	print("%s: %u passed, %u failed\n", test_name, checks_passed, checks_failed);
	if (on_gnomon) {
		if (checks_failed)
			CALL(shutdown, GN_SHUTDOWN_CRASH, text, sizeof(text) - 1);
		CALL(shutdown, GN_SHUTDOWN_POWEROFF, 0, 0);
	}
	console_drain();
	out8(EXIT_PORT_QEMU, 0);
	for (const char *c = "Shutdown"; *c; c++)
		out8(EXIT_PORT_BOCHS, *c);
	for (;;)
		__asm__ volatile("cli; hlt");
}

void unexpected(const u64 *frame)
{
	check(false, "vector %lu error %lx at %lx:%lx, RSP %lx: nobody expected it", frame[0],
	      frame[1], frame[3], frame[2], frame[5]);
	test_end();
}

void machine_restore(void)
{
	gnomon_init();
	syscall_entry_set((u64)syscall_entry);
	kernel_stack_set((u64)ring0_stack + sizeof(ring0_stack));
}

void kernel_main(const struct gn_start_info *info)
{
	on_gnomon = info && info->magic == GN_START_MAGIC;
	on_tcg = is_tcg();
	for (unsigned v = 0; v < 256; v++) {
		u64 handler = (u64)exception_stubs[v];
		u64 dpl = v == 3 || v == 4 || v == 0x80 ? 3 : 0;

		idt[v][0] = (handler & 0xffff) | KERNEL_CS << 16 | 1ul << 32 |
			    (GATE_INTERRUPT | dpl << 5) << 40 | (handler & 0xffff0000) << 32;
	}
	if (on_gnomon) {
		start_info = *info;
		copy_command_line((const char *)info->command_line);
		gnomon_init();
	} else {
		copy_command_line(bare_command_line()); /* while boot memory is still mapped */
		bare_init();
	}
	syscall_entry_set((u64)syscall_entry);
	kernel_stack_set((u64)ring0_stack + sizeof(ring0_stack));
	paging_init();
	stage_init();
	test_main();
	test_end();
}
