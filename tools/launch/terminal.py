# SPDX-License-Identifier: MIT
"""terminal.py - the console: our terminal on one side, COM1 on the other."""

import os
import re
import select
import termios
import time
import tty

from launch import say

ESCAPE = 0x01    # Ctrl-a
ENDED, STOPPED, LATE = 'ended', 'stopped', 'late'    # how a session went


class Keyboard:
    """Our standard input as the guest gets it. On a terminal every key is the guest's, but Ctrl-a x
    stops the machine, and Ctrl-a twice is one Ctrl-a; from a file or pipe all bytes pass."""

    def __init__(self):
        self.open, self.escaped, self.saved = True, False, None
        if os.isatty(0):
            say('Ctrl-a x stops the machine')
            self.saved = termios.tcgetattr(0)
            tty.setraw(0)
            mode = termios.tcgetattr(0)
            mode[1] |= termios.OPOST    # our own lines and a plain newline still begin at the left
            termios.tcsetattr(0, termios.TCSADRAIN, mode)

    def restore(self):
        if self.saved:
            termios.tcsetattr(0, termios.TCSADRAIN, self.saved)

    def read(self):
        """The bytes for the guest; None if the machine is to be stopped."""
        try:
            data = os.read(0, 512)
        except OSError:
            data = b''
        self.open = bool(data)
        if not self.saved:
            return data
        passed = bytearray()
        for byte in data:
            if self.escaped and byte in b'xX':
                return None
            if self.escaped and byte != ESCAPE:
                passed.append(ESCAPE)
            if self.escaped or byte != ESCAPE:
                passed.append(byte)
            self.escaped = not self.escaped and byte == ESCAPE
        return bytes(passed)


class Display:
    """Standard output. What comes before the monitor's first word is the firmware's: it is held
    back, and shown at the end if there was no such word: its last lines, or all if there are no
    guests, since then it may be a kernel without a monitor."""

    def __init__(self, machine, guests):
        self.machine, self.held, self.shown = machine, b'', -8 if guests else 0

    def write(self, data):
        if self.held is not None:
            self.held += data
            if not self.machine.has_spoken():
                return
            data = self.held[max(self.held.find(b'gnomon: '), 0):]
            self.held = None
        while data:
            data = data[os.write(1, data):]

    def end(self):
        """Show the firmware's words, their control sequences left out."""
        if self.held and not self.machine.has_spoken():
            text = re.sub(rb'\x1b\[[\d;?=]*[A-Za-z]|[^\n -~]', b'', self.held).decode('ascii')
            for line in [line for line in text.splitlines() if line.strip()][self.shown:]:
                say(f'before the monitor: {line}')


def read_some(fd):
    """Bytes of a descriptor that select found readable; b'' at its end."""
    try:
        return os.read(fd, 65536)
    except BlockingIOError:
        return None
    except OSError:    # a pseudo-terminal whose other side is closed
        return b''


def write_some(fd, data):
    """What is left of data after a write that does not wait. An ended machine takes all."""
    try:
        return data[os.write(fd, data):]
    except BlockingIOError:
        return data
    except OSError:
        return b''


def run_terminal(machine, keyboard, display, seconds):
    """Carry bytes until the emulator ends, a key stops it or time is up; which of these it was."""
    deadline = time.monotonic() + (seconds or 1e9)
    typed, outputs = b'', [machine.console] + ([machine.screen] if machine.screen else [])
    while outputs:
        ran = machine.is_running()    # asked before we listen: then silence means that all is heard
        # Keys wait for the monitor: firmware and GRUB would eat them.
        listen = [0] if keyboard.open and not typed and machine.has_spoken() else []
        send = [machine.keys] if typed else []
        readable, writable, _ = select.select(outputs + listen, send, [], 0.05)
        for fd in [fd for fd in outputs if fd in readable]:
            data = read_some(fd)
            if data == b'':
                outputs.remove(fd)
            elif data and fd == machine.console:
                display.write(data)
        display.write(b'')    # what was held back, if the monitor has spoken since
        if 0 in readable:
            typed = keyboard.read()
            if typed is None:
                return STOPPED
        if writable:
            typed = write_some(machine.keys, typed)
        if not ran and not set(readable) & set(outputs):
            break
        if time.monotonic() >= deadline:
            return LATE
    # It may live on without a console.
    return ENDED if machine.wait(max(deadline - time.monotonic(), 0)) else LATE
