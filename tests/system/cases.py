# SPDX-License-Identifier: MIT
"""cases.py - the boots that `make system` tries, a row each; case.py explains the columns."""

import hashlib
import os
import random
import shlex

from case import TERMINATED, Case
from least import LeastMemory

# Where chance begins in the tests that have any; SEED=N repeats them.
SEED = int(os.environ.get('SEED') or random.randrange(1, 1 << 31))

NO_GUEST = dict(status=1, log=['gnomon: no guest: give at least one module with guest=NAME'],
                console=['gnomon: no guest'])

# A kernel that checks a few things, says so and powers off; and a file that is no kernel.
KERNEL, NO_KERNEL = 'build/tests/guest/basics.elf', 'README.md'

# What is wrong gets one line and the others run on: b, in these.
OTHER = f'--guest name=b,kernel={KERNEL},mem=16M'
OTHER_RAN = ["guest 'b' ended: poweroff", 'gnomon: all guests ended']


def refused(name, args, why, **more):
    """A guest that is refused beside one that runs."""
    return Case(f'bad/{name}', f'{OTHER} {args}', status=1, log=[why], also=OTHER_RAN, **more)


# Through every boot loader a command line arrives as it was given; the log shows it.
LINE = r"""x  'y' "z" \\ a,b $c {d} [\'] # ;"""


def line(name, args):
    guest = shlex.quote(f'name=a,kernel={KERNEL},mem=16M,append={LINE}')
    return Case(f'line/{name}', f'{args} --monitor loglevel=debug --guest {guest}',
                log=[f'guest=a mem=16M append={LINE}', "guest 'a' ended: poweroff"])


def tour(name, keys=''):
    """A guest that is the tour, with keys of its own."""
    return f'--guest name={name},kernel=build/guests/tour.elf,mem=16M{keys}'


def reboots(name, count, **more):
    """The tour, rebooted so often: each time all its memory comes back, and it is made again."""
    return Case(f'reboots/{name}', tour('tour', ',on_reboot=restart'), frames_return=True,
                keys=[('tour> ', 'reboot\n')] * count + [('tour> ', 'poweroff\n')],
                log=["guest 'tour' rebooted"] * count + ["guest 'tour' ended: poweroff"], **more)


def whole_tour(name, args, keys='', **more):
    """The tour by itself: all it shows is right, and all its memory comes back."""
    return Case(f'tour/{name}', f'{args} {tour("tour", keys + ",append=auto")}', frames_return=True,
                console=['tour: ready', ' passed, 0 failed'], log=["guest 'tour' ended: poweroff"],
                **more)


def debian(name, flavour, args, timeout=240, **more):
    """Debian's stock kernel, its smoke test and poweroff; all its memory comes back."""
    guest = shlex.quote(f'name=deb,kernel=build/debian/{flavour}/vmlinuz,'
                        'initrd=build/debian/small.gz,mem=512M,'
                        'append=console=hvc0 gnomon.test=smoke')
    return Case(f'debian/{name}', f'{args} --guest {guest}', timeout=timeout, frames_return=True,
                console=['Hypervisor detected: Xen PV', 'debian: smoke passed'],
                log=["guest 'deb' ended: poweroff"], **more)


# At the prompt of a Debian guest: what is pasted arrives whole, and ^C ends what runs. What is
# ended says itself that it runs: a ^C between a shell's own word and its child's exec is the
# shell's, which keeps it until the child has ended, on any machine.
PROMPT = '/tmp # '
PASTED = '\n'.join(f'{i:04} what is pasted arrives whole' for i in range(100)) + '\n'
SUM = hashlib.md5(PASTED.encode()).hexdigest()


def debian_shell(name, keys, **more):
    guest = ('name=deb,kernel=build/debian/cloud-amd64/vmlinuz,initrd=build/debian/small.gz,'
             'mem=192M,append=console=hvc0 quiet')
    return Case(f'debian/{name}', f'--guest {shlex.quote(guest)}', timeout=240, keys=keys,
                frames_return=True, **more)


def least(name, flavour, **more):
    guest = shlex.quote(f'name=deb,kernel=build/debian/{flavour}/vmlinuz,'
                        'initrd=build/debian/small.gz,mem={memory},'
                        'append=console=hvc0 quiet gnomon.test=smoke')
    return LeastMemory(f'debian/{name}', f'--guest {guest}', timeout=240,
                       console=['debian: smoke passed'], log=["guest 'deb' ended: poweroff"],
                       **more)


def programs(name, flavour, seconds, args='', **more):
    """Debian's own programs, and a load that checks itself, each kind of it so many seconds."""
    guest = shlex.quote(f'name=deb,kernel=build/debian/{flavour}/vmlinuz,'
                        'initrd=build/debian/full.gz,mem=1G,append=console=hvc0 quiet '
                        f'gnomon.test=programs gnomon.seconds={seconds}')
    return Case(f'programs/{name}', f'{args} --guest {guest}', timeout=600 + 60 * seconds,
                frames_return=True, console=['debian: programs passed'],
                log=["guest 'deb' ended: poweroff"], **more)


def debian_reboots(name, count, **more):
    guest = ('name=deb,kernel=build/debian/cloud-amd64/vmlinuz,initrd=build/debian/small.gz,'
             'mem=192M,on_reboot=restart,append=console=hvc0 quiet')
    return Case(f'reboots/{name}', f'--guest {shlex.quote(guest)}', frames_return=True,
                timeout=60 + 60 * count,
                keys=[('/tmp # ', 'reboot -f\n')] * count + [('/tmp # ', 'poweroff -f\n')],
                log=["guest 'deb' rebooted"] * count + ["guest 'deb' ended: poweroff"], **more)


def hostile(name, waves, seconds, **more):
    """A guest attacks from ring 1, another endures it. The attacker may end as it will, or hang
    in the ruins of its kernel, as long as the victim's sums hold."""
    victim, attacker = [shlex.quote(
        f'name={name},kernel=build/debian/{flavour}/vmlinuz,initrd=build/debian/hostile.gz,'
        f'mem=192M,append=console=hvc0 quiet gnomon.test={test}')
        for name, flavour, test in (
            ('victim', 'cloud-amd64', f'victim gnomon.seconds={seconds}'),
            ('attacker', 'amd64', f'attack gnomon.seed={SEED} gnomon.waves={waves}'))]
    return Case(f'debian/{name}', f'--guest {victim} --guest {attacker}',
                status=(0, 1, TERMINATED), timeout=seconds + 300,
                until="gnomon: guest 'victim' ended",
                keys=[('attack: wild waves survived', '\n')],
                console=['[victim] victim: watches', 'attack: tame waves survived'],
                also=["guest 'victim' ended: poweroff"],
                never=('panic:', 'attack: seed refused', 'debian: victim failed'), **more)


NEXT_GUEST = '\x1dn'    # Ctrl-] n

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
    Case('log/slow-events', '--guest name=a,kernel=build/tests/guest/slow-events.elf,mem=16M',
         log=["guest 'a': an event has waited for more than 10 ms with vif 0; RIP is 0x",
              "guest 'a' ended: poweroff", "guest 'a': 3000 traps at 0x", '(cli)']),
    Case('boot/audit', '--smp 2 --monitor debug=audit', status=1,
         log=["gnomon: audit: the ", " entries of CPU 1's page tables are as they should be"]),
    Case('smp/8G', '--smp 2 --memory 8G', **NO_GUEST),
    Case('smp/4', '--smp 4', **NO_GUEST),
    Case('smp/bios-8', '--firmware bios --smp 8', **NO_GUEST),

    # A guest runs, by every way into the monitor.
    *[Case(f'guest/{name}', f'{args} {OTHER}', log=OTHER_RAN, console=['basics: ', ' 0 failed'])
      for name, args in (('direct', ''), ('bios', '--firmware bios'), ('uefi', '--firmware uefi'),
                         ('icount', '--icount 0'))],
    Case('guest/bochs', f'--emulator bochs {OTHER}', log=OTHER_RAN,
         console=['basics: ', ' 0 failed', 'gnomon: all guests ended\n']),
    line('direct', ''), line('bios', '--firmware bios'), line('uefi', '--firmware uefi'),

    # The tour, as a newcomer sees it.
    whole_tour('direct', ''),
    whole_tour('bios', '--firmware bios'), whole_tour('uefi', '--firmware uefi'),
    *[whole_tour(cpu, f'--cpu {cpu}') for cpu in ('qemu64', 'Skylake-Client', 'EPYC')],
    *[whole_tour(size, f'--memory {size}') for size in ('64M', '8G')],
    *[whole_tour(f'bochs-{cpu}', f'--emulator bochs --cpu {cpu}', timeout=300)
      for cpu in ('corei7_skylake_x', 'ryzen')],
    whole_tour('notified', '', keys=',paging=notified'),
    whole_tour('icount', '--icount 0', twice=True), whole_tour('smp', '--smp 4'),
    Case('tour/prompt', tour('tour'), log=["guest 'tour' ended: poweroff"], frames_return=True,
         keys=[('tour> ', 'help\n'), ('tour> ', 'ps\n'), ('tour> ', 'poweroff\n')],
         console=['tour: ready', 'this list', 'number', 'all guests ended']),
    Case('tour/reboot', tour('tour'), keys=[('tour> ', 'reboot\n')],
         log=["guest 'tour' ended: reboot"], frames_return=True),
    Case('tour/restart', tour('tour', ',on_reboot=restart'), frames_return=True,
         keys=[('tour> ', 'reboot\n'), ('tour> ', 'poweroff\n')],
         log=["guest 'tour' rebooted", "guest 'tour' ended: poweroff"]),
    reboots('200', 200, timeout=300),

    # Two guests share a CPU by time slices; the end of one is not the end of the other.
    Case('two/tours', f'{tour("a", ",append=auto")} {tour("b", ",append=auto")}',
         log=["guest 'a' ended: poweroff"], also=["guest 'b' ended: poweroff"],
         frames_return=True),
    Case('two/crash', f'{tour("a")} {tour("b")}', status=1, frames_return=True,
         keys=[('[a] tour: ready', 'crash\n'), ("guest 'a' ended", 'poweroff\n')],
         log=["guest 'a' ended: crashed", "guest 'b' ended: poweroff"]),
    Case('two/keyboard', f'{tour("a")} {tour("b")}', frames_return=True,
         keys=[('[a] tour: ready', NEXT_GUEST), ("the keyboard is guest 'b's", 'poweroff\n'),
               ("guest 'b' ended", 'poweroff\n')],
         log=["guest 'b' ended: poweroff", "guest 'a' ended: poweroff"]),

    # Debian's kernels as they are in their packages.
    debian('amd64', 'amd64', ''), debian('cloud', 'cloud-amd64', ''),
    debian('bios', 'cloud-amd64', '--firmware bios'),
    debian('uefi', 'cloud-amd64', '--firmware uefi'),
    *[debian(f'{flavour}-{firmware}-{cpu}', flavour, f'--firmware {firmware} --cpu {cpu}',
             full=True)
      for flavour in ('amd64', 'cloud-amd64') for firmware in ('direct', 'bios', 'uefi')
      for cpu in ('qemu64', 'max', 'Skylake-Client', 'EPYC')],
    *[debian(f'{flavour}-bochs', flavour, '--emulator bochs', timeout=3600, full=True)
      for flavour in ('amd64', 'cloud-amd64')],
    debian_shell('console', [(PROMPT, "stty -echo; md5sum; sh -c 'echo begun; exec sleep 10000'\n"),
                             ("sleep 10000'", PASTED + '\x04'), (SUM, ''), ('begun', '\x03'),
                             (PROMPT, 'poweroff -f\n')],
                 console=[SUM, 'begun'], log=["guest 'deb' ended: poweroff"]),
    debian_shell('crash', [(PROMPT, 'echo c >/proc/sysrq-trigger\n')], status=1,
                 never=('gnomon: panic',),
                 log=["guest 'deb' ended: crashed: shutdown(3); the last it wrote: '"]),
    least('least-cloud', 'cloud-amd64'), least('least-amd64', 'amd64', full=True),
    programs('cloud', 'cloud-amd64', 2),
    programs('amd64', 'amd64', 60, full=True),
    programs('cloud-intel', 'cloud-amd64', 5, '--cpu Skylake-Client', full=True),
    debian_reboots('debian', 1), debian_reboots('debian-5', 5, full=True),
    hostile('hostile', 1, 100), hostile('hostile-long', 20, 600, full=True),

    # Bad input: one line names the guest and the reason.
    refused('no-name', f'--module {KERNEL},hello', "guest '?' refused: its module has no guest="),
    refused('no-line', f'--module {KERNEL}', "guest '?' refused: its module has no guest="),
    refused('bad-name', f'--module "{KERNEL},guest=a*b"', 'a name of letters, digits, _ and -'),
    refused('unknown-key', f'--module "{KERNEL},guest=a colour=red"', "guest 'a' refused: an unkn"),
    refused('twice-a-key', f'--module "{KERNEL},guest=a mem=1M mem=1M"', 'option is given twice'),
    refused('one-name', f'--module "{KERNEL},guest=b mem=16M"', "guest 'b' refused: another guest"),
    refused('long-line', f'--module {KERNEL},guest=a,{"x" * 4096}', 'longer than 4095 bytes'),
    refused('lone-initrd', f'--module {NO_KERNEL},initrd=a', "guest '?' refused: an initrd "),
    refused('two-initrds', f'--module {NO_KERNEL},initrd=b --module {NO_KERNEL},initrd=b',
            "guest '?' refused: a second initrd"),
    refused('no-kernel', f'--guest name=a,kernel={NO_KERNEL},mem=16M',
            "guest 'a' refused: the kernel is not"),
    refused('too-large', f'--guest name=a,kernel={KERNEL},mem=4G --memory 128M',
            "guest 'a' refused: not enough memory"),
    Case('bad/option', '--monitor colour=red', status=1, log=["refused: option 'colour=red'"]),
    Case('bad/value', '--monitor loglevel=9x', status=1, log=["refused: option 'loglevel=9x'"]),
    Case('bad/long-options', f'--monitor {"x" * 4096}', status=1, log=['longer than 4095 bytes']),
    Case('bad/no-nx', f'--cpu qemu64,-nx {OTHER}', status=1, log=['this CPU lacks NX']),
]
