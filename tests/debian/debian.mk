# SPDX-License-Identifier: MIT
# debian.mk - Debian's stock kernels and the initramfs for them. Included by the Makefile.

debian        := $(BUILD)/debian
debian-kernel := $(debian)/amd64/vmlinuz $(debian)/cloud-amd64/vmlinuz

debian-images := $(debian-kernel) $(debian)/small.gz $(debian)/full.gz

debian: $(debian-images) ## fetch Debian's kernels, make initramfs for them

$(debian)/fetched: tests/debian/fetch
	$(call say,FETCH,$(debian))
	$(Q)tests/debian/fetch $(debian) > $(BUILD)/fetch.log 2>&1 || \
		{ cat $(BUILD)/fetch.log; exit 1; }
	$(Q)touch $@

$(debian-kernel): $(debian)/fetched

# Programs of ours, for the full initramfs.
$(debian)/programs/debuggee: tests/debian/programs/debuggee.c
	@mkdir -p $(@D)
	$(Q)gcc -O0 -g -static -o $@ $<

$(debian)/programs/hello32: tests/debian/programs/hello32.c
	@mkdir -p $(@D)
	$(Q)gcc -m32 -O2 -ffreestanding -fno-pie -no-pie -nostdlib -static -fno-stack-protector \
		-o $@ $<

$(debian)/full.gz: $(debian)/programs/debuggee $(debian)/programs/hello32
$(debian)/%.gz: $(debian)/fetched $(addprefix tests/debian/,initramfs init) \
		$(wildcard tests/debian/tests/*)
	$(call say,CPIO,$@)
	$(Q)tests/debian/initramfs $* $(debian) $@

debian-native: debian ## boot Debian's kernels on the bare emulated machine, which must be well too
	$(Q)tests/debian/native $(debian)

.PHONY: debian debian-native
