# SPDX-License-Identifier: MIT
# Gnomon's build. `make help` lists what it can do. V=1 shows commands; CC=clang and CROSS_COMPILE=
# work.

CC      := gcc
LD       = $(CROSS_COMPILE)ld
NM       = $(CROSS_COMPILE)nm
OBJCOPY  = $(CROSS_COMPILE)objcopy
OBJDUMP  = $(CROSS_COMPILE)objdump
BUILD   := build
Q       := $(if $(V),,@)
say      = $(if $(V),,@printf '  %-7s %s\n' $(1) $(2))
TARGETCC = $(if $(findstring clang,$(CC)),$(CC) --target=x86_64-linux-gnu,$(CROSS_COMPILE)$(CC))

.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

# ---- the monitor, in reading order ---------------------------------------------------------------

boot     := boot/start.S boot/boot.c boot/multiboot1.c boot/multiboot2.c boot/acpi.c
abi      := guest-abi/code-area.S
switcher := arch/x86/switcher/entry.S arch/x86/switcher/xen.S arch/x86/switcher/return.S
cpu      := $(addprefix arch/x86/cpu/,thunks.S features.c early-memory.c paging.c paging-audit.c \
            cpu.c desc.c machine.c fpu.c apic.c ioapic.c nmi-storm.c interrupts.c recorder.c \
            tsc.c rtc.c \
            trampoline.S smp.c speculation.c speculation-entry.S serial.c font.S screen.c \
            console.c poweroff.c symbols.c panic.c)
emulate  := $(addprefix arch/x86/emulate/,decode.c emulate.c operand.c arithmetic.c move.c \
            string.c \
            system.c transfer.c)
vcpu     := $(addprefix arch/x86/vcpu/, vcpu.c window.c clock.c segments.c descriptors.c memory.c \
                inject.c ranges.c emulator.c stores.c operations-memory.c operations-segment.c \
                operations-control.c operations-msr.c)
mm       := mm/frame.c mm/p2m.c mm/guest-copy.c
shadow   := mm/shadow/walk.c mm/shadow/spte.c mm/shadow/rmap.c mm/shadow/page.c \
            mm/shadow/fault.c mm/shadow/root.c mm/shadow/sync.c mm/shadow/loose.c \
            mm/shadow/reach.c mm/shadow/audit.c mm/shadow/shadow.c
object   := object/guest.c object/port.c object/console.c
calls    := hypercall/dispatch.c $(addprefix hypercall/native/, table.c control.c memory.c \
                tables.c events.c console.c) $(addprefix hypercall/xen/, table.c memory.c \
                entries.c multicall.c processor.c vcpu.c events.c console.c cpuid.c)
run      := $(addprefix run/, main.c self-test.c options.c guest-config.c modules.c guests.c \
                loader.c loader-image.S sched.c keyboard.c run.c exits.c)
lib      := lib/string.c lib/print.c lib/log.c lib/ranges.c lib/lock.c

monitor-sources := $(boot) $(abi) $(switcher) $(cpu) $(emulate) $(vcpu) $(mm) $(shadow) \
                   $(object) $(calls) $(run) $(lib)
monitor-objects := $(patsubst %,$(BUILD)/%.o,$(basename $(monitor-sources)))

# ---- flags ---------------------------------------------------------------------------------------

warnings := -Wall -Wextra -Werror -Wstrict-prototypes -Wmissing-prototypes -Wvla \
            -Wframe-larger-than=1024
# Freestanding; all addressing relative to RIP (the image lies in PML4 slot 271, where 32-bit
# absolute addresses do not reach); no SSE, retpolines, zeroed locals; functions in sections of
# their own, aligned to 16, for live patching to come, and nothing aligned within them.
CFLAGS := -std=gnu11 -O2 -g $(warnings) -I. -I$(BUILD)/include -ffreestanding -fno-common \
          -fno-strict-aliasing -fpie -include lib/hidden.h -mno-red-zone \
          -mgeneral-regs-only -fno-stack-protector -fno-asynchronous-unwind-tables \
          -fcf-protection=none -fomit-frame-pointer -ffunction-sections -falign-functions=16 \
          -fno-jump-tables \
          -ffile-prefix-map=$(CURDIR)=. $(if $(DEBUG),-DGN_DEBUG) $(if $(STACK),-fstack-usage)
ifneq ($(findstring clang,$(CC)),)
CFLAGS += -mretpoline -mretpoline-external-thunk -ftrivial-auto-var-init=zero \
          -enable-trivial-auto-var-init-zero-knowing-it-will-be-removed-from-clang
else
CFLAGS += -mindirect-branch=thunk-extern -mindirect-branch-register \
          -ftrivial-auto-var-init=zero -fno-align-loops -fno-align-jumps -fno-align-labels
endif
# What every hypercall, event and fault goes through is fast; all else is small.
fast := arch/x86/cpu/machine.c arch/x86/emulate/emulate.c arch/x86/vcpu/inject.c \
        arch/x86/vcpu/stores.c hypercall/dispatch.c hypercall/xen/entries.c \
        hypercall/xen/multicall.c object/port.c run/run.c mm/guest-copy.c \
        $(filter-out %/loose.c %/audit.c %/shadow.c,$(shadow))
# Passes that -Oz leaves on although they lengthen the code are off: together 370 bytes.
small := -Oz
ifeq ($(findstring clang,$(CC)),)
small += $(addprefix -fno-tree-,dominator-opts loop-im sra tail-merge)
endif
$(patsubst %,$(BUILD)/%.o,$(basename $(filter-out $(fast),$(monitor-sources)))): CFLAGS += $(small)
# Where no row of `make bench` leads, no register is saved around single calls: 200 bytes.
rare := arch/x86/cpu/recorder.c arch/x86/emulate/system.c arch/x86/emulate/transfer.c \
        arch/x86/vcpu/operations-control.c arch/x86/vcpu/operations-segment.c \
        arch/x86/vcpu/vcpu.c hypercall/xen/events.c hypercall/xen/processor.c run/loader.c
ifeq ($(findstring clang,$(CC)),)
$(patsubst %.c,$(BUILD)/%.o,$(rare)): CFLAGS += -fno-caller-saves
$(BUILD)/mm/guest-copy.o: CFLAGS += -fno-move-loop-invariants # its loops mostly take one turn
endif

ASFLAGS := -I. -g -D__ASSEMBLER__ -ffile-prefix-map=$(CURDIR)=.

$(BUILD)/%.o: %.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(TARGETCC) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/%.o: %.S
	$(call say,AS,$<)
	@mkdir -p $(@D)
	$(Q)$(TARGETCC) $(ASFLAGS) -MMD -MP -c -o $@ $<

# The decoder's tables, from the opcode maps.
opcode-maps := $(addprefix arch/x86/emulate/map/,one-byte.map two-byte.map three-byte.map vex.map \
               evex.map xop.map)
opcodes     := $(addprefix $(BUILD)/include/arch/x86/emulate/,opcode-actions.h opcode-tables.inc)

$(opcodes) &: arch/x86/emulate/generate $(opcode-maps)
	$(call say,GEN,$(opcodes))
	@mkdir -p $(@D)
	$(Q)python3 $< $(opcodes) $(opcode-maps)

$(patsubst %.c,$(BUILD)/%.o,$(emulate)): $(opcodes)

-include $(monitor-objects:.o=.d)
$(monitor-objects): Makefile # its flags may have changed

# ---- the image -----------------------------------------------------------------------------------

# Linked for one fixed address, with a build-id, without functions that nobody calls. Relocations
# and symbols stay in the file, for live patching to come; no boot loader loads them.
LDFLAGS := -nostdlib -static --no-dynamic-linker --build-id=sha1 --emit-relocs \
           -z max-page-size=4096 -z noexecstack -z norelro --gc-sections

$(BUILD)/gnomon.lds: boot/gnomon.lds.S boot/layout.h arch/x86/switcher/area.h guest-abi/layout.h
	$(call say,CPP,$<)
	@mkdir -p $(@D)
	$(Q)$(TARGETCC) $(ASFLAGS) -E -P -x c -o $@ $<

# Structure offsets for the switcher's text, from C.
$(BUILD)/arch/x86/switcher/asm-offsets.h: arch/x86/switcher/asm-offsets.c
	@mkdir -p $(@D)
	$(Q)$(TARGETCC) $(CFLAGS) -MMD -MP -MT $@ -MF $@.d -S -o $@.s $<
	$(Q)sed -n 's/.*"->\([A-Z0-9_]*\) \(.*\)".*/#define \1 \2/p' $@.s > $@

switcher-text := $(BUILD)/arch/x86/switcher/entry.o $(BUILD)/arch/x86/switcher/xen.o
$(switcher-text): $(BUILD)/arch/x86/switcher/asm-offsets.h
$(switcher-text): ASFLAGS += -I$(BUILD)
-include $(BUILD)/arch/x86/switcher/asm-offsets.h.d

# The framebuffer's font is that of the build machine's console.
FONT := /usr/share/consolefonts/Lat15-VGA16.psf.gz

$(BUILD)/font.psf:
	@test -r $(FONT) || { echo "$(FONT) is missing: install console-setup-linux"; exit 1; }
	@mkdir -p $(@D)
	$(Q)gzip -dc $(FONT) > $@

$(BUILD)/arch/x86/cpu/font.o: ASFLAGS += -I$(BUILD)
$(BUILD)/arch/x86/cpu/font.o: $(BUILD)/font.psf

# Linked twice: the names of the first link's functions are a table in the second, for backtraces.
link = $(LD) $(LDFLAGS) -T $(BUILD)/gnomon.lds -o $@ $(monitor-objects)

$(BUILD)/no-symbols.S: arch/x86/cpu/symbols.awk
	@mkdir -p $(@D)
	$(Q)awk -f $< /dev/null > $@

$(BUILD)/gnomon.first: $(monitor-objects) $(BUILD)/no-symbols.o $(BUILD)/gnomon.lds
	$(Q)$(link) $(BUILD)/no-symbols.o

$(BUILD)/symbols.S: $(BUILD)/gnomon.first arch/x86/cpu/symbols.awk
	$(Q)$(NM) -n $< | awk -f arch/x86/cpu/symbols.awk > $@

$(BUILD)/symbols.o $(BUILD)/no-symbols.o: %.o: %.S
	$(Q)$(TARGETCC) $(ASFLAGS) -c -o $@ $<

$(BUILD)/gnomon.elf: $(BUILD)/gnomon.first $(BUILD)/symbols.o
	$(call say,LD,$@)
	$(Q)$(link) $(BUILD)/symbols.o
	$(Q)tests/host/checks/init-check $@

include guests/guests.mk tests/debian/debian.mk tests/host/host.mk tests/guest/guest.mk
include tests/bench/bench.mk tests/bench/debian/debian.mk

# ---- what to make --------------------------------------------------------------------------------

all: $(BUILD)/gnomon.elf $(BUILD)/guests/tour.elf ## build the monitor and the tour guest

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1 - /p' $(MAKEFILE_LIST) | sort

clean: ## remove build/
	rm -rf $(BUILD)

# ---- running it ----------------------------------------------------------------------------------

guest := name=debian,kernel=$(debian)/cloud-amd64/vmlinuz,initrd=$(debian)/small.gz,mem=512M
tour  := name=tour,kernel=$(BUILD)/guests/tour.elf,mem=16M

run: ## boot GRUB, the monitor and Debian's kernel to a shell; Ctrl-a x stops the machine
	$(Q)tools/setup run
	$(Q)$(MAKE) --no-print-directory all $(debian-run)
	$(Q)tools/gnomon run --firmware bios --elf $(BUILD)/gnomon.elf \
		--guest $(guest),append=console=hvc0

run-tour: ## boot GRUB, the monitor and the tour guest, which shows what a guest can do
	$(Q)tools/setup run
	$(Q)$(MAKE) --no-print-directory all
	$(Q)tools/gnomon run --firmware bios --elf $(BUILD)/gnomon.elf --guest $(tour)

# ---- tests and checks: each target ends in lines "N passed, N failed" ----------------------------

check-steps := lint unit guest-tests example rules emulate-check fuzz mutate reproducible system \
               boundaries
proof-steps := lint unit guest-tests-full example rules emulate-full shadow-full calls-full \
               fuzz mutate reproducible system-full nmi-map boundaries-full

lint: $(opcodes) ## what can be said of the sources without running them
	$(Q)tests/host/checks/lint $(TARGETCC) $(CFLAGS)

read: ## the monitor's code in story order, with prose between: TOUR
	$(Q)tests/host/checks/read

abi: ## renew the tables in guest-abi/ABI.md from the headers
	$(Q)tests/host/checks/abi-check --write

reproducible: ## two builds in different folders give the same bytes
	$(Q)tests/host/checks/reproducible-check

system: all guest-elfs debian ## boot under several firmwares, CPU models and emulators
	$(Q)tests/system/run

system-full: all guest-elfs debian
	$(Q)tests/system/run --full

boundaries: all guest-elfs ## an event at every instruction boundary of the code area, a sample
	$(Q)tests/system/boundaries
	$(Q)tests/system/boundaries --without 1 2 3

boundaries-full: all guest-elfs ## at every tick in every state; and each table entry is needed
	$(Q)tests/system/boundaries --full
	$(Q)tests/system/boundaries --without

nmi-map: all guest-elfs ## an NMI at every instruction of the switcher
	$(Q)tests/system/nmi-map

check: ## everything that can be tested in half an hour, ending in counts
	$(Q)tools/setup check
	+$(Q)BUILD=$(BUILD) tests/system/check $(check-steps)

proof: ## everything, in full; may be interrupted, and goes on where it was
	$(Q)tools/setup check
	+$(Q)BUILD=$(BUILD) tests/system/check --resume $(proof-steps)

check-fresh: ## run and check in a minimal Debian of its own; needs root and the network
	$(Q)tests/system/check-fresh

format: ## format what differs from the last commit
	git clang-format

.PHONY: all help clean read run run-tour unit abi bench lint reproducible system \
        system-full boundaries boundaries-full nmi-map check proof check-fresh format
