// SPDX-License-Identifier: MIT
/*
 * threads-test.c - a frame is never another's while a CPU may still reach it (I8), on CPUs that are
 * threads: three are in and out of a guest, by the real machine.c, and load and store through their
 * vCPU's shadow root and a TLB that only the next entry empties; a fourth, in the monitor, takes
 * pages from the p2m, or the right to write, gives the frame to somebody else and sees that nobody
 * stores into it. Faults are answered under the one lock that mm/shadow asks for; whoever wants to
 * flush holds it, so the way out of a guest takes no lock.
 *
 * What cannot be seen on the machine that runs this, the order in which stores become visible, is
 * tests/host/cpu/flush-test's.
 */
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include "arch/x86/cpu/apic.h"
#include "arch/x86/cpu/cpu.h"
#include "arch/x86/cpu/insn.h"
#include "mm/machine.h"
#include "tests/host/shadow/scene.h"

/* The host may have fewer processors than there are threads: who waits, yields. */
#define cpu_pause() sched_yield()
#define machine_ram monitor_ram /* the direct map is not here */
#include "arch/x86/cpu/machine.c"
#undef machine_ram

#define GUEST_CPUS 3
#define PAGES	   8 /* DATA... of the guest, at linear address 0x1000 * page */
#define POISON	   0x6f7468657273ul
#define ACCESSES   2000 /* on one visit to the guest */

static struct cpu cpus[GUEST_CPUS + 1];
static bool kicked[GUEST_CPUS + 1];
static struct shadow_vcpu vcpu[GUEST_CPUS];
static struct hardware mmu[GUEST_CPUS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* mm and mm/shadow */
static bool stop, wanted; /* wanted: the revoking thread waits for the lock, and has it next */
static u64 reached, breaches, supplied;

struct cpu *cpu_table[BOOT_CPU_MAX];
u32 cpu_table_count = GUEST_CPUS + 1;

void apic_send(u32 apic_id, u8 vector)
{
	(void)vector;
	__atomic_store_n(&kicked[apic_id], true, __ATOMIC_SEQ_CST);
}

static void enter_monitor(void)
{
	while (__atomic_load_n(&wanted, __ATOMIC_RELAXED))
		sched_yield();
	pthread_mutex_lock(&lock);
}

static void enter_monitor_first(void)
{
	__atomic_store_n(&wanted, true, __ATOMIC_RELAXED);
	pthread_mutex_lock(&lock);
	__atomic_store_n(&wanted, false, __ATOMIC_RELAXED);
}

static void leave_monitor(void)
{
	pthread_mutex_unlock(&lock);
}

/* ---- a CPU that runs the guest ---- */

struct fault {
	u64 gva;
	u32 error_code;
	struct shadow_access access;
};

/* A load and, if it stores, a store of what is no poison. The frame must be the guest's. */
static void touch(mfn_t mfn, unsigned n, bool write)
{
	u64 *frame = machine_map(mfn);

	if (__atomic_load_n(&frame[n], __ATOMIC_RELAXED) == POISON)
		__atomic_add_fetch(&breaches, 1, __ATOMIC_RELAXED);
	if (write)
		__atomic_store_n(&frame[n], n, __ATOMIC_RELAXED);
	__atomic_add_fetch(&reached, 1, __ATOMIC_RELAXED);
}

/* Until a kick, a fault, or long enough; true: a fault. */
static bool in_guest(unsigned n, mfn_t root, u64 *random, struct fault *f)
{
	for (unsigned i = 0; i < ACCESSES; i++) {
		struct hardware_answer a;

		if (__atomic_load_n(&kicked[n], __ATOMIC_RELAXED))
			return false;
		*random = *random * 6364136223846793005 + 1442695040888963407;
		f->gva = (*random >> 40) % PAGES << 12;
		f->access = (struct shadow_access){.write = *random >> 60 & 1};
		a = hardware_access(&mmu[n], root, GVA(f->gva), f->access);
		f->error_code = a.error_code;
		if (!a.ok)
			return true;
		touch(a.mfn, n, f->access.write);
		if (i % 32 == 0) /* the others go on while it is in the guest */
			sched_yield();
	}
	return false;
}

/* What was taken is supplied: a fresh frame, or the right. */
static void supply(gfn_t gfn)
{
	mfn_t mfn;

	if (p2m_lookup(&p2m, gfn)) {
		CHECK(p2m_set_rights(&p2m, gfn, P2M_RIGHTS) == 0);
	} else {
		mfn = frame_alloc(FRAME_GUEST, 1);
		CHECK(p2m_insert(&p2m, gfn, mfn, P2M_RIGHTS) == 0);
		frame_put(mfn);
	}
	supplied++;
}

static void handle(unsigned n, const struct fault *f)
{
	struct shadow_result r;
	enum shadow_verdict verdict =
	    shadow_fault(&vcpu[n], GVA(f->gva), f->error_code, false, false, &r);

	if (verdict == SHADOW_POPULATE || verdict == SHADOW_WATCHED)
		supply(r.gfn);
	else
		CHECK(verdict == SHADOW_FIXED);
}

static void *run_cpu(void *argument)
{
	unsigned n = (struct cpu *)argument - cpus;
	u64 random = host_seed + n;
	bool faulted;
	struct fault f;
	mfn_t root;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		enter_monitor();
		root = shadow_root(&vcpu[n]);
		machine_enter_guest(&cpus[n]);
		leave_monitor();
		hardware_flush(&mmu[n]); /* CR3 is written */
		faulted = in_guest(n, root, &random, &f);
		__atomic_store_n(&kicked[n], false, __ATOMIC_RELAXED);
		machine_leave_guest(&cpus[n]);
		enter_monitor();
		if (faulted)
			handle(n, &f);
		leave_monitor();
	}
	return NULL;
}

/* ---- the monitor's CPU ---- */

static void poison(mfn_t mfn)
{
	u64 *frame = machine_map(mfn);

	for (unsigned i = 0; i < GUEST_CPUS; i++)
		__atomic_store_n(&frame[i], POISON, __ATOMIC_SEQ_CST);
}

static bool is_poison(mfn_t mfn)
{
	const u64 *frame = machine_map(mfn);

	for (unsigned i = 0; i < GUEST_CPUS; i++)
		if (__atomic_load_n(&frame[i], __ATOMIC_SEQ_CST) != POISON)
			return false;
	return true;
}

/* While the lock is held, and when it is not: then the guest is waited for. */
static void let_run(void)
{
	for (unsigned i = host_random() % 4; i; i--)
		sched_yield();
}

static void await_accesses(void)
{
	u64 enough = __atomic_load_n(&reached, __ATOMIC_RELAXED) + host_random() % 400;

	while (__atomic_load_n(&reached, __ATOMIC_RELAXED) < enough)
		sched_yield();
}

/* The page goes, and its frame is somebody else's for a while. */
static void take_page(gfn_t gfn)
{
	struct p2m_entry *e;
	mfn_t mfn;

	enter_monitor_first();
	e = p2m_lookup(&p2m, gfn);
	if (!e) {
		leave_monitor();
		return;
	}
	mfn = p2m_entry_mfn(e);
	frame_get(mfn); /* ours from here on, when it leaves the guest */
	CHECK(p2m_remove(&p2m, gfn) == 0);
	poison(mfn);
	leave_monitor();
	await_accesses();
	CHECK(is_poison(mfn));
	memset(machine_map(mfn), 0, PAGE_SIZE);
	enter_monitor_first();
	frame_put(mfn);
	leave_monitor();
}

/* The page stays, and nobody stores there while the lock is held. */
static void take_right(gfn_t gfn)
{
	u64 before[GUEST_CPUS], *frame;
	struct p2m_entry *e;

	enter_monitor_first();
	e = p2m_lookup(&p2m, gfn);
	if (e) {
		frame = machine_map(p2m_entry_mfn(e));
		CHECK(p2m_set_rights(&p2m, gfn, P2M_R | P2M_X) == 0);
		memset(frame, 0xee, sizeof(before));
		memcpy(before, frame, sizeof(before));
		let_run();
		CHECK(memcmp(before, frame, sizeof(before)) == 0);
	}
	leave_monitor();
}

static void revoke(unsigned rounds)
{
	for (unsigned i = 0; i < rounds; i++) {
		gfn_t gfn = GFN(DATA + host_random() % PAGES);

		if (host_random() % 3)
			take_page(gfn);
		else
			take_right(gfn);
		if (i % 50 == 0) {
			enter_monitor_first();
			shadow_drop_all(&shadow);
			leave_monitor();
		}
		await_accesses();
	}
}

static void test_revocation(enum shadow_policy policy, unsigned rounds)
{
	pthread_t thread[GUEST_CPUS];

	scene_begin(policy, (1 + GUEST_CPUS) * SHADOW_FRAMES_MIN);
	map_first();
	for (unsigned i = 0; i <= GUEST_CPUS; i++) {
		cpus[i] = (struct cpu){.number = i, .apic_id = i};
		cpu_table[i] = &cpus[i];
	}
	for (unsigned i = 0; i < GUEST_CPUS; i++) {
		CHECK(shadow_vcpu_init(&vcpu[i], &shadow, i + 1) == 0);
		shadow_set_mode(&vcpu[i], cpu.mode);
	}
	stop = false;
	reached = supplied = 0;
	for (unsigned i = 0; i < GUEST_CPUS; i++)
		CHECK(pthread_create(&thread[i], NULL, run_cpu, &cpus[i]) == 0);
	revoke(rounds);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < GUEST_CPUS; i++) {
		pthread_join(thread[i], NULL);
		shadow_vcpu_exit(&vcpu[i]);
	}
	CHECK(breaches == 0 && reached && supplied);
	printf("  %u revocations, %lu accesses, %lu pages and rights supplied\n", rounds, reached,
	       supplied);
	scene_end();
}

int main(int argc, char **argv)
{
	unsigned rounds = argc > 1 ? strtoul(argv[1], NULL, 0) : 2000;

	host_seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 20261121;
	printf("threads-test: seed %lu\n", host_seed);
	host_machine_init(0x1000, 2048);
	test_revocation(SHADOW_TRAPPED, rounds);
	test_revocation(SHADOW_NOTIFIED, rounds);
	host_machine_end();
	return host_finish();
}
