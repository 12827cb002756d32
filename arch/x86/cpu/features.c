// SPDX-License-Identifier: MIT
/*
 * features.c - CPUID (SDM 2A, APM 3 appendix E). What we require is little: long mode (start.S
 * looked), and the features below; all else is used when it is there.
 */
#include "arch/x86/cpu/features.h"
#include "arch/x86/cpu/insn.h"
#include "lib/compiler.h"
#include "lib/log.h"
#include "lib/string.h"

struct cpu_features cpu_features;

static bool bit(u32 word, unsigned n)
{
	return word >> n & 1;
}

static struct cpuid cpuid_or_zero(u32 leaf, u32 subleaf)
{
	struct cpuid none = {0};

	return cpuid(leaf & 0x80000000, 0).a >= leaf ? cpuid(leaf, subleaf) : none;
}

static void read_name(char *name)
{
	struct cpuid text[3];
	const char *bytes = (const char *)text;

	for (u32 i = 0; i < 3; i++)
		text[i] = cpuid_or_zero(0x80000002 + i, 0);
	while (*bytes == ' ')
		bytes++;
	log_quote(name, 49, bytes, strnlen(bytes, (size_t)((const char *)(text + 3) - bytes)));
	for (size_t n = strlen(name); n && name[n - 1] == ' '; n--)
		name[n - 1] = 0;
}

static enum cpu_vendor read_vendor(void)
{
	struct cpuid r = cpuid(0, 0);
	char text[12];

	memcpy(text, &r.b, 4);
	memcpy(text + 4, &r.d, 4);
	memcpy(text + 8, &r.c, 4);
	if (memcmp(text, "GenuineIntel", 12) == 0)
		return CPU_INTEL;
	if (memcmp(text, "AuthenticAMD", 12) == 0 || memcmp(text, "HygonGenuine", 12) == 0)
		return CPU_AMD;
	return CPU_OTHER;
}

static void read_signature(struct cpu_features *f)
{
	u32 a = cpuid(1, 0).a;

	f->stepping = a & 0xf;
	f->family = a >> 8 & 0xf;
	f->model = a >> 4 & 0xf;
	if (f->family == 6 || f->family == 15)
		f->model |= a >> 12 & 0xf0;
	if (f->family == 15)
		f->family += a >> 20 & 0xff;
}

__init const char *features_init(void)
{
	struct cpu_features *f = &cpu_features;
	struct cpuid basic = cpuid(1, 0), more = cpuid_or_zero(7, 0);
	struct cpuid extended = cpuid_or_zero(0x80000001, 0);
	const struct {
		bool present;
		const char *name;
	} required[] = {
		{bit(extended.d, 20), "NX (no-execute pages)"},
		{bit(extended.d, 11), "SYSCALL"},
		{bit(basic.d, 4), "TSC"},
		{bit(basic.d, 5), "MSR"},
		{bit(basic.d, 9), "APIC"},
		{bit(basic.d, 16), "PAT"},
		{bit(basic.d, 24), "FXSR"},
		{bit(basic.d, 26), "SSE2"},
	};

	f->vendor = read_vendor();
	read_signature(f);
	read_name(f->name);
	f->mce = bit(basic.d, 7);
	f->x2apic = bit(basic.c, 21);
	f->xsave = bit(basic.c, 26);
	f->hypervisor = bit(basic.c, 31);
	f->smep = bit(more.b, 7);
	f->smap = bit(more.b, 20);
	f->umip = bit(more.c, 2);
	f->md_clear = bit(more.d, 10);
	f->ibpb = bit(more.d, 26) || bit(cpuid_or_zero(0x80000008, 0).b, 12);
	f->physical_bits = cpuid_or_zero(0x80000008, 0).a & 0xff ?: 36; /* SDM 3A 4.1.4 */
	f->pages_1g = bit(extended.d, 26);
	f->tsc_invariant = bit(cpuid_or_zero(0x80000007, 0).d, 8);
	f->srso_no = bit(cpuid_or_zero(0x80000021, 0).a, 29);
	if (bit(more.d, 29))
		f->arch_capabilities = rdmsr(MSR_ARCH_CAPABILITIES);

	for (size_t i = 0; i < ARRAY_SIZE(required); i++)
		if (!required[i].present)
			return required[i].name;
	return NULL;
}

bool features_is_same(void)
{
	const struct cpu_features *f = &cpu_features;
	struct cpu_features other;
	struct cpuid more = cpuid_or_zero(7, 0);

	read_signature(&other);
	return other.family == f->family && other.model == f->model &&
	       other.stepping == f->stepping && bit(cpuid_or_zero(0x80000001, 0).d, 20) &&
	       bit(more.b, 7) == f->smep && bit(more.c, 2) == f->umip &&
	       bit(cpuid(1, 0).c, 26) == f->xsave && bit(cpuid(1, 0).c, 21) == f->x2apic;
}
