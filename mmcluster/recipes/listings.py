"""What is generated from the recipes: the table of ``configs/README.md`` and the models of the metafiles."""
from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from mmengine.config import Config

from .catalogue import Entry, entries
from .stages import read_stage

PUBLISHED = ('Weights', 'SHA256', 'Size', 'License', 'Results')     # what a trained model adds to its entry
BEGIN, END = '<!-- begin: python tools/configs.py check -->', '<!-- end -->'


def stale(folder: Path) -> dict[Path, str]:
    """Generated files that are not what their recipes say.

    Args:
        folder: Of the configs, with ``README.md`` and ``metafile_*.yml``.

    Returns:
        File -> what it should hold.

    Raises:
        ValueError: If a recipe belongs to no collection of a metafile.
    """
    found = entries(folder)
    wanted = {folder / 'README.md': _with_table(folder / 'README.md', found), **_metafiles(folder, found)}
    return {path: text for path, text in wanted.items() if path.read_text(encoding='utf-8') != text}


def table(found: list[Entry]) -> str:
    """Markdown of all configs."""
    rows = [f'| `{entry.name}.py` | {entry.what} | {entry.paper} |' for entry in found]
    return '\n'.join(['| config | what | the paper says |', '|---|---|---|', *rows])


def _with_table(path: Path, found: list[Entry]) -> str:
    """The page with its table between the two marks."""
    text = path.read_text(encoding='utf-8')
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f'{path} has no place for the table: write {BEGIN} and {END} into it')
    return f'{head}{BEGIN}\n\n{table(found)}\n\n{END}{tail}'


def _metafiles(folder: Path, found: list[Entry]) -> dict[Path, str]:
    """Metafile -> its text with one entry for each recipe of its collections."""
    files = {path: yaml.safe_load(path.read_text(encoding='utf-8')) for path in sorted(folder.glob('metafile_*.yml'))}
    listed = {model['Name']: (path, model) for path, content in files.items() for model in content['Models'] or ()}
    collections = {each['Name'].lower(): (path, each['Name']) for path, content in files.items()
                   for each in content['Collections']}
    models: dict[Path, list[str]] = {path: [] for path in files}
    order = {name: place for place, name in enumerate(listed)}
    for entry in sorted(found, key=lambda entry: order.get(entry.name, len(order))):
        path, model = listed.get(entry.name) or _home(entry, collections)
        models[path].append(_model(entry, model, folder))
    heads = {path: path.read_text(encoding='utf-8').partition('\nModels:\n')[0] for path in files}
    return {path: f'{heads[path]}\nModels:\n{"".join(models[path])}' for path in files}


def _home(entry: Entry, collections: dict[str, tuple[Path, str]]) -> tuple[Path, dict[str, Any]]:
    """Metafile and collection of a new recipe: that of its last stage, or of one before it."""
    for stage in reversed(entry.stages):
        if stage.split('_')[0] in collections:
            path, name = collections[stage.split('_')[0]]
            return path, {'In Collection': name}
    raise ValueError(f'{entry.name}: no metafile has a collection of one of its stages {list(entry.stages)}; there are '
                     f'{sorted(collections)}')


def _model(entry: Entry, old: dict[str, Any], folder: Path) -> str:
    """Entry of a metafile; what was measured stays."""
    cfg = read_stage(folder / f'{entry.name}.py', entry.stages[-1] if entry.stages else None)
    metadata = {'Training Data': entry.data, **old.get('Metadata', {}),
                'Epochs': cfg.train_cfg.max_epochs, 'Batch Size': _batch(cfg)}
    lines = [f'  - Name: {entry.name}', f'    In Collection: {old["In Collection"]}', '    Metadata:',
             *(f'      {key}: {value}' for key, value in metadata.items()), f'    Config: configs/{entry.name}.py']
    measured = {key: value for key, value in old.items() if key in PUBLISHED}
    more = yaml.safe_dump(measured, sort_keys=False, allow_unicode=True) if measured else ''
    return '\n'.join(lines) + '\n' + re.sub(r'^', '    ', more, flags=re.M).rstrip(' ')


def _batch(cfg: Config) -> int:
    """Rows of a step of all processes, references aside: of all streams together, unless they take turns."""
    sampler = cfg.train_dataloader.sampler
    sizes = {name: stream.size for name, stream in sampler.streams.items() if isinstance(stream.get('size'), int)}
    if len(sizes) > 1:
        sizes.pop('reference', None)
    return (max if sampler.get('sequential') else sum)(sizes.values())
