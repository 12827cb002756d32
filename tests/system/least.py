# SPDX-License-Identifier: MIT
"""least.py - a boot with the least memory that works: the refusal of one with too little says how
much that is, so nobody needs to write it down for each kernel."""

import os
import re

from case import SUCCESS, Case

TOO_LITTLE = 64    # MiB


class LeastMemory(Case):
    """args has {memory} where the guest's goes; the columns are those of the boot that works."""

    def run(self, folder):
        verdict, reason = self.refused(TOO_LITTLE, '').run(folder)
        if verdict != SUCCESS:
            return verdict, reason
        with open(os.path.join(folder, 'log'), encoding='ascii', errors='replace') as file:
            needed = int(re.search(r'needs (\d+) MiB of memory', file.read()).group(1))
        for attempt in (self.refused(needed - 1, needed), self.works(needed)):
            verdict, reason = attempt.run(folder)
            if verdict != SUCCESS:
                return verdict, f'of {needed} MiB: {reason}'
        print(f'{self.name}: {needed} MiB are the least that works', flush=True)
        return SUCCESS, ''

    def refused(self, mib, needed):
        return Case(self.name, self.args.format(memory=f'{mib}M'), status=1, needs=self.needs,
                    timeout=self.timeout, frames_return=True,
                    log=[f'refused: the kernel needs {needed}', f'the guest has {mib} MiB'])

    def works(self, mib):
        return Case(self.name, self.args.format(memory=f'{mib}M'), timeout=self.timeout,
                    frames_return=True, log=self.log, console=self.console, needs=self.needs)
