// SPDX-License-Identifier: MIT
/* loader-fuzz.c - the same judge for libFuzzer: clang -fsanitize=fuzzer,address,undefined. */
#include "tests/host/loader/judge.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	judge_image(bytes, size, JUDGE_MEMORY_MAX / 2);
	return 0;
}
