"""Loading weights of which every key must fit."""
from __future__ import annotations

import re
from typing import Any, Optional, Sequence

from mmengine.logging import print_log
from mmengine.model.weight_init import update_init_info
from mmengine.runner import CheckpointLoader
from torch import Tensor, nn

from .registry import WEIGHT_INITIALIZERS

BANK = 'bank.'      # prefix of what a clusterer keeps of every image


def state_dict_of(checkpoint: dict) -> dict[str, Tensor]:
    """The weights inside a checkpoint: its ``state_dict`` or the file itself, without a ``module.`` prefix."""
    state = checkpoint.get('state_dict', checkpoint)
    return {re.sub(r'^module\.', '', key): value for key, value in state.items()}


def state_dict_problems(module: nn.Module, state: dict[str, Tensor]) -> list[str]:
    """What keeps a state dict from loading strictly: one line each for missing, unexpected and misshapen keys.

    A submodule with ``takes_any_key``, such as the final centres, may have other keys in each file.

    Args:
        module: Module that is to be loaded.
        state: Weights.
    """
    free = _free_prefixes(module)
    own, state = ({key: value for key, value in values.items() if not key.startswith(free)}
                  for values in (module.state_dict(), state))
    groups = dict(
        missing=[key for key in own if key not in state],
        unexpected=[key for key in state if key not in own],
        misshapen=[f'{key} {tuple(state[key].shape)} instead of {tuple(own[key].shape)}' for key in own
                   if key in state and state[key].shape != own[key].shape])
    return [f'{len(keys)} {name}: {", ".join(keys[:10])}{", ..." if len(keys) > 10 else ""}'
            for name, keys in groups.items() if keys]


def with_own_bank(module: nn.Module, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights of a file with the per-image state that the module has: the file's is of other images, or left out.

    Args:
        module: A clusterer.
        state: Weights.
    """
    own = {key: value for key, value in module.state_dict().items() if key.startswith(BANK)}
    return {**{key: value for key, value in state.items() if not key.startswith(BANK)}, **own}


def _free_prefixes(module: nn.Module) -> tuple[str, ...]:
    """Prefixes of the keys that differ from file to file."""
    return tuple(f'{path}.' for path, part in module.named_modules() if getattr(part, 'takes_any_key', False))


def load_strictly(module: nn.Module, state: dict[str, Tensor], source: str) -> None:
    """Load weights of which every key must fit.

    Args:
        module: Module to load.
        state: Weights.
        source: Name of the file, for the error.

    Raises:
        ValueError: If a key is missing, unexpected or of another shape.
    """
    problems = state_dict_problems(module, state)
    if problems:
        raise ValueError(f'{source} does not fit {type(module).__name__}:\n  ' + '\n  '.join(problems) +
                         '\nUse the config that the file was made with, convert a released file with '
                         'tools/model_converters, rename keys by prefix or revise_keys, or load what fits by '
                         'strict=False')
    module.load_state_dict(state)


@WEIGHT_INITIALIZERS.register_module(name='Pretrained', force=True)
class StrictPretrainedInit:
    """Loads a checkpoint into a module and raises where mmengine only warns.

    Args:
        checkpoint: File.
        prefix: Load only the keys under this prefix, which is cut off.
        map_location: As in ``torch.load``.
        strict: ``False`` loads what fits by name and shape, and raises only if nothing does.
        revise_keys: (regular expression, replacement) pairs applied to every key, after the prefix.
        leave_out: Regular expressions of whole keys that are not loaded, after their revision.
    """

    def __init__(self, checkpoint: str, prefix: Optional[str] = None, map_location: Any = 'cpu', strict: bool = True,
                 revise_keys: Sequence[tuple[str, str]] = (), leave_out: Sequence[str] = ()):
        self.checkpoint = checkpoint
        self.prefix = prefix
        self.map_location = map_location
        self.strict = strict
        self.revise_keys = revise_keys
        self.leave_out = leave_out

    def read(self) -> dict[str, Tensor]:
        """The weights of the file under the names that the module shall find them by."""
        state = state_dict_of(CheckpointLoader.load_checkpoint(self.checkpoint, self.map_location))
        if self.prefix:
            prefix = self.prefix.rstrip('.') + '.'
            state = {key[len(prefix):]: value for key, value in state.items() if key.startswith(prefix)}
        for pattern, replacement in self.revise_keys:
            state = {re.sub(pattern, replacement, key): value for key, value in state.items()}
        return {key: value for key, value in state.items()
                if not any(re.fullmatch(pattern, key) for pattern in self.leave_out)}

    def __call__(self, module: nn.Module) -> None:
        """Load the file into ``module``."""
        self.load(module, self.read())

    def load(self, module: nn.Module, state: dict[str, Tensor]) -> None:
        """Load weights, strictly unless told otherwise.

        Args:
            module: Module to load.
            state: What :meth:`read` returned, or a part of it.

        Raises:
            ValueError: If they do not fit.
        """
        # final centres are those of the file's own run, which this one does not go on with
        state = {key: value for key, value in state.items() if not key.startswith(_free_prefixes(module))}
        own = module.state_dict()
        fitting = {key: value for key, value in state.items() if key in own and value.shape == own[key].shape}
        if self.strict or not fitting:
            load_strictly(module, state, self.checkpoint)
        else:
            module.load_state_dict(fitting, strict=False)
            left = '\n  '.join(state_dict_problems(module, state))
            print_log(f'{len(fitting)} keys of {self.checkpoint} were loaded; left out are\n  {left}', logger='current')
        if hasattr(module, '_params_init_info'):
            update_init_info(module, init_info=f'Pretrained: load from {self.checkpoint}')
