# SPDX-License-Identifier: MIT
# debian.mk - Debian's stock kernels and the initramfs for them. Included by the Makefile.

debian        := $(BUILD)/debian
debian-kernel := $(debian)/amd64/vmlinuz $(debian)/cloud-amd64/vmlinuz

debian-images := $(debian-kernel) $(addprefix $(debian)/,small.gz hostile.gz full.gz)
debian-run    := $(debian)/cloud-amd64/vmlinuz $(debian)/small.gz

debian: $(debian-images) ## fetch Debian's kernels, make initramfs for them

# First what `make run` needs, then all.
$(debian)/fetched-run $(debian)/fetched: tests/debian/fetch
	$(call say,FETCH,$(debian))
	@mkdir -p $(@D)
	$(Q)tests/debian/fetch $(debian) $(if $(filter %-run,$@),run,all) > $@.log 2>&1 || \
		{ cat $@.log; exit 1; }
	$(Q)touch $@

$(debian)/fetched: $(debian)/fetched-run
$(debian)/cloud-amd64/vmlinuz: $(debian)/fetched-run
$(debian)/amd64/vmlinuz: $(debian)/fetched

# Programs of ours, for the full initramfs.
$(debian)/programs/debuggee: tests/debian/programs/debuggee.c
	@mkdir -p $(@D)
	$(Q)gcc -O0 -g -static -o $@ $<

$(debian)/programs/hello32: tests/debian/programs/hello32.c
	@mkdir -p $(@D)
	$(Q)gcc -m32 -O2 -ffreestanding -fno-pie -no-pie -nostdlib -static -fno-stack-protector \
		-o $@ $<

$(debian)/programs/segments: tests/debian/programs/segments.c
	@mkdir -p $(@D)
	$(Q)gcc -O2 -Wall -Wextra -Werror -static -no-pie -o $@ $<

$(debian)/programs/probe: tests/debian/programs/probe.c
	@mkdir -p $(@D)
	$(Q)gcc -O2 -Wall -Wextra -Werror -static -o $@ $<

# An attack from within a kernel, built as Linux builds its modules, in a folder of its own; and who
# endures it.
hostile := tests/debian/hostile

$(debian)/hostile/attack.ko: $(debian)/fetched $(wildcard $(hostile)/*)
	$(call say,MODULE,$@)
	@rm -rf $(@D)/module && mkdir -p $(@D)/module
	$(Q)cp $(hostile)/Kbuild $(hostile)/*.c $(@D)/module
	$(Q)env -u MAKEFLAGS -u MAKELEVEL make -s -C $(debian)/headers/build CC=gcc \
		GNOMON=$(CURDIR) M=$(CURDIR)/$(@D)/module modules > $(@D)/log 2>&1 || \
		{ cat $(@D)/log; exit 1; }
	$(Q)objcopy --strip-debug $(@D)/module/attack.ko $@

$(debian)/hostile/victim: $(hostile)/victim.c
	@mkdir -p $(@D)
	$(Q)gcc -O2 -Wall -Wextra -Werror -static -o $@ $<

$(debian)/hostile.gz: $(debian)/hostile/attack.ko $(debian)/hostile/victim
$(debian)/full.gz: $(addprefix $(debian)/programs/,debuggee hello32 segments probe)
$(debian)/hostile.gz $(debian)/full.gz: $(debian)/fetched
$(debian)/%.gz: $(debian)/fetched-run $(addprefix tests/debian/,initramfs init) \
		$(wildcard tests/debian/tests/*)
	$(call say,CPIO,$@)
	$(Q)tests/debian/initramfs $* $(debian) $@

debian-native: debian ## boot Debian's kernels on the bare emulated machine, which must be well too
	$(Q)tests/debian/native $(debian)

.PHONY: debian debian-native
