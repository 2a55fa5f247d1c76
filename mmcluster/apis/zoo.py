"""Models by name: those of the metafiles that come with the package."""
from __future__ import annotations

import fnmatch
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Optional

import yaml

from mmcluster.checks import near
from mmcluster.recipes import shipped_configs


@dataclass(frozen=True)
class ModelEntry:
    """A model of a metafile.

    Attributes:
        config: File.
        method: Collection that it belongs to.
        data: Training data.
        weights: Where they are, ``None`` if there are none yet.
        results: Metrics as measured with this code, ``None`` if they were not.
    """
    config: Path
    method: str
    data: list[str]
    weights: Optional[str]
    results: Optional[list[dict[str, Any]]]


@lru_cache(maxsize=1)
def _entries() -> dict[str, ModelEntry]:
    """All models of all metafiles by name."""
    found = {}
    for file in sorted(shipped_configs().glob('metafile_*.yml')):
        for model in yaml.safe_load(file.read_text(encoding='utf-8')).get('Models') or ():
            data = (model.get('Metadata') or {}).get('Training Data') or []
            found[model['Name']] = ModelEntry(
                shipped_configs() / Path(model['Config']).name, model['In Collection'],
                [data] if isinstance(data, str) else list(data), model.get('Weights'), model.get('Results'))
    return found


def list_models(pattern: Optional[str] = None, pretrained: bool = False) -> list[str]:
    """Names of models, sorted.

    Args:
        pattern: Wildcard pattern; a part of a name suffices.
        pretrained: Only those with weights.
    """
    wanted = f'*{pattern}*' if pattern else '*'
    return sorted(name for name, entry in _entries().items()
                  if fnmatch.fnmatch(name, wanted) and (entry.weights or not pretrained))


def model_entry(name: str) -> ModelEntry:
    """What the metafiles say of a model.

    Raises:
        ValueError: If there is no such model; the message has near names.
    """
    if name not in _entries():
        raise ValueError(f'there is no model {name!r}{near(name, _entries())}; mmcluster.list_models() names all')
    return _entries()[name]
