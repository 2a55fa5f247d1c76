"""Geometry of the curve over the number of clusters."""
from __future__ import annotations

import math
from typing import Any, Optional

WIDTH, HEIGHT = 720, 260
LEFT, RIGHT, TOP, BOTTOM = 40, 16, 26, 34
LINES = (('stability', 'Stability', ''), ('prediction_strength', 'Prediction strength', '7 4'),
         ('silhouette', 'Silhouette', '2 4'))


def k_curve(summary: dict[str, Any]) -> Optional[dict[str, Any]]:
    """Lay out the curve.

    Args:
        summary: Of a result.

    Returns:
        Coordinates for the template; ``None`` if there is no curve.
    """
    points = [point for point in summary.get('k_curve') or () if isinstance(point.get('k'), int)]
    if not points:
        return None
    ks = [point['k'] for point in points]
    values = [point[name] for point in points for name, _, _ in LINES if _number(point.get(name))]
    low = min(0.0, *values) if values else 0.0
    span = math.log(max(ks) / min(ks)) or 1.0

    def across(k: int) -> float:
        """Horizontal place of a number of clusters, on a logarithmic scale."""
        return round(LEFT + (WIDTH - LEFT - RIGHT) * math.log(k / min(ks)) / span, 1)

    def down(value: float) -> float:
        """Vertical place of a value, of which 1 is at the top."""
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (1 - value) / (1 - low), 1)

    lines = [dict(title=title, dash=dash, points=' '.join(
        f'{across(point["k"])},{down(point[name])}' for point in points if _number(point.get(name))))
        for name, title, dash in LINES]
    marks = [dict(k=one['k'], x=across(one['k']), rank=rank) for rank, one in
             enumerate(summary.get('k_suggestions') or (), 1) if min(ks) <= one['k'] <= max(ks)]
    return dict(width=WIDTH, height=HEIGHT, left=LEFT, right=WIDTH - RIGHT, bottom=HEIGHT - BOTTOM, top=TOP,
                lines=[line for line in lines if line['points']], marks=marks, points=points,
                ticks=[dict(k=k, x=across(k)) for k in _ticks(ks)],
                levels=[dict(value=value, y=down(value)) for value in (0, 0.25, 0.5, 0.75, 1)])


def _number(value: Any) -> bool:
    """Whether a value can be drawn."""
    return isinstance(value, (int, float)) and math.isfinite(value)


def _ticks(ks: list[int]) -> list[int]:
    """A few round numbers between the smallest and the largest, with both ends."""
    inner = [k for k in (2, 3, 5, 10, 20, 30, 50, 100, 200, 500, 1000) if ks[0] * 1.15 < k < ks[-1] / 1.15]
    return sorted({ks[0], *inner, ks[-1]})
