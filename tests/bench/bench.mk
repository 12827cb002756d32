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

bench-memory: all $(BUILD)/tests/bench/bench.elf ## faults cost the same in guests of 64M to 8G
	$(Q)tests/bench/run $(BUILD)/gnomon.elf $(BUILD)/tests/bench/bench.elf 64M 1G 8G

size: all ## the monitor's code and memory, against their limits
	$(Q)tests/bench/size $(BUILD)/gnomon.elf

# -fstack-usage writes a .su file beside each object; the build is a separate one, since it is rare.
stack: ## the largest stack frames of the monitor
	$(Q)$(MAKE) --no-print-directory BUILD=$(BUILD)/stack STACK=1 all >/dev/null
	$(Q)cat $$(find $(BUILD)/stack -name '*.su' -not -path '*/guest*') | \
		sort -t '	' -k 2 -nr | head -20

listing: all ## each slot of the code area: its name, what it does in C, its instructions
	$(Q)tests/bench/listing $(BUILD)/gnomon.elf $(OBJDUMP)

disasm: all ## one function of the monitor: make disasm F=vcpu_run
	$(Q)test -n "$(F)" || { echo "which function? make disasm F=NAME"; exit 1; }
	$(Q)$(OBJDUMP) -dS --no-show-raw-insn --disassemble=$(F) $(BUILD)/gnomon.elf | \
		grep -v '^Disassembly of'
