/* SPDX-License-Identifier: MIT */
/*
 * segments.h - the guest's segment registers and bases, which stay in the CPU while its vCPU is
 * loaded (nothing of the monitor uses them) and are exchanged when another vCPU is (R12, R13).
 */
#ifndef ARCH_X86_VCPU_SEGMENTS_H
#define ARCH_X86_VCPU_SEGMENTS_H

struct vcpu;

void segments_save(struct vcpu *v);
void segments_load(struct vcpu *v); /* selectors and bases; the GDT is loaded before */

#endif
