# SPDX-License-Identifier: MIT
# bench.mk - what Gnomon costs: in instructions, bytes and frames. Included by the Makefile.

bench-objects := $(addprefix $(BUILD)/tests/bench/,main.o paths.o)

$(BUILD)/tests/bench/%.o: tests/bench/%.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(TARGETCC) $(guest-flags) -MMD -MP -c -o $@ $<

$(BUILD)/tests/bench/bench.elf: $(bench-objects) $(guest-lib-objects) tests/guest/lib/test.ld
	$(call say,LD,$@)
	$(Q)$(LD) -static -no-pie --no-warn-rwx-segments -z max-page-size=4096 \
		-T tests/guest/lib/test.ld -o $@ $(filter %.o,$^)

-include $(bench-objects:.o=.d)

bench: all $(BUILD)/tests/bench/bench.elf ## what operations cost, beside the bare machine
	$(Q)tests/bench/run $(BUILD)/gnomon.elf $(BUILD)/tests/bench/bench.elf
