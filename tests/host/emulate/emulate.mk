# SPDX-License-Identifier: MIT
# emulate.mk - the tests of arch/x86/emulate; README.md beside this file tells what each shows.
# Included by tests/host/host.mk, which wants the three lists.

emulate-tests := lengths-test bounds-test expect-test race-test differential-test
fuzz-tests    += emulate-fuzz
mutate-tests  += emulate-mutate

# What counts millions runs without sanitizers, and so does what forks the processor's child, which
# must not have the sanitizer's shadow mapped where a guest's addresses may point.
FASTCFLAGS = $(filter-out -fsanitize% -fno-sanitize% -O1,$(HOSTCFLAGS)) -O2

$(BUILD)/host-fast/%.o: %.c
	$(call say,HOSTCC,$<)
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) $(FASTCFLAGS) -MMD -MP -c -o $@ $<

-include $(shell find $(BUILD)/host-fast -name '*.d' 2>/dev/null)

emulate-world = $(emulate) tests/host/emulate/world.c
emulate-safe  = $(patsubst %.c,$(BUILD)/host/%.o,$(1))
emulate-fast  = $(patsubst %.c,$(BUILD)/host-fast/%.o,$(1))

$(call emulate-safe,$(emulate-world)) $(call emulate-fast,$(emulate-world)): $(opcodes)
$(BUILD)/host/tests/host/emulate/%.o: $(opcodes)
$(BUILD)/host-fast/tests/host/emulate/%.o: $(opcodes)

$(BUILD)/host/emulate/lengths: $(call emulate-fast,arch/x86/emulate/decode.c \
                               $(addprefix tests/host/emulate/,cpu.c lengths.c))
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) -o $@ $(filter %.o,$^) -lZydis

$(BUILD)/host/emulate/bounds: $(call emulate-fast,arch/x86/emulate/decode.c \
                              tests/host/emulate/bounds.c)
$(BUILD)/host/emulate/differential: $(call emulate-fast,$(emulate-world) \
                                    $(addprefix tests/host/emulate/,cpu.c differential.c))
$(BUILD)/host/emulate/bounds $(BUILD)/host/emulate/differential:
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) -o $@ $(filter %.o,$^)

$(BUILD)/host/emulate/expect: $(call emulate-safe,$(emulate-world) tests/host/emulate/expect.c)
$(BUILD)/host/emulate/race: $(call emulate-safe,$(emulate-world) tests/host/emulate/race.c)
$(BUILD)/host/emulate/expect $(BUILD)/host/emulate/race:
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) $(HOSTCFLAGS) -o $@ $(filter %.o,$^)

$(BUILD)/host/emulate/fuzz: tests/host/emulate/fuzz.c $(emulate) $(opcodes)
	$(call say,CLANG,$@)
	@mkdir -p $(@D)
	$(Q)clang -std=gnu11 -O1 -g -I. -I$(BUILD)/include -fsanitize=fuzzer,address,undefined \
	    -fno-sanitize-recover=all -o $@ $< $(emulate)

expect-test race-test: %-test: $(BUILD)/host/emulate/%
	$(Q)$<

lengths-test: $(BUILD)/host/emulate/lengths
	$(Q)$< -w 1000000

bounds-test: $(BUILD)/host/emulate/bounds
	$(Q)$< 100

differential-test: $(BUILD)/host/emulate/differential
	$(Q)$< -n 24000

emulate-fuzz: $(BUILD)/host/emulate/fuzz
	$(Q)tests/host/fuzz-for $(FUZZ_SECONDS) $< $(BUILD)/corpus/emulate -max_len=512

emulate-mutate: $(opcodes)
	$(Q)tests/host/emulate/mutate planted

# More of the same for make check and make proof.
big-binaries := /usr/bin/qemu-system-x86_64 \
                $(addprefix /usr/lib/x86_64-linux-gnu/,libLLVM-14.so.1 libcrypto.so.3)

emulate-long := $(addprefix $(BUILD)/host/emulate/,lengths bounds differential)

emulate-check: $(emulate-long) ## decoder and emulator at some length
	$(Q)$(BUILD)/host/emulate/lengths -w 10000000 -t $(lastword $(big-binaries)) $(big-binaries)
	$(Q)$(BUILD)/host/emulate/bounds 10
	$(Q)$(BUILD)/host/emulate/differential -n 900000

emulate-full: $(emulate-long) ## and in full: hours
	$(Q)find /usr/bin /usr/lib /usr/lib32 -type f -size +1k -print0 | \
	    xargs -0 $(BUILD)/host/emulate/lengths -w 0
	$(Q)$(BUILD)/host/emulate/lengths -w 100000000
	$(Q)$(BUILD)/host/emulate/bounds
	$(Q)$(BUILD)/host/emulate/differential -n 10000000
	+$(Q)$(MAKE) --no-print-directory emulate-fuzz FUZZ_SECONDS=1800
	$(Q)tests/host/emulate/coverage
	$(Q)tests/host/emulate/mutate generated

.PHONY: $(emulate-tests) emulate-fuzz emulate-mutate emulate-check emulate-full
