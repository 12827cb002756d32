# SPDX-License-Identifier: MIT
# debian.mk - what a Debian kernel's services cost on Gnomon. Included by the Makefile.

bench-debian-folder := $(BUILD)/bench-debian
bench-debian-files  := $(addprefix $(bench-debian-folder)/,vmlinuz xen initrd.gz plugin.so)

$(bench-debian-folder)/bench/init: $(addprefix tests/bench/debian/,ubench.c rows.c ubench.h)
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)gcc -I. -O2 -Wall -Wextra -Werror -static -o $@ $(filter %.c,$^)

$(bench-debian-folder)/bench/true: tests/bench/debian/true.S
	@mkdir -p $(@D)
	$(Q)gcc -nostdlib -static -o $@ $<

$(bench-debian-folder)/plugin.so: tests/bench/debian/plugin.c
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)gcc -shared -fPIC -O2 -Wall -Wextra -Werror -o $@ $<

$(bench-debian-folder)/initrd.gz: $(addprefix $(bench-debian-folder)/bench/,init true)
	$(Q)tests/debian/initramfs bench $(bench-debian-folder) $@

$(bench-debian-folder)/vmlinuz: $(debian)/amd64/vmlinuz
	@mkdir -p $(@D)
	$(Q)cp $< $@

$(bench-debian-folder)/xen: $(debian)/fetched
	@mkdir -p $(@D)
	$(Q)cp $(debian)/xen $@

bench-debian: all $(bench-debian-files) ## Debian's services and boot, beside the bare machine, Xen
	$(Q)tests/bench/debian/run $(bench-debian-folder)

.PHONY: bench-debian
