"""The curve over the number of clusters."""
from __future__ import annotations

from typing import Any, Optional

from .chart import Plane, is_number

LINES = dict(stability='Stability', prediction_strength='Prediction strength', silhouette='Silhouette')


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
    lines = [(title, [(point['k'], point[name]) for point in points if is_number(point.get(name))])
             for name, title in LINES.items()]
    plane = Plane((min(ks), max(ks)), (min([0.0, *(value for _, line in lines for _, value in line)]), 1.0),
                  logarithmic=True)
    marks = [dict(text=one['k'], x=plane.across(one['k']), rank=rank) for rank, one in
             enumerate(summary.get('k_suggestions') or (), 1) if min(ks) <= one['k'] <= max(ks)]
    return plane.drawing(lines, (0, 0.25, 0.5, 0.75, 1), _ticks(ks), marks=marks, points=points)


def _ticks(ks: list[int]) -> list[int]:
    """A few round numbers between the smallest and the largest, with both ends."""
    inner = [k for k in (2, 3, 5, 10, 20, 30, 50, 100, 200, 500, 1000) if ks[0] * 1.15 < k < ks[-1] / 1.15]
    return sorted({ks[0], *inner, ks[-1]})
