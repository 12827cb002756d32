# SPDX-License-Identifier: MIT
# calls.mk - hostile hypercalls on the monitor's own files: README.md beside this file. Included by
# tests/host/host.mk.

unit-tests   += calls-test
mutate-tests += calls-mutate

# Everything above arch/x86/cpu, and the run loop, with instructions.h for what only ring 0 may do.
# The monitor's basic blocks are counted: so is how long an exit takes.
calls-monitor := $(mm) $(shadow) $(emulate) $(vcpu) $(object) $(calls) \
                 $(addprefix run/,run.c exits.c sched.c guests.c loader.c keyboard.c) \
                 arch/x86/cpu/recorder.c lib/print.c lib/log.c
calls-own     := $(addprefix tests/host/calls/,cpu.c memory.c draw.c attacker.c victim.c judge.c \
                 world.c calls-test.c) tests/host/mm/host.c tests/host/shadow/hardware.c
calls-flags   := -include tests/host/calls/instructions.h -fPIC
calls-objects  = $(patsubst %.c,$(BUILD)/host/calls/%.o,$(1))

$(BUILD)/host/calls/%.o: %.c
	$(call say,HOSTCC,$<)
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) $(HOSTCFLAGS) $(calls-flags) -MMD -MP -c -o $@ $<

$(call calls-objects,$(emulate)): calls-flags := -fPIC
$(call calls-objects,$(calls-monitor)): calls-flags += -fsanitize-coverage=trace-pc
$(call calls-objects,$(calls-monitor) $(calls-own)): $(opcodes)

# The tables of the code area can be written here, since they are to name its published address.
$(BUILD)/host/calls/code-area.o: $(BUILD)/guest-abi/code-area.o
	@mkdir -p $(@D)
	$(Q)$(OBJCOPY) --rename-section .rodata.gn_ranges=ranges,alloc,load,data,contents $< $@

# window_image: CODE_IMAGE of tests/host/calls/cpu.h, as the monitor writes addresses of its image.
$(BUILD)/host/calls-test: $(call calls-objects,$(calls-monitor) $(calls-own)) \
                          $(BUILD)/host/calls/code-area.o
	$(host-link) -no-pie -Wl,--defsym=window_image=0xffff878040200000 \
		-Wl,--wrap=guests_finish,--wrap=guests_work

calls-test: $(BUILD)/host/calls-test
	$(Q)$< 100000

calls-full: $(BUILD)/host/calls-test ## ten million hostile hypercalls
	$(Q)$< 10000000

calls-mutate: $(opcodes)
	$(Q)tests/host/mutate/mutate --calls

.PHONY: calls-full
