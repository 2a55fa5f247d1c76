"""``report.html``: one file that shows what is in a result folder, and asks nothing of any network."""
from __future__ import annotations

import base64
import hashlib
import json
import shlex
from collections import Counter
from importlib import resources
from pathlib import Path
from typing import Any, Optional, Union

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from mmcluster.apis.result import Result, ResultError, read_result
from mmcluster.encoders.embed import usable_cpus
from mmcluster.writing import whole_file

from .curve import k_curve
from .data import cluster_data, purity_by_distance, table_data
from .gallery import SECTIONS, by_priority, galleries
from .names import shown
from .thumbnails import Progress, Thumbnails, thumbnails
from .training import training_charts

PAGE_BYTES = 15_000_000
LEAST_BYTES = 1_000_000         # for pictures, however long the table is
MOST_PICTURES = 2000            # bounds the time: each is a file to decode
SECTION_ROWS = (3, 20)          # images that a section of a cluster shows, with many clusters and with few
STYLES = ('base', 'overview', 'clusters', 'map')
SCRIPTS = ('data', 'palette', 'tiles', 'viewer', 'groups', 'cluster', 'search', 'points', 'map', 'map_input', 'main')
UNREADABLE_SHOWN = 500


def write_report(result_folder: Union[str, Path], root: Union[str, Path, None] = None,
                 out: Union[str, Path, None] = None, page_bytes: int = PAGE_BYTES, workers: Optional[int] = None,
                 progress: Optional[Progress] = None, links: bool = False) -> Path:
    """Write the page of a result folder.

    Args:
        result_folder: What ``mmcluster cluster`` wrote.
        root: Folder of the images, if it moved since; nothing outside of it is read, unless ``links`` lead there.
        out: The file; by default ``report.html`` in the result folder.
        page_bytes: Bytes of the page at most. The pictures take what the table leaves, so they are fewer and smaller
            where there are many images; at least about a megabyte of them is kept.
        workers: Threads that decode; one per processor by default.
        progress: Called with the pictures done and all of them.
        links: Follow links out of the folder. The result of somebody else could so put files of yours on the page.

    Returns:
        The file.

    Raises:
        ResultError: If there is no whole result of this version, or its images are gone; with what to do.
        OSError: If the page cannot be written; one that was there stays as it is.
    """
    folder = Path(result_folder)
    result = read_result(folder)
    images = Path(root if root is not None else result.summary.get('root', '')).resolve()
    if not images.is_dir():
        raise ResultError(f'The images of {folder} are no longer in {images}: name their folder by --root')
    out = folder / 'report.html' if out is None else Path(out)
    text = render(result, images, page_bytes, usable_cpus() if workers is None else workers, progress, folder,
                  links)
    with whole_file(out) as stream:
        stream.write(text.encode('utf-8'))
    return out


def render(result: Result, root: Path, page_bytes: int = PAGE_BYTES, workers: int = 1,
           progress: Optional[Progress] = None, folder: Optional[Path] = None, links: bool = False) -> str:
    """Make the page.

    Args:
        result: What it is about.
        root: Folder of the images, resolved.
        page_bytes: See :func:`write_report`.
        workers: Threads.
        progress: See :func:`write_report`.
        folder: Of the result, from which the logs of its trainings are found; without it none is shown.
        links: See :func:`write_report`.

    Returns:
        HTML.
    """
    least, most = SECTION_ROWS
    kinds = len(set(result.table['cluster'].tolist())) or 1
    chosen = galleries(result, max(least, min(most, MOST_PICTURES // (len(SECTIONS) * kinds))))
    data = table_data(result) | dict(clusters=cluster_data(result, chosen), tree=result.summary.get('tree', []),
                                     groups=result.summary.get('groups', {}).get('count', 1))
    rows = by_priority(list(chosen.values()), len(result.paths), MOST_PICTURES)
    training = training_charts(result.summary, folder) if folder else None
    empty = _page(result, root, data, Thumbnails({}, 0, Counter()), training)
    budget = max(page_bytes - len(empty.encode('utf-8')) - 9 * len(rows), LEAST_BYTES)
    pictures = thumbnails(root, result.paths, rows, budget, workers, progress, links)
    return _page(result, root, data, pictures, training)


def _page(result: Result, root: Path, data: dict[str, Any], pictures: Thumbnails,
          training: Optional[dict[str, Any]]) -> str:
    """Fill the template."""
    summary = result.summary
    script = '"use strict";\n(() => {\n' + '\n'.join(_asset('js', f'{name}.js') for name in SCRIPTS) + '\n})();\n'
    digest = base64.b64encode(hashlib.sha256(script.encode('utf-8')).digest()).decode()
    return _environment().get_template('report.html.j2').render(
        script=Markup(script), script_hash=digest,
        style=Markup('\n'.join(_asset('css', f'{name}.css') for name in STYLES)),
        data=_json(data | dict(pictured=list(pictures.pictures))),
        pictures=Markup('\n'.join(pictures.pictures.values())), edge=pictures.edge,
        pictured=len(pictures.pictures), missing=pictures.missing, root=shown(root.name or str(root)),
        folder=shown(str(root)), command=shlex.quote(shown(str(root))), images=len(result.paths), summary=summary,
        unreadable=[(shown(path), shown(reason)) for path, reason in result.unreadable[:UNREADABLE_SHOWN]],
        unread=len(result.unreadable), clusters=data['clusters'], nowhere=int((result.table['cluster'] < 0).sum()),
        curve=k_curve(summary), confusion=_confusion(summary), labelled=bool(data['labels']),
        training=training, by_distance=purity_by_distance(result))


def _environment() -> Environment:
    """Jinja with escaping on; a name that a template misspells is an error."""
    environment = Environment(loader=PackageLoader(__package__), autoescape=True, undefined=StrictUndefined,
                              trim_blocks=True, lstrip_blocks=True)
    environment.filters['count'] = lambda number: f'{number:,}'
    environment.filters['spent'] = spent
    environment.filters['shown'] = lambda text: shown(str(text))
    return environment


def _asset(kind: str, name: str) -> str:
    """A style sheet or a script of this package."""
    return (resources.files(__package__) / 'templates' / kind / name).read_text(encoding='utf-8')


def _json(data: Any) -> Markup:
    """JSON that no text in it can end a script element with."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(',', ':'))
    for sign in '<>&\u2028\u2029':
        text = text.replace(sign, f'\\u{ord(sign):04x}')
    return Markup(text)


def spent(seconds: float) -> str:
    """A time for people, such as ``1 min 20 s``."""
    if seconds < 10:
        return f'{seconds:.1f} s'
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, 'h'), (minutes, 'min'), (rest if not hours else 0, 's')]
    return ' '.join(f'{value} {unit}' for value, unit in parts if value)


def _confusion(summary: dict[str, Any]) -> Optional[dict[str, Any]]:
    """The confusion matrix with how dark each cell is: the share of its class."""
    found = summary.get('confusion')
    if not found:
        return None
    rows = [dict(name=shown(str(name)), total=sum(counts),
                 cells=[(count, round(count / max(sum(counts), 1), 3)) for count in counts])
            for name, counts in zip(found['classes'], found['table'])]
    names = found.get('clusters') or list(range(max((len(row['cells']) for row in rows), default=0)))
    return dict(clusters=names, rows=rows)
