// SPDX-License-Identifier: MIT
/*
 * sites - annotated instructions do the same natively, unpatched in ring 1, and patched.
 *
 * The pieces below are code with sites of every kind, run with all registers given. The bare
 * machine runs them as they are; Gnomon first as they are, where they trap, and then as the kit has
 * patched them. What is asked is the same: what an operation does, the registers that it keeps, the
 * address and the stack with which its fault is reported, and that single steps and breakpoints
 * pass through a site as through an instruction. PUSHF and POPF cannot trap: unpatched they are
 * left out.
 */
#include "guest-abi/kit/patch.h"
#include "guest-abi/kit/site.h"
#include "tests/guest/lib/test.h"

const char test_name[] = "sites";

#define TF 0x100
#define IF 0x200
#define RF 0x10000

#define GP_VECTOR 13
#define DB_VECTOR 1
#define EVENT	  0x40
#define NO_SEG	  0x4b /* names no descriptor */

#define VCPU_ALIAS 0x60000000ul /* within the reach of this kernel */
#define SOME_PAGE  0x61000000ul
#define NO_ADDRESS 0x8000000000000000ul

#define MSR_STAR      0xc0000081
#define MSR_FS_BASE   0xc0000100
#define MSR_GS_BASE   0xc0000101
#define MSR_KERNEL_GS 0xc0000102

/* Code that ends at an INT3, and a name for its first byte and for the byte behind its sites. */
#define PIECE(name, text)                                                                          \
	__asm__(".pushsection .text\n" #name ":\n" text "\n" #name "_end: int3\n.popsection");     \
	extern const u8 name[], name##_end[]

PIECE(cli, GN_SITE(cli));
PIECE(sti, GN_SITE(sti));
PIECE(cli_sti, GN_SITE(cli) "nop\n" GN_SITE(sti) "nop\n" GN_SITE(cli));
PIECE(sti_save,
      GN_SITE(sti) GN_SITE(save_flags) "mov %rax, %rbx\n" GN_SITE(cli) GN_SITE(save_flags));
PIECE(restore_save, GN_SITE(restore_flags) GN_SITE(save_flags));
PIECE(iret, GN_SITE(iret));
PIECE(sysret, "mov 24(%rsp), %rsp\n" GN_SITE(sysret));
PIECE(sti_nops, GN_SITE(sti) "nop\nnop");
PIECE(sti_hlt, GN_SITE(sti_hlt));
PIECE(read_cr2, GN_SITE(read_cr2));
PIECE(write_cr3, GN_SITE(write_cr3));
PIECE(read_cr3, GN_SITE(read_cr3));
PIECE(invlpg, GN_SITE(invlpg));
PIECE(write_fs_base, GN_SITE(write_fs_base));
PIECE(write_gs_base, GN_SITE(write_gs_base));
PIECE(wbinvd, GN_SITE(wbinvd));
PIECE(clts, GN_SITE(clts));
PIECE(swapgs, GN_SITE(swapgs));
PIECE(control, GN_SITE(read_cr0) "mov %rax, %rdi\n" GN_SITE(write_cr0)
		   GN_SITE(read_cr4) "mov %rax, %rdi\n" GN_SITE(write_cr4) GN_SITE(read_cr0));
PIECE(rdmsr, GN_SITE(rdmsr));
PIECE(wrmsr, GN_SITE(wrmsr));
PIECE(cpuid, GN_SITE(cpuid));
PIECE(rdtsc, GN_SITE(rdtsc));
PIECE(pte_set, GN_SITE(pte_set));
PIECE(pte_swap, GN_SITE(pte_swap));
PIECE(pte_test_and_set_bit, GN_SITE(pte_test_and_set_bit));
PIECE(pte_test_and_clear_bit, GN_SITE(pte_test_and_clear_bit));
PIECE(pte_deactivate, GN_SITE(pte_deactivate));
PIECE(stepped, "nop\n" GN_SITE(cli) "mov %rdi, %rbx\n" GN_SITE(sti) "nop\n" GN_SITE(cli)
		   GN_SITE(wbinvd) GN_SITE(read_cr2) GN_SITE(write_fs_base) "nop");

static const char *phase;
static bool patched; /* or on the bare machine: PUSHF shows the flag that counts */

static struct state at(const u8 *code)
{
	struct state s = state_for(KERNEL);

	s.rip = (u64)code;
	return s;
}

/* Run a piece to its end; every register is as it was, but those that may be lost. */
static bool ran(struct state *s, const u8 *end)
{
	struct state before = *s;

	enter(s);
	return check(s->vector == DONE && s->rip == (u64)end + 1 && s->rsp == before.rsp &&
			 s->rbx == before.rbx && s->rbp == before.rbp && s->r8 == before.r8 &&
			 s->r9 == before.r9 && s->r10 == before.r10 && s->r12 == before.r12 &&
			 s->r15 == before.r15,
		     "%s: the piece before %lx: vector %lu at %lx, error %lx, RSP %lx", phase,
		     (u64)end, s->vector, s->rip, s->error, s->rsp);
}

static void set_msr(u32 number, u64 value)
{
	struct state s = at(wrmsr);

	s.rcx = number;
	s.rax = (u32)value;
	s.rdx = value >> 32;
	ran(&s, wrmsr_end);
}

static u64 msr(u32 number)
{
	struct state s = at(rdmsr);

	s.rcx = number;
	ran(&s, rdmsr_end);
	return (s.rdx << 32) | (u32)s.rax;
}

/* ---- what each operation does ---- */

static void check_flag(void)
{
	struct state s = at(sti);

	ran(&s, sti_end);
	check(s.rflags & IF, "%s: STI: RFLAGS %lx", phase, s.rflags);
	s = at(cli);
	s.rflags |= IF | 0x8d5; /* and the arithmetic flags, which CLI keeps */
	ran(&s, cli_end);
	check((s.rflags & 0xfff) == 0x8d7, "%s: CLI: RFLAGS %lx", phase, s.rflags);
	s = at(cli_sti);
	ran(&s, cli_sti_end);
	check(!(s.rflags & IF), "%s: CLI STI CLI: RFLAGS %lx", phase, s.rflags);
	if (!patched)
		return;
	s = at(sti_save);
	s.rflags &= ~(u64)IF;
	enter(&s);
	check(s.vector == DONE && (s.rbx & IF) && !(s.rax & IF) && !(s.rflags & IF),
	      "%s: PUSHF: %lx %lx, RFLAGS %lx", phase, s.rbx, s.rax, s.rflags);
	for (u64 flags = 2; flags <= (2 | IF); flags += IF) {
		s = at(restore_save);
		s.rdi = flags;
		ran(&s, restore_save_end);
		check((s.rax & IF) == (flags & IF) && (s.rflags & IF) == (flags & IF),
		      "%s: POPF of %lx: %lx, RFLAGS %lx", phase, flags, s.rax, s.rflags);
	}
}

static void check_paging(void)
{
	u64 *before = page_root, *copy = root_copy();
	u8 *one = page_alloc(), *two = page_alloc();
	struct state s;

	try_read(KERNEL, 0x123456789000);
	s = at(read_cr2);
	ran(&s, read_cr2_end);
	check(s.rax == 0x123456789000, "%s: CR2 is %lx", phase, s.rax);

	s = at(write_cr3);
	s.rdi = (u64)copy;
	ran(&s, write_cr3_end);
	check(s.rdi == (u64)copy, "%s: RDI is lost", phase);
	s = at(read_cr3);
	ran(&s, read_cr3_end);
	check((s.rax & PTE_ADDR) == (u64)copy, "%s: CR3 is %lx", phase, s.rax);
	s = at(write_cr3);
	s.rdi = (u64)before;
	ran(&s, write_cr3_end);

	one[0] = 1;
	two[0] = 2;
	map(SOME_PAGE, (u64)one, PTE_P | PTE_W);
	check(*(volatile u8 *)SOME_PAGE == 1, "%s: a page", phase);
	*pte_of(SOME_PAGE) = (u64)two | PTE_P | PTE_W;
	s = at(invlpg);
	s.rdi = SOME_PAGE;
	ran(&s, invlpg_end);
	check(*(volatile u8 *)SOME_PAGE == 2, "%s: INVLPG", phase);
}

/* An operation on an entry: what it answers and leaves there. */
static void check_entry(u64 *entry, const u8 *code, const u8 *end, u64 second, u64 answer,
			u64 after)
{
	struct state s = at(code);

	s.rdi = (u64)entry;
	s.rsi = second;
	ran(&s, end);
	check((code == pte_set || s.rax == answer) && *(volatile u64 *)entry == after,
	      "%s: the entry's operation at %lx: RAX %lx, now %lx", phase, (u64)code, s.rax,
	      *entry);
}

static void check_entries(void)
{
	bool is_told = on_gnomon && (CALL(features) & GN_FEATURE_NOTIFIED);
	u8 *one = page_alloc(), *two = page_alloc();
	u64 first = (u64)one | PTE_P | PTE_W, second = (u64)two | PTE_P | PTE_W, *entry;

	if (is_told && !patched)
		return; /* plain instructions tell nobody */
	map(SOME_PAGE, 0, 0);
	entry = pte_of(SOME_PAGE);
	one[0] = 1;
	two[0] = 2;
	check_entry(entry, pte_set, pte_set_end, first, 0, first);
	check(*(volatile u8 *)SOME_PAGE == 1, "%s: the page that was set", phase);
	first = *entry; /* with A */
	check_entry(entry, pte_swap, pte_swap_end, second, first, second);
	invalidate(SOME_PAGE);
	check(*(volatile u8 *)SOME_PAGE == 2, "%s: the page that was exchanged", phase);
	second = *entry;
	check_entry(entry, pte_test_and_clear_bit, pte_test_and_clear_bit_end, 1, 1, second & ~2ul);
	check_entry(entry, pte_test_and_clear_bit, pte_test_and_clear_bit_end, 1, 0, second & ~2ul);
	check_entry(entry, pte_test_and_set_bit, pte_test_and_set_bit_end, 63, 0,
		    (second & ~2ul) | PTE_NX);
	check_entry(entry, pte_test_and_set_bit, pte_test_and_set_bit_end, 63, 1,
		    (second & ~2ul) | PTE_NX);
	invalidate(SOME_PAGE);
	check(try_write(KERNEL, SOME_PAGE, 0).vector == 14, "%s: a page that lost W", phase);
	check_entry(entry, pte_deactivate, pte_deactivate_end, 0, (second & ~2ul) | PTE_NX, 0);
	invalidate(SOME_PAGE);
	check(try_read(KERNEL, SOME_PAGE).vector == 14, "%s: a page that is gone", phase);
}

static void check_bases(void)
{
	u64 gs = msr(MSR_GS_BASE), kernel_gs = msr(MSR_KERNEL_GS);
	struct state s = at(write_fs_base);

	s.rdi = 0x7654321ff8;
	ran(&s, write_fs_base_end);
	check(msr(MSR_FS_BASE) == 0x7654321ff8, "%s: FS base", phase);
	s = at(write_gs_base);
	s.rdi = 0xffffffff12345678;
	ran(&s, write_gs_base_end);
	s = at(swapgs);
	ran(&s, swapgs_end);
	check(msr(MSR_GS_BASE) == kernel_gs && msr(MSR_KERNEL_GS) == 0xffffffff12345678,
	      "%s: SWAPGS: %lx %lx", phase, msr(MSR_GS_BASE), msr(MSR_KERNEL_GS));
	s = at(swapgs);
	ran(&s, swapgs_end);
	set_msr(MSR_GS_BASE, gs);
	check(msr(MSR_GS_BASE) == gs, "%s: WRMSR", phase);
}

static void check_others(void)
{
	struct state s = at(control), vendor = at(cpuid);

	ran(&s, control_end);
	check((s.rax & 0x80000001) == 0x80000001, "%s: CR0 is %lx", phase, s.rax);
	s = at(wbinvd);
	ran(&s, wbinvd_end);
	s = at(clts);
	ran(&s, clts_end);
	vendor.rbx = 0;
	enter(&vendor);
	check(vendor.vector == DONE && vendor.rbx && vendor.rip == (u64)cpuid_end + 1,
	      "%s: CPUID: %lx", phase, vendor.rbx);
	s = at(rdtsc);
	ran(&s, rdtsc_end);
	check(s.rax | s.rdx, "%s: RDTSC", phase);
}

/* ---- IRET and SYSRET ---- */

SNIPPET(nothing, "nop");

#define PATTERN(i) (0x1122334455667788ul * ((i) + 1))

static void check_iret(enum ring ring, u64 flags)
{
	struct state s = state_for(ring);
	u64 *word = (u64 *)&s;

	stage_code(ring, &nothing, 0);
	for (unsigned i = STATE_RAX / 8; i <= STATE_R15 / 8; i++)
		word[i] = PATTERN(i);
	s.rflags = 2 | flags;
	enter_through(&s, (u64)iret);
	check(s.vector == DONE && s.rip == state_for(ring).rip + 2 &&
		  s.rsp == state_for(ring).rsp && (s.rflags & IF) == flags,
	      "%s: IRET to ring %d: vector %lu at %lx, RSP %lx, RFLAGS %lx", phase, ring, s.vector,
	      s.rip, s.rsp, s.rflags);
	for (unsigned i = STATE_RAX / 8; i <= STATE_R15 / 8; i++)
		check(word[i] == PATTERN(i), "%s: IRET to ring %d: register %u is %lx", phase, ring,
		      i, word[i]);
}

static void check_returns(void)
{
	struct state s = state_for(USER);

	check_iret(KERNEL, 0);
	check_iret(KERNEL, IF);
	check_iret(USER, IF);
	set_msr(MSR_STAR, (u64)USER_CS32 << 48 | (u64)KERNEL_CS << 32);
	s.rcx = s.rip;
	s.r11 = s.rflags;
	enter_through(&s, (u64)sysret);
	check(s.vector == DONE && s.rip == USER_CODE + 2 && s.rsp == state_for(USER).rsp,
	      "%s: SYSRET: vector %lu at %lx, RSP %lx", phase, s.vector, s.rip, s.rsp);
}

/* ---- faults: at the native instruction, which has size bytes, with the stack that it had ---- */

static void check_fault(const struct state *s, const u8 *end, u64 size, u64 error, u64 rsp)
{
	check(s->vector == GP_VECTOR && s->error == error && s->rip == (u64)end - size &&
		  (!rsp || s->rsp == rsp),
	      "%s: the fault before %lx: vector %lu error %lx at %lx, RSP %lx", phase, (u64)end,
	      s->vector, s->error, s->rip, s->rsp);
}

static void check_refused(const u8 *code, const u8 *end, u64 size, u64 rdi)
{
	struct state s = at(code);

	s.rdi = rdi;
	enter(&s);
	check_fault(&s, end, size, 0, state_for(KERNEL).rsp);
}

static void check_bad_frame(u64 cs, u64 ss, u64 rip, u64 error)
{
	struct state s = state_for(USER);

	s.cs = cs;
	s.ss = ss;
	s.rip = rip;
	enter_through(&s, (u64)iret);
	check_fault(&s, iret_end, 2, error, 0);
}

static void check_faults(void)
{
	struct state s;

	if (on_gnomon || !on_tcg) { /* TCG itself takes such addresses, or hangs */
		check_refused(write_cr3, write_cr3_end, 3, 1ul << 62);
		check_refused(write_fs_base, write_fs_base_end, 2, NO_ADDRESS);
		check_refused(write_gs_base, write_gs_base_end, 2, NO_ADDRESS);
	}
	check_bad_frame(NO_SEG, USER_SS, USER_CODE, NO_SEG & ~3ul);
	check_bad_frame(USER_CS, NO_SEG, USER_CODE, NO_SEG & ~3ul);
	if (!on_tcg) /* which looks at RIP only when the target is fetched */
		check_bad_frame(USER_CS, USER_SS, NO_ADDRESS, 0);
	if (!on_gnomon)
		return;
	/* By the slot, after a site has been used: the site is not blamed. */
	s = state_for(USER);
	s.cs = NO_SEG;
	enter_through(&s, GN_SLOT(GN_OP_iret));
	check(s.vector == GP_VECTOR && s.rip == GN_SLOT(GN_OP_iret), "%s: the slot's fault at %lx",
	      phase, s.rip);
}

/* ---- debugging ---- */

/* Each step ends in the piece, farther on; at most one for each of its bytes. */
static void check_steps(void)
{
	struct state s = at(stepped);
	u64 last = s.rip;
	unsigned steps = 0;

	s.rflags |= TF;
	s.rdi = 0x5000;
	while (enter(&s) == DB_VECTOR && steps++ < 200) {
		check(s.rip > last && s.rip <= (u64)stepped_end, "%s: a step from %lx to %lx",
		      phase, last, s.rip);
		last = s.rip;
		s.rflags |= TF;
	}
	check(s.vector == DONE && s.rip == (u64)stepped_end + 1 && s.rbx == 0x5000 && steps >= 8,
	      "%s: after %u steps vector %lu at %lx", phase, steps, s.vector, s.rip);
	check(msr(MSR_FS_BASE) == 0x5000, "%s: the stepped FS base", phase);
}

SNIPPET(set_breakpoint, "mov %rbx, %dr0; mov %rdi, %dr7");
#define DR7_FIRST 2 /* execute, global */

static void set_break(u64 address, u64 dr7)
{
	struct state s = state_for(KERNEL);

	s.rbx = address;
	s.rdi = dr7;
	run_state(&s, KERNEL, &set_breakpoint);
	check(s.vector == DONE, "%s: MOV to DR took %lu", phase, s.vector);
}

/* At a site's first byte, by the CPU and by a debugger's INT3. */
static void check_breaks(const u8 *site, const u8 *end)
{
	volatile u8 *byte = (volatile u8 *)site;
	u8 kept = *byte;
	struct state s;

	set_break((u64)site, DR7_FIRST);
	s = at(site);
	enter(&s);
	check(s.vector == DB_VECTOR && s.rip == (u64)site, "%s: breakpoint: vector %lu at %lx",
	      phase, s.vector, s.rip);
	s.rflags |= RF;
	ran(&s, end);
	set_break(0, 0);

	*byte = 0xcc;
	s = at(site);
	enter(&s);
	check(s.vector == 3 && s.rip == (u64)site + 1, "%s: INT3: vector %lu at %lx", phase,
	      s.vector, s.rip);
	*byte = kept;
	s.rip = (u64)site;
	ran(&s, end);
}

/* ---- an event wakes STI; HLT ---- */

static volatile u64 events __attribute__((used));

__asm__(".pushsection .text\n"
	"count_event: push %rax; push %rcx; push %r11; push %rdi\n"
	"incq events(%rip)\n"
	"mov poll_slot(%rip), %rax\n"
	"mov $"
	"2"
	", %edi\n" /* GN_PORT_SELF */
	"call *%rax\n"
	"pop %rdi; pop %r11; pop %rcx; pop %rax\n" GN_SITE(iret) ".popsection");
extern const u8 count_event[];
static const u64 poll_slot __attribute__((used)) = GN_SLOT(GN_CALL_port_poll);
_Static_assert(GN_PORT_SELF == 2, "");

static void check_halt(void)
{
	struct state s;

	if (!on_gnomon)
		return; /* its interrupts are those of the example */
	gate_set_handler(EVENT, (u64)count_event, 1, 0);
	CALL(port_bind, GN_PORT_SELF, EVENT);
	for (unsigned i = 0; i < 3; i++) {
		u64 before = events;

		CALL(port_raise, GN_PORT_SELF);
		s = at(sti_hlt);
		ran(&s, sti_hlt_end);
		check(events == before + 1 && (s.rflags & IF), "%s: STI; HLT: %lu events", phase,
		      events - before);
		s = at(cli);
		ran(&s, cli_end);
	}
	/* An event that waits comes inside STI, and inside POPF. (STI itself holds it off for one
	 * instruction, which here is INT3.) */
	for (unsigned i = 0; i < 2 && patched; i++) {
		u64 before = events;

		CALL(port_raise, GN_PORT_SELF);
		s = at(i ? restore_save : sti_nops);
		s.rdi = IF;
		ran(&s, i ? restore_save_end : sti_nops_end);
		check(events == before + 1, "%s: STI or POPF: %lu events", phase, events - before);
	}
	CALL(port_bind, GN_PORT_SELF, 0);
}

/* ---- all of it, in each form ---- */

static void check_debugging(void)
{
	check_steps();
	check_breaks(cli, cli_end);
	check_breaks(sti, sti_end);
	check_breaks(wbinvd, wbinvd_end);
	check_breaks(read_cr3, read_cr3_end);
}

static void (*const checks[])(void) = {check_flag,   check_paging,    check_entries,
				       check_bases,  check_others,    check_returns,
				       check_faults, check_debugging, check_halt};

static void check_all(const char *name)
{
	phase = name;
	for (unsigned i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		checks[i]();
}

extern const struct gn_site gn_site_table[], gn_site_table_end[];
extern const u8 image_start[], image_end[];
static u64 targets[GN_SITE_COUNT];

static void patch(u64 vcpu_page)
{
	const struct gn_patch request = {
	    .sites = gn_site_table,
	    .sites_end = gn_site_table_end,
	    .text = (u64)image_start,
	    .text_end = (u64)image_end,
	    .vcpu_page = vcpu_page,
	    .targets = targets,
	    .relocation = gn_relocation,
	};
	const struct gn_site *wrong;
	const char *why = gn_patch_sites(&request, &wrong);

	check(!why, "patch: %s", why ? why : "");
	patched = true;
}

void test_main(void)
{
	patched = !on_gnomon;
	check_all(on_gnomon ? "trapping" : "bare");
	if (!on_gnomon)
		return;
	map(VCPU_ALIAS, start_info.vcpu_page_gfn << 12, PTE_P | PTE_W | PTE_NX);
	patch(VCPU_ALIAS);
	check(cli[0] == 0xc6 && sti[0] == 0xff, "the first bytes are %x and %x", cli[0], sti[0]);
	check_all("patched");
}
