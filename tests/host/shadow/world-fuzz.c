// SPDX-License-Identifier: MIT
/* world-fuzz.c - libFuzzer drives the small world: the first byte chooses the policy, every eight
 * bytes after it are an operation. A rule that does not hold is a crash. */
#include <string.h>
#include "tests/host/mm/host.h"
#include "tests/host/shadow/world.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static const enum shadow_policy policies[] = {SHADOW_TRAPPED, SHADOW_NOTIFIED,
						      SHADOW_FORGETFUL, SHADOW_NOTIFIED};
	static struct op ops[512];
	struct world_counts counts;
	size_t count;

	if (size < 1 + sizeof(struct op))
		return 0;
	count = MIN((size - 1) / sizeof(struct op), ARRAY_SIZE(ops));
	memcpy(ops, data + 1, count * sizeof(struct op));
	if (!world_run(policies[data[0] & 3], (data[0] & 3) == 3, ops, count, &counts)) {
		printf("%s\n", counts.fault);
		abort();
	}
	return 0;
}
