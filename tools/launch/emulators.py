# SPDX-License-Identifier: MIT
"""emulators.py - QEMU and Bochs: what they can do, how they are started.

An emulator runs in a folder of its own, where its files have short names that are always the
same: gnomon.elf, 0, 1, ... (modules), disk.iso, log, console. So two runs have the same command
lines, and the guest sees the same memory."""

import os
import re
import shlex
import shutil
import subprocess
import tty

from launch import Usage
from launch.grub import grub_entry, make_image
from launch.guests import MIB, parse_size
from launch.verdict import read_log

OVMF = ('/usr/share/OVMF/OVMF_CODE_4M.fd', '/usr/share/OVMF/OVMF_VARS_4M.fd')
BOCHS_ROMS = ('/usr/share/bochs/BIOS-bochs-latest', '/usr/share/bochs/VGABIOS-lgpl-latest')
BOCHS_HOST_MIB, BOCHS_MOST_MIB = 2048, 4096    # measured: 8 GiB do not start


def check_machine(args):
    """Refuse what cannot be combined, by name, before anything is started."""
    bochs = args.emulator == 'bochs'
    if bochs and args.firmware != 'bios':
        raise Usage(f'--emulator bochs has no --firmware {args.firmware}, only bios')
    if bochs and args.accel == 'kvm':
        raise Usage('--emulator bochs has no --accel kvm')
    if bochs and args.icount is not None:
        raise Usage('--icount is for QEMU; Bochs counts instructions always')
    if args.icount is not None and args.accel == 'kvm':
        raise Usage('--icount needs --accel tcg')
    if args.accel == 'kvm' and not os.access('/dev/kvm', os.R_OK | os.W_OK):
        raise Usage('--accel kvm needs a /dev/kvm that you may open')
    program = 'bochs' if bochs else 'qemu-system-x86_64'
    if not shutil.which(program):
        raise Usage(f'{program} is missing: run tools/setup {"check" if bochs else "run"}')
    needed = BOCHS_ROMS if bochs else OVMF if args.firmware == 'uefi' else ()
    for file in needed:
        if not os.path.exists(file):
            raise Usage(f'{file} is missing: run tools/setup check')
    if bochs:
        check_bochs_model(args)


def fill_defaults(args):
    """What the user left open and the emulator decides."""
    bochs = args.emulator == 'bochs'
    args.firmware = args.firmware or ('bios' if bochs else 'direct')
    args.cpu = args.cpu or ('corei7_skylake_x' if bochs else 'max')
    if not re.search(r'(^| )exit=', args.monitor):
        args.monitor = f'{args.monitor} exit={"bochs" if bochs else "debug"}'.lstrip()


def check_bochs_model(args):
    listed = subprocess.run(['bochs', '--help', 'cpu'], stdin=subprocess.DEVNULL, check=False,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout
    models = re.findall(r'^\w+$', listed, re.M)
    if args.cpu not in models:
        raise Usage(f'Bochs has no --cpu {args.cpu}; it has: {" ".join(models)}')


def memory_mib(args, load):
    size = parse_size(args.memory, '--memory') if args.memory else load.memory
    mib = -(-size // MIB)
    if args.emulator == 'bochs' and mib > BOCHS_MOST_MIB:
        raise Usage(f'Bochs has at most {BOCHS_MOST_MIB}M of memory, not {mib}M')
    return mib


def escape(text):
    """As GRUB hands a line to the monitor, which undoes it; QEMU hands lines on as they are."""
    return re.sub(r'([\\\'"])', r'\\\1', text)


def qemu_command(args, load):
    command = ['qemu-system-x86_64', '-no-user-config', '-nodefaults', '-machine', 'pc',
               '-accel', args.accel, '-cpu', args.cpu, '-smp', str(args.smp),
               '-m', f'{memory_mib(args, load)}M', '-display', 'none', '-no-reboot',
               '-chardev', 'stdio,id=console,signal=off', '-serial', 'chardev:console',
               '-chardev', 'file,id=log,path=log', '-serial', 'chardev:log',
               '-device', 'isa-debug-exit,iobase=0xf4,iosize=4']
    if args.icount is not None:
        command += ['-icount', f'shift={args.icount},sleep=off', '-seed', '1',
                    '-rtc', 'base=2026-01-01,clock=vm']
    if args.firmware == 'direct':
        command += ['-kernel', 'gnomon.elf', '-append', escape(load.options)]
        if load.modules:    # QEMU splits at commas, and takes a doubled one for one
            lines = [f'{number} {escape(module.line)}'.replace(',', ',,')
                     for number, module in enumerate(load.modules)]
            command += ['-initrd', ','.join(lines)]
    else:
        command += ['-vga', 'std', '-cdrom', 'disk.iso', '-boot', 'd']
    if args.firmware == 'uefi':
        command += ['-drive', f'if=pflash,format=raw,unit=0,readonly=on,file={OVMF[0]}',
                    '-drive', 'if=pflash,format=raw,unit=1,file=variables']
    return command + shlex.split(args.emulator_args)


def bochs_config(args, load):
    """Debian's Bochs has no screen that shows nothing: the one for terminals gets a terminal that
    nobody sees; its speed is not shown there, or a run of half an hour would fill a line that
    nobody reads, and wait. The sound drivers and the speaker would stop it on a machine that has
    none."""
    mib = memory_mib(args, load)
    return '\n'.join([
        f'memory: guest={mib}, host={min(mib, BOCHS_HOST_MIB)}',
        f'cpu: model={args.cpu}, count={args.smp}, ips=50000000, reset_on_triple_fault=0',
        f'romimage: file={BOCHS_ROMS[0]}', f'vgaromimage: file={BOCHS_ROMS[1]}',
        'display_library: term, options="hideIPS"',
        'sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy', 'speaker: enabled=0',
        'pci: enabled=1, chipset=i440fx',
        'ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14',
        'ata0-master: type=cdrom, path=disk.iso, status=inserted', 'boot: cdrom',
        'com1: enabled=1, mode=term, dev=console', 'com2: enabled=1, mode=file, dev=log',
        'clock: sync=none, time0=1767225600', 'log: bochs.log',
        'panic: action=fatal', 'error: action=report', 'info: action=ignore',
        'debug: action=ignore', ''])


def bochs_command(args):
    return ['bochs', '-q', '-f', 'bochsrc', '-rc', 'go'] + shlex.split(args.emulator_args)


def describe(args, load):
    """All that would be started, for a reader."""
    if args.emulator == 'bochs':
        text = shlex.join(bochs_command(args)) + '\n' + bochs_config(args, load)
    else:
        text = shlex.join(qemu_command(args, load)) + '\n'
    if args.firmware != 'direct':
        text += grub_entry(load, {path: os.path.basename(path) for path in load.files()})
    return text


SCREEN = {'TERM': 'xterm', 'LINES': '50', 'COLUMNS': '132'}    # the one that nobody sees


class Machine:
    """A started emulator: its process, our two ends of its COM1, the screen that nobody sees."""

    def __init__(self, args, load, folder):
        self.log, self.spoken = os.path.join(folder, 'log'), False
        if args.emulator == 'bochs':
            self.console, line = os.openpty()    # Bochs opens the line by name; we keep it open
            self.keys = self.console
            self.screen, stdin = os.openpty()
            stdout = stderr = stdin
            tty.setraw(line)
            os.symlink(os.ttyname(line), os.path.join(folder, 'console'))
            command = bochs_command(args)
        else:
            # Pipes: QEMU writes byte by byte, and drops what a socket full of such does not take.
            self.screen, stderr = None, None
            stdin, self.keys = os.pipe()
            self.console, stdout = os.pipe()
            command = qemu_command(args, load)
        # A session of its own: the keys of our terminal are the guest's, its signals are ours.
        self.process = subprocess.Popen(command, cwd=folder, stdin=stdin, stdout=stdout,
                                        stderr=stderr, start_new_session=True,
                                        env={**os.environ, **SCREEN})
        for fd in {stdin, stdout}:
            os.close(fd)
        for fd in {self.console, self.keys}:
            os.set_blocking(fd, False)

    def is_running(self):
        return self.process.poll() is None

    def wait(self, seconds):
        """Has the emulator ended, within so long?"""
        try:
            self.process.wait(seconds)
            return True
        except subprocess.TimeoutExpired:
            return False

    def stop(self):
        if self.is_running():
            self.process.kill()
        self.process.wait()

    def has_spoken(self):
        """Has the monitor written to its log? Before that COM1 is the firmware's."""
        self.spoken = self.spoken or bool(read_log(self.log))
        return self.spoken


def prepare_folder(args, load, folder):
    """Put what the command names into the emulator's folder."""
    def place(path, name):
        os.symlink(os.path.abspath(path), os.path.join(folder, name))

    if args.firmware == 'direct':
        place(load.monitor, 'gnomon.elf')
        for number, module in enumerate(load.modules):
            place(module.path, str(number))
    else:
        make_image(load, os.path.join(folder, 'disk.iso'))
    if args.firmware == 'uefi':
        shutil.copyfile(OVMF[1], os.path.join(folder, 'variables'))
    if args.emulator == 'bochs':
        with open(os.path.join(folder, 'bochsrc'), 'w', encoding='utf-8') as config:
            config.write(bochs_config(args, load))
        with open(os.path.join(folder, 'go'), 'w', encoding='ascii') as commands:
            commands.write('c\n')    # or it waits at its debugger's prompt
