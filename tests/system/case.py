# SPDX-License-Identifier: MIT
"""case.py - one boot of the system tests: what is started, what is typed, what must come of it."""

import os
import re
import select
import shlex
import subprocess
import time

SUCCESS, SKIP, ERROR, FAILURE, CRASH = 'SUCCESS', 'SKIP', 'ERROR', 'FAILURE', 'CRASH'

GRACE = 5           # seconds
TERMINATED = 143    # the exit status of a run that was ended, as a shell has it


class Case:
    """A row of cases.py.

    name     room/what, unique
    args     of tools/gnomon run
    status   its exit status, or several that are right
    until    a text of the console, some seconds after which the run is ended, if it has not
    log      texts that must stand in lines of the monitor's log, in this order
    also     texts that must stand there as well, in this order, wherever log's stand
    console  texts that must come over the console, in this order
    never    texts that neither may hold
    frames_return  the log's first and last count of free frames are the same
    keys     (text to wait for on the console, what is typed then), in order
    twice    it is run twice, and the console must show the same
    needs    files without which there is nothing to test: then it is skipped
    full     only `make proof` runs it
    """

    def __init__(self, name, args='', status=0, log=(), also=(), console=(), never=('panic',),
                 frames_return=False, keys=(), twice=False, timeout=60, needs=(),
                 full=False, until=None):
        self.name, self.args, self.timeout, self.until = name, args, timeout, until
        self.status = status if isinstance(status, tuple) else (status,)
        self.log, self.also = list(log), list(also)
        self.console, self.never = list(console), list(never)
        self.frames_return, self.twice = frames_return, twice
        self.keys, self.needs, self.full = list(keys), list(needs), full

    def run(self, folder):
        """(verdict, reason). The console, the log and what the tool said are left in folder."""
        lacking = [file for file in self.needs if not os.path.exists(file)]
        if lacking:
            return SKIP, f'there is no {lacking[0]}'
        os.makedirs(folder, exist_ok=True)
        verdict, reason = self.boot(folder)
        if self.twice and verdict == SUCCESS:
            with open(os.path.join(folder, 'console'), encoding='utf-8') as file:
                first = file.read()
            verdict, reason = self.boot(folder)
            with open(os.path.join(folder, 'console'), encoding='utf-8') as file:
                if verdict == SUCCESS and file.read() != first:
                    return FAILURE, 'the second run said something else than the first'
        return verdict, reason

    def boot(self, folder):
        log = os.path.join(folder, 'log')
        command = ['tools/gnomon', 'run', '--timeout', str(self.timeout), '--log', log,
                   *shlex.split(self.args)]
        with open(os.path.join(folder, 'stderr'), 'wb') as stderr:
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       stderr=stderr)
            console = converse(process, self.keys, self.timeout + 30, self.until)
        with open(os.path.join(folder, 'console'), 'w', encoding='utf-8') as file:
            file.write(console)
        with open(log, encoding='ascii', errors='replace') as file:
            return self.judge(process.returncode, file.read(), console)

    def judge(self, status, log, console):
        """The monitor's fault is a FAILURE, or a CRASH if it went silent; ours is an ERROR."""
        if status == 2 and 2 not in self.status:
            return ERROR, 'tools/gnomon could not start it'
        if status == 124 and 124 not in self.status:
            return CRASH, f'still running after {self.timeout} s'
        for text in self.never:
            if text in log or text in console:
                return CRASH if text == 'panic' else FAILURE, f'it says "{text}"'
        if not log and self.status != (2,):
            return CRASH, 'the monitor said nothing'
        for where, text, wanted in (('log', log, self.log), ('log', log, self.also),
                                    ('console', console, self.console)):
            lost = first_lost(text, wanted)
            if lost:
                return FAILURE, f'the {where} lacks "{lost}"'
        frames = re.findall(r'^gnomon: free frames (\d+)$', log, re.M) or ['no count']
        if self.frames_return and (len(frames) < 2 or frames[0] != frames[-1]):
            return FAILURE, f'free frames at first {frames[0]}, at last {frames[-1]}'
        if status not in self.status:
            return FAILURE, f'exit status {status}, not {self.status}'
        return SUCCESS, ''


def first_lost(text, wanted):
    """The first of the wanted texts that does not follow the ones before it."""
    at = 0
    for piece in wanted:
        found = text.find(piece, at)
        if found < 0:
            return piece
        at = found + len(piece)
    return None


def converse(process, keys, seconds, until=None):
    """Type the keys, each when what it waits for has come; everything that came, as text. Once
    `until` has come, no more than GRACE seconds are waited for the end."""
    said, at, keys, deadline = b'', 0, list(keys), time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not select.select([process.stdout], [], [], 0.5)[0]:
            continue
        piece = os.read(process.stdout.fileno(), 65536)
        if not piece:
            break
        said += piece
        while keys and keys[0][0].encode() in said[at:]:
            at = said.index(keys[0][0].encode(), at) + len(keys[0][0].encode())
            os.write(process.stdin.fileno(), keys.pop(0)[1].encode())
        if until and until.encode() in said:
            deadline, until = min(deadline, time.monotonic() + GRACE), None
    else:
        process.terminate()    # beyond its own time limit, or no more is wanted
    process.wait()
    process.stdin.close()
    return said.decode('utf-8', 'replace').replace('\r', '')
