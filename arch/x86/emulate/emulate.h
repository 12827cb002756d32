/* SPDX-License-Identifier: MIT */
/*
 * emulate.h - the door of this room: execute, or step over, one instruction of a guest on behalf of
 * the processor. The world is reached through the table of operations only; policy (which MSRs,
 * which ports, what a page fault is) lies behind it. A guest's kernel is at CPL 0 here, as it
 * believes.
 *
 * Promises. 1: the instruction is fetched once and decoded once; a byte that changes later changes
 * nothing. 2: privilege is judged by the CPL in the registers that the caller gives. 3: a fault
 * comes before any effect; registers are stored back only when the instruction, or a whole number
 * of iterations of it, is done. 4: every call is bounded: one instruction, at most 64 iterations.
 */
#ifndef ARCH_X86_EMULATE_EMULATE_H
#define ARCH_X86_EMULATE_EMULATE_H

#include "arch/x86/emulate/decode.h"
#include "lib/compiler.h"
#include "lib/types.h"

enum emulate_verdict {
	EMULATE_OK,    /* done: RIP stands behind the instruction, or where it led */
	EMULATE_AGAIN,	   /* partly done, or a race was lost: RIP stands, call again */
	EMULATE_EVENT,	   /* deliver emulate.event */
	EMULATE_HALT,	   /* HLT is done: wait for an event */
	EMULATE_UNHANDLED, /* valid, but not executed here; nothing has changed */
	EMULATE_SHUTDOWN,  /* an operation said that the guest cannot go on */
};

enum exception {
	EXCEPTION_DE = 0,
	EXCEPTION_DB = 1,
	EXCEPTION_BP = 3,
	EXCEPTION_OF = 4,
	EXCEPTION_UD = 6,
	EXCEPTION_NM = 7,
	EXCEPTION_NP = 11,
	EXCEPTION_SS = 12,
	EXCEPTION_GP = 13,
	EXCEPTION_PF = 14,
	EXCEPTION_AC = 17,
};

/* How an event came about. A FAULT leaves the registers as they were. The others are delivered
 * after the instruction: RIP stands behind it already. INTERRUPT must check the gate's DPL against
 * the CPL, as must BREAKPOINT and OVERFLOW; ICEBP must not (SDM vol. 3, 6.12.1.2). */
enum emulate_event_kind {
	EVENT_FAULT,
	EVENT_INTERRUPT,  /* INT n */
	EVENT_BREAKPOINT, /* INT3 */
	EVENT_OVERFLOW,	  /* INTO */
	EVENT_ICEBP,	  /* INT1 */
};

struct emulate_event {
	enum emulate_event_kind kind;
	u8 vector;
	bool has_error;
	u32 error;
	u64 address; /* of a page fault: CR2 */
};

/* General registers are numbered as in instructions: rax rcx rdx rbx rsp rbp rsi rdi r8-r15. */
struct emulate_registers {
	u64 rip, rflags; /* IF in rflags means nothing: see get_interrupt_flag */
	u16 selector[SEGMENT_COUNT];
	u8 mode; /* of the code segment: enum decode_mode */
	u8 cpl;
	bool interrupt_shadow; /* STI or a load of SS has just held events off */
	u64 gpr[16];
};

/* Attributes as in the second half of a descriptor, shifted right by 8 (SDM vol. 3, 3.4.5). */
#define ATTRIBUTE_TYPE	   0x000f
#define ATTRIBUTE_CODE	   0x0008
#define ATTRIBUTE_DOWN	   0x0004 /* data: expands down; code: conforming */
#define ATTRIBUTE_WRITABLE 0x0002 /* data: writable; code: readable */
#define ATTRIBUTE_MEMORY   0x0010 /* S: code or data, not a system segment */
#define ATTRIBUTE_DPL(a)   ((a) >> 5 & 3)
#define ATTRIBUTE_PRESENT  0x0080
#define ATTRIBUTE_LONG	   0x2000
#define ATTRIBUTE_BIG	   0x4000
#define ATTRIBUTE_PAGES	   0x8000 /* the limit counts pages */

struct emulate_segment {
	u64 base;
	u32 limit;	/* in bytes */
	u16 attributes; /* 0 if the register holds a null selector */
};

/* Where IRET, RETF and SYSRET lead. Selectors and descriptors have been judged; they are loaded as
 * given, data segments that the new CPL may not use become null (not for SYSRET), registers follow
 * by themselves. */
struct emulate_transfer {
	enum { TRANSFER_IRET, TRANSFER_RETF, TRANSFER_SYSRET } kind;
	u8 cpl; /* the new one */
	u16 cs, ss;
	u64 cs_descriptor, ss_descriptor; /* ss_descriptor: 0 if SS becomes null */
	bool loads_ss;			  /* SS is loaded at all */
	u64 rip, rsp, rflags;		  /* for a monitor that completes the return its own way */
};

enum emulate_access {
	ACCESS_READ,
	ACCESS_READ_TO_WRITE, /* what is read will be written: a page fault says W=1 */
};

enum emulate_table { TABLE_GDT, TABLE_IDT };
enum emulate_selector { SELECTOR_LDT, SELECTOR_TR };

struct emulate_table_register {
	u64 base;
	u16 limit;
};

/* PAGE is INVLPG's, of the address space that is loaded; the others are INVPCID's types 0 to 3. */
struct emulate_invalidation {
	enum {
		INVALIDATE_PAGE,
		INVALIDATE_PCID_PAGE,
		INVALIDATE_PCID,
		INVALIDATE_ALL_AND_GLOBAL,
		INVALIDATE_ALL,
	} kind;
	u16 pcid;
	u64 address;
};

/* What an instruction's displacement of one byte does not reach stands last. */
struct emulate {
	const struct emulate_operations *operations;
	void *owner; /* for the operations */
	struct insn insn;
	struct emulate_registers r; /* this room's: the registers as the instruction leaves them */
	struct emulate_registers *registers; /* the guest's, read first and stored back last */
	struct emulate_event event;	     /* with EMULATE_EVENT */
	bool single_step; /* with EMULATE_OK and AGAIN: TF was set, a #DB with BS follows */
	bool forced_prefix; /* UD2 "xen" before an instruction is skipped (Xen PV) */
	u8 count;	    /* of bytes */
	u8 bytes[INSN_MAX + 5]; /* what was fetched at RIP, a forced prefix included */
};

/*
 * Every member must be set. A member returns EMULATE_OK or another verdict, which ends the
 * instruction without effect; it raises a fault of the guest by returning emulate_fault() and the
 * like. A member that does not return EMULATE_OK has changed nothing. Effects of two members never
 * depend on each other's undoing: an instruction calls at most one that changes anything, and calls
 * it last. (REP INS calls two: a port that was read stays read when the page to store to has gone
 * since.)
 */
struct emulate_operations {
	/* size bytes of code at a linear address, never across a page's end. */
	enum emulate_verdict (*fetch)(struct emulate *e, u64 linear, u8 *to, size_t size);
	/* Guest memory by linear address, 1 to 64 bytes, perhaps across a page's end. The privilege
	 * is that of registers->cpl. */
	enum emulate_verdict (*read)(struct emulate *e, u64 linear, void *to, size_t size,
				     enum emulate_access access);
	enum emulate_verdict (*write)(struct emulate *e, u64 linear, const void *from, size_t size);
	/* Store *to if memory holds *from, atomically; EMULATE_AGAIN if it holds something else. */
	enum emulate_verdict (*compare_exchange)(struct emulate *e, u64 linear, const void *from,
						 const void *to, size_t size);

	/* A segment register's hidden part. */
	enum emulate_verdict (*get_segment)(struct emulate *e, enum segment segment,
					    struct emulate_segment *to);
	/* Load SS. */
	enum emulate_verdict (*set_stack_segment)(struct emulate *e, u16 selector, u64 descriptor);
	/* Eight bytes of the guest's GDT or LDT; #GP(selector) beyond the table's limit. */
	enum emulate_verdict (*read_descriptor)(struct emulate *e, u16 selector, u64 *descriptor);
	enum emulate_verdict (*transfer)(struct emulate *e, const struct emulate_transfer *to);

	/* CR0 CR2 CR3 CR4 CR8, DR0-DR7. Values have not been judged. */
	enum emulate_verdict (*read_cr)(struct emulate *e, unsigned number, u64 *value);
	enum emulate_verdict (*write_cr)(struct emulate *e, unsigned number, u64 value);
	enum emulate_verdict (*read_dr)(struct emulate *e, unsigned number, u64 *value);
	enum emulate_verdict (*write_dr)(struct emulate *e, unsigned number, u64 value);
	enum emulate_verdict (*read_msr)(struct emulate *e, u32 index, u64 *value);
	enum emulate_verdict (*write_msr)(struct emulate *e, u32 index, u64 value);
	enum emulate_verdict (*set_xcr)(struct emulate *e, u32 index, u64 value);
	enum emulate_verdict (*read_tsc)(struct emulate *e, u64 *tsc, u32 *aux);
	enum emulate_verdict (*read_pmc)(struct emulate *e, u32 index, u64 *value);
	/* What the guest is told: in and out EAX EBX ECX EDX. */
	enum emulate_verdict (*cpuid)(struct emulate *e, u32 registers[4]);

	enum emulate_verdict (*get_table)(struct emulate *e, enum emulate_table table,
					  struct emulate_table_register *to);
	enum emulate_verdict (*set_table)(struct emulate *e, enum emulate_table table,
					  const struct emulate_table_register *from);
	enum emulate_verdict (*get_selector)(struct emulate *e, enum emulate_selector which,
					     u16 *to);
	enum emulate_verdict (*set_selector)(struct emulate *e, enum emulate_selector which,
					     u16 selector);
	enum emulate_verdict (*invalidate)(struct emulate *e,
					   const struct emulate_invalidation *what);
	enum emulate_verdict (*flush_caches)(struct emulate *e); /* WBINVD, INVD */
	enum emulate_verdict (*swapgs)(struct emulate *e);

	/* The guest's virtual interrupt flag. */
	bool (*get_interrupt_flag)(struct emulate *e);
	void (*set_interrupt_flag)(struct emulate *e, bool enabled);

	/* Asked when the CPL exceeds IOPL: does the guest's TSS grant the ports? */
	enum emulate_verdict (*check_port)(struct emulate *e, u16 port, unsigned size);
	enum emulate_verdict (*port_in)(struct emulate *e, u16 port, unsigned size, u32 *value);
	enum emulate_verdict (*port_out)(struct emulate *e, u16 port, unsigned size, u32 value);

	/* The low 16 bytes of a vector register. */
	enum emulate_verdict (*read_vector)(struct emulate *e, unsigned number, u8 to[16]);
};

/* Fetch and decode the instruction at CS:RIP into e->insn: EMULATE_OK, or the event that doing so
 * raises (#PF, #UD, #GP for 15 bytes or for a RIP that cannot be), or a verdict of fetch. */
enum emulate_verdict emulate_decode(struct emulate *e) __must_check;

/* Do what e->insn says. */
enum emulate_verdict emulate_execute(struct emulate *e) __must_check;

/*
 * Does the instruction nothing but store 8 bytes to memory? Then *source is the number of the
 * register that they are in, or EMULATE_IMMEDIATE.
 */
#define EMULATE_IMMEDIATE 16
bool emulate_is_store(const struct insn *insn, u8 *source);

/* Step over e->insn: RIP, RF and the interrupt shadow as an executed one leaves them. */
void emulate_skip(struct emulate *e);

/* How insn.action is spelt in the opcode maps, such as "cli". */
const char *emulate_action_name(u8 action);

/* For operations: say which fault the guest gets, and return EMULATE_EVENT. */
enum emulate_verdict emulate_fault(struct emulate *e, enum exception vector);
enum emulate_verdict emulate_fault_error(struct emulate *e, enum exception vector, u32 error);
enum emulate_verdict emulate_page_fault(struct emulate *e, u64 address, u32 error);

#endif
