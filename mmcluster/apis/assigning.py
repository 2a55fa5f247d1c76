"""New images into the clusters of a result; the old images are not needed."""
from __future__ import annotations

import csv
import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Optional, Sequence, Union

from mmcluster.image_names import cell_of
from mmcluster.utils import counted_as

from .folder_input import find_images
from .result import ResultError, read_model
from .telling import Teller

if TYPE_CHECKING:
    from mmcluster.encoders import Encoder

    from .feature_model import Assignment

COLUMNS = ('path', 'cluster', 'confidence', 'second', 'margin', 'distance', 'outlier')


class Assigned(NamedTuple):
    """Clusters of new images.

    Attributes:
        root: Folder that the paths are relative to.
        paths: N paths.
        found: Of these, see :class:`~mmcluster.apis.feature_model.Assignment`; cluster -1 belongs to none.
        unreadable: (path, reason) of the others.
    """
    root: Path
    paths: list[str]
    found: Assignment
    unreadable: list[tuple[str, str]]

    def table(self) -> str:
        """CSV with the columns that ``assignments.csv`` has, too, as far as new images have them.

        Images that cannot be read come last, with nothing but a path.
        """
        stream, columns = io.StringIO(newline=''), [getattr(self.found, name).tolist() for name in COLUMNS[1:]]
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for row in zip(map(cell_of, self.paths), *columns):
            writer.writerow([f'{value:.5g}' if isinstance(value, float) else value for value in row])
        writer.writerows([cell_of(path), *[''] * (len(COLUMNS) - 1)] for path, _ in self.unreadable)
        return stream.getvalue()


def assign(result: Union[str, Path], images: Union[str, Path, Sequence[Union[str, Path]]],
           encoder: Optional[str] = None, device: Optional[str] = None, workers: Optional[int] = None,
           store: Optional[str] = None, teller: Optional[Teller] = None) -> Assigned:
    """Give new images to the clusters of a result.

    Args:
        result: Folder that ``mmcluster cluster`` wrote.
        images: A folder, or files.
        encoder: Where the encoder of the result lies now, if it moved; its weights must be those of the result.
        device: Where the encoder computes.
        workers: Processes that decode.
        store: Folder of the feature store.
        teller: Is told what happens.

    Returns:
        Clusters. An image farther from the centre than 99 per cent of the cluster's own belongs to none.

    Raises:
        ResultError: If the result cannot be read, or was made with another encoder.
        FileNotFoundError: If there is no such image or folder.
        ValueError: If none of the images can be read.
    """
    from mmcluster.encoders import embed_files
    teller, (summary, model) = teller or Teller(), read_model(result)
    root, paths = _listed(images)
    built = open_encoder(summary, Path(result), encoder, device)
    teller.line(f'{counted_as(len(paths), "image")}; {counted_as(summary["k"], "cluster")}; encoder {built.name}')
    found = embed_files(built, paths, root, store, workers=workers,
                        progress=lambda done, total: teller.progress('features', done, total))
    if not found.paths:
        path, reason = found.unreadable[0]
        raise ValueError(f'none of the {len(paths)} images can be read, {path} for instance: {reason}')
    given = model.describe(model.reduce(found.embed), reject=True)
    return Assigned(root, found.paths, given, found.unreadable)


def open_encoder(summary: dict[str, Any], folder: Path, spec: Optional[str] = None,
                 device: Optional[str] = None) -> Encoder:
    """The encoder of a result.

    Args:
        summary: Of the result.
        folder: Of the result; an encoder that was trained for it lies in it.
        spec: Where it lies now.
        device: Where it computes.

    Raises:
        ResultError: If it is not the one that made the result.
    """
    from mmcluster.encoders import build_encoder
    known = summary['encoder']
    inside = folder / known['spec']
    spec = spec or (str(inside) if inside.exists() else known['spec'])
    try:
        built = build_encoder(spec, device)
    except (FileNotFoundError, ValueError) as error:
        raise ResultError(f'the encoder of this result, {spec}, cannot be opened ({error}); name its place by '
                          '--encoder') from error
    check_digest(built, spec, known, 'result', 'bring those by --encoder, or run mmcluster cluster again')
    return built


def check_digest(built: Encoder, spec: str, known: dict[str, Any], what: str, remedy: str) -> None:
    """Refuse an encoder that did not make what is known.

    Args:
        built: The encoder.
        spec: How it was asked for.
        known: ``name`` and ``digest`` of the one that did.
        what: It made.
        remedy: What to do.

    Raises:
        ResultError: If it is another one.
    """
    if built.digest != known['digest']:
        raise ResultError(f'{spec} is not the encoder of this {what}, which was made with other weights or another '
                          f'preprocessing of {known["name"]}: {remedy}')


def absolute_spec(spec: str) -> str:
    """A specification of an encoder whose file is found from every folder."""
    head, equals, file = spec.partition('=')
    if os.path.exists(spec):
        return os.path.abspath(spec)
    return f'{head}={os.path.abspath(os.path.expanduser(file))}' if equals else spec


def _listed(images: Union[str, Path, Sequence[Union[str, Path]]]) -> tuple[Path, list[str]]:
    """Root and relative paths of a folder or of files."""
    given = [Path(images)] if isinstance(images, (str, Path)) else [Path(item) for item in images]
    if len(given) == 1 and given[0].is_dir():
        found = find_images(given[0])
        return found.root, found.paths
    for file in given:
        if not file.is_file():
            raise FileNotFoundError(f'{file} is no file: give one folder, or image files')
    files = [file.absolute() for file in given]
    root = Path(os.path.commonpath([file.parent for file in files]))
    return root, [file.relative_to(root).as_posix() for file in files]
