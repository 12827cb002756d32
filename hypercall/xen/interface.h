/* SPDX-License-Identifier: MIT */
/*
 * interface.h - the numbers and layouts of Xen's public ABI for 64-bit paravirtual guests, as far
 * as a stock Linux kernel of that kind uses them (Xen's public headers, xen/include/public).
 */
#ifndef HYPERCALL_XEN_INTERFACE_H
#define HYPERCALL_XEN_INTERFACE_H

#include "guest-abi/xen.h"
#include "lib/types.h"

/* Those that kernels put into multicalls. */
#define XEN_CALL_MMU_UPDATE	   1
#define XEN_CALL_FPU_TASKSWITCH	   5
#define XEN_CALL_UPDATE_DESCRIPTOR 10
#define XEN_CALL_UPDATE_VA_MAPPING 14
#define XEN_CALL_MMUEXT_OP	   26

/* Hypercalls: the number, the name of its handler. All that are not here are -ENOSYS. */
#define XEN_HYPERCALLS(X)                                                                          \
	X(0, set_trap_table)                                                                       \
	X(XEN_CALL_MMU_UPDATE, mmu_update)                                                         \
	X(2, set_gdt)                                                                              \
	X(XEN_CALL_STACK_SWITCH, stack_switch)                                                     \
	X(XEN_CALL_FPU_TASKSWITCH, fpu_taskswitch)                                                 \
	X(8, set_debugreg)                                                                         \
	X(9, get_debugreg)                                                                         \
	X(XEN_CALL_UPDATE_DESCRIPTOR, update_descriptor)                                           \
	X(12, memory_op)                                                                           \
	X(13, multicall)                                                                           \
	X(XEN_CALL_UPDATE_VA_MAPPING, update_va_mapping)                                           \
	X(15, set_timer_op)                                                                        \
	X(17, xen_version)                                                                         \
	X(18, console_io)                                                                          \
	X(XEN_CALL_IRET, iret)                                                                     \
	X(24, vcpu_op)                                                                             \
	X(XEN_CALL_SET_SEGMENT_BASE, set_segment_base)                                             \
	X(XEN_CALL_MMUEXT_OP, mmuext_op)                                                           \
	X(29, sched_op)                                                                            \
	X(30, callback_op)                                                                         \
	X(32, event_channel_op)
#define XEN_CALL_COUNT 41

/* Event channels, two-level ABI. */
#define XEN_PORTS 4096

struct xen_time {
	u32 version, pad0;
	u64 tsc_timestamp, system_time;
	u32 tsc_to_system_mul;
	s8 tsc_shift;
	u8 flags, pad1[2];
};

struct xen_vcpu_info {
	u8 upcall_pending, upcall_mask, pad[6];
	u64 pending_sel;
	u64 cr2, arch_pad;
	struct xen_time time;
};
_Static_assert(sizeof(struct xen_vcpu_info) == 64, "as the ABI says");

struct xen_shared_info {
	struct xen_vcpu_info vcpu_info[32];
	u64 pending[XEN_PORTS / 64];
	u64 mask[XEN_PORTS / 64];
	u32 wc_version, wc_sec, wc_nsec, wc_sec_hi;
};
_Static_assert(offsetof(struct xen_shared_info, wc_version) == 3072, "as the ABI says");

/* struct start_info: how many page tables the loader has built, from CR3 on */
#define XEN_START_INFO_TABLES 96
#define XEN_START_INFO_CONSOLE 72 /* struct start_info: the frame of the console ring */

#define XEN_CONSOLE_IN	1024
#define XEN_CONSOLE_OUT 2048

/* In a page of the guest's RAM: byte rings, indices that only grow. */
struct xen_console_ring {
	char in[XEN_CONSOLE_IN], out[XEN_CONSOLE_OUT];
	u32 in_cons, in_prod, out_cons, out_prod;
};

struct xen_trap_info {
	u8 vector, flags; /* bits 0-1: DPL; bit 2: mask events */
	u16 cs;
	u32 pad;
	u64 address;
};

struct xen_mmu_update {
	u64 ptr, val; /* the low two bits of ptr say what to do */
};

struct xen_mmuext_op {
	u32 cmd, pad;
	u64 arg1, arg2;
};

struct xen_multicall_entry {
	u64 op;
	s64 result;
	u64 args[6];
};

struct xen_e820_entry {
	u64 start, size;
	u32 type;
} __attribute__((packed));

enum {
	XEN_MMU_NORMAL = 0,
	XEN_MMU_MACHPHYS = 1,
	XEN_MMU_PRESERVE_AD = 2,
};

enum {
	XEN_MMUEXT_PIN_L1 = 0,
	XEN_MMUEXT_PIN_L4 = 3,
	XEN_MMUEXT_UNPIN = 4,
	XEN_MMUEXT_NEW_BASEPTR = 5,
	XEN_MMUEXT_TLB_FLUSH_LOCAL = 6,
	XEN_MMUEXT_INVLPG_LOCAL = 7,
	XEN_MMUEXT_TLB_FLUSH_MULTI = 8,
	XEN_MMUEXT_INVLPG_MULTI = 9,
	XEN_MMUEXT_TLB_FLUSH_ALL = 10,
	XEN_MMUEXT_INVLPG_ALL = 11,
	XEN_MMUEXT_SET_LDT = 13,
	XEN_MMUEXT_NEW_USER_BASEPTR = 15,
};

enum { XEN_UVMF_TLB_FLUSH = 1, XEN_UVMF_INVLPG = 2, XEN_UVMF_KIND = 3 };

enum { XEN_MEMORY_MAP = 9, XEN_MACHPHYS_MAPPING = 12 };

/* Of the first word of features: frame numbers are translated by us, so the guest need not;
 * mmu_update can preserve A and D; available bits of entries are the guest's. */
#define XEN_FEATURES (1 << 2 | 1 << 5 | 1 << 7)

enum { XEN_VERSION = 0, XEN_EXTRAVERSION = 1, XEN_GET_FEATURES = 6, XEN_PAGESIZE = 7 };

enum { XEN_SCHED_YIELD = 0, XEN_SCHED_BLOCK = 1, XEN_SCHED_SHUTDOWN = 2, XEN_SCHED_POLL = 3 };
enum { XEN_SHUTDOWN_POWEROFF = 0, XEN_SHUTDOWN_REBOOT = 1 };

enum {
	XEN_VCPU_IS_UP = 3,
	XEN_VCPU_REGISTER_RUNSTATE = 5,
	XEN_VCPU_STOP_PERIODIC = 7,
	XEN_VCPU_SET_SINGLESHOT = 8,
	XEN_VCPU_STOP_SINGLESHOT = 9,
	XEN_VCPU_REGISTER_INFO = 10,
	XEN_VCPU_REGISTER_TIME = 13,
};

enum { XEN_CALLBACK_REGISTER = 0 };
enum { XEN_CALLBACK_EVENT = 0, XEN_CALLBACK_FAILSAFE = 1, XEN_CALLBACK_SYSCALL = 2 };

enum {
	XEN_EVTCHN_BIND_VIRQ = 1,
	XEN_EVTCHN_CLOSE = 3,
	XEN_EVTCHN_SEND = 4,
	XEN_EVTCHN_ALLOC_UNBOUND = 6,
	XEN_EVTCHN_BIND_IPI = 7,
	XEN_EVTCHN_BIND_VCPU = 8,
	XEN_EVTCHN_UNMASK = 9,
};

enum { XEN_VIRQ_TIMER = 0, XEN_VIRQS = 24 };

/* Where the table of machine frames to the guest's is shown: PML4 slot 256. */
#define XEN_M2P_SLOT	256
#define XEN_M2P_START	0xffff800000000000ul
#define XEN_FIRST_SLOT	256
#define XEN_LAST_SLOT	271

#endif
