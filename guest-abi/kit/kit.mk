# SPDX-License-Identifier: MIT
# kit.mk - builds kernels with the kit. A kernel's Makefile sets KIT, the folder that holds
# guest-abi/, and OUT, where objects go, includes this file, and says
#
#	$(OUT)/NAME.elf: $(kit-objects) $(OUT)/ITS-OBJECTS.o
#		$(kit-link)
#
# $(OUT)/main.o is made from main.c or main.S beside the Makefile.

KIT ?= .
OUT ?= .

kit-flags   := -std=c11 -O2 -g -Wall -Wextra -I$(KIT) -ffreestanding -fno-pie -mcmodel=kernel \
               -mno-red-zone -mgeneral-regs-only -fno-stack-protector -fno-strict-aliasing \
               -fno-asynchronous-unwind-tables -fcf-protection=none $(KIT_CFLAGS)
kit-objects := $(patsubst %,$(OUT)/kit/%.o,entry start patch console memory)
kit-traps   := $(OUT)/kit/traps-entry.o $(OUT)/kit/traps.o # for those who have none
kit-link     = $(LD) -static -no-pie --build-id=none -z max-page-size=4096 -z noexecstack \
               -T $(KIT)/guest-abi/kit/kernel.ld -o $@ $(filter %.o,$^)
kit-compile  = @mkdir -p $(@D) && $(CC) $(kit-flags) -MMD -MP -c -o $@ $<

$(OUT)/kit/entry.o: $(KIT)/guest-abi/kit/start.S
	$(kit-compile)

$(OUT)/kit/%.o: $(KIT)/guest-abi/kit/%.c
	$(kit-compile)

$(OUT)/kit/%.o: $(KIT)/guest-abi/kit/%.S
	$(kit-compile)

$(OUT)/%.o: %.c
	$(kit-compile)

$(OUT)/%.o: %.S
	$(kit-compile)

-include $(wildcard $(OUT)/*.d $(OUT)/kit/*.d)
