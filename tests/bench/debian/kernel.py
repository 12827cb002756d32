# SPDX-License-Identifier: MIT
"""kernel.py - a Linux kernel's file: unpacked, and where it is entered."""

import lzma
import struct
import subprocess

XEN_ENTRY, PVH_ENTRY = 1, 18    # types of ELF notes whose owner is "Xen"


def unpack(path):
    """The ELF file in a bzImage (Linux, Documentation/x86/boot.rst)."""
    with open(path, 'rb') as file:
        image = file.read()
    setup_sectors, = struct.unpack_from('<B', image, 0x1f1)
    offset, length = struct.unpack_from('<II', image, 0x248)
    begin = (setup_sectors + 1) * 512 + offset
    packed = image[begin:begin + length - 4]    # its last four bytes are the size unpacked
    if packed.startswith(b'\xfd7zXZ'):
        return lzma.decompress(packed)
    for magic, command in ((b'\x1f\x8b', 'gzip'), (b'\x02\x21\x4c\x18', 'lz4'),
                           (b'\x28\xb5\x2f\xfd', 'zstd')):
        if packed.startswith(magic):
            return subprocess.run([command, '-dc'], input=packed, stdout=subprocess.PIPE,
                                  check=True).stdout
    raise ValueError(f'{path} is packed in a way that is not known here')


def entries(elf):
    """{type: number} of the notes of Xen that hold a number."""
    notes = {}
    table, size, count = struct.unpack_from('<Q', elf, 32) + struct.unpack_from('<HH', elf, 54)
    for i in range(count):
        kind, _, offset, _, _, length = struct.unpack_from('<IIQQQQ', elf, table + i * size)
        at, end = offset, offset + length
        while kind == 4 and at + 12 <= end:
            name_size, value_size, note = struct.unpack_from('<III', elf, at)
            name = elf[at + 12:at + 12 + name_size]
            value = at + 12 + (name_size + 3 & ~3)
            if name == b'Xen\0' and value_size in (4, 8):
                notes[note] = int.from_bytes(elf[value:value + value_size], 'little')
            at = value + (value_size + 3 & ~3)
    return notes
