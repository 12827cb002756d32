// SPDX-License-Identifier: MIT
/*
 * speculation.c - from CPUID and IA32_ARCH_CAPABILITIES to the plan. Compiled code has retpolines
 * always, so an indirect branch is never predicted by what a guest trained; what is left are RETs,
 * the history of branches, and buffers. The bits are those of SDM 4 table 2-2 (MSR 0x10a).
 */
#include "arch/x86/cpu/features.h"
#include "arch/x86/cpu/insn.h"
#include "arch/x86/cpu/speculation.h"
#include "arch/x86/switcher/area.h"
#include "lib/compiler.h"
#include "lib/print.h"

#define ARCH_RDCL_NO	(1ul << 0)
#define ARCH_IBRS_ALL	(1ul << 1)
#define ARCH_RSBA	(1ul << 2)
#define ARCH_MDS_NO	(1ul << 5)
#define ARCH_RRSBA	(1ul << 19)
#define ARCH_BHI_NO	(1ul << 20)
#define ARCH_RFDS_CLEAR (1ul << 28)

#define PRED_CMD_IBPB 1

u32 speculation_plan;
static bool meltdown, uncleared; /* (c) likewise: what the CPU has and the plan cannot help */

/* Skylake and its successors up to Comet Lake: a RET with an empty return stack asks the branch
 * targets (Intel, "Return Stack Buffer Underflow"). Newer ones say so themselves. */
static bool intel_ret_falls_back(const struct cpu_features *f)
{
	static const u8 models[] = {0x4e, 0x55, 0x5e, 0x66, 0x8e, 0x9e, 0xa5, 0xa6};

	if (f->arch_capabilities & (ARCH_RSBA | ARCH_RRSBA))
		return true;
	if (f->family == 6)
		for (size_t i = 0; i < ARRAY_SIZE(models); i++)
			if (f->model == models[i])
				return true;
	return false;
}

static u32 plan_intel(const struct cpu_features *f)
{
	u64 arch = f->arch_capabilities;
	u32 plan = 0;

	if ((arch & ARCH_IBRS_ALL) && !(arch & ARCH_BHI_NO))
		plan |= SPECULATION_BHB_CLEAR;
	if (intel_ret_falls_back(f) && f->ibpb)
		plan |= SPECULATION_IBPB;
	if ((f->md_clear && !(arch & ARCH_MDS_NO)) || (arch & ARCH_RFDS_CLEAR))
		plan |= SPECULATION_VERW;
	return plan;
}

/* Zen 1 and 2 (17h, Hygon 18h) predict RETs as any branch, Zen 3 and 4 (19h) can be made to. */
static u32 plan_amd(const struct cpu_features *f)
{
	bool zen = f->family >= 0x17 && f->family <= 0x19;

	return zen && f->ibpb && !f->srso_no ? SPECULATION_IBPB : 0;
}

__init void speculation_init(bool on)
{
	const struct cpu_features *f = &cpu_features;

	meltdown = f->vendor == CPU_INTEL && !(f->arch_capabilities & ARCH_RDCL_NO);
	uncleared = f->vendor == CPU_INTEL && !(f->arch_capabilities & ARCH_MDS_NO) && !f->md_clear;
	if (!on)
		return;
	speculation_plan = SPECULATION_RSB_FILL | (f->ibpb ? SPECULATION_SWITCH_IBPB : 0);
	if (f->vendor == CPU_INTEL)
		speculation_plan |= plan_intel(f);
	if (f->vendor == CPU_AMD)
		speculation_plan |= plan_amd(f);
}

__init u64 speculation_area_flags(void)
{
	return (speculation_plan & SPECULATION_ENTRY ? AREA_MITIGATE_EXIT : 0) |
	       (speculation_plan & SPECULATION_VERW ? AREA_MITIGATE_ENTRY : 0);
}

void speculation_switch_guest(void)
{
	if (speculation_plan & SPECULATION_SWITCH_IBPB)
		wrmsr(MSR_PRED_CMD, PRED_CMD_IBPB);
}

__init void speculation_describe(char *to, size_t size)
{
	u32 plan = speculation_plan;

	print_format(to, size, "%s%s%s%s%s%s%s%s",
		     plan ? "retpolines, RSB fill" : "off (but retpolines)",
		     plan & SPECULATION_BHB_CLEAR ? ", BHB clear" : "",
		     plan & SPECULATION_IBPB ? ", IBPB at entry" : "",
		     plan & SPECULATION_VERW ? ", VERW at return" : "",
		     plan & SPECULATION_SWITCH_IBPB ? ", IBPB between guests" : "",
		     plan && !cpu_features.ibpb ? ", no IBPB in this CPU" : "",
		     plan && uncleared ? ", no buffer clearing in this CPU" : "",
		     meltdown ? "; a guest's user can read its kernel (Meltdown)" : "");
}
