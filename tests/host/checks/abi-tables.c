// SPDX-License-Identifier: MIT
/*
 * abi-tables.c - the tables of ABI.md, from the headers. A program of the build machine: it copies
 * ABI.md from its input to its output, and replaces what stands between the lines
 *	<!-- table: NAME -->
 *	<!-- end -->
 * by the table of that name. A name that it does not know is an error, as is a table that ABI.md
 * lacks.
 */
#include "guest-abi/hypercalls.h"
#include "guest-abi/layout.h"
#include "guest-abi/sites.h"
#include "guest-abi/vmi.h"
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define A0()		  ""
#define A1(a)		  #a
#define A2(a, b)	  #a ", " #b
#define A3(a, b, c)	  #a ", " #b ", " #c
#define A4(a, b, c, d)	  #a ", " #b ", " #c ", " #d
#define A5(a, b, c, d, e) #a ", " #b ", " #c ", " #d ", " #e

/* VMI's functions; here: the call's number or the operation's slot, or -1. */
static const struct vmi {
	const char *name, *how, *words;
	int here;
} vmi[] = {
#define CALL(vmi, name)		   {#vmi, "call", "`" #name "`", GN_CALL_##name},
#define OPERATION(vmi, name)	   {#vmi, "operation", "`" #name "`", GN_OP_##name},
#define NATIVE(vmi, native, words) {#vmi, native, words, -1},
#define NONE(vmi, why)		   {#vmi, "nothing", why, -1},
    GN_VMI(CALL, OPERATION, NATIVE, NONE)
#undef CALL
#undef OPERATION
#undef NATIVE
#undef NONE
};
#define VMI_COUNT (sizeof(vmi) / sizeof(vmi[0]))

static void print_vmi(void)
{
	puts("| VMI | here | |\n| --- | --- | --- |");
	for (unsigned i = 0; i < VMI_COUNT; i++)
		printf("| %s | %s | %s |\n", vmi[i].name, vmi[i].how, vmi[i].words);
}

/* The last column of a row: what VMI calls this. */
static void print_vmi_names(int here)
{
	const char *separator = "";

	printf(" |");
	for (unsigned i = 0; i < VMI_COUNT; i++)
		if (vmi[i].here == here) {
			printf("%s %s", separator, vmi[i].name);
			separator = ",";
		}
	puts(" |");
}

static void print_calls(void)
{
	puts("| number | call | arguments | ring | promise | VMI |\n"
	     "| --- | --- | --- | --- | --- | --- |");
#define X(number, name, arguments, flags, promise)                                                 \
	printf("| %d | `%s` | %s | %s | %s", number, #name, arguments,                             \
	       (flags) == GN_DEFER_MMU	 ? "yes, MMU"                                              \
	       : (flags) == GN_DEFER_CPU ? "yes, CPU"                                              \
	       : (flags)&GN_DEFER	 ? "yes"                                                   \
					 : "",                                                     \
	       promise);                                                                           \
	print_vmi_names(number);
	GN_HYPERCALLS(X)
#undef X
}

static void print_operations(void)
{
	puts("| slot | address | operation | by | promise | VMI |\n"
	     "| --- | --- | --- | --- | --- | --- |");
#define O(slot, name, reached, promise)                                                            \
	printf("| %d | %#lx | `%s` | %s | %s", slot, (unsigned long)GN_SLOT(slot), #name, reached, \
	       promise);                                                                           \
	print_vmi_names(slot);
	GN_OPERATIONS(O)
#undef O
}

static void print_errors(void)
{
	puts("| RAX | error | meaning |\n| --- | --- | --- |");
#define X(name, number, meaning) printf("| -%d | `%s` | %s |\n", number, #name, meaning);
	GN_ERRORS(X)
#undef X
}

#define NUMBER(name, meaning)                                                                      \
	printf("| `%s` | %#lx | %s |\n", #name, (unsigned long)(name), meaning)

static void print_numbers(void)
{
	puts("| name | value | what |\n| --- | --- | --- |");
	NUMBER(GN_CODE_AREA, "the code area: read-only, executable");
	NUMBER(GN_CODE_SIZE, "its size");
	NUMBER(GN_SLOT_SIZE, "bytes of a slot");
	NUMBER(GN_VCPU_PAGE, "the vcpu page: read-write, not executable");
	NUMBER(GN_HYPERCALL_VECTOR, "INT of this vector is a hypercall too");
	NUMBER(GN_GDT_ENTRIES, "entries of a guest's own GDT, at most");
	NUMBER(GN_KERNEL_CS, "CS while ring 1 runs");
	NUMBER(GN_KERNEL_SS, "SS while ring 1 runs");
	NUMBER(GN_GUEST_KERNEL_CS, "the kernel's code descriptor in the default GDT");
	NUMBER(GN_GUEST_KERNEL_SS, "the kernel's data; SS in frames of the kernel");
	NUMBER(GN_USER_SS, "the user's data, of SYSCALL and `sysret`");
	NUMBER(GN_USER_CS, "the user's code, likewise");
	NUMBER(GN_BASE_FS, "`set_segment_base`: FS");
	NUMBER(GN_BASE_GS, "`set_segment_base`: GS");
	NUMBER(GN_PORT_TIMER, "port: the deadline of `timer_set` is over");
	NUMBER(GN_PORT_CONSOLE, "port: console input waits");
	NUMBER(GN_PORT_SELF, "port: `port_raise`");
	NUMBER(GN_PORT_COUNT, "ports are below this");
	NUMBER(GN_TIMER_PERIOD, "the least period of `timer_periodic`, ns");
	NUMBER(GN_SHUTDOWN_POWEROFF, "`shutdown`: the guest has done its work");
	NUMBER(GN_SHUTDOWN_REBOOT, "`shutdown`: begin again, if on_reboot=restart");
	NUMBER(GN_SHUTDOWN_CRASH, "`shutdown`: the guest has failed");
	NUMBER(GN_FEATURE_XSAVE, "`features`: XGETBV works; XCR0 says what may be used");
	NUMBER(GN_FEATURE_SMEP, "`features`: ring 1 cannot execute user pages, asked for or not");
	NUMBER(GN_FEATURE_NOTIFIED,
	       "`features`: the monitor must be told of changed page tables (chapter 14)");
	NUMBER(GN_RING_ENTRIES, "entries of the ring");
	NUMBER(GN_LAZY_MMU, "`set_lazy`: calls marked MMU in chapter 2 go into the ring");
	NUMBER(GN_LAZY_CPU, "`set_lazy`: those marked CPU");
	NUMBER(GN_LINEAR_MAPS, "linear maps of `set_linear_map`");
	NUMBER(GN_TABLE_LEVEL, "`table_allocate`, `table_release`: the bits of the level, 1 to 4");
	NUMBER(GN_TABLE_ZEROED, "`table_allocate`: the frame holds no entry");
	NUMBER(GN_TABLE_CLONE, "`table_allocate`: it holds the entries of `original`");
}

#define FIELD(structure, field, what)                                                              \
	printf("| %zu | %zu | `%s` | %s |\n", offsetof(structure, field),                          \
	       sizeof(((structure *)0)->field), #field, what)
#define FIELDS "| offset | bytes | field | what |\n| --- | --- | --- | --- |"

static void print_vcpu_page(void)
{
	puts(FIELDS);
	FIELD(struct gn_vcpu_page, pending, "an event waits; the monitor's");
	FIELD(struct gn_vcpu_page, vif, "the virtual interrupt flag, 0 or 1");
	FIELD(struct gn_vcpu_page, cr2, "the address of the last page fault");
	FIELD(struct gn_vcpu_page, clock.seq, "odd: the clock is being written");
	FIELD(struct gn_vcpu_page, clock.shift, "signed");
	FIELD(struct gn_vcpu_page, clock.mul, "ns per shifted tick, in 1/2^32");
	FIELD(struct gn_vcpu_page, clock.tsc_khz, "the TSC's frequency");
	FIELD(struct gn_vcpu_page, clock.tsc_base, "the TSC when it was ns_base");
	FIELD(struct gn_vcpu_page, clock.ns_base, "ns since the monitor booted");
	FIELD(struct gn_vcpu_page, clock.wall_seconds, "seconds since 1970 UTC, when ns was 0");
	FIELD(struct gn_vcpu_page, deliver, "between monitor and code area: leave it alone");
	FIELD(struct gn_vcpu_page, deliver_error, "likewise");
	FIELD(struct gn_vcpu_page, deliver_handler, "likewise");
	FIELD(struct gn_vcpu_page, site, "likewise");
	FIELD(struct gn_vcpu_page, sysret, "likewise");
	FIELD(struct gn_vcpu_page, linear, "linear maps: 4 times {first, size, physical}, 8 bytes "
					   "each");
	FIELD(struct gn_vcpu_page, lazy, "the lazy mode");
	FIELD(struct gn_vcpu_page, ring_head, "the monitor's end of the ring");
	FIELD(struct gn_vcpu_page, ring_tail, "the guest's end");
	FIELD(struct gn_vcpu_page, ring, "64 times {call, 4 arguments}, 8 bytes each");
}

static void print_start_info(void)
{
	puts(FIELDS);
	FIELD(struct gn_start_info, magic, "the bytes of \"gnomon\", then two of 0");
	FIELD(struct gn_start_info, abi_version, "as `version` answers");
	FIELD(struct gn_start_info, memory_size, "of RAM, from physical 0, bytes");
	FIELD(struct gn_start_info, command_line, "address of a text that ends with 0");
	FIELD(struct gn_start_info, initrd, "address");
	FIELD(struct gn_start_info, initrd_size, "bytes; 0: none");
	FIELD(struct gn_start_info, free_start, "[free_start, free_end): RAM that nothing uses");
	FIELD(struct gn_start_info, free_end, "");
	FIELD(struct gn_start_info, vcpu_page_gfn,
	      "the vcpu page's own frame number, to map it anywhere");
}

static void print_stats(void)
{
	puts(FIELDS);
	FIELD(struct gn_stats, exits, "monitor entries");
	FIELD(struct gn_stats, hypercalls, "by slot or INT; those in the ring are not counted");
	FIELD(struct gn_stats, fills, "shadow entries made");
	FIELD(struct gn_stats, cr3_writes, "two for each monitor entry");
	FIELD(struct gn_stats, events, "delivered");
	FIELD(struct gn_stats, reflections, "exceptions handed to the guest");
	FIELD(struct gn_stats, shadow_frames, "frames of its shadow memory: they only grow");
	FIELD(struct gn_stats, stolen_ns, "ns in which it was awake and did not run");
}

/* Numbers, then the bytes: as GN_SITE_NAME has them. */
static void print_site(const char *name, const char *native, const char *lost, const int *numbers)
{
	printf("| %d | `%s` | %s |", numbers[0], name, native);
	for (int i = 0; i < numbers[2]; i++)
		printf(" %02x", (unsigned)numbers[3 + i]);
	printf(" | %d | %s |\n", numbers[1], lost);
}

static void print_sites(void)
{
	puts("| number | operation | native instruction | its bytes | room | lost |\n"
	     "| --- | --- | --- | --- | --- | --- |");
#define S(name, native, lost) print_site(#name, native, lost, (const int[]){GN_SITE_##name});
	GN_SITES(S)
#undef S
}

static const struct table {
	const char *name;
	void (*print)(void);
} tables[] = {
    {"calls", print_calls},	{"operations", print_operations}, {"errors", print_errors},
    {"numbers", print_numbers}, {"vcpu page", print_vcpu_page},	  {"start info", print_start_info},
    {"stats", print_stats},	{"sites", print_sites},		  {"vmi", print_vmi},
};
#define TABLES (sizeof(tables) / sizeof(tables[0]))

/* Print the table that this line begins; -1: it begins none, -2: one that does not exist. */
static int begin(const char *line)
{
	char name[40];

	if (sscanf(line, "<!-- table: %39[a-z ]", name) != 1)
		return -1;
	name[strlen(name) - 1] = 0; /* the blank before the arrow */
	for (unsigned i = 0; i < TABLES; i++)
		if (!strcmp(tables[i].name, name)) {
			tables[i].print();
			return (int)i;
		}
	fprintf(stderr, "ABI.md: no table '%s'\n", name);
	return -2;
}

int main(void)
{
	char line[4096];
	unsigned seen = 0;
	int in_table = 0;

	while (fgets(line, sizeof(line), stdin)) {
		if (!strncmp(line, "<!-- end", 8))
			in_table = 0;
		if (in_table)
			continue;
		fputs(line, stdout);
		in_table = begin(line) + 1;
		if (in_table < 0)
			return 1;
		if (in_table)
			seen |= 1u << (in_table - 1);
	}
	if (seen != (1u << TABLES) - 1) {
		fputs("ABI.md: a table is missing\n", stderr);
		return 1;
	}
	return 0;
}
