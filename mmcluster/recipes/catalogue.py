"""Which recipes there are, one of their stages in full, and new ones from a base, a booster and a data set."""
from __future__ import annotations

import os
import re
from contextlib import suppress
from keyword import iskeyword
from pathlib import Path
from typing import Any, Mapping, NamedTuple, Optional, Sequence

from mmengine.config import Config

from mmcluster.checks import near

from .compose import facts_used
from .known_names import SETTINGS, shared_settings
from .merging import merge_options, merge_parts
from .parts import PartReader, shipped_configs
from .reading import read_config
from .rehearsal import rehearse
from .stages import check_stages, read_stage, reader, with_data

COMMAND = re.compile(r'^(mmcluster|python|tools|bash|\w+=\S+) ')
FIGURE = re.compile(r'(?:\b(ACC|NMI|ARI|[Ee]rror|accuracy)\b.*\d)|\d %')
SELECTION = 'select/by_embedding'       # fits every base: each has an embedding
NO_FIGURE = re.compile(r'\s*No figure of (?:the|a) papers? corresponds\.')


class Entry(NamedTuple):
    """A config of the shipped ones, or of a folder of the user's.

    Attributes:
        name: Of the file.
        stages: Names of its stages in order; empty for a config without stages.
        data: Part of its data set, without the folder; empty if it states none.
        what: First sentences of its header.
        paper: Lines of its header with a figure of a paper, joined.
    """
    name: str
    stages: tuple[str, ...]
    data: str
    what: str
    paper: str


def entries(folder: Optional[Path] = None) -> list[Entry]:
    """All configs of a folder, by name; the shipped ones by default."""
    found = []
    for path in sorted((folder or shipped_configs()).glob('*.py')):
        cfg = read_config(path)
        stages = cfg.get('stages', {})
        data = cfg.get('data') or next((stage.data for stage in stages.values() if stage.get('data')), '')
        found.append(Entry(path.stem, tuple(stages), data.rpartition('/')[2], *header_of(path)))
    return found


def header_of(path: Path) -> tuple[str, str]:
    """(What a config is, the figures of the paper) from the comment at its head; commands are left out."""
    lines = []
    for line in path.read_text(encoding='utf-8').splitlines():
        if not line.startswith('#'):
            break
        lines.append(line.lstrip('# '))
    lines = [line for line in lines if not COMMAND.match(line)]
    end = next((i for i, line in enumerate(lines) if FIGURE.search(line)), len(lines))
    what = NO_FIGURE.sub('', ' '.join(lines[:end]))
    return re.split(r'(?<=[a-z0-9)])[.;:] ', what + ' ')[0].rstrip(' .'), ' '.join(
        line for line in lines[end:] if FIGURE.search(line)).rstrip('.')


def show(path: str | os.PathLike, stage: Optional[str] = None, options: Optional[Mapping[str, Any]] = None) -> str:
    """Text of an ordinary complete config: a file's with all its bases, or that of a stage of a recipe.

    ``Runner.from_cfg`` and ``tools/train.py`` accept it by itself; a string ``'{stage}'`` in it stands for the
    checkpoint of an earlier stage. The facts that the stage is made with stand above, as comments.

    Args:
        path: A config or a recipe.
        stage: Of the recipe; may be left out if there is one only.
        options: Settings that override the file's, dotted names allowed.
    """
    cfg = read_stage(path, stage, options)
    own = {*SETTINGS, *(cfg.get('extra_keys') or ()), 'extra_keys'} - {'work_dir'}
    text = Config({key: value for key, value in cfg._cfg_dict.to_dict().items() if key in own}).pretty_text
    return f'{_facts_as_comments(path, stage, options)}{text}'


def _facts_as_comments(path: str | os.PathLike, stage: Optional[str], options: Optional[Mapping[str, Any]]) -> str:
    """Lines with the facts of a stage that is made of parts; nothing for others."""
    recipe = read_config(path)
    merge_options(recipe, options or {})
    name = stage or next(iter(recipe.get('stages', ())), None)
    if name is None or not recipe.stages[name].get('parts'):
        return ''
    found = facts_used(with_data(recipe), name, reader(recipe).read, shared_settings(recipe))
    return ''.join([f'# Facts of the recipe; --cfg-options stages.{name}.facts.<fact>=VALUE changes one:\n',
                    *(f'#   {fact} = {value!r}\n' for fact, value in found.items())])


def new(base: str, booster: Optional[str], data: str, folder: str | os.PathLike = '.',
        more: Sequence[str] = ()) -> Path:
    """Write the recipe of a base, perhaps with a booster, on a data set, and check that it could train.

    Where the data set is there, every stage is built and sees two of its images.

    Args:
        base: Part of the first stage, such as ``'propos/r18'``.
        booster: Part below ``boosters`` of the second one; ``None`` for none.
        data: Part below ``data``.
        folder: Where the file goes.
        more: Further parts of the last stage: a selection, views. A booster that leaves its selection open gets
            :data:`SELECTION`.

    Returns:
        The file, ``<base>[_<booster>]_<network>_<data>.py``.

    Raises:
        FileNotFoundError: If there is no such part; the message has near names.
        FileExistsError: If there is such a recipe already.
        ValueError: If the parts do not fit together.
    """
    lookup = PartReader(Path(folder))
    base, data = _found(lookup, base, ''), _found(lookup, data, 'data/')
    booster = booster and _found(lookup, booster, 'boosters/')
    names, network, on = _names_of(base, booster), _last(base), _last(data)
    path = Path(folder) / f'{"_".join(dict.fromkeys([*names, network.removesuffix(f"_{on}"), on]))}.py'
    if path.exists():
        raise FileExistsError(f'{path} is there already; change it, or give another folder')
    parts = [[base], [booster]] if booster else [[base]]
    parts[-1] += [_found(lookup, part, '') for part in more]
    if booster and _leaves_selection_open(lookup, parts[-1]):
        parts[-1].append(SELECTION)
    lines = [f'    {names[0]}=dict(parts={parts[0]})']
    if booster:
        lines.append(f'    {names[1]}=dict(on={names[0]!r}, parts={parts[1]})')
    text = (f'# {" on ".join(reversed(names))}, network {network}, data {on}. No figure of a paper '
            f'corresponds.\n# mmcluster train {path.as_posix()}\ndata = {data!r}\nstages = dict(\n'
            + ',\n'.join(lines) + ')\n')
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding='utf-8')
    try:
        cfg = read_config(path)
        cfg.work_dir = 'work_dirs/unused'
        names = check_stages(cfg)
        with suppress(FileNotFoundError):       # the data set need not be here yet
            for name in names:
                rehearse(cfg, name, names)
    except Exception:
        path.unlink()
        raise
    return path


def _names_of(base: str, booster: Optional[str]) -> list[str]:
    """Names of the stages, which are keywords of a call: the folder of the base, and what the booster begins with."""
    method = base.rpartition(':')[2].removeprefix('parts/').rpartition('/')[0]
    found = [_last(method) or _last(base), *([_last(booster).split('_')[0]] if booster else [])]
    words = [re.sub(r'\W', '_', name) for name in found]
    words = [word if word.isidentifier() and not iskeyword(word) else f'stage_{word}' for word in words]
    return [f'{word}_{i}' if word in words[:i] else word for i, word in enumerate(words)]


def _last(part: str) -> str:
    """The last piece of a part's name."""
    return part.rpartition(':')[2].rpartition('/')[2].removesuffix('.py')


def _leaves_selection_open(lookup: PartReader, parts: Sequence[str]) -> bool:
    """Whether the parts of a booster want selected rows and none says which."""
    hook = merge_parts(parts, lookup.read).get('hooks', {}).get('select')
    return bool(hook) and 'selector' not in hook


def _found(lookup: PartReader, part: str, room: str) -> str:
    """The whole name of a part that may be given without its room."""
    if part in lookup.names() or ':' in part:
        lookup.find(part)
        return part
    if f'{room}{part}' in lookup.names():
        return f'{room}{part}'
    known = sorted(name.removeprefix(room) for name in lookup.names() if name.startswith(room))
    raise FileNotFoundError(f'there is no part {part!r}{near(part, known)}; there are {", ".join(known)}')
