"""The result folder: a table with one row an image, embeddings, the model for new images and a summary."""
from __future__ import annotations

import csv
import hashlib
import io
import json
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Optional, Sequence, Union

import numpy as np

from mmcluster.image_names import cell_of, path_of, printable
from mmcluster.writing import whole_file

from .feature_model import FeatureModel

FORMAT = 1
INTEGERS = ('cluster', 'second', 'duplicate_group')
NUMBERS = ('confidence', 'margin', 'distance', 'x', 'y', 'outlier')
COLUMNS = ('path', 'cluster', 'confidence', 'second', 'margin', 'distance', 'x', 'y', 'outlier', 'duplicate_group')
CONTENT, PARQUET = 'content.npy', 'assignments.parquet'      # not read again with the rest, and not in every result
AGAIN = 'run mmcluster cluster again'


class ResultError(ValueError):
    """A result folder that cannot be read, with what to do."""


@dataclass
class Result:
    """What a result folder holds.

    Attributes:
        paths: N paths relative to the root, with forward slashes.
        table: The other columns of ``assignments.csv``, (N,) each: int64, -1 where there is none, or float64.
        embed: (N, D) float16.
        summary: See ``docs/en/cluster_a_folder.md``.
        model: What new images need.
        unreadable: (path, reason) of the images that are not in the table.
        label: N class names, '' for unknown, or ``None``.
        content: (N, 16) uint8, what tells contents of images apart; written only, see :func:`read_content`.
    """
    paths: list[str]
    table: dict[str, np.ndarray]
    embed: np.ndarray
    summary: dict[str, Any]
    model: FeatureModel
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    label: Optional[list[str]] = None
    content: Optional[np.ndarray] = None


def _text(rows: Sequence[Sequence[Any]]) -> bytes:
    """CSV of rows."""
    stream = io.StringIO(newline='')
    csv.writer(stream).writerows(rows)
    return stream.getvalue().encode('utf-8', 'surrogateescape')


def _table(result: Result) -> bytes:
    """``assignments.csv``."""
    columns = [[cell_of(path) for path in result.paths]]
    for name in COLUMNS[1:]:
        values = result.table[name].tolist()
        if name in NUMBERS:
            columns.append([f'{value:.5g}' for value in values])
        else:
            columns.append(['' if name == 'duplicate_group' and value < 0 else value for value in values])
    if result.label is not None:
        columns.append([cell_of(label) for label in result.label])
    header = COLUMNS if result.label is None else (*COLUMNS, 'label')
    return _text([header, *zip(*columns)])


def _parquet(result: Result) -> bytes:
    """``assignments.parquet``: numbers as they are. Bytes of names that are no text are spelt out."""
    import pyarrow
    from pyarrow import parquet
    columns: dict[str, Any] = {'path': [printable(path) for path in result.paths]}
    columns |= {name: result.table[name] for name in COLUMNS[1:]}
    group = result.table['duplicate_group']
    columns['duplicate_group'] = pyarrow.array(group, mask=group < 0)
    if result.label is not None:
        columns['label'] = [printable(label) for label in result.label]
    stream = io.BytesIO()
    parquet.write_table(pyarrow.table(columns), stream)
    return stream.getvalue()


def _npy(array: np.ndarray) -> bytes:
    """An array as a file."""
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=False)
    return stream.getvalue()


def write_result(folder: Union[str, Path], result: Result) -> None:
    """Write a result folder; what another run left there stays until everything new is on the disk.

    The summary comes last and knows size and checksum of the other files, so a reader never takes files of two runs
    for one result.

    Args:
        folder: Made if needed.
        result: What to write.

    Raises:
        OSError: If the folder cannot be written; the files that were there stay as they are.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    model = io.BytesIO()
    result.model.write(model)
    unreadable = [('path', 'reason'), *((cell_of(path), reason) for path, reason in result.unreadable)]
    files = {'assignments.csv': _table(result), 'embeddings.npy': _npy(result.embed.astype(np.float16)),
             'model.npz': model.getvalue(), 'unreadable.csv': _text(unreadable)}
    if result.content is not None:
        files[CONTENT] = _npy(result.content)
    if find_spec('pyarrow'):
        files[PARQUET] = _parquet(result)
    summary = dict(result.summary, format=FORMAT, files={
        name: dict(bytes=len(data), sha256=hashlib.sha256(data).hexdigest()) for name, data in files.items()})
    files['summary.json'] = json.dumps(summary, indent=1, allow_nan=False, ensure_ascii=True).encode()
    parts = [folder / f'.{name}.new' for name in files]
    try:
        for part, data in zip(parts, files.values()):       # a full disk shows here, before anything is replaced
            with whole_file(part) as stream:
                stream.write(data)
        for part, name in zip(parts, files):
            part.replace(folder / name)
        for name in {CONTENT, PARQUET} - set(files):        # of an earlier result
            (folder / name).unlink(missing_ok=True)
    finally:
        for part in parts:
            part.unlink(missing_ok=True)


def _load(folder: Path, name: str, expected: dict[str, Any]) -> bytes:
    """One file, which must be the one that the summary knows."""
    try:
        data = (folder / name).read_bytes()
    except FileNotFoundError:
        raise ResultError(f'{folder} lacks {name}: {AGAIN}') from None
    known = expected.get(name, {})
    if len(data) != known.get('bytes') or hashlib.sha256(data).hexdigest() != known.get('sha256'):
        raise ResultError(f'{folder / name} is not the file that summary.json describes ({len(data)} instead of '
                          f'{known.get("bytes")} bytes, or changed): it was cut short or edited, so {AGAIN}')
    return data


def read_summary(folder: Union[str, Path]) -> dict[str, Any]:
    """Read ``summary.json``.

    Raises:
        ResultError: If there is none, it is damaged, or of another version.
    """
    path = Path(folder) / 'summary.json'
    try:
        summary = json.loads(path.read_text(encoding='utf-8'))
        if 'format' not in summary and 'experiment' in summary:
            raise ResultError(f'{folder} is the work dir of a training: cluster images with it first, by mmcluster '
                              f'cluster FOLDER --encoder {folder}, and give the result of that')
        version = summary['format']
    except (FileNotFoundError, NotADirectoryError):
        raise ResultError(f'{folder} is no result folder, as it has no summary.json: give the folder that mmcluster '
                          'cluster wrote') from None
    except ResultError:
        raise
    except (ValueError, TypeError, KeyError) as error:
        raise ResultError(f'{path} is damaged ({error}): {AGAIN}') from error
    if version != FORMAT:
        raise ResultError(f'{folder} has format {version}, this version of mmcluster reads {FORMAT}: {AGAIN}, or use '
                          f'the version that wrote it ({summary.get("mmcluster", "unknown")})')
    return summary


def read_result(folder: Union[str, Path]) -> Result:
    """Read a result folder and check that its files are whole and of one run.

    Raises:
        ResultError: With what to do.
    """
    folder, summary = Path(folder), read_summary(folder)
    data = {name: _load(folder, name, summary.get('files', {}))
            for name in ('assignments.csv', 'embeddings.npy', 'model.npz', 'unreadable.csv')}
    rows = [list(csv.reader(io.StringIO(data[name].decode('utf-8', 'surrogateescape'), newline='')))
            for name in ('assignments.csv', 'unreadable.csv')]
    (header, *body), (_, *unreadable) = rows
    columns = dict(zip(header, zip(*body))) if body else dict.fromkeys(header, ())
    table = {name: np.array([int(value) if value else -1 for value in columns[name]], np.int64) for name in INTEGERS}
    table |= {name: np.array(columns[name], np.float64) for name in NUMBERS}
    label = [path_of(cell) for cell in columns['label']] if 'label' in columns else None
    embed = np.load(io.BytesIO(data['embeddings.npy']), allow_pickle=False)
    return Result([path_of(cell) for cell in columns['path']], table, embed, summary,
                  FeatureModel.load(io.BytesIO(data['model.npz'])),
                  [(path_of(cell), reason) for cell, reason in unreadable], label)


def read_content(folder: Union[str, Path]) -> dict[str, bytes]:
    """Read which images a result was made of: path -> what tells its content apart.

    Returns:
        Nothing if there is no result, or a damaged one, or one that does not say.
    """
    try:
        expected = read_summary(folder).get('files', {})
        table, content = (_load(Path(folder), name, expected) for name in ('assignments.csv', CONTENT))
    except ResultError:
        return {}
    rows = csv.reader(io.StringIO(table.decode('utf-8', 'surrogateescape'), newline=''))
    next(rows)
    keys = np.load(io.BytesIO(content), allow_pickle=False)
    return {path_of(row[0]): key.tobytes() for row, key in zip(rows, keys)}


def refuse_result_file(file: Union[str, Path]) -> None:
    """Refuse to write over a file of a result.

    Args:
        file: What is to be written.

    Raises:
        ValueError: If it is one.
    """
    file = Path(file).absolute()
    with suppress(ResultError):
        if file.name in {*read_summary(file.parent).get('files', {}), 'summary.json', 'report.html'}:
            raise ValueError(f'{file} belongs to the result in {file.parent}: name another file by --out')


def read_model(folder: Union[str, Path]) -> tuple[dict[str, Any], FeatureModel]:
    """Read what new images need: the summary of a result folder and its model.

    Raises:
        ResultError: With what to do.
    """
    summary = read_summary(folder)
    return summary, FeatureModel.load(io.BytesIO(_load(Path(folder), 'model.npz', summary.get('files', {}))))
