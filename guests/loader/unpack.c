// SPDX-License-Identifier: MIT
/*
 * unpack.c - see unpack.h. Each function drives one library: input is the whole payload, output
 * goes to one window of the stream after the other. What a library allocates comes from the heap,
 * which says itself whether it was too small.
 */
#include "guests/loader/unpack.h"
#include <lz4.h>
#include <lz4frame.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>
#include <stdlib.h>
#include "guest-abi/kit/memory.h"

static const char cut_off[] = "the kernel is cut off: its packed bytes end too early";
static const char damaged[] = "the kernel is damaged: its packed bytes cannot be unpacked";

#define GZIP_WINDOW (15 + 16) /* the largest, and a gzip header before it */

static const char *unpack_gzip(const unsigned char *from, size_t size, struct stream *s)
{
	z_stream z = {.next_in = (Bytef *)from, .avail_in = size};
	const char *why = NULL;
	int result = inflateInit2(&z, GZIP_WINDOW);

	while (result == Z_OK && !why) {
		size_t room;

		z.next_out = (Bytef *)stream_window(s, &room);
		z.avail_out = room;
		result = inflate(&z, Z_NO_FLUSH);
		why = stream_advance(s, room - z.avail_out);
	}
	inflateEnd(&z);
	if (why || result == Z_STREAM_END)
		return why;
	return result == Z_MEM_ERROR ? memory_too_small : result == Z_BUF_ERROR ? cut_off : damaged;
}

static const char *unpack_xz(const unsigned char *from, size_t size, struct stream *s)
{
	lzma_stream x = LZMA_STREAM_INIT;
	const char *why = NULL;
	lzma_ret result = lzma_stream_decoder(&x, UINT64_MAX, 0); /* the heap is the limit */

	x.next_in = from;
	x.avail_in = size;
	while (result == LZMA_OK && !why) {
		size_t room;

		x.next_out = (uint8_t *)stream_window(s, &room);
		x.avail_out = room;
		result = lzma_code(&x, LZMA_RUN);
		why = stream_advance(s, room - x.avail_out);
	}
	lzma_end(&x);
	if (why || result == LZMA_STREAM_END)
		return why;
	return result == LZMA_MEM_ERROR	  ? memory_too_small
	       : result == LZMA_BUF_ERROR ? cut_off
					  : damaged;
}

/*
 * The format of `lz4 -l`: blocks of at most 8 MiB, each behind its packed size, and no end but that
 * of the bytes. Files may follow each other, each with its magic number.
 */
#define LEGACY_MAGIC 0x184c2102
#define LEGACY_BLOCK (8 << 20)

static const char *unpack_lz4_blocks(const unsigned char *from, size_t size, struct stream *s,
				     char *buffer)
{
	const char *why = NULL;
	uint32_t packed;

	for (size_t at = 0; at < size && !why; at += packed) {
		size_t room;
		char *window = stream_window(s, &room);
		bool direct = room >= LEGACY_BLOCK;
		int count;

		if (size - at < sizeof(packed))
			return cut_off;
		memcpy(&packed, from + at, sizeof(packed));
		at += sizeof(packed);
		if (packed == LEGACY_MAGIC) {
			packed = 0;
			continue;
		}
		if (packed > (uint32_t)LZ4_compressBound(LEGACY_BLOCK))
			return damaged;
		if (packed > size - at)
			return cut_off;
		count = LZ4_decompress_safe((const char *)from + at, direct ? window : buffer,
					    packed, LEGACY_BLOCK);
		if (count < 0)
			return damaged;
		why = direct ? stream_advance(s, count) : stream_write(s, buffer, count);
	}
	return why;
}

static const char *unpack_lz4_legacy(const unsigned char *from, size_t size, struct stream *s)
{
	char *buffer = malloc(LEGACY_BLOCK);
	const char *why = buffer ? unpack_lz4_blocks(from, size, s, buffer) : memory_too_small;

	free(buffer);
	return why;
}

static const char *unpack_lz4_frame(const unsigned char *from, size_t size, struct stream *s)
{
	LZ4F_dctx *context;
	const char *why = NULL;
	size_t result = 1, given = 1, taken = 1;

	if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)))
		return memory_too_small;
	while (result && !why && (given || taken)) {
		char *window = stream_window(s, &given);

		taken = size;
		result = LZ4F_decompress(context, window, &given, from, &taken, NULL);
		if (LZ4F_isError(result))
			break;
		from += taken;
		size -= taken;
		why = stream_advance(s, given);
	}
	LZ4F_freeDecompressionContext(context);
	if (why || !result)
		return why;
	return s->heap->wanted ? memory_too_small : LZ4F_isError(result) ? damaged : cut_off;
}

#define ZSTD_WINDOW_LOG 30 /* the heap is the limit */

static const char *unpack_zstd(const unsigned char *from, size_t size, struct stream *s)
{
	ZSTD_inBuffer in = {.src = from, .size = size};
	ZSTD_DStream *context = ZSTD_createDStream();
	const char *why = NULL;
	size_t result = 1;
	bool moved = true;

	if (!context)
		return memory_too_small;
	ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG);
	while (result && !why && moved) {
		size_t before = in.pos;
		ZSTD_outBuffer out = {.pos = 0};

		out.dst = stream_window(s, &out.size);
		result = ZSTD_decompressStream(context, &out, &in);
		if (ZSTD_isError(result))
			break;
		why = stream_advance(s, out.pos);
		moved = out.pos || in.pos > before;
	}
	ZSTD_freeDStream(context);
	if (why || !result)
		return why;
	return s->heap->wanted ? memory_too_small : ZSTD_isError(result) ? damaged : cut_off;
}

static const char *unpack_nothing(const unsigned char *from, size_t size, struct stream *s)
{
	s->limit = size; /* no bomb, however much of it is not for RAM */
	return stream_write(s, from, size);
}

static const struct packing {
	const char *magic;
	unsigned magic_size;
	bool has_size; /* a bzImage's size of the unpacked is the packing's own last field */
	const char *(*unpack)(const unsigned char *from, size_t size, struct stream *s);
} packings[] = {
    {"\177ELF", 4, false, unpack_nothing},
    {"\x1f\x8b", 2, true, unpack_gzip},
    {"\3757zXZ", 6, false, unpack_xz},
    {"\x02\x21\x4c\x18", 4, false, unpack_lz4_legacy},
    {"\x04\x22\x4d\x18", 4, false, unpack_lz4_frame},
    {"\x28\xb5\x2f\xfd", 4, false, unpack_zstd},
};

const char *unpack(const struct payload *payload, struct stream *s)
{
	const struct packing *p = packings;
	const char *why;
	uint64_t size = payload->size;

	while (p < packings + sizeof(packings) / sizeof(*packings) &&
	       (size < p->magic_size || memcmp(payload->bytes, p->magic, p->magic_size)))
		p++;
	if (p == packings + sizeof(packings) / sizeof(*packings))
		return payload->is_bzimage
			   ? "the kernel's bzImage is packed in a way that is not known here"
			   : "the kernel is not an ELF file, nor a packed one, nor a bzImage";
	if (size > UINT32_MAX)
		return "the kernel's file is larger than 4 GiB";
	if (payload->is_bzimage && !p->has_size)
		size -= sizeof(payload->unpacked_size);
	why = p->unpack(payload->bytes, size, s);
	if (!why)
		why = stream_end(s);
	if (!why && payload->is_bzimage && (uint32_t)s->at != payload->unpacked_size)
		why = "the kernel is cut off: it unpacks to fewer bytes than it should";
	return why;
}
