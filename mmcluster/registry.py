"""Registries of mmcluster: children of mmpretrain's, so that unprefixed names of mmpretrain and mmengine work.

Looking a name up imports only a registry's own ``locations``; the parent's packages therefore stand first in them.
"""
from __future__ import annotations

import difflib
from typing import Any, Mapping, Optional

import mmengine.registry as root
import mmpretrain.registry as parents
from mmengine.registry import Registry
from mmengine.utils import import_modules_from_strings

SCOPE = 'mmcluster'


class NamedRegistry(Registry):
    """A registry whose failed look-ups name what stands near.

    Args:
        constant: Name of the registry in this module, for messages.
        parent: Registry of mmpretrain or mmengine; ``None`` makes a registry of our own.
        locations: Packages that register names here or in the parent, imported at the first look-up.
    """

    def __init__(self, constant: str, parent: Optional[Registry], locations: list[str]):
        name = constant.lower().replace('_', ' ').rstrip('s') if parent is None else parent.name
        super().__init__(name, parent=parent, scope=SCOPE, locations=locations)
        self.constant = constant
        if parent is not None:  # 'mmcluster.X' is found from mmengine's registries too, whatever the default scope
            self.root.children.setdefault(SCOPE, self)

    def get(self, key: str) -> type:
        """Look a name up here, then in the ancestors.

        Args:
            key: Registered name, with or without scope, or the dotted path of an importable object.

        Returns:
            What is registered by that name.

        Raises:
            KeyError: If nothing is; the message lists near names.
        """
        self.import_from_location()  # outside the try: a package that fails to import must say so itself
        try:
            found = super().get(key)
        except RuntimeError:
            found = None
        if found is None:
            raise KeyError(f'{key!r} is not in mmcluster.registry.{self.constant}, nor in its parents. '
                           f'{self._near(key)} A class of your own needs `@{self.constant}.register_module()` and a '
                           f"place in the config's `custom_imports`.")
        return found

    def __contains__(self, key: str) -> bool:
        try:
            return self.get(key) is not None
        except KeyError:
            return False

    def _near(self, key: str) -> str:
        """Names of this registry and its ancestors that resemble ``key``, in a sentence."""
        names: set[str] = set()
        registry: Optional[Registry] = self
        while registry is not None:
            names |= set(registry.module_dict)
            registry = registry.parent
        by_lower = {name.lower(): name for name in sorted(names)}
        near = difflib.get_close_matches(key.split('.')[-1].lower(), by_lower, n=5, cutoff=0.5)
        return f'Near names: {", ".join(by_lower[name] for name in near)}.' if near else 'No name is near it.'


def import_plugins(cfg: Mapping[str, Any]) -> None:
    """Import what the ``custom_imports`` of a config name, as reading its file does.

    Args:
        cfg: One that was not read from its file.

    Raises:
        ImportError: If one cannot be imported; with what to do.
    """
    if cfg.get('custom_imports'):
        try:
            import_modules_from_strings(**cfg['custom_imports'])
        except ImportError as error:
            raise ImportError(f'{error}, which custom_imports of the config name: install it, or put its folder on '
                              'PYTHONPATH') from error


def _child(constant: str, package: str) -> NamedRegistry:
    """A child of mmpretrain's registry of that name, else of mmengine's; mmpretrain's package is imported first."""
    parent = getattr(parents if hasattr(parents, constant) else root, constant)
    return NamedRegistry(constant, parent, [f'mmpretrain.{package}', f'mmcluster.{package}'])


RUNNERS = _child('RUNNERS', 'engine')
RUNNER_CONSTRUCTORS = _child('RUNNER_CONSTRUCTORS', 'engine')
STRATEGIES = _child('STRATEGIES', 'engine')
LOOPS = _child('LOOPS', 'engine')
HOOKS = _child('HOOKS', 'engine')
LOG_PROCESSORS = _child('LOG_PROCESSORS', 'engine')
OPTIMIZERS = _child('OPTIMIZERS', 'engine')
OPTIM_WRAPPERS = _child('OPTIM_WRAPPERS', 'engine')
OPTIM_WRAPPER_CONSTRUCTORS = _child('OPTIM_WRAPPER_CONSTRUCTORS', 'engine')
PARAM_SCHEDULERS = _child('PARAM_SCHEDULERS', 'engine')

DATASETS = _child('DATASETS', 'datasets')
DATA_SAMPLERS = _child('DATA_SAMPLERS', 'datasets')
TRANSFORMS = _child('TRANSFORMS', 'datasets')
FUNCTIONS = _child('FUNCTIONS', 'datasets')

MODELS = _child('MODELS', 'models')
MODEL_WRAPPERS = _child('MODEL_WRAPPERS', 'models')
WEIGHT_INITIALIZERS = _child('WEIGHT_INITIALIZERS', 'models')
BATCH_AUGMENTS = _child('BATCH_AUGMENTS', 'models')
TASK_UTILS = _child('TASK_UTILS', 'models')
TOKENIZER = _child('TOKENIZER', 'models')

METRICS = _child('METRICS', 'evaluation')
EVALUATORS = _child('EVALUATORS', 'evaluation')
VISUALIZERS = _child('VISUALIZERS', 'visualization')
VISBACKENDS = _child('VISBACKENDS', 'visualization')
INFERENCERS = _child('INFERENCERS', 'apis')

LABEL_SELECTORS = NamedRegistry('LABEL_SELECTORS', None, ['mmcluster.selectors'])
