// SPDX-License-Identifier: MIT
/* loader-fuzz.c - the same judge for libFuzzer: clang -fsanitize=fuzzer,address,undefined. */
#include "tests/host/loader/judge.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct judged_file file = {
	    .bytes = bytes, .size = size, .memory_size = 6 << 20, .initrd_size = 5000};

	judge_image(&file, NULL);
	return 0;
}
