// SPDX-License-Identifier: MIT
/*
 * ubench.c - what a kernel's services cost, in ticks of the TSC: of a machine whose TSC counts
 * instructions, instructions. It is the first program of its initramfs. Each row is prepared,
 * warmed up and measured operation by operation, and has a line
 *	ubench: NAME MEDIAN LEAST
 * with the cost of measuring nothing taken off. Around the measured part of a row, and where the
 * program begins, stand NOPs that a plugin of the emulator knows (plugin.c). Next: rows.c.
 */
#include "tests/bench/debian/ubench.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <unistd.h>

#define SAMPLES 2048

static uint64_t sample[SAMPLES], nothing;

static inline uint64_t now(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

/* 256 NOPs whose operand, which none uses, has a displacement of 0x5a000000 and their number. */
__asm__(".pushsection .text\n"
	".set number, 0\n"
	"marks:\n"
	".rept 256\n"
	"	.byte 0x0f, 0x1f, 0x84, 0x00\n"
	"	.long 0x5a000000 + number\n"
	"	ret\n"
	"	.balign 16\n"
	"	.set number, number + 1\n"
	".endr\n"
	".popsection\n");

/* 0: the program begins; 2n+2 and 2n+3: row n does and ends. */
static void mark(unsigned number)
{
	extern const uint8_t marks[];

	((void (*)(void))(marks + 16 * number))();
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

_Noreturn void fail(const char *what)
{
	printf("ubench: failed: %s: %m\n", what);
	fflush(stdout);
	_exit(1);
}

static uint64_t cost(const struct row *row, uint64_t ticks)
{
	return ticks > nothing ? (ticks - nothing) / (row->per ? row->per : 1) : 0;
}

static void measure(unsigned number)
{
	const struct row *row = &rows[number];
	uint64_t begin;

	if (row->prepare)
		row->prepare();
	for (unsigned i = 0; i < row->warm; i++)
		row->operate();
	mark(2 * number + 2);
	for (unsigned i = 0; i < row->times; i++) {
		begin = now();
		row->operate();
		sample[i] = now() - begin;
	}
	mark(2 * number + 3);
	if (row->finish)
		row->finish();
	qsort(sample, row->times, sizeof(sample[0]), compare);
	if (number == ROW_NOTHING)
		nothing = sample[row->times / 2];
	else
		printf("ubench: %s %lu %lu\n", row->name,
		       cost(row, sample[row->times / 2]), cost(row, sample[0]));
	fflush(stdout);
}

static void measure_all(void)
{
	/* A paravirtual guest has no huge pages, and each first touch is to be a fault. */
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	memset(sample, 0, sizeof(sample)); /* its pages are there before they are written */
	for (unsigned i = 0; i < row_count; i++)
		measure(i);
}

static void show(const char *file)
{
	char path[128], text[256] = "";
	int fd;

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/vulnerabilities/%s", file);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return;
	if (read(fd, text, sizeof(text) - 1) > 0)
		printf("ubench: kernel: %s: %s\n", file, strtok(text, "\n"));
	close(fd);
}

int main(void)
{
	int status = 0;
	pid_t child;

	mark(0);
	mount("devtmpfs", "/dev", "devtmpfs", 0, "");
	mount("proc", "/proc", "proc", 0, "");
	mount("sysfs", "/sys", "sysfs", 0, "");
	show("spectre_v1");
	show("spectre_v2");
	show("meltdown");
	usleep(200000); /* what the kernel still does at the end of its boot */
	child = fork(); /* the rows are of an ordinary process */
	if (child == 0) {
		measure_all();
		exit(0);
	}
	while (wait(&status) != child)
		;
	printf("ubench: %s\n", status ? "failed" : "done");
	fflush(stdout);
	usleep(100000); /* for the console */
	reboot(RB_POWER_OFF);
	return 1;
}
