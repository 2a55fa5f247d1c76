"""What is combined with what: bases, boosters and data sets as a table, also where no recipe has a file."""
from __future__ import annotations

from typing import Iterator, Optional

from .catalogue import Entry
from .compose import compose
from .parts import PartReader

DATA = 'digits'                 # the set on which a combination without a file is tried
TRIED = {'clusmatch': ['boosters/clusmatch_digits'], 'fixmatch': ['boosters/fixmatch', 'boosters/digits']}
ROOMS = {'boosters', 'data', 'losses', 'nets', 'schedules', 'semi_supervised', 'views'}     # parts of other kinds
ALONE, COMPOSES = '-', '+'


def overview(found: list[Entry]) -> str:
    """Markdown: a line for each base, a column for each chain of boosters, the data sets of the files in the cells.

    A cell ``+`` has no file, but base and booster compose, which is tried on the digits: ``tools/configs.py new``.

    Args:
        found: The recipes.
    """
    cells: dict[tuple[str, str], list[str]] = {}
    for entry in found:
        if entry.stages:
            place = entry.stages[0], ' '.join(entry.stages[1:]) or ALONE
            cells.setdefault(place, []).append(entry.data)
    for place in _composable():
        cells.setdefault(place, [COMPOSES])
    bases = sorted({base for base, _ in cells})
    boosters = sorted({booster for _, booster in cells}, key=lambda name: (name != ALONE, len(name.split()), name))
    lines = ['| ' + ' | '.join(['base', *boosters]) + ' |', '|---' * (len(boosters) + 1) + '|']
    for base in bases:
        row = [', '.join(dict.fromkeys(cells.get((base, booster), []))) for booster in boosters]
        lines.append('| ' + ' | '.join([base, *row]) + ' |')
    return '\n'.join(lines)


def _composable() -> Iterator[tuple[str, str]]:
    """(base, booster) that compose on the digits."""
    reader = PartReader()
    for part in sorted(reader.names()):
        base = part.partition('/')[0]
        if not part.endswith(DATA) or base in ROOMS:
            continue
        stages: dict[str, dict] = {base: dict(parts=['runtime', f'data/{DATA}', part])}
        for booster, parts in TRIED.items():
            stages[booster] = dict(on=base, parts=['runtime', f'data/{DATA}', *parts])
            if _model(stages, base, reader) and _model(stages, booster, reader):
                yield base, booster


def _model(stages: dict[str, dict], name: str, reader: PartReader) -> Optional[str]:
    """Type of a stage's model; ``None`` if the stage does not compose."""
    try:
        return compose(stages, name, reader.read)['model']['type']
    except (KeyError, TypeError, ValueError):
        return None
