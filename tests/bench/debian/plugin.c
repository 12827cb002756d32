// SPDX-License-Identifier: MIT
/*
 * plugin.c - for QEMU's TCG: counts executed instructions and writes to CR3, and writes to a file
 *	mark NUMBER INSTRUCTIONS CR3-WRITES
 * for each of ubench's NOPs that is executed, and "start INSTRUCTIONS ..." once for the first
 * instruction at the address that start= gives, or, if there is a range after=LOW-HIGH, for the
 * last instruction within it before that. The arguments: out=FILE,start=HEX[,after=HEX-HEX]. One
 * CPU only. The part of QEMU's plugin interface that it uses is declared here, since Debian's
 * package has no header of it (QEMU 7.2, version 1 of the interface).
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;

enum { NO_REGISTERS = 0, INLINE_ADD = 0 };

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn, int operation,
						void *counter, uint64_t value);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    void (*act)(unsigned int, void *), int flags,
					    void *data);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
					   void (*act)(qemu_plugin_id_t, struct qemu_plugin_tb *));

extern int qemu_plugin_version;
int qemu_plugin_version = 1;

static uint64_t instructions, cr3_writes, last_within;
static uint64_t start, low, high;
static bool started;
static FILE *out;

static void say(const char *what, uint64_t count)
{
	fprintf(out, "%s %" PRIu64 " %" PRIu64 "\n", what, count, cr3_writes);
	fflush(out);
}

static void at_start(unsigned int cpu, void *unused)
{
	(void)cpu, (void)unused;
	if (!started)
		say("start", high ? last_within : instructions);
	started = true;
}

static void within(unsigned int cpu, void *unused)
{
	(void)cpu, (void)unused;
	if (!started)
		last_within = instructions;
}

static void at_mark(unsigned int cpu, void *number)
{
	char what[32];

	(void)cpu;
	snprintf(what, sizeof(what), "mark %u", (unsigned)(uintptr_t)number);
	say(what, instructions);
}

static void look_at(struct qemu_plugin_insn *insn)
{
	static const uint8_t nop[] = {0x0f, 0x1f, 0x84, 0x00};
	const uint8_t *code = qemu_plugin_insn_data(insn);
	size_t size = qemu_plugin_insn_size(insn);
	uint64_t at = qemu_plugin_insn_vaddr(insn);

	qemu_plugin_register_vcpu_insn_exec_inline(insn, INLINE_ADD, &instructions, 1);
	if (size >= 3 && code[size - 3] == 0x0f && code[size - 2] == 0x22 &&
	    (code[size - 1] >> 3 & 7) == 3)
		qemu_plugin_register_vcpu_insn_exec_inline(insn, INLINE_ADD, &cr3_writes, 1);
	if (at == start)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, at_start, NO_REGISTERS, NULL);
	if (at >= low && at < high)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, within, NO_REGISTERS, NULL);
	if (size == 8 && !memcmp(code, nop, sizeof(nop)) && code[7] == 0x5a && !code[6] && !code[5])
		qemu_plugin_register_vcpu_insn_exec_cb(insn, at_mark, NO_REGISTERS,
						       (void *)(uintptr_t)code[4]);
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	(void)id;
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++)
		look_at(qemu_plugin_tb_get_insn(tb, i));
}

int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int count, char **words);
int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int count, char **words)
{
	(void)info;
	for (int i = 0; i < count; i++) {
		if (!strncmp(words[i], "out=", 4))
			out = fopen(words[i] + 4, "w");
		else if (!strncmp(words[i], "start=", 6))
			start = strtoull(words[i] + 6, NULL, 16);
		else if (sscanf(words[i], "after=%" SCNx64 "-%" SCNx64, &low, &high) != 2)
			return -1;
	}
	if (!out)
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
