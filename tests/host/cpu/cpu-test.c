// SPDX-License-Identifier: MIT
/* cpu-test.c - see README.md. */
#include <stdio.h>
#include <string.h>
#include "arch/x86/cpu/features.h"
#include "arch/x86/cpu/speculation.h"
#include "lib/compiler.h"

#define RSB    SPECULATION_RSB_FILL
#define BHB    SPECULATION_BHB_CLEAR
#define ENTRY  SPECULATION_IBPB
#define VERW   SPECULATION_VERW
#define SWITCH SPECULATION_SWITCH_IBPB

/* IA32_ARCH_CAPABILITIES, SDM 4 table 2-2. */
#define RDCL_NO	   (1ul << 0)
#define IBRS_ALL   (1ul << 1)
#define RSBA	   (1ul << 2)
#define MDS_NO	   (1ul << 5)
#define RRSBA	   (1ul << 19)
#define BHI_NO	   (1ul << 20)
#define RFDS_CLEAR (1ul << 28)

struct cpu_features cpu_features;

static const struct row {
	const char *name;
	struct cpu_features features;
	u32 plan;
	const char *open; /* what the log must admit, or NULL */
} rows[] = {
	{"Haswell without microcode",
     {.vendor = CPU_INTEL, .family = 6, .model = 0x3c},
     RSB,
     "no IBPB in this CPU"},
	{"Haswell",
     {.vendor = CPU_INTEL, .family = 6, .model = 0x3c, .ibpb = true, .md_clear = true},
     RSB | VERW | SWITCH,
     "Meltdown"},
	{"Skylake",
     {.vendor = CPU_INTEL, .family = 6, .model = 0x5e, .ibpb = true, .md_clear = true},
     RSB | ENTRY | VERW | SWITCH,
     "Meltdown"},
	{"Skylake, old microcode",
     {.vendor = CPU_INTEL, .family = 6, .model = 0x5e, .ibpb = true},
     RSB | ENTRY | SWITCH,
     "no buffer clearing"},
	{"Cascade Lake",
     {.vendor = CPU_INTEL,
      .family = 6,
      .model = 0x55,
      .ibpb = true,
      .md_clear = true,
      .arch_capabilities = RDCL_NO | IBRS_ALL | MDS_NO},
     RSB | BHB | ENTRY | SWITCH,
     NULL},
	{"Ice Lake",
     {.vendor = CPU_INTEL,
      .family = 6,
      .model = 0x6a,
      .ibpb = true,
      .md_clear = true,
      .arch_capabilities = RDCL_NO | IBRS_ALL | MDS_NO},
     RSB | BHB | SWITCH,
     NULL},
	{"Alder Lake",
     {.vendor = CPU_INTEL,
      .family = 6,
      .model = 0x97,
      .ibpb = true,
      .md_clear = true,
      .arch_capabilities = RDCL_NO | IBRS_ALL | MDS_NO | RRSBA},
     RSB | BHB | ENTRY | SWITCH,
     NULL},
	{"Gracemont",
     {.vendor = CPU_INTEL,
      .family = 6,
      .model = 0xbe,
      .ibpb = true,
      .arch_capabilities = RDCL_NO | IBRS_ALL | MDS_NO | BHI_NO | RFDS_CLEAR},
     RSB | VERW | SWITCH,
     NULL},
	{"a hypervisor that moves guests (RSBA)",
     {.vendor = CPU_INTEL,
      .family = 6,
      .model = 0x3c,
      .ibpb = true,
      .md_clear = true,
      .arch_capabilities = RSBA},
     RSB | ENTRY | VERW | SWITCH,
     "Meltdown"},
	{"Bulldozer",
     {.vendor = CPU_AMD, .family = 0x15, .model = 1, .ibpb = true},
     RSB | SWITCH,
     NULL},
	{"Zen 1",
     {.vendor = CPU_AMD, .family = 0x17, .model = 1, .ibpb = true},
     RSB | ENTRY | SWITCH,
     NULL},
	{"Hygon",
     {.vendor = CPU_AMD, .family = 0x18, .model = 0, .ibpb = true},
     RSB | ENTRY | SWITCH,
     NULL},
	{"Zen 3",
     {.vendor = CPU_AMD, .family = 0x19, .model = 0x21, .ibpb = true},
     RSB | ENTRY | SWITCH,
     NULL},
	{"Zen with SRSO_NO",
     {.vendor = CPU_AMD, .family = 0x19, .model = 0x21, .ibpb = true, .srso_no = true},
     RSB | SWITCH,
     NULL},
	{"Zen 5",
     {.vendor = CPU_AMD, .family = 0x1a, .model = 2, .ibpb = true, .srso_no = true},
     RSB | SWITCH,
     NULL},
	{"nobody we know",
	 {.vendor = CPU_OTHER, .family = 6, .model = 1},
	 RSB,
	 "no IBPB in this CPU"},
};

static bool is_right(const struct row *row)
{
	char text[300];

	cpu_features = row->features;
	speculation_plan = 0;
	speculation_init(true);
	speculation_describe(text, sizeof(text));
	if (speculation_plan != row->plan || (row->open && !strstr(text, row->open))) {
		printf("cpu: %s: plan %#x, not %#x: %s\n", row->name, speculation_plan, row->plan,
		       text);
		return false;
	}
	speculation_plan = 0;
	speculation_init(false);
	return speculation_plan == 0 && speculation_area_flags() == 0;
}

int main(void)
{
	unsigned passed = 0, failed = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (is_right(&rows[i]))
			passed++;
		else
			failed++;
	}
	printf("cpu: %u passed, %u failed\n", passed, failed);
	return failed != 0;
}
