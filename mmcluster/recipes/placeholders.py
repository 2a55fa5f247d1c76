"""``{stage}`` in the strings of a config, which stands for the final checkpoint of an earlier stage."""
from __future__ import annotations

import re
from typing import Any

from mmengine.config import Config, ConfigDict

PLACEHOLDER = r'\{(\w+)\}'


def filled(value: Any, checkpoints: dict[str, str]) -> Any:
    """Replace ``{stage}`` in every string of a nested config."""
    if isinstance(value, dict):
        return ConfigDict({key: filled(item, checkpoints) for key, item in value.items()})
    if isinstance(value, (list, tuple)):
        return type(value)(filled(item, checkpoints) for item in value)
    if isinstance(value, str):
        return re.sub(PLACEHOLDER, lambda match: checkpoints.get(match[1], match[0]), value)
    return value


def placeholders(value: Any, where: str = '') -> list[str]:
    """Places of a nested config whose string still holds a ``{stage}``.

    Args:
        value: Nested dicts, lists and tuples.
        where: Name of the value.

    Returns:
        ``place=string`` of each.
    """
    if isinstance(value, dict):
        return [place for key, item in value.items() for place in placeholders(item, f'{where}.{key}'.lstrip('.'))]
    if isinstance(value, (list, tuple)):
        return [place for i, item in enumerate(value) for place in placeholders(item, f'{where}.{i}')]
    return [f'{where}={value}'] if isinstance(value, str) and re.fullmatch(PLACEHOLDER, value) else []


def check_placeholders(cfg: Config) -> None:
    """Refuse a config with a placeholder that no stage has filled.

    Args:
        cfg: Config of one stage.

    Raises:
        ValueError: If there is one.
    """
    places = placeholders(cfg._cfg_dict)
    if places:
        raise ValueError(f'{places} stand for the checkpoint of an earlier stage. Run the recipe that has this '
                         f'stage, or name a file, e.g. --cfg-options {places[0].split("=")[0]}=path.pth')


def named(value: Any) -> set[str]:
    """Names in braces in all strings of a nested config."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return set().union(*map(named, value))
    return set(re.findall(PLACEHOLDER, value)) if isinstance(value, str) else set()
