// SPDX-License-Identifier: MIT
/*
 * probe.c - what runtimes of Go and Rust do: ask CPUID itself which instructions there are, by the
 * rules of the manuals (SDM 1 14.3 for AVX), and use them. Each that is said to be there must work,
 * and the registers that it uses must survive other processes and signals.
 */
#define _GNU_SOURCE
#include <cpuid.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EAX, EBX, ECX, EDX };

static uint32_t cpuid(uint32_t leaf, unsigned which)
{
	uint32_t r[4] = {0};

	__get_cpuid_count(leaf, 0, &r[EAX], &r[EBX], &r[ECX], &r[EDX]);
	return r[which];
}

static uint32_t enabled_state(void)
{
	uint32_t low = 0, high;

	if (cpuid(1, ECX) >> 27 & 1) /* OSXSAVE */
		__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return low;
}

#define USE(name, code, ...) \
	static void name(void) { __asm__ volatile(code : : : "memory", "cc", __VA_ARGS__); }

USE(use_ssse3, "pshufb %%xmm0, %%xmm0", "xmm0")
USE(use_sse41, "pmulld %%xmm0, %%xmm0", "xmm0")
USE(use_sse42, "crc32 %%eax, %%eax", "eax")
USE(use_popcnt, "popcnt %%eax, %%eax", "eax")
USE(use_aes, "aesenc %%xmm0, %%xmm0", "xmm0")
USE(use_pclmul, "pclmulqdq $0, %%xmm0, %%xmm0", "xmm0")
USE(use_movbe, "movbe -8(%%rsp), %%eax", "eax")
USE(use_rdrand, "rdrand %%eax", "eax")
USE(use_rdseed, "rdseed %%eax", "eax")
USE(use_rdtscp, "rdtscp", "eax", "ecx", "edx")
USE(use_lzcnt, "lzcnt %%eax, %%eax", "eax")
USE(use_bmi1, "andn %%eax, %%eax, %%eax", "eax")
USE(use_bmi2, "pdep %%eax, %%eax, %%eax", "eax")
USE(use_adx, "adcx %%eax, %%eax", "eax")
USE(use_sha, "sha1nexte %%xmm0, %%xmm0", "xmm0")
USE(use_clflushopt, "clflushopt -64(%%rsp)", "eax")
USE(use_clwb, "clwb -64(%%rsp)", "eax")
USE(use_rdpid, "rdpid %%rax", "rax")
USE(use_avx, "vaddps %%ymm0, %%ymm0, %%ymm0\n vzeroupper", "xmm0")
USE(use_avx2, "vpaddd %%ymm0, %%ymm0, %%ymm0\n vzeroupper", "xmm0")
USE(use_fma, "vfmadd213ps %%ymm0, %%ymm0, %%ymm0\n vzeroupper", "xmm0")
USE(use_f16c, "vcvtph2ps %%xmm0, %%ymm0\n vzeroupper", "xmm0")
USE(use_avx512f, "vpaddd %%zmm0, %%zmm0, %%zmm0\n vzeroupper", "xmm0")
USE(use_xsaveopt, "xor %%eax, %%eax\n xor %%edx, %%edx\n lea -4096(%%rsp), %%rcx\n"
    " and $-64, %%rcx\n xsaveopt (%%rcx)", "rax", "rcx", "rdx")

#define YMM 6u	  /* bits of XCR0: what the operating system saves */
#define ZMM 0xe6u

static const struct feature {
	const char *name;
	uint32_t leaf;
	unsigned which, bit;
	uint32_t state;
	void (*use)(void);
} features[] = {
    {"ssse3", 1, ECX, 9, 0, use_ssse3},
    {"pclmul", 1, ECX, 1, 0, use_pclmul},
    {"sse4.1", 1, ECX, 19, 0, use_sse41},
    {"sse4.2", 1, ECX, 20, 0, use_sse42},
    {"movbe", 1, ECX, 22, 0, use_movbe},
    {"popcnt", 1, ECX, 23, 0, use_popcnt},
    {"aes", 1, ECX, 25, 0, use_aes},
    {"rdrand", 1, ECX, 30, 0, use_rdrand},
    {"bmi1", 7, EBX, 3, 0, use_bmi1},
    {"bmi2", 7, EBX, 8, 0, use_bmi2},
    {"rdseed", 7, EBX, 18, 0, use_rdseed},
    {"adx", 7, EBX, 19, 0, use_adx},
    {"clflushopt", 7, EBX, 23, 0, use_clflushopt},
    {"clwb", 7, EBX, 24, 0, use_clwb},
    {"sha", 7, EBX, 29, 0, use_sha},
    {"rdpid", 7, ECX, 22, 0, use_rdpid},
    {"lzcnt", 0x80000001, ECX, 5, 0, use_lzcnt},
    {"rdtscp", 0x80000001, EDX, 27, 0, use_rdtscp},
    {"avx", 1, ECX, 28, YMM, use_avx},
    {"fma", 1, ECX, 12, YMM, use_fma},
    {"f16c", 1, ECX, 29, YMM, use_f16c},
    {"avx2", 7, EBX, 5, YMM, use_avx2},
    {"avx512f", 7, EBX, 16, ZMM, use_avx512f},
};

static sigjmp_buf back;

static void on_signal(int number)
{
	siglongjmp(back, number);
}

static bool works(const char *name, void (*use)(void))
{
	int signal_number = sigsetjmp(back, 1);

	if (signal_number)
		printf("probe: CPUID has %s, using it is signal %d\n", name, signal_number);
	else
		use();
	return !signal_number;
}

static void on_timer(int number)
{
	(void)number;
	__asm__ volatile("vpcmpeqd %%ymm1, %%ymm1, %%ymm1" : : : "xmm1");
}

/* Numbers of one's own in the upper half of a register, among others who do the same. */
static int keep(uint64_t own)
{
	uint64_t in[4] = {own, own + 1, own + 2, own + 3}, out[4];

	signal(SIGALRM, on_timer);
	for (unsigned i = 0; i < 3000; i++) {
		ualarm(500, 0);
		__asm__ volatile("vmovdqu %1, %%ymm1\n"
				 "mov $24, %%eax\n" /* sched_yield */
				 "syscall\n"
				 "vmovdqu %%ymm1, %0\n"
				 : "=m"(out) : "m"(in) : "rax", "rcx", "r11", "xmm1", "memory");
		if (memcmp(in, out, sizeof(in)))
			return 1;
	}
	return 0;
}

static bool state_survives(void)
{
	int status, wrong = 0;

	for (uint64_t i = 1; i <= 4; i++)
		if (fork() == 0)
			_exit(keep(i << 32));
	while (wait(&status) > 0)
		wrong |= status;
	if (wrong)
		printf("probe: the upper half of a YMM register was lost\n");
	return !wrong;
}

int main(void)
{
	const uint32_t state = enabled_state();
	bool good = true, has_avx = (cpuid(1, ECX) >> 28 & 1) && (state & YMM) == YMM;
	uint32_t a = 0, b, c, d;

	signal(SIGILL, on_signal);
	signal(SIGSEGV, on_signal);
	for (unsigned i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
		const struct feature *f = &features[i];

		if ((cpuid(f->leaf, f->which) >> f->bit & 1) &&
		    (state & f->state) == f->state) {
			printf("%s ", f->name);
			good &= works(f->name, f->use);
		}
	}
	if (state)
		__cpuid_count(0xd, 1, a, b, c, d);
	if (a & 1)
		good &= works("xsaveopt", use_xsaveopt);
	printf("\n");
	if (has_avx)
		good &= state_survives();
	return !good;
}
