"""Geometry of charts of lines: from numbers to places in a picture, which ``chart.html.j2`` draws."""
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Iterable, Sequence, TypeGuard

MOST = 1e30                     # beyond it a number is no news, and sums of two could overflow
DASHES = ('', '6 7', '1 6')     # of the lines of a chart: colours alone do not tell them apart for everyone
Point = tuple[float, float]     # NaN as the second is a gap


@dataclass(frozen=True)
class Plane:
    """Where numbers lie in a picture.

    Attributes:
        x: The smallest and the largest that lie between left and right.
        y: The same between bottom and top.
        logarithmic: Whether equal distances along x are equal ratios.
        width: Of the picture; edges are told from its left and upper side.
        height: Of the picture.
        left: Edge of the plane.
        right: Edge.
        top: Edge.
        bottom: Edge.
    """
    x: Point
    y: Point
    logarithmic: bool = False
    width: int = 720
    height: int = 260
    left: int = 40
    right: int = 704
    top: int = 26
    bottom: int = 226

    def across(self, value: float) -> float:
        """Horizontal place of a number."""
        low, high, value = map(math.log, (*self.x, value)) if self.logarithmic else (*self.x, value)
        return round(self.left + (self.right - self.left) * (value - low) / (high - low or 1.0), 1)

    def down(self, value: float) -> float:
        """Vertical place of a number, of which the largest is at the top."""
        low, high = self.y
        return round(self.top + (self.bottom - self.top) * (high - value) / (high - low or 1.0), 1)

    def pieces(self, points: Iterable[Point]) -> list[dict[str, Any]]:
        """Pieces of a line between its gaps: ``points``, their coordinates, and whether it is a ``dot``."""
        pieces: list[list[str]] = [[]]
        for x, y in points:
            if math.isnan(y):
                pieces.append([])
            else:
                pieces[-1].append(f'{self.across(x)},{self.down(y)}')
        # a single point is a line to itself, of which a browser draws the round ends
        return [dict(points=' '.join(piece if len(piece) > 1 else 2 * piece), dot=len(piece) == 1)
                for piece in pieces if piece]

    def drawing(self, lines: Sequence[tuple[str, Sequence[Point]]], levels: Sequence[float],
                ticks: Sequence[float], **more: Any) -> dict[str, Any]:
        """What the template draws.

        Args:
            lines: (title, points) of at most three lines; one without a point is left out.
            levels: Numbers along y that get a line and a text.
            ticks: Numbers along x that get a text.
            more: ``marks``, vertical lines with ``x``, ``text`` and ``rank``; ``unit`` of x.
        """
        drawn = [dict(title=title, dash=dash, pieces=self.pieces(points))
                 for (title, points), dash in zip(lines, DASHES)]
        edges = {name: getattr(self, name) for name in ('width', 'height', 'left', 'right', 'top', 'bottom')}
        return dict(edges, marks=[], unit='', lines=[line for line in drawn if line['pieces']],
                    levels=[dict(text=written(value), place=self.down(value)) for value in levels],
                    ticks=[dict(text=written(value), place=self.across(value)) for value in ticks]) | more


def is_number(value: Any) -> TypeGuard[float]:
    """Whether a value can be drawn."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and -MOST < value < MOST


def written(value: float) -> str:
    """A number for people."""
    text = f'{value:,.0f}' if 1000 <= abs(value) < 1e7 else f'{value:.4g}'
    return text.replace('-', '−')


def round_levels(low: float, high: float, parts: int = 4) -> list[float]:
    """Round numbers at equal distances, about so many parts, of which the ends enclose a range.

    Args:
        low: End of the range.
        high: The other end; where both are the same, the range is widened.
        parts: How many.
    """
    if high - low <= 1e-9 * max(abs(low), abs(high), 1e-9):
        room = abs(high) / 10 if abs(high) > 1e-9 else 1.0
        low, high = low - room if low else low, high + room
    rough = (high - low) / parts
    power = 10.0 ** math.floor(math.log10(rough))
    step = next((times * power for times in (1, 2, 2.5, 5) if times * power >= rough), 10 * power)
    return [number * step for number in range(math.floor(low / step), math.ceil(high / step) + 1)]
