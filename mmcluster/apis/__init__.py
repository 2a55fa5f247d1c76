"""What a user calls, on a trained model and on a folder of images. Names are imported when they are first used."""
import importlib

_NAMES = {'open_config': 'opening', 'open_model': 'opening', 'load_weights': 'opening',
          'cluster_folder': 'folder', 'Settings': 'folder', 'assign': 'assigning', 'export': 'exporting',
          'get_model': 'zoo', 'inference_model': 'zoo', 'list_models': 'zoo'}

__all__ = sorted(_NAMES)  # noqa: PLE0605  (lazy names are listed once)


def __getattr__(name):
    """Import what is asked for (PEP 562)."""
    if name in _NAMES:
        return getattr(importlib.import_module(f'{__name__}.{_NAMES[name]}'), name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')


def __dir__():
    return sorted({*globals(), *_NAMES})
