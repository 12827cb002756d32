// SPDX-License-Identifier: MIT
/*
 * image.c - see image.h. Linux lays out its setup header in Documentation/arch/x86/boot.rst: the
 * payload's place is in it since protocol 2.08. The last four bytes of a payload are the size of
 * what it unpacks to.
 */
#include "guests/loader/image.h"
#include "guest-abi/kit/memory.h"

#define SETUP_SECTORS  0x1f1
#define BOOT_FLAG      0x1fe
#define HEADER_MAGIC   0x202
#define VERSION	       0x206
#define PAYLOAD_OFFSET 0x248
#define PAYLOAD_LENGTH 0x24c
#define PREF_ADDRESS   0x258
#define INIT_SIZE      0x260
#define HEADER_END     0x264

#define SECTOR		   512
#define VERSION_PAYLOAD	   0x0208
#define SETUP_SECTORS_OF_0 4
#define ADDRESS_MAX	   (1ul << 40)

static uint64_t get(const unsigned char *image, size_t at, size_t size)
{
	uint64_t value = 0;

	memcpy(&value, image + at, size);
	return value;
}

static bool is_bzimage(const unsigned char *image, uint64_t size)
{
	return size >= HEADER_END && get(image, BOOT_FLAG, 2) == 0xaa55 &&
	       !memcmp(image + HEADER_MAGIC, "HdrS", 4);
}

const char *image_find_payload(const void *file, uint64_t size, struct payload *payload)
{
	const unsigned char *image = file;
	uint64_t offset, length, address;

	*payload = (struct payload){.bytes = image, .size = size};
	if (!is_bzimage(image, size))
		return NULL;
	if (get(image, VERSION, 2) < VERSION_PAYLOAD)
		return "the kernel's bzImage is too old: boot protocol 2.08 is the first to do";
	offset = get(image, SETUP_SECTORS, 1);
	if (!offset)
		offset = SETUP_SECTORS_OF_0;
	offset = (offset + 1) * SECTOR + get(image, PAYLOAD_OFFSET, 4);
	length = get(image, PAYLOAD_LENGTH, 4);
	if (offset > size || length > size - offset)
		return "the kernel's bzImage is cut off: its payload lies beyond its end";
	if (length <= sizeof(payload->unpacked_size))
		return "the kernel's bzImage has no payload";
	payload->is_bzimage = true;
	payload->bytes = image + offset;
	payload->size = length;
	payload->unpacked_size = get(payload->bytes, length - 4, 4);
	address = get(image, PREF_ADDRESS, 8);
	payload->kernel_end = (address < ADDRESS_MAX ? address : 0) + get(image, INIT_SIZE, 4);
	return NULL;
}
