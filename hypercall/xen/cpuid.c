// SPDX-License-Identifier: MIT
/*
 * cpuid.c - the processor as a Xen guest is told it is, when it asks in the way of its ABI (a
 * forced CPUID). Features that only a kernel at CPL 0 can use, or whose state we do not keep, are
 * hidden. Bits: SDM 2A, CPUID; APM 3, appendix E.
 */
#include "hypercall/xen/xen.h"

#define BIT(n) (1u << (n))

/* Leaf 1. ECX: MONITOR VMX SMX EST TM2 PDCM PCID DCA x2APIC TSC-deadline; hypervisor is set. */
#define HIDE_1_ECX                                                                                 \
	(BIT(3) | BIT(5) | BIT(6) | BIT(7) | BIT(8) | BIT(15) | BIT(17) | BIT(18) | BIT(21) |      \
	 BIT(24))
#define SHOW_1_ECX BIT(31)
/* EDX: VME PSE MCE APIC MTRR PGE MCA PSE36 DS ACPI HT TM PBE. */
#define HIDE_1_EDX                                                                                 \
	(BIT(1) | BIT(3) | BIT(7) | BIT(9) | BIT(12) | BIT(13) | BIT(14) | BIT(17) | BIT(21) |     \
	 BIT(22) | BIT(28) | BIT(29) | BIT(31))
/* Leaf 7. EBX: FSGSBASE TSC_ADJUST SGX HLE SMEP INVPCID RTM PQM MPX PQE SMAP PT. */
#define HIDE_7_EBX                                                                                 \
	(BIT(0) | BIT(1) | BIT(2) | BIT(4) | BIT(7) | BIT(10) | BIT(11) | BIT(12) | BIT(14) |      \
	 BIT(15) | BIT(20) | BIT(25))
/* ECX: UMIP PKU OSPKE WAITPKG CET LA57 RDPID and what follows. */
#define SHOW_7_ECX (BIT(1) | BIT(6) | BIT(8) | BIT(9) | BIT(10) | BIT(11) | BIT(12) | BIT(14))
/* EDX: only what is an instruction and no state: FSRM, SERIALIZE is not needed. */
#define SHOW_7_EDX BIT(4)
/* Leaf 0x80000001. ECX: SVM EXTAPIC OSVW IBS SKINIT WDT LWP TOPOEXT PERFCTRs MWAITX. */
#define HIDE_81_ECX                                                                                \
	(BIT(2) | BIT(3) | BIT(9) | BIT(10) | BIT(12) | BIT(13) | BIT(15) | BIT(19) | BIT(22) |    \
	 BIT(23) | BIT(24) | BIT(26) | BIT(27) | BIT(28) | BIT(29))
/* EDX: the copies of leaf 1's, and 1 GiB pages, RDTSCP (its MSR is not exchanged). */
#define HIDE_81_EDX                                                                                \
	(BIT(1) | BIT(3) | BIT(7) | BIT(9) | BIT(12) | BIT(13) | BIT(14) | BIT(17) | BIT(26) |     \
	 BIT(27))

/* XCR0: x87 SSE AVX AVX-512; no other state is saved. */
#define XSAVE_COMPONENTS 0xe7u

static void hypervisor_leaf(u32 leaf, u32 r[4])
{
	r[0] = r[1] = r[2] = r[3] = 0;
	if (leaf == 0x40000000) {
		r[0] = 0x40000002;
		r[1] = 0x566e6558; /* "XenV" */
		r[2] = 0x65584d4d; /* "MMXe" */
		r[3] = 0x4d4d566e; /* "nVMM" */
	} else if (leaf == 0x40000001) {
		r[0] = 4 << 16 | 17;
	}
}

static void filter_standard(u32 leaf, u32 subleaf, u32 r[4])
{
	switch (leaf) {
	case 1:
		r[1] &= 0x0000ffff; /* one CPU, APIC id 0 */
		r[1] |= 1 << 16;
		r[2] = (r[2] & ~HIDE_1_ECX) | SHOW_1_ECX;
		r[3] &= ~HIDE_1_EDX;
		break;
	case 7:
		r[0] = 0;
		r[1] = subleaf ? 0 : r[1] & ~HIDE_7_EBX;
		r[2] = subleaf ? 0 : r[2] & SHOW_7_ECX;
		r[3] = subleaf ? 0 : r[3] & SHOW_7_EDX;
		break;
	case 0xd:
		if (subleaf == 0)
			r[0] &= XSAVE_COMPONENTS, r[3] = 0;
		else if (subleaf == 1)
			r[0] &= BIT(0), r[1] = r[2] = r[3] = 0; /* XSAVEOPT */
		else if (subleaf > 31 || !(XSAVE_COMPONENTS >> subleaf & 1))
			r[0] = r[1] = r[2] = r[3] = 0;
		break;
	case 5:
	case 6:
	case 0xa:
	case 0xb:
	case 0xf ... 0x1f:
		r[0] = r[1] = r[2] = r[3] = 0;
		break;
	}
}

static void filter_extended(u32 leaf, u32 r[4])
{
	switch (leaf) {
	case 0x80000001:
		r[2] &= ~HIDE_81_ECX;
		r[3] &= ~HIDE_81_EDX;
		break;
	case 0x80000007:
		r[0] = r[1] = r[2] = 0;
		r[3] &= BIT(8); /* invariant TSC */
		break;
	case 0x80000008:
		r[1] = r[2] = r[3] = 0;
		break;
	case 0x8000000a ... 0x8000ffff:
		r[0] = r[1] = r[2] = r[3] = 0;
		break;
	}
}

void xen_cpuid(struct vcpu *v, u32 registers[4])
{
	u32 leaf = registers[0], subleaf = registers[2];

	(void)v;
	if (leaf >> 28 == 4) {
		hypervisor_leaf(leaf, registers);
		return;
	}
	vcpu_machine_cpuid(registers);
	if (leaf >> 31)
		filter_extended(leaf, registers);
	else
		filter_standard(leaf, subleaf, registers);
}
