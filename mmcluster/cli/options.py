"""Options that several commands share."""
from __future__ import annotations

import argparse
from contextlib import suppress
from typing import Union


def clusters(text: str) -> Union[int, str, tuple[int, int]]:
    """Type of ``--k``: ``12``, ``auto`` or ``5:60``.

    Raises:
        argparse.ArgumentTypeError: If it is none of them.
    """
    if text == 'auto':
        return text
    low, colon, high = text.partition(':')
    with suppress(ValueError):
        if not colon and int(low) > 0:
            return int(low)
        if colon and 2 <= int(low) <= int(high):
            return int(low), int(high)
    raise argparse.ArgumentTypeError(f'give a number such as 12, a range from 2 upwards such as 5:60, or auto, '
                                     f'instead of {text!r}')


def positive(text: str) -> int:
    """Type of an option that counts from 1.

    Raises:
        argparse.ArgumentTypeError: If it is no such number.
    """
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f'give a whole number from 1, instead of {text!r}')
    return int(text)


def not_negative(text: str) -> int:
    """Type of an option that counts from 0.

    Raises:
        argparse.ArgumentTypeError: If it is no such number.
    """
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f'give a whole number from 0, instead of {text!r}')
    return int(text)


def add_machine(parser: argparse.ArgumentParser) -> None:
    """Options on where and how the work is done."""
    parser.add_argument('--device', metavar='D', help='where the encoder computes, such as cpu or cuda:1')
    parser.add_argument('--workers', metavar='N', type=not_negative, help='processes that read images')
    parser.add_argument('--store', metavar='DIR', help='where features are kept (default: your cache)')


def add_talk(parser: argparse.ArgumentParser) -> None:
    """Options on what is said."""
    parser.add_argument('--quiet', action='store_true', help='say nothing but errors')
    parser.add_argument('--json', action='store_true', help='print one JSON object and nothing else')
