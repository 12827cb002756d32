// SPDX-License-Identifier: MIT
/*
 * desc.c - see desc.h. All gates lead to ring 0 and are interrupt gates, so IF is 0 in the
 * switcher. A guest may use INT with 3, 4 and 0x80 from ring 3, and with GN_HYPERCALL_VECTOR from
 * ring 1 (R17). Every accessed bit is set beforehand, since the tables are mapped read-only (SDM 3A
 * 3.4.5.1).
 */
#include "arch/x86/cpu/desc.h"
#include "arch/x86/cpu/early-memory.h"
#include "arch/x86/cpu/insn.h"
#include "arch/x86/cpu/paging.h"
#include "boot/layout.h"
#include "guest-abi/layout.h"
#include "lib/compiler.h"

#define MSR_SYSENTER_CS 0x174
#define MSR_STAR	0xc0000081
#define MSR_CSTAR	0xc0000083
#define MSR_FMASK	0xc0000084

/* Flat descriptors, present and accessed. */
#define CODE64(dpl) (0x00209b0000000000ul | (u64)(dpl) << 45)
#define DATA(dpl)   (0x00cf93000000fffful | (u64)(dpl) << 45)

#define PRESENT_TSS 0x89ul
#define PRESENT_LDT 0x82ul

#define GATE_INTERRUPT 0x8e00ul
#define GATE_DPL(dpl)  ((u64)(dpl) << 13)

struct table_register {
	u16 limit;
	u64 base;
} __packed;

static maddr_t idt; /* (c) one for all CPUs */

/* Where the switcher's text lies in memory: the image is linked twice over, once for each address.
 * */
extern const u8 switcher_image[];

static u64 image_maddr(const void *p)
{
	return (u64)p - IMAGE_BASE;
}

static unsigned gate_dpl(unsigned vector)
{
	if (vector == 3 || vector == 4 || vector == 0x80)
		return 3;
	return vector == GN_HYPERCALL_VECTOR ? 1 : 0;
}

static unsigned gate_ist(unsigned vector)
{
	switch (vector) {
	case 1:
		return AREA_IST_DB;
	case 2:
		return AREA_IST_NMI;
	case 8:
		return AREA_IST_DF;
	case 18:
		return AREA_IST_MC;
	default:
		return 0;
	}
}

static __init u64 gate_handler(unsigned vector)
{
	unsigned interrupt = vector - AREA_EXCEPTIONS;

	if (vector == 1)
		return (u64)switcher_debug;
	if (vector == 2)
		return (u64)switcher_nmi;
	if (vector < AREA_EXCEPTIONS)
		return (u64)switcher_exceptions + AREA_STUB_SIZE * vector;
	return (u64)switcher_interrupts + AREA_STUB_SIZE * interrupt +
	       AREA_STUB_JUMP * (interrupt / AREA_STUB_GROUP);
}

static __init void make_idt(void)
{
	u64(*gate)[2];

	idt = early_memory_take(PAGE_SIZE);
	gate = early_memory_pointer(idt);
	for (unsigned i = 0; i < 256; i++) {
		u64 handler = gate_handler(i);
		u64 flags = GATE_INTERRUPT | GATE_DPL(gate_dpl(i)) | gate_ist(i);

		gate[i][0] = (handler & 0xffff) | AREA_MONITOR_CS << 16 | flags << 32 |
			     (handler >> 16 & 0xffff) << 48;
		gate[i][1] = handler >> 32;
	}
}

/* A descriptor of the system, 16 bytes: TSS or LDT (SDM 3A 7.2.3). */
static void set_system(u64 *gdt, u16 selector, u64 type, u64 base, u64 size)
{
	gdt[selector / 8] = (size - 1) | (base & 0xffffff) << 16 | type << 40 |
			    (base >> 24 & 0xff) << 56;
	gdt[selector / 8 + 1] = base >> 32;
}

static __init void make_gdt(u64 *gdt)
{
	gdt[AREA_MONITOR_CS / 8] = CODE64(0);
	gdt[AREA_MONITOR_SS / 8] = DATA(0);
	gdt[GN_KERNEL_CS / 8] = CODE64(1);
	gdt[GN_KERNEL_SS / 8] = DATA(1);
	set_system(gdt, AREA_TSS_SEL, PRESENT_TSS, AREA_CONSTANTS + AREA_TSS_OFFSET,
		   sizeof(struct area_tss));
}

static __init void make_tss(struct area_tss *tss)
{
	tss->rsp[0] = AREA_STACK + AREA_STACK_ENTRY;
	tss->ist[AREA_IST_NMI - 1] = AREA_STACK + AREA_STACK_NMI;
	tss->ist[AREA_IST_DB - 1] = AREA_STACK + AREA_STACK_DB;
	tss->ist[AREA_IST_DF - 1] = AREA_STACK + AREA_STACK_DF;
	tss->ist[AREA_IST_MC - 1] = AREA_STACK + AREA_STACK_MC;
	tss->iomap_base = sizeof(*tss); /* past the limit: no ports (R16) */
}

__init void desc_make_area(struct cpu_area *area, const struct paging_root *paging,
			   struct cpu *cpu, u64 nmi_stack)
{
	u64 *area_l1 = paging->area_l1;
	maddr_t constants = early_memory_take(PAGE_SIZE), gdt = early_memory_take(PAGE_SIZE);
	maddr_t stack = early_memory_take(PAGE_SIZE);
	unsigned text_pages = (switcher_text_end - switcher_text + PAGE_SIZE - 1) / PAGE_SIZE;

	if (!idt.v)
		make_idt();
	area->constants = early_memory_pointer(constants);
	area->tss = (void *)((char *)area->constants + AREA_TSS_OFFSET);
	area->gdt = early_memory_pointer(gdt);
	area->scratch = early_memory_pointer(stack);
	area->constants->this_cpu = (u64)cpu;
	area->constants->monitor_cr3 = paging->root.v;
	area->constants->nmi_stack = nmi_stack;
	area->constants->verw_selector = AREA_MONITOR_SS;
	area->constants->code_area = GN_CODE_AREA;
	area->constants->kernel_first = AREA_END;
	make_gdt(area->gdt);
	make_tss(area->tss);

	area_l1[AREA_PAGE_CONSTANTS] = constants.v | PTE_P | PTE_A | PTE_NX;
	area_l1[AREA_PAGE_GDT] = gdt.v | PTE_P | PTE_A | PTE_NX;
	area_l1[AREA_PAGE_IDT] = idt.v | PTE_P | PTE_A | PTE_NX;
	area_l1[AREA_PAGE_STACK] = stack.v | PTE_P | PTE_W | PTE_A | PTE_D | PTE_NX;
	for (unsigned i = AREA_PAGE_STACK; i < 512; i += AREA_ALIAS_PAGES)
		paging->alias_l1[i] = area_l1[AREA_PAGE_STACK];
	for (unsigned i = 0; i < text_pages; i++)
		area_l1[AREA_PAGE_TEXT + i] =
		    (image_maddr(switcher_image) + i * PAGE_SIZE) | PTE_P | PTE_A;
}

/*
 * LTR sets the busy bit of its descriptor, so it wants the GDT by an address that can be written.
 */
static void load_tables(const struct cpu_area *area)
{
	const struct table_register alias = {PAGE_SIZE - 1, (u64)area->gdt};
	const struct table_register gdtr = {PAGE_SIZE - 1, AREA_GDT},
				    idtr = {PAGE_SIZE - 1, AREA_IDT};

	__asm__ volatile("lgdt %0\n\t"
			 "ltr %w1\n\t"
			 "lgdt %2\n\t"
			 "lidt %3\n\t"
			 :
			 : "m"(alias), "r"(AREA_TSS_SEL), "m"(gdtr), "m"(idtr)
			 : "memory");
	__asm__ volatile("push %0\n\t"
			 "lea 1f(%%rip), %%rax\n\t"
			 "push %%rax\n\t"
			 "lretq\n"
			 "1:\tmov %w1, %%ss\n\t"
			 "mov %w2, %%ds\n\t"
			 "mov %w2, %%es\n\t"
			 "mov %w2, %%fs\n\t"
			 "mov %w2, %%gs"
			 :
			 : "i"(AREA_MONITOR_CS), "r"(AREA_MONITOR_SS), "r"(0)
			 : "rax", "memory");
}

/*
 * After a reset the LDTR is no null one: it counts as present, from linear address 0 on (SDM 3A
 * table 9-1), where a guest has its own memory, and so its own call gates (R13).
 */
void desc_load_ldt(const struct cpu_area *area, u64 base, unsigned count)
{
	if (count)
		set_system(area->gdt, AREA_LDT_SEL, PRESENT_LDT, base, count * 8);
	__asm__ volatile("lldt %w0" : : "r"(count ? AREA_LDT_SEL : 0) : "memory");
}

void desc_load(const struct cpu_area *area)
{
	load_tables(area);
	wrmsr(MSR_STAR, (u64)(GN_USER_SS - 8) << 48 | (u64)AREA_MONITOR_CS << 32);
	wrmsr(MSR_LSTAR, (u64)switcher_syscall);
	wrmsr(MSR_CSTAR, (u64)switcher_compat_syscall);
	wrmsr(MSR_FMASK, AREA_FMASK);
	wrmsr(MSR_SYSENTER_CS, 0); /* SYSENTER is #GP; on AMD it is #UD in long mode (R17) */
	wrmsr(MSR_FS_BASE, 0);
	wrmsr(MSR_GS_BASE, 0);
	wrmsr(MSR_KERNEL_GS, 0);
}
