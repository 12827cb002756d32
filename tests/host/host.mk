# SPDX-License-Identifier: MIT
# host.mk - tests that run on this machine. Included by the Makefile.

# Host tests: the monitor's own files, compiled for this machine under sanitizers. A test adds its
# target to unit-tests, and builds from $(BUILD)/host/%.o.
HOSTCC     := gcc
HOSTCFLAGS := -std=gnu11 -O1 -g -I. $(warnings) -Wno-frame-larger-than -fno-strict-aliasing \
              -fsanitize=address,undefined -fno-sanitize-recover=all

$(BUILD)/host/%.o: %.c
	$(call say,HOSTCC,$<)
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) $(HOSTCFLAGS) -MMD -MP -c -o $@ $<

-include $(shell find $(BUILD)/host -name '*.d' 2>/dev/null)

unit-tests := checks-test launch-test

unit: $(unit-tests) ## the host tests; minutes

checks-test:
	$(Q)tests/host/checks/checks-test

launch-test:
	$(Q)tests/host/launch/launch-test
