# SPDX-License-Identifier: MIT
# host.mk - tests that run on this machine. Included by the Makefile.

# The monitor's own files, compiled for this machine under sanitizers: a test builds from
# $(BUILD)/host/%.o.
HOSTCC     := gcc
HOSTCFLAGS := -std=gnu11 -O1 -g -I. -I$(BUILD)/include $(warnings) -Wno-frame-larger-than \
              -fno-strict-aliasing -fsanitize=address,undefined -fno-sanitize-recover=all

$(BUILD)/host/%.o: %.c
	$(call say,HOSTCC,$<)
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) $(HOSTCFLAGS) -MMD -MP -c -o $@ $<

-include $(shell find $(BUILD)/host -name '*.d' 2>/dev/null)

# What the makefiles below add to: tests for make unit, fuzzers that run FUZZ_SECONDS each, and runs
# that plant faults in the sources and see that the tests find them.
unit-tests   := checks-test launch-test system-test
fuzz-tests   :=
mutate-tests :=
FUZZ_SECONDS := 60

checks-test:
	$(Q)tests/host/checks/checks-test

launch-test:
	$(Q)tests/host/launch/launch-test

system-test:
	$(Q)tests/host/system/system-test

host-objects = $(patsubst %.c,$(BUILD)/host/%.o,$(1))
host-link    = $(Q)$(HOSTCC) $(HOSTCFLAGS) -o $@ $(filter %.o,$^)
host-fuzzer  = $(Q)mkdir -p $(@D) && clang $(filter-out -fsanitize=%,$(HOSTCFLAGS)) \
               -fsanitize=fuzzer,address,undefined -o $@ $(filter %.c,$^)

# mm and mm/shadow: the real files over a machine whose RAM is an array.
shadow-tests := access-test paging-test vcpus-test corners-test remembered-test batches-test \
                reach-test threads-test
unit-tests   += frame-test p2m-test $(shadow-tests) world-test
mutate-tests += shadow-mutate
fuzz-tests   += world-fuzz
host-mm     := $(mm) tests/host/mm/host.c
host-shadow := $(host-mm) $(shadow) $(addprefix tests/host/shadow/, world.c universe.c oracle.c \
               hardware.c)

$(BUILD)/host/frame-test: $(call host-objects,tests/host/mm/frame-test.c $(host-mm))
	$(host-link)

$(BUILD)/host/p2m-test: $(call host-objects,tests/host/mm/p2m-test.c $(host-mm))
	$(host-link)

$(addprefix $(BUILD)/host/, $(shadow-tests)): $(BUILD)/host/%-test: \
		$(BUILD)/host/tests/host/shadow/%-test.o \
		$(call host-objects,$(host-shadow) tests/host/shadow/scene.c)
	$(host-link)

$(BUILD)/host/world-test: $(call host-objects,tests/host/shadow/world-test.c $(host-shadow))
	$(host-link)

frame-test p2m-test $(shadow-tests) world-test: %: $(BUILD)/host/%
	$(Q)$<

$(BUILD)/host/world-fuzz: tests/host/shadow/world-fuzz.c $(host-shadow)
	$(host-fuzzer)

world-fuzz: $(BUILD)/host/world-fuzz
	$(Q)tests/host/fuzz-for $(FUZZ_SECONDS) $< $(BUILD)/corpus/world

shadow-mutate:
	$(Q)tests/host/mutate/mutate

# More operations, and changes that nobody thought of: about an hour.
shadow-full: $(BUILD)/host/world-test
	$(Q)$< 10000000 7
	$(Q)tests/host/mutate/mutate --generated 200

# boot/ reads what a boot loader left from a small memory of the test's.
unit-tests += boot-test lib-test cpu-test
$(BUILD)/host/boot-test: $(call host-objects,$(filter %.c,$(boot)) lib/log.c lib/print.c \
                         lib/ranges.c tests/host/boot/memory.c tests/host/boot/boot-test.c)
	$(host-link)

# The order of locks is checked in debug builds.
$(BUILD)/host/lib/lock.o $(BUILD)/host/tests/host/lib/lib-test.o: HOSTCFLAGS += -DGN_DEBUG
$(BUILD)/host/lib-test: $(call host-objects,lib/print.c lib/log.c lib/ranges.c lib/lock.c \
                        tests/host/lib/lib-test.c)
	$(host-link)

# The choice of speculation controls, from CPUID words of the test's.
$(BUILD)/host/cpu-test: $(call host-objects,arch/x86/cpu/speculation.c lib/print.c \
                        tests/host/cpu/cpu-test.c)
	$(host-link)

# The flush of guests on a model of memory. Sanitizers do not know its coroutines.
unit-tests += flush-test
$(BUILD)/host/flush-test: tests/host/cpu/flush-test.c tests/host/mm/host.c mm/frame.c \
                          $(wildcard arch/x86/cpu/machine.[ch])
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) $(filter-out -fsanitize=% -fno-sanitize%,$(HOSTCFLAGS)) -o $@ \
		$(filter-out arch/%,$^)

boot-test lib-test cpu-test flush-test: %: $(BUILD)/host/%
	$(Q)$<

.PHONY: boot-test lib-test cpu-test flush-test

# The kit's site patcher over the code area itself.
unit-tests += patch-test
$(BUILD)/host/patch-test: $(call host-objects,guest-abi/kit/patch.c tests/host/kit/patch-test.c) \
                          $(BUILD)/guest-abi/code-area.o
	$(host-link) -no-pie

patch-test: $(BUILD)/host/patch-test
	$(Q)$<

# The guests' loader with the libraries that unpack, and a kernel it must accept in each packing.
unit-tests += loader-test packed-test
fuzz-tests += loader-fuzz
host-loader := $(addprefix guests/loader/, image.c unpack.c stream.c elf.c native.c place.c \
                   tables.c \
                   xen-notes.c xen.c xen-layout.c xen-tables.c heap.c) tests/host/loader/judge.c
unpack-libs := -lz -llzma -llz4 -lzstd

$(BUILD)/host/loader-test $(BUILD)/host/packed-test: $(BUILD)/host/%: \
		$(BUILD)/host/tests/host/loader/%.o $(call host-objects,$(host-loader))
	$(host-link) $(unpack-libs)

loader-test: $(BUILD)/host/loader-test
	$(Q)$<

packed-test: $(BUILD)/host/packed-test $(BUILD)/guests/tour.elf
	$(Q)tests/host/loader/pack $(BUILD)/guests/tour.elf $(BUILD)/packed
	$(Q)$^ $(BUILD)/packed/*

$(BUILD)/host/loader-fuzz: tests/host/loader/loader-fuzz.c $(host-loader)
	$(host-fuzzer) $(unpack-libs)

loader-fuzz: $(BUILD)/host/loader-fuzz $(BUILD)/guests/tour.elf
	$(Q)tests/host/loader/pack $(lastword $^) $(BUILD)/packed
	$(Q)tests/host/fuzz-for $(FUZZ_SECONDS) $< $(BUILD)/corpus/loader -max_len=65536 \
		-malloc_limit_mb=0 -rss_limit_mb=3000 \
		-seed_inputs=$(lastword $^),$(BUILD)/packed/zstd

# The monitor's own objects: what is counted is what runs.
$(BUILD)/host/shadow-bench: $(patsubst %.c,$(BUILD)/%.o,$(mm) $(shadow) lib/string.c) \
                            $(BUILD)/arch/x86/cpu/thunks.o $(addprefix tests/, \
                            bench/shadow/shadow-bench.c bench/shadow/count.c host/mm/host.c)
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) -std=gnu11 -O2 -I. -no-pie -o $@ $^

shadow-bench: $(BUILD)/host/shadow-bench ## instructions that shadow paging spends on an operation
	$(Q)$<

# The calls that guests make.
include tests/host/calls/calls.mk

# The decoder and the emulator.
include tests/host/emulate/emulate.mk
unit-tests += $(emulate-tests)

unit: $(unit-tests) ## the host tests; minutes

fuzz: $(fuzz-tests) ## libFuzzer on what guests can reach; a minute a target

mutate: $(mutate-tests) ## plant faults in the sources and see that the tests find them

.PHONY: unit fuzz mutate $(unit-tests) $(fuzz-tests) $(mutate-tests)
