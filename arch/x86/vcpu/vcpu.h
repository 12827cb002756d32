/* SPDX-License-Identifier: MIT */
/*
 * vcpu.h - a virtual CPU: its registers, what the guest has loaded into it (gates, descriptors,
 * bases, the system-call entry), its window, and the ways in which the monitor changes its course:
 * run it, give it an exception or an event. It knows the CPU below and the shadows beside it, not
 * the guest above.
 *
 * The guest kernel believes it runs at CPL 0; it runs in ring 1. Its interrupt flag is vif, a byte
 * of the vcpu page.
 */
#ifndef ARCH_X86_VCPU_VCPU_H
#define ARCH_X86_VCPU_VCPU_H

#include "arch/x86/cpu/cpu.h"
#include "arch/x86/cpu/fpu.h"
#include "arch/x86/cpu/insn.h"
#include "arch/x86/cpu/machine.h"
#include "arch/x86/switcher/area.h"
#include "arch/x86/vcpu/window.h"
#include "guest-abi/layout.h"
#include "mm/shadow/shadow.h"

struct guest;

/* Vectors that we name, SDM 3A 6.15. */
enum {
	VECTOR_DB = 1,
	VECTOR_NMI = 2,
	VECTOR_UD = 6,
	VECTOR_DF = 8,
	VECTOR_NP = 11,
	VECTOR_SS = 12,
	VECTOR_GP = 13,
	VECTOR_PF = 14,
	VECTOR_MC = 18,
};

enum {
	DR6_BS = 1 << 14,
	DR6_ONES = 0xffff0ff0,
	DR6_WRITABLE = 0xe00f, /* B0-B3 BD BS BT */
	DR7_ONES = 1 << 10,
	DR7_WRITABLE = 0xffff03ff, /* all but GD */
	DR7_ENABLES = 0xff,
	RFLAGS_RESERVED = 1 << 1,
	RFLAGS_TF = 1 << 8,
	RFLAGS_NT = 1 << 14,
	RFLAGS_RF = 1 << 16,
	RFLAGS_AC = 1 << 18,
	/* CF PF AF ZF SF TF DF OF RF AC ID: what a guest may choose (R11). */
	RFLAGS_GUEST = 0xdd5 | RFLAGS_RF | RFLAGS_AC | 1 << 21,
};

/* A gate of the guest's IDT, judged when it was loaded. */
struct vcpu_gate {
	u64 handler;			    /* canonical */
	u16 cs;				    /* as the guest wrote it */
	u8 ist;				    /* 0: none */
	u8 present : 1, trap : 1, user : 1; /* user: ring 3 may INT it */
};

/* What the CPU's area does not have yet of this vCPU. */
enum {
	VCPU_CHANGED_GDT = 1 << 0,
	VCPU_CHANGED_SYSCALL = 1 << 1,
	VCPU_CHANGED_CONTROL = 1 << 2,
	VCPU_CHANGED_USERS = 1 << 3, /* hides_users */
	VCPU_CHANGED_ALL = 0xf,
};

/* Which frames a guest's kernel expects. */
enum vcpu_frames {
	VCPU_FRAMES_NATIVE, /* 0: the CPU's own, through its gates */
	VCPU_FRAMES_XEN,    /* RCX and R11 below them; one entry for all events; GS exchanged */
};

/* An instruction that traps, and how often it has, at least: those that share a place compete. */
struct vcpu_trap {
	u64 rip;
	u32 count;
	u8 action; /* emulate_action_name() */
};

#define VCPU_TRAPS 64

/* A store to a page table that was emulated: stores.c. */
struct vcpu_known_store {
	u64 code[2]; /* 15 bytes and 0xff, so what is all 0 knows none */
	u64 immediate;
	bool from_register;
	u8 place, length, action; /* place: of the register, in struct guest_regs */
};

#define VCPU_KNOWN_STORES 16

/* What a vCPU of Xen's frames always has in its `attention`, and nothing else. */
#define VCPU_ATTENTION_XEN ((u64)VCPU_FRAMES_XEN << 56)

/* This bit of vectors: an NMI's handler runs, and no other NMI comes before the guest's next IRET.
 * (No event has this vector. As it waits, code area and descriptors let the IRET be seen.) */
#define VCPU_IN_NMI 0

/* Every field is (v) but those marked (c). Those of every exit stand first, where an instruction's
 * displacement is one byte. */
struct vcpu {
	struct gn_vcpu_page *page; /* (c) the guest writes it too: read each word once */
	struct cpu *cpu;	   /* on whose area it is loaded; NULL: on none */
	struct guest *guest;	   /* (c) the owner, for those above */
	/* What is to be seen to before the next entry, and all of it as one word: 0, nothing. */
	union {
		u64 attention;
		struct {
			u16 changed;	    /* VCPU_CHANGED_; all while it is on no CPU */
			bool is_audited;    /* the run loop wants to see each entry */
			bool small_stacks;  /* ring 3 has 16-bit stacks */
			bool event_pending; /* some bit of vectors is set; page->pending too */
			bool is_dead;	    /* death is set */
			bool has_ended;	    /* the owner says so */
			u8 frames;	    /* enum vcpu_frames: Xen's pending is a guest's byte */
		};
	};
	u8 vif_on;		/* *vif is this, or its negation: 1 or 0 */
	bool in_double_fault;	/* what was delivered last was a double fault */
	u8 *vif;		/* the virtual interrupt flag; the guest writes it too */
	u8 *pending;		/* likewise: an event waits for it */
	struct guest_regs regs; /* the switcher's */
	u64 *cr2;		/* the guest writes it too: where a page fault's address goes */
	const char *death;	/* why it cannot go on; the first reason wins */

	u16 owner;		/* (c) its number */
	mfn_t page_mfn;		/* (c) */
	mfn_t info_mfn;		/* the frame of vif and pending, if not page_mfn */
	mfn_t gate_mfn;		/* (c) */
	struct vcpu_gate *gate; /* (c) 256 of them, a frame */
	mfn_t gdt_mfn;		/* (c) */
	u64 *gdt;		/* (c) GN_GDT_ENTRIES sanitised descriptors */
	mfn_t ldt_mfn;		/* MFN_NONE until there is one */
	u64 *ldt;		/* likewise sanitised; shown at GN_LDT */
	u16 ldt_count;
	struct vcpu_users {
		u16 first, end;
	} gdt_users, ldt_users; /* where in the tables code of ring 3 may be */
	bool hides_users;	/* such code is not present: an event waits while vif is 0 */
	u64 hidden_since;	/* TSC */
	u64 held_off_at;	/* RIP behind an STI or load of SS: no event before what is there */
	u64 vectors[4];		/* events that wait, a bit each; VCPU_IN_NMI */
	u64 ist[8];		/* IST n; 0: RSP0, of native frames */
	u64 event_entry, failsafe_entry; /* frames of Xen: where events and faults of IRET arrive */
	void (*cpuid)(struct vcpu *v, u32 registers[4]); /* what it is told; NULL: the truth */
	u64 syscall_entry, syscall_fmask; /* entry 0: none */
	/* What the guest believes its control registers and MSRs to be. */
	u64 cr0, cr3, cr4, cr8, efer, pat, star, cstar, tsc_aux;
	u64 dr[4], dr6, dr7;
	u64 gdt_base, idt_base, task_base; /* 0: not loaded by LGDT, LIDT, LTR */
	u16 gdt_limit, idt_limit, task_selector, ldt_selector;
	u64 fs_base, gs_base, kernel_gs_base; /* valid while not loaded: nothing of ours uses GS */
	u16 ds, es, fs, gs;	     /* valid while not loaded */
	struct fpu_state *fpu;	     /* (c) */
	mfn_t fpu_mfn;		     /* (c) */
	mfn_t window[WINDOW_TABLES]; /* (c) the tables under slot 270 */
	struct shadow_vcpu shadow;
	u64 entries, reflections, events; /* counters */
	struct vcpu_trap trap[VCPU_TRAPS]; /* by a hash of the RIP */
	struct vcpu_known_store known_store[VCPU_KNOWN_STORES]; /* likewise */
};

/* Make one. The vcpu page is page_mfn (published to the guest by the caller). -ENOMEM. */
int vcpu_init(struct vcpu *v, struct guest *guest, struct shadow *shadow, u16 owner,
	      mfn_t page_mfn) __must_check;
void vcpu_exit(struct vcpu *v);

/* Set the registers for the first instruction of a guest kernel; all others become 0, vif too. */
void vcpu_start(struct vcpu *v, u64 cr3, u64 rip, u64 rsp, u64 rsi);

void vcpu_load_breakpoints(const struct vcpu *v);

/* Put what has changed of it into the CPU; all, if another vCPU ran there. */
void vcpu_load(struct cpu *cpu, struct vcpu *v);

/*
 * Run on this CPU until the next exit; returns the exit reason (a vector or EXIT_). The root may
 * have changed with anything that was done for the guest since it last ran. Inline in the run loop:
 * there the registers that switcher_enter() loses hold nothing that would have to be saved.
 */
static inline unsigned vcpu_run(struct cpu *cpu, struct vcpu *v)
{
	cpu->area.constants->guest_cr3 = mfn_to_maddr(shadow_root(&v->shadow)).v;
	v->entries++;
	if (unlikely(v->dr7 & DR7_ENABLES))
		vcpu_load_breakpoints(v);
	machine_enter_guest(cpu);
	switcher_enter(&v->regs);
	machine_leave_guest(cpu);
	if (unlikely(v->dr7 & DR7_ENABLES))
		write_dr7(DR7_ONES);
	return recorder_note(&cpu->recorder, &v->regs, v->owner);
}

/* Take what the CPU still holds of it (segments, FPU) into the structure; then it may run
 * elsewhere. */
void vcpu_unload(struct vcpu *v);

/* It cannot go on, and why: text that we wrote, "crashed: ..." or "killed: ...". */
void vcpu_die(struct vcpu *v, const char *why);

static inline bool vcpu_is_user(const struct vcpu *v)
{
	return (v->regs.cs & 3) == 3;
}

/* ---- events and exceptions ---- */

/* An event for this vector (32 to 255) waits; it is delivered when vif allows. Or an NMI. */
void vcpu_raise(struct vcpu *v, u8 vector);
void vcpu_lower(struct vcpu *v, u8 vector);

static inline bool vcpu_is_in_nmi(const struct vcpu *v)
{
	return v->vectors[0] & 1 << VCPU_IN_NMI;
}

/* The guest executes an IRET: an NMI may come again. */
static inline void vcpu_end_nmi(struct vcpu *v)
{
	if (unlikely(vcpu_is_in_nmi(v)))
		vcpu_lower(v, VCPU_IN_NMI);
}

/* Before entering the guest, if event_pending: deliver the highest vector, or let the code area see
 * it. */
void vcpu_deliver_events(struct vcpu *v);

/* The exception at the present RIP, as through the guest's gate; a fault's RIP is the
 * instruction's. */
void vcpu_reflect(struct vcpu *v, u8 vector, bool has_error, u64 error);
void vcpu_reflect_page_fault(struct vcpu *v, u64 cr2, u64 error);
void vcpu_failsafe(struct vcpu *v); /* Xen frames: the registers are such that it cannot go on */
void vcpu_software_interrupt(struct vcpu *v, u8 vector); /* RIP already past the instruction */

/* May INT n be executed here? Not by ring 3 through a gate that is closed to it, and by nobody
 * through one that is not there: #GP, which comes before #NP since an empty gate has no type (SDM
 * 3A 6.12.1.3). */
static inline bool vcpu_may_interrupt(const struct vcpu *v, u8 vector)
{
	return v->gate[vector].present && (v->gate[vector].user || !vcpu_is_user(v));
}

/* Does the vector push an error code? (SDM 3A table 6-1) */
static inline bool vector_has_error(unsigned vector)
{
	return vector < 32 && (0x60227d00u >> vector & 1);
}

/* An exception came while RIP was in the code area. True: it was a request or has been seen to;
 * false: it is another's, or asks for the instruction at RIP to be emulated. */
bool vcpu_code_area_exception(struct vcpu *v, u8 vector, u64 error);
static inline bool is_in_code_area(u64 rip)
{
	return rip - GN_CODE_AREA < GN_CODE_SIZE;
}
bool vcpu_code_area_event(struct vcpu *v);
bool vcpu_code_area_nmi(struct vcpu *v);
bool vcpu_is_in_slot(const struct vcpu *v);
int vcpu_leave_slot(struct vcpu *v, u64 size) __must_check; /* -EFAULT: reflected already */
bool vcpu_is_pushing(const struct vcpu *v); /* RIP is in the code that pushes a frame */

/* The guest's IRET: pop the frame at RSP. 0, or -EFAULT with the fault already reflected. */
int vcpu_return_by_frame(struct vcpu *v) __must_check;

static inline bool vcpu_vif(const struct vcpu *v)
{
	return !!READ_ONCE(*v->vif) == v->vif_on;
}

static inline void vcpu_set_vif(struct vcpu *v, bool on)
{
	WRITE_ONCE(*v->vif, on == v->vif_on);
}

/* Has an STI, or a load of SS, been emulated that holds events off for one instruction, and has
 * that one not been executed since? (Or executed, and RIP is there again: then another one before
 * the event does no harm.) */
static inline bool vcpu_is_held_off(const struct vcpu *v)
{
	return v->regs.rip == v->held_off_at && !vcpu_is_user(v) && vcpu_vif(v);
}

/* Is there an event to deliver, or to be seen by the code area? Asked before each entry. */
static inline bool vcpu_has_event(const struct vcpu *v)
{
	return v->event_pending ||
	       (v->frames == VCPU_FRAMES_XEN && READ_ONCE(*v->pending) && vcpu_vif(v));
}

/* Ring 1's view of its flags: RFLAGS with vif in place of IF. */
static inline u64 vcpu_flags(const struct vcpu *v)
{
	bool vif = vcpu_is_user(v) || vcpu_vif(v);

	return (v->regs.rflags & ~(u64)RFLAGS_IF) | (vif ? RFLAGS_IF : 0);
}

/* ---- memory by the guest's virtual addresses ---- */

enum vcpu_copy { VCPU_COPIED, VCPU_FAULT, VCPU_STOP };

/*
 * Copy as the guest's kernel (or user) would. VCPU_FAULT: *result holds the page fault's error code
 * and *at the address; VCPU_STOP: not the guest's fault (a watch, a page to supply, death): result
 * says.
 */
struct vcpu_copy_result {
	enum shadow_verdict verdict;
	struct shadow_result shadow;
	u64 at;
};

/* The same with the rights of another access; and the checks alone, for what may cross one page's
 * end. */
int vcpu_copy_as(struct vcpu *v, u64 gva, void *bytes, size_t size, struct shadow_access access,
		 struct vcpu_copy_result *result) __must_check;
int vcpu_probe(struct vcpu *v, u64 gva, size_t size, struct shadow_access access,
	       struct vcpu_copy_result *result) __must_check;

int vcpu_read(struct vcpu *v, u64 gva, void *to, size_t size,
	      struct vcpu_copy_result *result) __must_check;
int vcpu_write(struct vcpu *v, u64 gva, const void *from, size_t size,
	       struct vcpu_copy_result *result) __must_check;

/* ---- instructions that trap ---- */

enum vcpu_emulated {
	VCPU_EMULATED,	   /* done, or its own fault reflected */
	VCPU_HALTED,	   /* done: a HLT */
	VCPU_NOT_EMULATED, /* nothing has changed: the exception that came is the guest's */
	VCPU_STOPPED,	   /* an access failed, not by the guest's fault: see *stop */
};

void vcpu_take_debug(struct vcpu *v); /* before a #DB is reflected */

/* Where the instruction wants to store, as its fault has found: checked for just that, and for
 * nothing but the page that holds it. */
struct vcpu_store {
	u64 gva;
	gpa_t gpa;
};

/* Do the store again whose like was emulated before. False: none was, and nothing has changed. */
bool vcpu_repeat_store(struct vcpu *v, struct vcpu_store store);

/* Execute the instruction at RIP for the guest. store: NULL, if it came by no page fault. */
enum vcpu_emulated vcpu_emulate(struct vcpu *v, const struct vcpu_store *store,
				struct vcpu_copy_result *stop) __must_check;

/* ---- what a guest loads ---- */

void vcpu_machine_cpuid(u32 registers[4]); /* EAX and ECX in; the machine's answer out */
void vcpu_set_task_switched(struct vcpu *v, bool set); /* CR0.TS */
void vcpu_load_user_gs(struct vcpu *v, u16 selector);  /* Xen frames: the base swapped out */
void vcpu_load_cr3(struct vcpu *v, u64 cr3);
int vcpu_set_debug(struct vcpu *v, unsigned number, u64 value) __must_check; /* DRn; -EINVAL */
void vcpu_update_mode(struct vcpu *v); /* cr0, cr4 or efer has changed */

/* -EINVAL: the monitor's own selectors, a system or conforming descriptor... nothing is changed
 * then. */
int vcpu_set_descriptors(struct vcpu *v, unsigned first, const u64 *descriptors,
			 unsigned count) __must_check;
void vcpu_default_descriptors(struct vcpu *v);
/* An LDT of count (to VCPU_LDT_ENTRIES) absent descriptors, to be filled by vcpu_set_local(), which
 * leaves absent what may not be; 0: none. -ENOMEM. */
#define VCPU_LDT_ENTRIES 512
int vcpu_start_ldt(struct vcpu *v, unsigned count) __must_check;
void vcpu_set_local(struct vcpu *v, unsigned index, u64 descriptor);
/* As vcpu_set_descriptors(), of the LDT, which begins or grows as is needed; -ENOMEM too. */
int vcpu_set_locals(struct vcpu *v, unsigned first, const u64 *descriptors,
		    unsigned count) __must_check;
u64 vcpu_descriptor(const struct vcpu *v, u16 selector); /* 0: none */
u64 vcpu_written_descriptor(const struct vcpu *v, u16 selector); /* a kernel's DPL is 0 */
void vcpu_set_entry_stack(struct vcpu *v); /* before each entry, if small_stacks */
void vcpu_load_user_code(const struct vcpu *v, u64 *gdt); /* present, or not: hides_users */
int vcpu_set_gates(struct vcpu *v, unsigned first, const u64 (*gates)[2],
		   unsigned count) __must_check;
#define VCPU_BASE_GS_SWAPPED 2 /* beside GN_BASE_FS and GN_BASE_GS: what SWAPGS would bring */
int vcpu_set_base(struct vcpu *v, u64 which, u64 base) __must_check; /* -EINVAL: no such base */
u64 vcpu_features(const struct vcpu *v);			     /* GN_FEATURE_ bits */
void vcpu_describe_paging(struct shadow_config *config);	     /* what depends on the CPU */
/* For a personality: frames of Xen from now on; vif, pending and CR2 in these bytes of a page that
 * the guest has too, which the window shows it at GN_VCPU_INFO_PAGE. */
void vcpu_use_xen_frames(struct vcpu *v);
void vcpu_set_info(struct vcpu *v, mfn_t page, u8 *vif, u8 *pending, u64 *cr2);

void vcpu_set_syscall_entry(struct vcpu *v, u64 rip, u64 fmask);
bool vcpu_descriptor_is_usable(const struct vcpu *v, u16 selector, bool code);

/* The guest's GS bases are in the CPU while its vCPU is loaded; nothing of ours uses GS. */
static inline void vcpu_swap_gs(void)
{
	swapgs();
}

static inline bool is_canonical(u64 address)
{
	return (u64)((s64)(address << 16) >> 16) == address;
}

/* May ring 1 or 3 be sent there: canonical, and not into what is ours. The code area is the
 * guest's. */
static inline bool is_guest_address(u64 address)
{
	return is_canonical(address) &&
	       (address < GN_WINDOW_BASE || address >= AREA_END);
}

#endif
