"""mmcluster: deep image clustering on OpenMMLab's engine.

Importing this package costs no time: what is below it is imported when it is used. As soon as mmengine's runner is
imported, by whomever, ``compat`` puts the safe checkpoint loader into it.
"""
import importlib
import importlib.abc
import importlib.machinery
import importlib.metadata
import re
import sys
import warnings

from .version import __version__

_WINDOWS = {  # package -> names of its distributions, first version that works, first that may not
    'mmengine': (('mmengine', 'mmengine-lite'), '0.10.7', '0.11.0'),
    'mmcv': (('mmcv', 'mmcv-lite'), '2.2.0', '2.3.0'),
    'mmpretrain': (('mmpretrain',), '1.2.0', '1.3.0'),
}
_LAZY = ('apis', 'checks', 'compat', 'datasets', 'engine', 'evaluation', 'functional', 'models', 'registry',
         'selectors', 'strict', 'structures', 'utils', 'visualization')
_NAMES = {'ImageClusterer': 'estimator', 'get_model': 'zoo', 'inference_model': 'zoo', 'list_models': 'zoo'}


def _version(distributions):
    """Version of the first of some distributions that is installed."""
    for name in distributions:
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            pass
    raise ImportError(f'mmcluster needs {distributions[0]}: pip install {distributions[-1]}')


def _numbers(version):
    return tuple(map(int, re.findall(r'\d+', version)[:3]))


for _name, (_distributions, _minimum, _maximum) in _WINDOWS.items():
    _found = _version(_distributions)
    if not _numbers(_minimum) <= _numbers(_found) < _numbers(_maximum):
        raise ImportError(f'{_name}=={_found} is used but incompatible. Please install {_name}>={_minimum},<{_maximum}'
                          f'{" (mmcv-lite is enough)" if _name == "mmcv" else ""}.')

warnings.filterwarnings('ignore', message='Fail to import ``MultiScaleDeformableAttention``')  # mmcv-lite has none
warnings.filterwarnings('ignore', message='`broadcast_buffers` is deprecated')      # mmengine's wrapper, in torch 2.14


class _AfterRunner(importlib.abc.MetaPathFinder):
    """Imports ``compat`` right after ``mmengine.runner``, before anyone can read a checkpoint by it."""

    def find_spec(self, name, path, target=None):
        """The ordinary module, with ``compat`` behind it; nothing for all others."""
        if name != 'mmengine.runner':
            return None
        sys.meta_path.remove(self)
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is None or spec.loader is None:
            return spec
        original = spec.loader.exec_module

        def exec_module(module):
            """Execute the module, then what makes it compatible."""
            original(module)
            importlib.import_module('mmcluster.compat')

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]  # of this one loader
        return spec


if 'mmengine.runner' in sys.modules:
    importlib.import_module('mmcluster.compat')
else:
    sys.meta_path.insert(0, _AfterRunner())


def __getattr__(name):
    """Import a part of the package when it is first asked for (PEP 562)."""
    if name in _NAMES:
        return getattr(importlib.import_module(f'{__name__}.apis.{_NAMES[name]}'), name)
    if name in _LAZY:
        return importlib.import_module(f'{__name__}.{name}')
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')


def __dir__():
    return sorted({*globals(), *_LAZY, *_NAMES})


__all__ = ['ImageClusterer', '__version__', 'get_model', 'inference_model', 'list_models']
