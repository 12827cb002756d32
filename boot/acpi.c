// SPDX-License-Identifier: MIT
/*
 * acpi.c - the three things that we want of ACPI (specification 6.4, chapter 5): the CPUs and
 * interrupt controllers from the MADT, and from FADT and DSDT how to switch off. A table counts
 * only if all its bytes can be read and its checksum is right; a machine without is a machine of
 * one CPU.
 */
#include "boot/private.h"
#include "lib/string.h"

#define HEADER_SIZE    36
#define TABLE_SIZE_MAX (4u << 20)

struct table {
	const u8 *bytes;
	u32 size; /* at least HEADER_SIZE */
};

static bool checksum_is_right(const u8 *bytes, u32 size)
{
	u8 sum = 0;

	while (size--)
		sum = (u8)(sum + *bytes++);
	return sum == 0;
}

static bool is_rsdp(const u8 *bytes)
{
	return bytes && memcmp(bytes, "RSD PTR ", 8) == 0 && checksum_is_right(bytes, 20);
}

static u64 search_rsdp(boot_map_fn map, u64 start, u64 end)
{
	for (; start + 20 <= end; start += 16)
		if (is_rsdp(map(start, 20)))
			return start;
	return 0;
}

/* ACPI 5.2.5.1: the first KiB of the extended BIOS data area, or the BIOS's read-only memory. */
u64 boot_find_rsdp(boot_map_fn map)
{
	const u8 *pointer = map(0x40e, 2);
	u64 ebda = pointer ? (u64)load_u16(pointer) << 4 : 0;
	u64 found = 0;

	if (ebda >= 0x400 && ebda < 0xa0000)
		found = search_rsdp(map, ebda, ebda + 1024);
	return found ? found : search_rsdp(map, 0xe0000, 0x100000);
}

static bool open_table(struct boot_reading *r, struct table *t, u64 maddr, const char *signature)
{
	const u8 *header = maddr ? r->map(maddr, HEADER_SIZE) : NULL;

	if (!header || memcmp(header, signature, 4) != 0)
		return false;
	t->size = load_u32(header + 4);
	if (t->size < HEADER_SIZE || t->size > TABLE_SIZE_MAX)
		return false;
	t->bytes = r->map(maddr, t->size);
	return t->bytes && checksum_is_right(t->bytes, t->size);
}

static void add_cpu(struct boot_acpi *acpi, u32 apic_id, u32 flags)
{
	if (!(flags & 1)) /* enabled */
		return;
	for (u32 i = 0; i < acpi->cpu_count; i++)
		if (acpi->cpu_apic_id[i] == apic_id)
			return;
	if (acpi->cpu_count == BOOT_CPU_MAX)
		acpi->cpus_left_out++;
	else
		acpi->cpu_apic_id[acpi->cpu_count++] = apic_id;
}

static void add_ioapic(struct boot_acpi *acpi, u64 maddr, u32 gsi_base)
{
	if (acpi->ioapic_count == BOOT_IOAPIC_MAX || !maddr)
		return;
	acpi->ioapic[acpi->ioapic_count].maddr = maddr;
	acpi->ioapic[acpi->ioapic_count++].gsi_base = gsi_base;
}

static void add_override(struct boot_acpi *acpi, const u8 *entry)
{
	u16 flags = load_u16(entry + 8);

	if (acpi->override_count == BOOT_OVERRIDE_MAX)
		return;
	acpi->override[acpi->override_count].irq = entry[3];
	acpi->override[acpi->override_count].gsi = load_u32(entry + 4);
	acpi->override[acpi->override_count].active_low = (flags & 3) == 3;
	acpi->override[acpi->override_count++].level = (flags >> 2 & 3) == 3;
}

/* Multiple APIC Description Table, ACPI 5.2.12: a header, 8 bytes, then entries of type and length.
 * */
static void read_madt(struct boot_acpi *acpi, const struct table *madt)
{
	for (u32 at = HEADER_SIZE + 8; at + 2 <= madt->size;) {
		const u8 *entry = madt->bytes + at;
		u8 type = entry[0], size = entry[1];

		if (size < 2 || size > madt->size - at)
			break;
		if (type == 0 && size >= 8)
			add_cpu(acpi, entry[3], load_u32(entry + 4));
		else if (type == 1 && size >= 12)
			add_ioapic(acpi, load_u32(entry + 4), load_u32(entry + 8));
		else if (type == 2 && size >= 10)
			add_override(acpi, entry);
		else if (type == 9 && size >= 16)
			add_cpu(acpi, load_u32(entry + 4), load_u32(entry + 8));
		at += size;
	}
}

/* One integer of a package of AML (ACPI 20.2.3): a constant opcode, or a prefix and a byte. */
static bool read_aml_byte(const struct table *t, u32 *at, u8 *value)
{
	if (*at + 2 > t->size)
		return false;
	if (t->bytes[*at] == 0x0a)
		++*at;
	else if (t->bytes[*at] > 1)
		return false;
	*value = t->bytes[(*at)++];
	return true;
}

/*
 * Without an interpreter of AML: look for Name(_S5_, Package() { a, b, ...}) as every firmware
 * encodes it. What is found wrongly makes the machine stay on, no worse.
 */
static bool read_sleep_type(struct boot_acpi *acpi, const struct table *dsdt)
{
	for (u32 at = HEADER_SIZE; at + 8 <= dsdt->size; at++) {
		u32 element = at + 5;

		if (memcmp(dsdt->bytes + at, "_S5_\x12", 5) != 0)
			continue;
		/* The package's length takes 1 to 4 bytes (ACPI 20.2.4), its element count one. */
		element += 1u + (dsdt->bytes[element] >> 6) + 1u;
		if (read_aml_byte(dsdt, &element, &acpi->sleep_type_a) &&
		    read_aml_byte(dsdt, &element, &acpi->sleep_type_b))
			return true;
	}
	return false;
}

static void read_fadt(struct boot_reading *r, const struct table *fadt)
{
	struct boot_acpi *acpi = &r->info->acpi;
	struct table dsdt;
	u64 maddr;

	if (fadt->size < 72)
		return;
	maddr = load_u32(fadt->bytes + 40);
	if (fadt->size >= 148 && load_u64(fadt->bytes + 140))
		maddr = load_u64(fadt->bytes + 140);
	if (!open_table(r, &dsdt, maddr, "DSDT") || !read_sleep_type(acpi, &dsdt))
		return;
	acpi->smi_command = load_u16(fadt->bytes + 48);
	acpi->enable_value = fadt->bytes[52];
	acpi->pm1a_control = load_u16(fadt->bytes + 64);
	acpi->pm1b_control = load_u16(fadt->bytes + 68);
}

static void read_listed_table(struct boot_reading *r, u64 maddr)
{
	struct table t;

	if (open_table(r, &t, maddr, "APIC"))
		read_madt(&r->info->acpi, &t);
	else if (open_table(r, &t, maddr, "FACP"))
		read_fadt(r, &t);
}

void boot_read_acpi(struct boot_reading *r)
{
	struct boot_acpi *acpi = &r->info->acpi;
	const u8 *rsdp = r->info->rsdp ? r->map(r->info->rsdp, 20) : NULL;
	const u8 *rsdp2 = NULL;
	struct table root;
	u32 entry_size = 8;

	acpi->missing = "the boot loader gave no ACPI tables";
	if (!is_rsdp(rsdp))
		return;
	acpi->missing = "its ACPI tables cannot be read";
	if (rsdp[15] >= 2)
		rsdp2 = r->map(r->info->rsdp, 36);
	if (!rsdp2 || !open_table(r, &root, load_u64(rsdp2 + 24), "XSDT")) {
		entry_size = 4;
		if (!open_table(r, &root, load_u32(rsdp + 16), "RSDT"))
			return;
	}
	for (u32 at = HEADER_SIZE; at + entry_size <= root.size; at += entry_size)
		read_listed_table(r, entry_size == 8 ? load_u64(root.bytes + at)
						     : load_u32(root.bytes + at));
	acpi->missing = acpi->cpu_count ? NULL : "its ACPI tables name no CPU";
}
