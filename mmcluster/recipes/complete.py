"""A config that lacks what a run is made of is refused in words."""
from __future__ import annotations

from typing import Sequence

from mmengine.config import Config

from .known_names import COMPOSED

OF_A_RUN = ('model', 'train_dataloader', 'train_cfg', 'optim_wrapper')


def check_complete(cfg: Config, what: str = 'the config', advice: str = '', needed: Sequence[str] = OF_A_RUN) -> None:
    """Refuse a config without a setting that every run needs.

    Args:
        cfg: Config without stages, or of one stage.
        what: Name of the config in errors.
        advice: What to do, if not to write stages.
        needed: Settings that it has to have.

    Raises:
        ValueError: If one is missing; names of parts, which are read in a stage alone, are pointed out.
    """
    missing = [name for name in needed if cfg.get(name) is None]
    if not missing:
        return
    if advice:
        raise ValueError(f'{what} has no {", ".join(missing)}: {advice}')
    stray = [name for name in ('parts', 'on', 'data', *COMPOSED) if name in cfg]
    advice = (f'{", ".join(stray)} are read in a stage: write stages = dict(NAME=dict(parts=[...]))' if stray else
              'state it, or let stages compose it of parts: stages = dict(NAME=dict(parts=[...]))')
    raise ValueError(f'{what} has no {", ".join(missing)}; {advice}')
