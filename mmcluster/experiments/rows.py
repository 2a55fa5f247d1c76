"""Rows that tables of several data sets build alike."""
from __future__ import annotations

from typing import Any, Mapping, Sequence

Stages = dict[str, dict[str, Any]]


def cross(bases: Mapping[str, Stages], boosters: Mapping[str, Mapping[str, Sequence[str]]],
          parts: Sequence[str] = ()) -> dict[str, dict[str, Stages]]:
    """Rows of every base with every booster on it.

    Args:
        bases: Title -> the stages of a base, as in a composed config.
        boosters: What is added to the title -> stage -> its parts; it goes on from the last stage of the base. One
            without a stage is the base alone.
        parts: Further parts of every stage, such as a precision.

    Returns:
        Title -> a row whose ``stages`` are those of both.

    Raises:
        ValueError: If two rows have one title, or a booster's stage the name of one of the base.
    """
    rows: dict[str, dict[str, Stages]] = {}
    for base, stages in bases.items():
        for booster, added in boosters.items():
            if base + booster in rows or stages.keys() & added.keys():
                raise ValueError(f'{base + booster!r} would replace another row, or a stage of {base!r}: give it '
                                 f'another name')
            chain = {**stages, **{name: dict(on=list(stages)[-1], parts=list(of)) for name, of in added.items()}}
            rows[base + booster] = dict(stages={
                name: {**stage, 'parts': [*stage['parts'], *parts]} for name, stage in chain.items()})
    return rows
