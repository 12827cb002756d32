# SPDX-License-Identifier: MIT
# guest.mk - the guest tests. Included by the Makefile.

# ---- guest tests: one kernel a folder, the same ELF for the bare machine and for Gnomon ----------

guest-tests := basics privileged int-n reserved-slots stale-tlb stack-pointer canonical flags \
               selectors ldt ldt-gate switcher-jump breakpoints page-end doors \
               secrets frames bases forged-log vcpu-page deaths bystander emulated \
               operations nmi nmi-storm permutations tables page-tables table-stores sites \
               boundaries small-stack slow-events storm alarms
guest-lib   := start.S entry.S machine.c paging.c enter.c check.c console.c
guest-lib-objects := $(patsubst %,$(BUILD)/tests/guest/lib/%.o,$(basename $(guest-lib)))
# Those of Xen's ABI have a library of their own, and are linked at the end of the address space.
xen-tests   := xen-returns
xen-lib     := lib-xen/start lib-xen/xen lib/check lib/console
xen-lib-objects := $(xen-lib:%=$(BUILD)/tests/guest-xen/%.o)
guest-elfs  := $(patsubst %,$(BUILD)/tests/guest/%.elf,$(guest-tests) $(xen-tests))
guest-flags := -std=gnu11 -O2 -g $(warnings) -I. -ffreestanding -fno-common -fno-strict-aliasing \
               -fno-pie -mno-red-zone -mgeneral-regs-only -fno-stack-protector \
               -fcf-protection=none -fno-asynchronous-unwind-tables -ffile-prefix-map=$(CURDIR)=.

$(BUILD)/tests/guest/%.o: tests/guest/%.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(TARGETCC) $(guest-flags) -MMD -MP -c -o $@ $<

$(BUILD)/tests/guest/%.elf: $(BUILD)/tests/guest/%/main.o $(guest-lib-objects) \
                            tests/guest/lib/test.ld
	$(call say,LD,$@)
	$(Q)$(LD) -static -no-pie --no-warn-rwx-segments -z max-page-size=4096 \
		-T tests/guest/lib/test.ld -o $@ $(filter %.o,$^)

# With the kit's patcher.
$(BUILD)/tests/guest/sites.elf: $(BUILD)/guest/guest-abi/kit/patch.o
$(BUILD)/tests/guest/boundaries.elf: $(BUILD)/tests/guest/boundaries/scenes.o

$(BUILD)/tests/guest-xen/%.o: tests/guest/%.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(TARGETCC) $(guest-flags) -mcmodel=kernel -MMD -MP -c -o $@ $<

$(BUILD)/tests/guest-xen/%.o: tests/guest/%.S
	$(call say,AS,$<)
	@mkdir -p $(@D)
	$(Q)$(TARGETCC) $(ASFLAGS) -MMD -MP -c -o $@ $<

$(xen-tests:%=$(BUILD)/tests/guest/%.elf): $(BUILD)/tests/guest/%.elf: \
		$(BUILD)/tests/guest-xen/%/main.o $(xen-lib-objects) tests/guest/lib-xen/xen.ld
	$(call say,LD,$@)
	$(Q)$(LD) -static -no-pie --no-warn-rwx-segments -z max-page-size=4096 \
		-T tests/guest/lib-xen/xen.ld -o $@ $(filter %.o,$^)

-include $(wildcard $(BUILD)/tests/guest/*/*.d $(BUILD)/tests/guest-xen/*/*.d \
             $(BUILD)/guest/guest-abi/kit/*.d)
.SECONDARY: $(guest-tests:%=$(BUILD)/tests/guest/%/main.o) $(guest-lib-objects) \
            $(xen-tests:%=$(BUILD)/tests/guest-xen/%/main.o) $(xen-lib-objects)

guest-elfs: $(guest-elfs) ## build the guest tests' kernels

guest-tests: all guest-elfs ## boot one small kernel per rule, bare and on Gnomon; under two minutes
	$(Q)BUILD=$(BUILD) tests/guest/run

guest-tests-full: all guest-elfs
	$(Q)BUILD=$(BUILD) tests/guest/run --full

rules: all guest-elfs ## each attack succeeds when its rule is taken out of the monitor
	$(Q)BUILD=$(BUILD) tests/rules/run

.PHONY: guest-elfs guest-tests guest-tests-full rules
