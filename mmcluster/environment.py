"""Values that configs take from environment variables.

mmengine's ``{{$NAME:default}}`` pastes the variable into the source of the config, so that a quote or a backslash in a
path is a syntax error, and a word where a number belongs is an unknown name.
"""
from __future__ import annotations

import os


def env_text(name: str, default: str) -> str:
    """Text of a variable, exactly as it is.

    Args:
        name: Of the variable.
        default: Where it is not set, or empty.
    """
    return os.environ.get(name) or default


def env_int(name: str, default: int, least: int = 0) -> int:
    """Whole number of a variable.

    Args:
        name: Of the variable.
        default: Where it is not set, or empty.
        least: Smallest number that makes sense.

    Raises:
        ValueError: If the variable is no such number.
    """
    text = env_text(name, str(default))
    if not text.strip().isdecimal() or int(text) < least:
        raise ValueError(f'the environment variable {name} must be a whole number from {least}, got {text!r}')
    return int(text)


def env_float(name: str, default: float) -> float:
    """Number of a variable.

    Args:
        name: Of the variable.
        default: Where it is not set, or empty.

    Raises:
        ValueError: If the variable is no number.
    """
    text = env_text(name, str(default))
    try:
        return float(text)
    except ValueError:
        raise ValueError(f'the environment variable {name} must be a number, got {text!r}') from None
