# SPDX-License-Identifier: MIT
"""guests.py - guests as the user gives them, checked, and as the monitor gets them.

Each file of a guest becomes a module of the boot loader. The monitor knows it by its command line:

    guest=NAME mem=512M vcpus=1 abi=auto paging=trapped shadow=N on_reboot=end append=REST OF IT
    initrd=NAME

Keys that were not given are left out; the monitor has the defaults."""

import os
import re

from launch import Usage

MIB = 1 << 20
DEFAULT_MEMORY = '256M'

NAME = re.compile(r'[A-Za-z0-9_-]{1,31}')
CHOICES = {'abi': ('auto', 'native', 'xen'), 'paging': ('trapped', 'notified'),
           'on_reboot': ('restart', 'end')}
# The order in which the monitor's line for a guest is written; append= takes the rest of it.
KEYS = ('mem', 'vcpus', 'abi', 'paging', 'shadow', 'on_reboot', 'append')


class Module:
    """A file that the boot loader puts into memory, and the command line that it gets there."""

    def __init__(self, path, line):
        self.path, self.line = path, line


def parse_size(text, what):
    match = re.fullmatch(r'([1-9]\d{0,9})([KMG])', text)
    if not match:
        raise Usage(f'{what}={text} is no size: give a number and K, M or G, such as 256M')
    return int(match[1]) << {'K': 10, 'M': 20, 'G': 30}[match[2]]


def parse_number(text, what, lowest, highest):
    if not re.fullmatch(r'\d{1,9}', text) or not lowest <= int(text) <= highest:
        raise Usage(f'{what}={text} is no number from {lowest} to {highest}')
    return int(text)


def check_file(path, what):
    if not os.path.isfile(path):
        raise Usage(f'{what} {path} is {"no file" if os.path.exists(path) else "missing"}')
    if not os.access(path, os.R_OK):
        raise Usage(f'{what} {path} may not be read')
    return path


def split_pairs(text):
    """key=value pairs at commas; a doubled comma is one of the value's; append= takes the rest."""
    pairs = {}
    while text:
        key, equals, text = text.partition('=')
        if not equals:
            raise Usage(f'"{key}" is no key=value')
        if key == 'append':
            value, text = text, ''
        else:
            value = re.match(r'(?:[^,]|,,)*', text)[0]
            text = text[len(value) + 1:]
            value = value.replace(',,', ',')
        if key in pairs:
            raise Usage(f'{key}= is given twice')
        pairs[key] = value
    return pairs


def parse_guest(text):
    """The checked pairs of one --guest."""
    guest = split_pairs(text)
    for key in guest:
        if key not in ('name', 'kernel', 'initrd') + KEYS:
            raise Usage(f'unknown key "{key}"; known are: name kernel initrd {" ".join(KEYS)}')
    for key in ('name', 'kernel'):
        if not guest.get(key):
            raise Usage(f'{key}= is missing')
    if not NAME.fullmatch(guest['name']):
        raise Usage(f'name={guest["name"]}: a name has 1 to 31 of A-Z a-z 0-9 _ -')
    for key, choices in CHOICES.items():
        if guest.get(key, choices[0]) not in choices:
            raise Usage(f'{key}={guest[key]} is none of {" ".join(choices)}')
    parse_size(guest.get('mem', DEFAULT_MEMORY), 'mem')
    parse_number(guest.get('vcpus', '1'), 'vcpus', 1, 64)
    parse_number(guest.get('shadow', '1'), 'shadow', 1, 1 << 24)
    check_file(guest['kernel'], 'kernel')
    if 'initrd' in guest:
        check_file(guest['initrd'], 'initrd')
    return guest


def check_line(text, what):
    """A command line that every boot loader can pass on."""
    if re.search(r'[\0-\x1f\x7f]', text):
        raise Usage(f'{what} holds a control character')
    return text


def guest_modules(guest):
    """A guest's modules: its kernel, with all that the monitor must know, and its initrd."""
    line = f'guest={guest["name"]}'
    line += ''.join(f' {key}={guest[key]}' for key in KEYS if guest.get(key))
    modules = [Module(guest['kernel'], check_line(line, 'append'))]
    if 'initrd' in guest:
        modules.append(Module(guest['initrd'], f'initrd={guest["name"]}'))
    return modules


class Load:
    """All that the boot loader needs: the monitor, its options, the modules; who the guests are."""

    def __init__(self, args):
        if not os.path.exists(args.elf):
            raise Usage(f'the monitor {args.elf} is missing: run make')
        self.monitor = check_file(args.elf, 'the monitor')
        self.options = check_line(args.monitor, '--monitor')
        self.names, self.modules, self.memory = [], [], 0
        for text in args.guest:
            try:
                guest = parse_guest(text)
                if guest['name'] in self.names:
                    raise Usage('another guest has this name')
                self.modules += guest_modules(guest)
            except Usage as wrong:
                raise Usage(f'--guest {text}: {wrong}') from None
            self.names.append(guest['name'])
            self.memory += parse_size(guest.get('mem', DEFAULT_MEMORY), 'mem')
        for text in args.module:
            path, _, line = text.partition(',')
            self.modules.append(Module(check_file(path, 'module'), check_line(line, '--module')))
        # Modules stay in memory as long as the machine runs: a guest that reboots is loaded again.
        self.memory += sum(os.path.getsize(module.path) for module in self.modules) + 64 * MIB

    def files(self):
        """The monitor, then the modules' files, each once."""
        return list(dict.fromkeys([self.monitor] + [module.path for module in self.modules]))
