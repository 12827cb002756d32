# SPDX-License-Identifier: MIT
"""cases.py - the boots that `make system` tries, a row each; case.py explains the columns."""

from case import Case

NO_GUEST = dict(status=1, log=['gnomon: no guest: give at least one module with guest=NAME'],
                console=['gnomon: no guest'])

CASES = [
    # The monitor comes up by every way into it, and says that it has nothing to do.
    Case('boot/direct', '--firmware direct', **NO_GUEST),
    Case('boot/bios', '--firmware bios', **NO_GUEST),
    Case('boot/uefi', '--firmware uefi', **NO_GUEST),
    Case('boot/bochs-skylake', '--emulator bochs --cpu corei7_skylake_x', **NO_GUEST),
    Case('boot/bochs-ryzen', '--emulator bochs --cpu ryzen', **NO_GUEST),
    Case('boot/bochs-sandy-bridge', '--emulator bochs --cpu corei7_sandy_bridge_2600k', full=True,
         **NO_GUEST),
    *[Case(f'cpu/{cpu}', f'--cpu {cpu}', **NO_GUEST)
      for cpu in ('qemu64', 'Skylake-Client', 'EPYC')],
    *[Case(f'memory/{size}', f'--memory {size}', **NO_GUEST) for size in ('64M', '8G')],
    Case('memory/uefi-8G', '--firmware uefi --memory 8G', full=True, **NO_GUEST),
    Case('smp/4', '--smp 4', **NO_GUEST),
    Case('smp/bios-8', '--firmware bios --smp 8', **NO_GUEST),
]
