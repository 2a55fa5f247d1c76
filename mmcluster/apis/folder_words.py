"""What the folder command says first and last."""
from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Optional, Sequence

import numpy as np

from mmcluster.utils import counted_as, spoken_time

from .folder_input import Images
from .result import Result
from .telling import Teller

if TYPE_CHECKING:
    from mmcluster.encoders import Encoder

PAGE = 'report.html'
AFTER_SECONDS = (8., 0.002)     # clustering and page: what every run takes, and what an image adds
SWEEP_SECONDS = (0.05, 0.00005)         # a number of clusters that is tried: likewise, up to 5,000 images


def announce(images: Images, encoder: Encoder, workers: Optional[int], store: Optional[str], teller: Teller,
             after: float = 0) -> None:
    """Say how many images there are, which encoder sees them, and how long it will take.

    Args:
        images: What is embedded.
        encoder: By what.
        workers: Processes that decode.
        store: Folder of the feature store.
        teller: Is told.
        after: Seconds of what follows the features.
    """
    from mmcluster.encoders.peek import seconds_per_image, stored_content  # here, as it imports torch
    content = stored_content(encoder, images.paths, images.root, store)
    new = [path for path, key in zip(images.paths, content) if key is None]
    each = seconds_per_image(encoder, new, images.root, workers) if new else 0
    known = f', {len(images.paths) - len(new):,} of them known' if len(new) < len(images.paths) else ''
    seconds = spoken_time((each or 0) * len(new) + after)
    teller.line(f'{counted_as(len(images.paths), "image")}{known}; encoder {encoder.name}; takes about {seconds}')
    if images.passed_over:
        teller.line(images.passed_over)


def seconds_after(images: int, tried: int) -> float:
    """How long clustering and page take on two cores, roughly.

    Args:
        images: N.
        tried: Numbers of clusters that are tried, 0 if it is given.
    """
    return (AFTER_SECONDS[0] + AFTER_SECONDS[1] * images
            + tried * (SWEEP_SECONDS[0] + SWEEP_SECONDS[1] * min(images, 5000)))


def changes(before: dict[str, bytes], now: dict[str, bytes]) -> dict[str, int]:
    """Count what happened to the images since the last result.

    Args:
        before: Path -> content.
        now: The same.

    Returns:
        ``added``, ``changed`` and ``removed``; a renamed image is one added and one removed.
    """
    both = before.keys() & now.keys()
    return dict(added=len(now) - len(both), changed=sum(before[path] != now[path] for path in both),
                removed=len(before) - len(both))


def edited_copies(folder: Path, edited: Sequence[str]) -> list[str]:
    """What to say of copies of images that stay because somebody edited them.

    Args:
        folder: Of the copies.
        edited: Paths relative to it.
    """
    if not edited:
        return []
    many = f'{len(edited):,} copies, {edited[0]} for instance, were' if len(edited) > 1 else f'the copy {edited[0]} was'
    return [f'{many} edited in {folder} and not touched: what you move elsewhere is copied anew by the next run']


def conclude(result: Result, out: Path, teller: Teller, notes: Sequence[str] = ()) -> None:
    """Say what came out and where it is.

    Args:
        result: What was written.
        out: Its folder.
        teller: Is told.
        notes: What is to be known of other files in the folder.
    """
    summary = result.summary
    sizes = np.bincount(result.table['cluster'][result.table['cluster'] >= 0])
    span = f'{sizes.min():,}' if sizes.min() == sizes.max() else f'{sizes.min():,} to {sizes.max():,}'
    said = f'{summary["images"]:,} images in {counted_as(summary["k"], "cluster")} of {span}'
    choices = [str(entry['k']) for entry in summary.get('k_suggestions', [])]
    if choices:
        others = f', else {" or ".join(choices[1:])}' if choices[1:] else ''
        coarse = f'; within {summary["k_coarse"]} coarse groups that are surer' if summary.get('k_coarse') else ''
        said += f' (the number was chosen, {summary["sureness"]}{others}{coarse})'
    nowhere = int((result.table['cluster'] < 0).sum())
    said += f', {nowhere:,} in none' if nowhere else ''
    teller.line(said)
    counts = [f'{count:,} {what}' for what, count in summary.get('changes', {}).items() if count]
    if counts:
        teller.line(f'since the last result: {", ".join(counts)}')
    if result.unreadable:
        teller.line(f'{counted_as(len(result.unreadable), "file")} could not be read, see {out / "unreadable.csv"}')
    if 'metrics' in summary:
        teller.line(', '.join(f'{name.upper() if len(name) == 3 else name} {value:.3f}'
                              for name, value in summary['metrics'].items()))
    for note in notes:
        teller.line(note)
    teller.line(f'{out / "assignments.csv"} names the cluster of every image')
    if (out / PAGE).is_file():
        teller.line(f'open {out / PAGE}')
