# SPDX-License-Identifier: MIT
"""verdict.py - what the monitor's log says about a run."""

import os
import re

FIRST_WORD = re.compile(r'^gnomon: ', re.M)

# A module that is refused before its name is known is the guest '?'.
GUEST_END = re.compile(r"gnomon: guest '([A-Za-z0-9_-]{1,31}|\?)' (ended|refused): (.*)")
MONITOR_STOPS = re.compile(r'gnomon: (panic|refused): ')
LAST_LINE = 'gnomon: all guests ended'


def judge(log, names):
    """What the monitor's log says was wrong; an empty list if every guest ended well."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    if not lines:
        return ['the monitor said nothing']
    wrong, ended = [], set()
    for line in lines:
        match = GUEST_END.fullmatch(line)
        if match:
            name, what, how = match.groups()
            ended.add(name)
            if what == 'refused' or not re.match(r'(poweroff|reboot)\b', how):
                wrong.append(f"guest '{name}' {what}: {how}")
        elif MONITOR_STOPS.match(line):
            wrong.append(f'the monitor stopped: {line[8:]}')
    wrong += [f"guest '{name}' has not ended" for name in names if name not in ended]
    if not ended:
        wrong.append('there was no guest')
    if lines[-1] != LAST_LINE:
        wrong.append(f'the monitor stopped early; its last line is: {lines[-1]}')
    return wrong


def read_text(path):
    if not os.path.exists(path):
        return ''
    with open(path, encoding='ascii', errors='replace') as file:
        return file.read()


def read_log(path):
    """The monitor's log: what COM2 gave from the monitor's first line on. OVMF takes any serial
    port for a console of its own, so before that line there may be firmware's words."""
    text = read_text(path)
    first = FIRST_WORD.search(text)
    return text[first.start():] if first else ''


def bochs_complaints(folder):
    """Why Bochs stopped, unless because it was asked to."""
    text = read_text(os.path.join(folder, 'bochs.log'))
    return re.findall(r'^.*>>PANIC<<(?! Shutdown port).*$', text, re.M)[-3:]
