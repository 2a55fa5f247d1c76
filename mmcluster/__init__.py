"""mmcluster: deep image clustering on OpenMMLab's engine."""
import warnings

import mmcv
import mmengine
import mmpretrain
from mmengine.utils import digit_version

from . import compat  # noqa: F401  installs the safe checkpoint loader
from .version import __version__

_WINDOWS = {  # package -> version in use, first that works, first that may not
    'mmengine': (mmengine.__version__, '0.10.7', '0.11.0'),
    'mmcv': (mmcv.__version__, '2.2.0', '2.3.0'),
    'mmpretrain': (mmpretrain.__version__, '1.2.0', '1.3.0'),
}
for _name, (_version, _minimum, _maximum) in _WINDOWS.items():
    assert digit_version(_minimum) <= digit_version(_version) < digit_version(_maximum), (
        f'{_name}=={_version} is used but incompatible. Please install {_name}>={_minimum},<{_maximum}'
        f'{" (mmcv-lite is enough)" if _name == "mmcv" else ""}.')

warnings.filterwarnings('ignore', message='Fail to import ``MultiScaleDeformableAttention``')  # mmcv-lite has none

__all__ = ['ImageClusterer', '__version__']


def __getattr__(name: str) -> object:
    """Import what needs scikit-learn and more when it is asked for (PEP 562)."""
    if name == 'ImageClusterer':
        from .apis.estimator import ImageClusterer
        return ImageClusterer
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
