/* SPDX-License-Identifier: MIT */
/*
 * code-area-instructions.S - the slots that stand for one instruction each. Part of code-area.S,
 * which includes it.
 *
 * A body is the instruction itself where it traps, and is emulated then, or where what the CPU does
 * with it in ring 1 is right; nothing where nothing is to be done; and a request where the CPU
 * would execute it and show what is the monitor's. A kernel that calls them cannot tell.
 */

/*
 * One instruction: what traps is emulated, and its fault is reported at the call
 * (vcpu_leave_slot()), so nothing may be pushed before it.
 */
.macro instruction number, text:vararg
	slot	\number
	\text
	ret
.endm
	instruction 200, cpuid			/* C: {eax, ebx, ecx, edx} = cpuid(eax, ecx) */
	instruction 201, rdtsc			/* C: edx:eax = rdtsc() */
	instruction 202, rdpmc			/* C: edx:eax = rdpmc(ecx) */
	instruction 203, rdmsr			/* C: edx:eax = rdmsr(ecx) */
	instruction 204, wrmsr			/* C: wrmsr(ecx, edx:eax) */
	instruction 205, mov %cr0, %rax		/* C: rax = cr0 */
	instruction 206, mov %cr3, %rax		/* C: rax = cr3 */
	instruction 207, mov %cr4, %rax		/* C: rax = cr4 */
	instruction 208, mov %cr8, %rax		/* C: rax = cr8 */
	instruction 209, mov %rdi, %cr0		/* C: cr0 = rdi */
	instruction 210, mov %rdi, %cr2		/* C: cr2 = rdi */
	instruction 211, mov %rdi, %cr4		/* C: cr4 = rdi */
	instruction 212, mov %rdi, %cr8		/* C: cr8 = rdi */
	instruction 213, clts			/* C: cr0.ts = 0 */

#define DR_BODY 4 /* bytes: MOV and RET */
.macro debug_register number, bodies
	slot	\number
	cmp	$8, %rdi
	jae	1f
	lea	\bodies(%rip), %rax
	lea	(%rax,%rdi,DR_BODY), %rax
	jmp	*%rax
1:	mov	%cr1, %rax	/* nor is there this one */
.endm
	debug_register 214, read_dr_bodies	/* C: if (rdi < 8) rax = dr[rdi]; else #UD */
	debug_register 215, write_dr_bodies	/* C: if (rdi < 8) dr[rdi] = rsi; else #UD */

	instruction 216, pause			/* C: pause() */
	instruction 217				/* C: nothing */
	instruction 218				/* C: nothing */
	instruction 219, swapgs			/* C: exchange(&gs.base, &kernel_gs_base) */
	instruction 220, xsetbv			/* C: xcr[ecx] = edx:eax */
	instruction 221, lgdt (%rdi)		/* C: gdtr = *(struct descriptor_table *)rdi */
	instruction 222, lidt (%rdi)		/* C: idtr = *(struct descriptor_table *)rdi */
	instruction 223, lldt %di		/* C: ldtr = di */
	instruction 224, ltr %di		/* C: tr = di */

/* What the CPU would execute in ring 1, and show what is the monitor's. */
.macro emulated number, name, text:vararg
	slot	\number
emulate_\name:
	ud2
	\text
	ret
.endm
	emulated 225, sgdt, sgdt (%rdi)	/* C: *(struct descriptor_table *)rdi = gdtr */
	emulated 226, sidt, sidt (%rdi)	/* C: *(struct descriptor_table *)rdi = idtr */
	emulated 227, sldt, sldt %eax		/* C: rax = ldtr */
	emulated 228, str, str %eax		/* C: rax = tr */

	instruction 229, in %dx, %al	/* C: al = port[dx] */
	instruction 230, in %dx, %ax	/* C: ax = port[dx] */
	instruction 231, in %dx, %eax	/* C: eax = port[dx] */
	instruction 232, out %al, %dx	/* C: port[dx] = al */
	instruction 233, out %ax, %dx	/* C: port[dx] = ax */
	instruction 234, out %eax, %dx	/* C: port[dx] = eax */
	instruction 235, rep insb	/* C: while (rcx--) *(u8 *)rdi++ = port[dx] */
	instruction 236, rep insw	/* C: while (rcx--) *(u16 *)rdi++ = port[dx] */
	instruction 237, rep insl	/* C: while (rcx--) *(u32 *)rdi++ = port[dx] */
	instruction 238, rep outsb	/* C: while (rcx--) port[dx] = *(u8 *)rsi++ */
	instruction 239, rep outsw	/* C: while (rcx--) port[dx] = *(u16 *)rsi++ */
	instruction 240, rep outsl	/* C: while (rcx--) port[dx] = *(u32 *)rsi++ */

/* Not slots, but where their faults are treated so: the bodies of read_dr and write_dr. */
	slot	254
read_dr_bodies:
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7
	mov	%db\n, %rax
	ret
	.endr
	slot	255
write_dr_bodies:
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7
	mov	%rsi, %db\n
	ret
	.endr
