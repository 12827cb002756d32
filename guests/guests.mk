# SPDX-License-Identifier: MIT
# guests.mk - the kernels that come with the monitor. Included by the Makefile.

# No retpolines, ring 1 protects itself; position-independent, so one rule serves all.

GUESTCFLAGS := -std=gnu11 -O2 -g $(warnings) -I. -ffreestanding -fno-common -fno-strict-aliasing \
               -fpie -include lib/hidden.h -mno-red-zone -mgeneral-regs-only -fno-stack-protector \
               -fno-asynchronous-unwind-tables -fcf-protection=none -fno-jump-tables \
               -ffile-prefix-map=$(CURDIR)=.
GUESTLDFLAGS := -nostdlib -static --no-dynamic-linker --build-id=none -z max-page-size=4096 \
                -z noexecstack

loader      := $(addprefix guests/loader/,start.S main.c elf.c place.c tables.c) \
               guest-abi/kit/memory.c
tour-kernel := $(addprefix guests/tour/,start.S main.c memory.c space.c trap.c entry.S process.c \
               system-calls.c timer.c console.c prompt.c check.c show-processes.c show-memory.c \
               show-faults.c show-time.c show-attacks.c attacks.c attack-jumps.S user/image.S) \
               guest-abi/kit/memory.c
tour-user   := $(addprefix guests/tour/user/,start.S user.c offend.c)

loader  := $(addprefix guests/loader/, start.S main.c image.c unpack.c stream.c elf.c native.c \
           place.c tables.c xen-notes.c xen.c xen-layout.c xen-tables.c heap.c support.c refuse.c) \
           guest-abi/kit/memory.c
# What unpacks kernels: the distribution's libraries, linked into the loader's image.
unpackers = $(foreach l,z lzma lz4 zstd,$(shell $(TARGETCC) -print-file-name=lib$l.a))
tour-kernel := $(addprefix guests/tour/,start.S main.c console.c memory.c space.c trap.c entry.S \
           timer.c \
           process.c system-calls.c prompt.c check.c show-processes.c show-memory.c show-faults.c \
           show-time.c show-attacks.c attacks.c attack-jumps.S user/image.S) guest-abi/kit/memory.c
tour-user := $(addprefix guests/tour/user/,start.S user.c offend.c)
guest-objects = $(patsubst %,$(BUILD)/guest/%.o,$(basename $(1)))

$(BUILD)/guest/%.o: %.c
	$(call say,GUESTCC,$<)
	@mkdir -p $(@D)
	$(Q)$(TARGETCC) $(GUESTCFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/guest/%.o: %.S
	$(call say,GUESTAS,$<)
	@mkdir -p $(@D)
	$(Q)$(TARGETCC) $(ASFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/guests/loader.elf: guests/loader/loader.ld $(call guest-objects,$(loader))
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(LD) $(GUESTLDFLAGS) --gc-sections -T $< -o $@ $(filter %.o,$^) $(unpackers)

$(BUILD)/guests/tour.elf: guests/tour/tour.ld $(call guest-objects,$(tour-kernel))
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(LD) $(GUESTLDFLAGS) -T $< -o $@ $(filter %.o,$^)

$(BUILD)/guests/tour-user.elf: guests/tour/user/user.ld $(call guest-objects,$(tour-user))
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(LD) $(GUESTLDFLAGS) -T $< -o $@ $(filter %.o,$^)

$(BUILD)/guests/%.bin: $(BUILD)/guests/%.elf
	$(call say,OBJCOPY,$@)
	$(Q)$(OBJCOPY) -O binary $< $@

# The example and the kit that it is built with have no other flags and rules than their own.
example := $(BUILD)/guests/example/annotated/example.elf $(BUILD)/guests/example/native/example.elf
example-make = @mkdir -p $(@D) && $(MAKE) -s -C guests/example KIT=$(CURDIR) \
               OUT=$(abspath $(@D)) CC='$(TARGETCC)' LD='$(LD)' \
               KIT_CFLAGS='-Werror -ffile-prefix-map=$(CURDIR)=. $(1)'
kit-files := $(addprefix guest-abi/,hypercalls.h layout.h sites.h ABI.md) \
             $(wildcard guest-abi/kit/*)

$(example): $(kit-files) $(wildcard guests/example/*)

$(BUILD)/guests/example/annotated/example.elf:
	$(call say,EXAMPLE,$@)
	$(call example-make)

$(BUILD)/guests/example/native/example.elf: # without annotations
	$(call say,EXAMPLE,$@)
	$(call example-make,-include guest-abi/kit/site-native.h)

example: all $(example) ## the example in both worlds, annotated and not: the same results
	$(Q)tests/example/run

example-sites: all $(example) ## the bytes at each site of the example in both worlds
	$(Q)tests/example/run --sites

kit: ## copy what a kernel is built with to DEST
	$(Q)test -n "$(DEST)" || { echo "where to? make kit DEST=FOLDER"; exit 1; }
	$(Q)mkdir -p "$(DEST)"
	$(Q)cp --parents $(kit-files) "$(DEST)"

.PHONY: example example-sites kit

# Inside the monitor, which maps it into new guests.
$(BUILD)/run/loader-image.o: $(BUILD)/guests/loader.bin
$(BUILD)/run/loader-image.o: ASFLAGS += -Wa,-I$(BUILD)

# A tour's processes run pages of its image.
$(BUILD)/guest/guests/tour/user/image.o: $(BUILD)/guests/tour-user.bin
$(BUILD)/guest/guests/tour/user/image.o: ASFLAGS += -Wa,-I$(BUILD)

-include $(patsubst %.o,%.d,$(call guest-objects,$(loader) $(tour-kernel) $(tour-user)))
