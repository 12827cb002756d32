// SPDX-License-Identifier: MIT
/*
 * main.c - from the boot loader to the guests. start.S calls monitor_main() on the boot's stack and
 * page tables; continue_booting() is on our own. Whatever does not fit is refused here, before a
 * guest exists.
 */
#include "arch/x86/cpu/apic.h"
#include "arch/x86/cpu/console.h"
#include "arch/x86/cpu/cpu.h"
#include "arch/x86/cpu/early-memory.h"
#include "arch/x86/cpu/features.h"
#include "arch/x86/cpu/fpu.h"
#include "arch/x86/cpu/insn.h"
#include "arch/x86/cpu/ioapic.h"
#include "arch/x86/cpu/nmi-storm.h"
#include "arch/x86/cpu/paging.h"
#include "arch/x86/cpu/panic.h"
#include "arch/x86/cpu/rtc.h"
#include "arch/x86/cpu/smp.h"
#include "arch/x86/cpu/speculation.h"
#include "arch/x86/cpu/symbols.h"
#include "arch/x86/cpu/tsc.h"
#include "boot/layout.h"
#include "lib/compiler.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "run/guests.h"
#include "run/modules.h"
#include "run/options.h"
#include "run/run.h"
#include "run/self-test.h"

void monitor_main(u32 magic, u32 maddr);

/* debug=secret: what stands for others' data; the guest tests look for it. */
#define SECRET 0x5ec2e7da7a550000ul

/* From the linker script. */
extern const u8 image_end[], boot_memory_start[], boot_memory_end[], build_id_note[];
extern const u8 init_start[], init_end[];

static struct boot_info boot_info; /* (c) after boot_read() */
static struct options options;	   /* (c) after options_read() */

/* start.S has mapped the first 4 GiB, and all that is read before our own tables lies there. */
static __init const void *boot_map(u64 maddr, u64 size)
{
	if (maddr >= BOOT_MAPPED || size > BOOT_MAPPED - maddr)
		return NULL;
	return (const void *)(DIRECT_BASE + maddr);
}

/* An ELF note (name "GNU", 20 bytes of hash): its first six bytes tell builds apart. */
static __init void print_version(void)
{
	const u8 *id = build_id_note + 16;

	log_info("Gnomon 0.1, build %02x%02x%02x%02x%02x%02x, booted by %s (%s)", id[0], id[1],
		 id[2], id[3], id[4], id[5],
		 boot_info.protocol ? boot_info.protocol : "nobody we know", boot_info.loader);
}

static __init void read_boot_info(u32 magic, u32 maddr)
{
	u64 end = (u64)image_end - IMAGE_BASE;
	const char *boot_error = boot_read(&boot_info, magic, maddr, IMAGE_LOAD, end, boot_map);
	char error[160] = "";
	bool good = options_read(&options, &boot_info.command_line, error, sizeof(error));

	poweroff_set(options.exit, &boot_info.acpi);
	log_set_level(options.log_level);
	console_init(options.console | options.log);
	print_version();
	if (boot_error)
		panic_refuse("refused: %s", boot_error);
	if (!good)
		panic_refuse("refused: %s", error);
}

static __init void print_cpu(void)
{
	const struct cpu_features *f = &cpu_features;

	log_info("CPU: %s, family 0x%x model 0x%x stepping %u%s%s%s%s%s", f->name, f->family,
		 f->model, f->stepping, f->smep ? ", SMEP" : "", f->smap ? ", SMAP" : "",
		 f->umip ? ", UMIP" : "", f->xsave ? ", XSAVE" : "",
		 f->hypervisor ? ", emulated or virtual" : "");
}

/* Our tables reach 512 GiB of RAM. What a module occupies must be within, or it cannot be read. */
static __init void limit_ram(struct boot_info *info)
{
	if (!range_total(&info->ram))
		return;
	if (info->ram.range[info->ram.count - 1].end > PAGING_RAM_MAX)
		log_warn("memory above 512 GiB is not used");
	range_remove(&info->ram, PAGING_RAM_MAX, ~0ul);
}

/* What follows a module in its last page was somebody else's; a guest may be shown the page whole.
 * */
static __init void clear_module_tails(void)
{
	for (u32 i = 0; i < boot_info.module_count; i++) {
		const struct boot_module *m = &boot_info.module[i];
		u64 end = m->maddr + m->size;

		if (!m->refused)
			memset(early_memory_pointer(MADDR(end)), 0, ALIGN_UP(end, PAGE_SIZE) - end);
	}
}

static __init void print_modules(void)
{
	char quoted[80];

	log_info("modules: %u", boot_info.module_count);
	for (u32 i = 0; i < boot_info.module_count; i++) {
		const struct boot_module *m = &boot_info.module[i];
		const char *line = m->command_line.bytes;

		log_quote(quoted, sizeof(quoted), line, strlen(line));
		if (m->refused)
			log_error("module %u '%s' refused: %s", i + 1, quoted, m->refused);
		else if (m->command_line.too_long)
			log_error("module %u refused: its command line is longer than %d bytes",
				  i + 1, BOOT_COMMAND_LINE_MAX);
		else
			log_debug("module %u: %lu KiB at 0x%lx: %s", i + 1, m->size >> 10, m->maddr,
				  quoted);
	}
	if (boot_info.modules_left_out)
		log_error("modules past the first %d refused: %u", BOOT_MODULE_MAX,
			  boot_info.modules_left_out);
}

static __init void print_machine(void)
{
	const struct boot_acpi *acpi = &boot_info.acpi;
	u32 online = 0;
	char plan[240];

	for (u32 i = 0; i < cpu_count(); i++)
		online += cpu_get(i)->online;
	log_info("CPUs: %u%s%s", online, acpi->missing ? " only: " : "",
		 acpi->missing ? acpi->missing : "");
	if (acpi->cpus_left_out)
		log_warn("CPUs past the first %d are not used: %u", BOOT_CPU_MAX,
			 acpi->cpus_left_out);
	log_info("timer: %s, TSC %u.%03u MHz%s, %lu s since 1970",
		 apic_is_x2apic() ? "x2APIC" : "xAPIC", tsc_scale.khz / 1000, tsc_scale.khz % 1000,
		 cpu_features.tsc_invariant ? "" : " (may vary)", rtc_seconds());
	speculation_describe(plan, sizeof(plan));
	log_info("mitigations: %s", plan);
}

static __init void fill_with_secret(const struct range *r)
{
	u64 *words = early_memory_pointer(MADDR(r->start));

	for (u64 i = 0; i < (r->end - r->start) / sizeof(*words); i++)
		words[i] = SECRET | (i & 0xffff);
}

/* The frame table comes out of the memory that it describes. */
static __init void give_memory_to_frames(void)
{
	static struct frame_range ram[RANGE_MAX];
	const struct range_set *all = &boot_info.ram, *left;
	maddr_t table;
	size_t size;

	for (u32 i = 0; i < all->count; i++) {
		ram[i].first = MFN(all->range[i].start >> PAGE_SHIFT);
		ram[i].count = (all->range[i].end - all->range[i].start) >> PAGE_SHIFT;
	}
	size = frame_table_size(ram, all->count);
	if (!size)
		panic_refuse("refused: the memory map has more than %d ranges", FRAME_RANGES_MAX);
	early_memory_use_all();
	table = early_memory_take(size);
	frame_init(early_memory_pointer(table), ram, all->count);
	left = early_memory_hand_over();
	for (unsigned i = 0; i < left->count; i++) {
		if (options.debug & OPTION_SECRET)
			fill_with_secret(&left->range[i]);
		frame_add_free(MFN(left->range[i].start >> PAGE_SHIFT),
			       (left->range[i].end - left->range[i].start) >> PAGE_SHIFT);
	}
	log_info("memory: %lu MiB, %lu MiB of it free, %lu KiB the monitor's, %lu KiB frame table",
		 boot_info.ram_bytes >> 20, frame_count_free() >> 8,
		 (early_memory_kept() - size) >> 10, size >> 10);
}

static void audit_paging(void)
{
	for (u32 i = 0; i < cpu_count(); i++)
		log_info("audit: the %lu entries of CPU %u's page tables are as they should be",
			 paging_audit(&cpu_get(i)->paging), i);
}

static __init void test_ring1(struct cpu *cpu)
{
	const char *what = self_test(cpu);

	if (what)
		panic_refuse("refused: the self-test in ring 1 fails: %s", what);
	log_info("ring 1: traps as it should");
}

/* Boot is over: its code's memory is free, and nothing reaches it. */
static void release_init(void)
{
	paging_unmap_init();
	symbols_set_init(0);
	frame_add_free(MFN(((u64)init_start - IMAGE_BASE) >> PAGE_SHIFT),
		       (u64)(init_end - init_start) >> PAGE_SHIFT);
}

/* tour: from the boot loader to the guests */
/* Not inlined into boot's code, which it gives away. */
static __noreturn __noinline void run(struct cpu *cpu, const struct guests_asked *asked)
{
	release_init();
	if (options.debug & OPTION_AUDIT)
		audit_paging();
	log_info("free frames %lu", frame_count_free());
	if (!boot_info.module_count) {
		log_error("no guest: give at least one module with guest=NAME");
		poweroff(true);
	}
	guests_start(asked, &options);
	run_guests(cpu, &options);
	nmi_storm_end();
	log_info("all guests ended");
	poweroff(guests_failed());
}

static __init __noreturn void continue_booting(struct cpu *cpu)
{
	u64 page = smp_find_page(&boot_info);
	const struct guests_asked *asked;

	desc_load(&cpu->area);
	early_memory_give_back((u64)boot_memory_start - IMAGE_BASE,
			       (u64)boot_memory_end - IMAGE_BASE);
	console_add_screen(&boot_info.screen);
	fpu_init_cpu();
	ioapic_init(&boot_info.acpi);
	apic_init();
	apic_init_cpu();
	cpu->apic_id = apic_id();
	tsc_init();
	cpu->online = 1;
	smp_start(&boot_info.acpi, page);
	clear_module_tails();
	give_memory_to_frames();
	print_machine();
	print_modules();
	asked = modules_read(&boot_info);
	if (!(options.debug & OPTION_UNTESTED))
		test_ring1(cpu);
	if (options.debug & OPTION_EVENTS)
		nmi_storm_note_events();
	if (options.debug & OPTION_NMI)
		nmi_storm_start(&boot_info.acpi);
	run(cpu, asked);
}

__init void monitor_main(u32 magic, u32 maddr)
{
	const char *missing;

	symbols_set_init((u64)(init_end - init_start));
	read_boot_info(magic, maddr);
	missing = features_init();
	if (missing)
		panic_refuse("this CPU lacks %s", missing);
	print_cpu();
	limit_ram(&boot_info);
	early_memory_init(&boot_info, (u64)image_end - IMAGE_BASE);
	speculation_init(options.mitigations);
	cpu_set_controls();
	paging_init(&boot_info.ram);
	cpu_continue(cpu_create(0), continue_booting);
}
/* tour ends */
