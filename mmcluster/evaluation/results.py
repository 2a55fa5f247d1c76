"""Result files: written whole or not at all."""
from __future__ import annotations

import csv
import glob
import io
import json
import os
from typing import Any, Iterator, Mapping

from torch.utils.data import Dataset

from mmcluster.image_names import cell_of
from mmcluster.writing import whole_file

from .clustering import Assignments

HISTORY = 'metrics.jsonl'       # a line for each evaluation
SUMMARY = 'summary.json'        # of the last one
SCALARS = os.path.join('*', 'vis_data', 'scalars.json')     # what was logged, a folder for each start


def write_text(path: str, text: str) -> None:
    """Write a file so that a crash leaves the old one intact.

    Args:
        path: File to write.
        text: Its content.
    """
    with whole_file(path) as file:
        file.write(text.encode())


def write_json(path: str, value: Any) -> None:
    """Write plain Python values as JSON, atomically."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True) + '\n')


def write_assignments(path: str, assignments: Assignments, dataset: Dataset) -> None:
    """Write one CSV row per image: path or index, cluster, confidence, second choice.

    Args:
        path: File to write.
        assignments: Clusters of the data set.
        dataset: Names the images by ``paths`` if it has them, see :func:`~mmcluster.image_names.cell_of`.
    """
    paths = getattr(dataset, 'paths', None)
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(['image', 'cluster', 'confidence', 'second'])
    columns = [column.tolist() for column in assignments]
    for index, cluster, confidence, second in zip(*columns):
        writer.writerow([cell_of(paths[index]) if paths else index, cluster, f'{confidence:.6f}', second])
    write_text(path, buffer.getvalue())


def read_history(work_dir: str, lenient: bool = False) -> list[dict[str, Any]]:
    """Evaluations of a run, ``epoch`` and metrics by name; none before the first one.

    Args:
        work_dir: Of a stage.
        lenient: Leave damaged lines out.

    Raises:
        ValueError: If a line is damaged, and that is not allowed. A last one that was cut is left out always.
    """
    path = os.path.join(work_dir, HISTORY)
    if not os.path.exists(path):
        return []
    if lenient:
        return list(_whole_lines(path))
    with open(path, encoding='utf-8') as file:
        return [json.loads(line) for line in file if line.endswith('}\n')]      # a kill may have cut the last


def read_scalars(work_dir: str, evaluations: bool = False) -> list[dict[str, Any]]:
    """Training records of a stage in order of iteration, or its evaluations in order of epoch, from its logs.

    What a run logged before it went on from an earlier place, or began anew, counts up to that place only. Damaged
    lines are left out.

    Args:
        work_dir: Of a stage.
        evaluations: Return these.

    Raises:
        FileNotFoundError: If there are none.
    """
    kind, order = ('/acc', 'step') if evaluations else ('loss', 'iter')
    found: list[dict[str, Any]] = []
    for path in sorted(filter(os.path.isfile, glob.glob(os.path.join(glob.escape(work_dir), SCALARS)))):
        records = {record[order]: record for record in _whole_lines(path)
                   if type(record.get(order)) is int and any(key.endswith(kind) for key in record)}
        first = min(records, default=None)
        found = [record for record in found if first is None or record[order] < first]
        found += [records[key] for key in sorted(records)]
    if not found:
        raise FileNotFoundError(f'{work_dir} holds no {SCALARS} with '
                                f'{"evaluations" if evaluations else "training records"}')
    return found


def _whole_lines(path: str) -> Iterator[dict[str, Any]]:
    """Objects of a file of JSON lines, without lines that are damaged."""
    with open(path, encoding='utf-8', errors='replace') as file:
        for line in file:
            try:
                record = json.loads(line)
            except (ValueError, RecursionError):        # cut by a kill, or no log at all
                continue
            if isinstance(record, dict):
                yield record


def last_words(checkpoints: Mapping[str, str]) -> str:
    """What a user sees when training has ended: a line for each stage with its metrics and where its files lie.

    Args:
        checkpoints: Stage -> final checkpoint, in the folder of the stage.
    """
    lines = ['finished; the last evaluation of each stage:']
    for stage, checkpoint in checkpoints.items():
        folder = os.path.dirname(checkpoint)
        try:
            with open(os.path.join(folder, SUMMARY), encoding='utf-8') as file:
                metrics = json.load(file)['metrics']
        except (OSError, ValueError, KeyError):     # it was not evaluated, or is a checkpoint that was given
            metrics = {}
        shown = [f'{name} {value:.3f}' for name, value in metrics.items() if name.endswith(('acc', '/nmi', '/ari'))]
        lines.append(f'  {stage}: {", ".join(shown) or "no metrics"}; {os.path.relpath(folder)}')
    return '\n'.join(lines)
