# SPDX-License-Identifier: MIT
"""tree.py - what the checks of the sources share: the list of files, and the way to report.

A check is a program that takes the root of a tree (default: this repository), looks at its files
one by one, prints one line per fault and ends with how many files it looked at. Files are those
that git knows or would add; a tree without .git (the planted ones of the test) is walked."""

import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = re.compile(r'\.(c|h|S|lds|py|sh|awk|mk)$|(^|/)Makefile$')


class Check:
    """One run of one check: its tree, its faults, its end."""

    def __init__(self):
        given = [a for a in sys.argv[1:] if not a.startswith('-')]
        self.root = os.path.abspath(given[0] if given else os.path.join(HERE, '../../..'))
        self.checked, self.faulty = 0, 0

    def files(self):
        """Names of all text files, relative to the root, sorted."""
        if os.path.exists(os.path.join(self.root, '.git')):
            listed = subprocess.run(['git', 'ls-files', '-z', '-co', '--exclude-standard'],
                                    cwd=self.root, check=True, stdout=subprocess.PIPE)
            names = [os.fsdecode(name) for name in listed.stdout.split(b'\0') if name]
        else:
            names = [os.path.relpath(os.path.join(folder, name), self.root)
                     for folder, _, inside in os.walk(self.root) for name in inside]
        return sorted(name for name in names if self.is_text(name))

    def path(self, name):
        return os.path.join(self.root, name)

    def is_text(self, name):
        try:
            with open(self.path(name), 'rb') as file:
                return b'\0' not in file.read(4096)
        except (FileNotFoundError, IsADirectoryError):
            return False    # deleted but not yet committed, or a nested repository

    def text(self, name):
        with open(self.path(name), encoding='utf-8', errors='replace') as file:
            return file.read()

    def is_source(self, name):
        """Does somebody maintain this as a program? Scripts are known by their first line."""
        return bool(SOURCE.search(name)) or self.text(name).startswith('#!')

    def judge(self, name, faults):
        """Count one file; faults are strings, each printed behind the file's name."""
        self.checked += 1
        self.faulty += bool(faults)
        for fault in faults:
            print(f'{name}: {fault}' if not fault[0].isdigit() else f'{name}:{fault}')

    def end(self):
        if not self.checked:
            print('nothing to check: this is no tree of ours')
        print(f'{self.checked} files, {self.faulty} at fault')
        sys.exit(1 if self.faulty or not self.checked else 0)
