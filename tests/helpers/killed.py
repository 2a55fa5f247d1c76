"""Runs that end before their time."""


class Killed(Exception):
    """Stands for whatever ends a run."""
