# SPDX-License-Identifier: MIT
"""launch - what tools/gnomon is made of; here, how any part of it speaks to the user."""

import sys


class Usage(Exception):
    """What was asked for is wrong; the text says what and, if known, what to do."""


def say(text):
    print(f'tools/gnomon: {text}', file=sys.stderr, flush=True)
