"""Figures of arrays: curves, points in the plane, bars."""
from __future__ import annotations

from typing import Mapping, Optional, Sequence

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

PANEL = 4.2         # inches
COLOURS = 20        # of the map of colours


def curves(series: Mapping[str, tuple[np.ndarray, np.ndarray, Optional[np.ndarray]]], xlabel: str,
           ylabel: str) -> Figure:
    """A line for each name.

    Args:
        series: Name -> (x (n,), values (n,), deviations (n,) that are shaded, or ``None``).
        xlabel: Of the axis.
        ylabel: Of the axis.
    """
    figure = Figure((1.4 * PANEL, PANEL), layout='constrained')
    axes = figure.add_subplot(xlabel=xlabel, ylabel=ylabel)
    for name, (x, values, deviation) in series.items():
        axes.plot(x, values, 'o-' if len(values) < COLOURS else '-', markersize=3, label=name)
        if deviation is not None:
            axes.fill_between(x, values - deviation, values + deviation, alpha=0.2)
    axes.legend(fontsize='small')
    return figure


def points(rows: Sequence[tuple[str, np.ndarray, Mapping[str, np.ndarray]]]) -> Figure:
    """Panels of points in the plane: a row for each layout, a column for each colouring.

    Args:
        rows: (title, places (n, 2), name of a colouring -> (n,) integers, -1 is not drawn).
    """
    width = max(len(colourings) for _, _, colourings in rows)
    figure = Figure((PANEL * width, PANEL * len(rows)), layout='constrained')
    for number, (title, places, colourings) in enumerate(rows):
        for column, (name, values) in enumerate(colourings.items()):
            axes = figure.add_subplot(len(rows), width, number * width + column + 1, xticks=[], yticks=[])
            shown, values = values >= 0, np.asarray(values)
            axes.scatter(places[shown, 0], places[shown, 1], c=values[shown], s=4, cmap='tab20', linewidths=0, vmin=0,
                         vmax=max(COLOURS - 1, values.max(initial=0)))
            axes.set_title(f'{title}: {name}' if title else name)
    return figure


def bars(panels: Mapping[str, Mapping[str, np.ndarray]], names: Mapping[str, Sequence[str]]) -> Figure:
    """Groups of bars, a panel for each title.

    Args:
        panels: Title -> name of a bar -> (n,) heights.
        names: Title -> (n,) names below the groups.
    """
    figure = Figure((1.4 * PANEL, PANEL * len(panels)), layout='constrained')
    for number, (title, series) in enumerate(panels.items()):
        axes = figure.add_subplot(len(panels), 1, number + 1, title=title)
        x, width = np.arange(len(names[title])), 0.8 / len(series)
        for place, (name, heights) in enumerate(series.items()):
            axes.bar(x + (place - (len(series) - 1) / 2) * width, heights, width, label=name)
        axes.set_xticks(x, names[title], rotation=90 if len(x) > COLOURS else 0)
        axes.legend(fontsize='small')
    return figure


def pixels_of(figure: Figure) -> np.ndarray:
    """A figure as an image (H, W, 3) uint8."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
