"""Result files: written whole or not at all."""
from __future__ import annotations

import csv
import io
import json
import os
from typing import Any

from torch.utils.data import Dataset

from mmcluster.datasets.names import cell_of

from .clustering import Assignments


def write_text(path: str, text: str) -> None:
    """Write a file so that a crash leaves the old one intact.

    Args:
        path: File to write.
        text: Its content.
    """
    temporary = f'{path}.tmp{os.getpid()}'
    try:
        with open(temporary, 'w', encoding='utf-8', newline='') as file:
            file.write(text)
        os.replace(temporary, path)
    finally:
        if os.path.exists(temporary):
            os.remove(temporary)


def write_json(path: str, value: Any) -> None:
    """Write plain Python values as JSON, atomically."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True) + '\n')


def write_assignments(path: str, assignments: Assignments, dataset: Dataset) -> None:
    """Write one CSV row per image: path or index, cluster, confidence, second choice.

    Args:
        path: File to write.
        assignments: Clusters of the data set.
        dataset: Names the images by ``paths`` if it has them, see :func:`~mmcluster.datasets.names.cell_of`.
    """
    paths = getattr(dataset, 'paths', None)
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(['image', 'cluster', 'confidence', 'second'])
    columns = [column.tolist() for column in assignments]
    for index, cluster, confidence, second in zip(*columns):
        writer.writerow([cell_of(paths[index]) if paths else index, cluster, f'{confidence:.6f}', second])
    write_text(path, buffer.getvalue())
