# SPDX-License-Identifier: MIT
# debian.mk - Debian's stock kernels and the initramfs for them. Included by the Makefile.

debian        := $(BUILD)/debian
debian-kernel := $(debian)/amd64/vmlinuz $(debian)/cloud-amd64/vmlinuz

debian: $(debian-kernel) $(debian)/small.gz $(debian)/full.gz ## fetch Debian's kernels, make the initramfs

$(debian)/fetched: tests/debian/fetch
	$(call say,FETCH,$(debian))
	$(Q)tests/debian/fetch $(debian) > $(BUILD)/debian-fetch.log 2>&1 || { cat $(BUILD)/debian-fetch.log; exit 1; }
	$(Q)touch $@

$(debian-kernel): $(debian)/fetched

$(debian)/%.gz: $(debian)/fetched tests/debian/initramfs tests/debian/init $(wildcard tests/debian/tests/*)
	$(call say,CPIO,$@)
	$(Q)tests/debian/initramfs $* $(debian) $@

debian-native: debian ## boot Debian's kernels on the bare emulated machine, which must be well too
	$(Q)tests/debian/native $(debian)

.PHONY: debian debian-native
