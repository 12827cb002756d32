# SPDX-License-Identifier: MIT
"""grub.py - what GRUB reads: the menu entry, and the disk that it lies on."""

import os
import re
import shutil
import subprocess
import tempfile

from launch import Usage


def grub_line(*words, rest=''):
    """One command of GRUB's language: some words and the rest of the line. A word that could mean
    something to GRUB goes in quotes; an empty one keeps a second blank, since GRUB joins by one."""
    return ' '.join(word if re.fullmatch(r'[\w./=:,+@-]+', word)
                    else "'" + word.replace("'", "'\\''") + "'"
                    for word in list(words) + (rest.split(' ') if rest else []))


def grub_entry(load, names):
    """The menu entry: the monitor, then its modules, each as names says GRUB finds it."""
    lines = [grub_line('multiboot2', names[load.monitor], rest=load.options)]
    # The modules' bytes are the guests' business: GRUB must not unpack them.
    lines += [grub_line('module2', '--nounzip', names[module.path], rest=module.line)
              for module in load.modules]
    # Under UEFI the screen needs GRUB's drivers. Under BIOS it stays in text mode, said after
    # multiboot2, which sets what the monitor's header would like.
    lines.insert(0, 'if [ "$grub_platform" = efi ]; then insmod all_video; fi')
    lines.append('if [ "$grub_platform" = pc ]; then set gfxpayload=text; fi')
    return "menuentry 'Gnomon' {\n" + ''.join(f'\t{line}\n' for line in lines) + '}\n'


def make_image(load, path):
    """A disk with GRUB for BIOS and UEFI, the monitor and the modules."""
    if not shutil.which('grub-mkrescue'):
        raise Usage('grub-mkrescue is missing: run tools/setup run')
    with tempfile.TemporaryDirectory(prefix='gnomon-') as tree:
        os.makedirs(os.path.join(tree, 'boot/grub'))
        names = {}
        for number, file in enumerate(load.files()):
            names[file] = f'/boot/{number}'
            shutil.copyfile(file, tree + names[file])
        with open(os.path.join(tree, 'boot/grub/grub.cfg'), 'w', encoding='utf-8') as config:
            config.write('set timeout=0\n' + grub_entry(load, names))
        done = subprocess.run(['grub-mkrescue', '--locales=', '--fonts=', '--themes=',
                               '-o', path, tree], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if done.returncode:
            raise Usage(f'grub-mkrescue failed:\n{done.stdout.decode(errors="replace")}')
