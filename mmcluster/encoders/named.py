"""Encoders of other libraries by name: timm, torchvision, mmpretrain."""
from __future__ import annotations

import difflib
import importlib
import os
from typing import Any, Callable, Optional, Sequence
from urllib.error import URLError

from torch import Tensor, nn

from mmcluster.compat import load_checkpoint_file, load_from_http
from mmcluster.strict import load_strictly, state_dict_of

from .base import NetworkEncoder
from .view import CentreView

SAFE_SUFFIX = '.safetensors'


def timm_encoder(name: str, file: Optional[str], spec: str) -> NetworkEncoder:
    """A network of timm with its own preprocessing.

    Args:
        name: As in ``timm.create_model``.
        file: Its weights; ``None`` downloads them.
        spec: What the user gave.

    Raises:
        ModuleNotFoundError: If timm is not installed.
        ValueError: If timm has no such network, or the file does not fit.
        ConnectionError: If the weights cannot be downloaded.
    """
    timm = _library('timm', "pip install 'mmcluster[timm]'")
    if not timm.is_model(name):
        raise ValueError(f'timm {timm.__version__} has no network {name!r}{_near(name, timm.list_models())}')
    try:
        network = timm.create_model(name, pretrained=file is None, num_classes=0)
    except Exception as error:      # the hub's client raises its own kinds, and requests' or httpx's
        hub = (timm.get_pretrained_cfg(name).hf_hub_id or '') if timm.is_model_pretrained(name) else ''
        where = f'https://huggingface.co/{hub}/resolve/main/model.safetensors' if hub else 'its weights'
        raise _offline(spec, where, error) from error
    if file is not None:
        heads = network.pretrained_cfg.get('classifier') or ()
        load_strictly(network, _without(read_weights(file), [heads] if isinstance(heads, str) else heads), file)
    data = timm.data.resolve_model_data_config(network)
    size = data['input_size'][-1]
    view = CentreView(size, round(size / data['crop_pct']), data['interpolation'])
    return _encoder(network, view, [255 * x for x in data['mean']], [255 * x for x in data['std']], name, spec,
                    f'{name} of timm at {size} pixels')


def torchvision_encoder(name: str, file: Optional[str], spec: str) -> NetworkEncoder:
    """A classification network of torchvision without its last layer, with its own preprocessing.

    Args:
        name: As in ``torchvision.models.get_model``.
        file: Its weights; ``None`` downloads them.
        spec: What the user gave.

    Raises:
        ValueError: If torchvision has no such network, or the file does not fit.
        ConnectionError: If the weights cannot be downloaded.
    """
    from torchvision import models
    known = models.list_models(module=models)
    if name not in known:
        raise ValueError(f'torchvision has no classification network {name!r}{_near(name, known)}')
    weights = models.get_model_weights(name).DEFAULT
    network = models.get_model(name, weights=None)
    try:
        state = load_from_http(weights.url) if file is None else read_weights(file)
    except (URLError, OSError) as error:
        if file is not None:
            raise
        raise _offline(spec, weights.url, error) from error
    load_strictly(network, state, file or weights.url)
    preset = weights.transforms()
    size = preset.crop_size[0]
    view = CentreView(size, preset.resize_size[0], preset.interpolation.value)
    return _encoder(_without_last_layer(network), view, [255 * x for x in preset.mean], [255 * x for x in preset.std],
                    name, spec, f'{name} of torchvision at {size} pixels')


def mmpretrain_encoder(name: str, file: Optional[str], spec: str) -> NetworkEncoder:
    """A backbone of mmpretrain with the preprocessing of its config.

    Args:
        name: As in ``mmpretrain.get_model``.
        file: Its weights.
        spec: What the user gave.

    Raises:
        ValueError: If mmpretrain has no such network, the file does not fit, or there is none.
    """
    import mmpretrain
    from mmpretrain.apis.model import ModelHub
    from mmpretrain.registry import MODELS
    try:
        meta = ModelHub.get(name)
    except ValueError as error:
        raise ValueError(f'mmpretrain has no network {name!r}{_near(name, mmpretrain.list_models())}') from error
    if file is None:
        raise ValueError(f'mmpretrain:{name} needs a file: download {meta.weights or "its weights"} and say '
                         f'mmpretrain:{name}=FILE')
    config = meta.config
    mmpretrain.utils.register_all_modules(False)
    network = MODELS.build(dict(config.model.backbone, init_cfg=None))
    prefix = 'backbone.'
    state = read_weights(file)
    own = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
    load_strictly(network, own or state, file)
    data = config.get('data_preprocessor') or config.model.data_preprocessor
    steps = {step['type']: step for step in config.test_dataloader.dataset.pipeline}
    size = steps['CenterCrop']['crop_size'] if 'CenterCrop' in steps else steps['Resize']['scale']
    size = size if isinstance(size, int) else size[0]
    resize = steps.get('ResizeEdge', {}).get('scale', size)
    view = CentreView(size, resize, steps.get('ResizeEdge', {}).get('interpolation', 'bilinear'))
    return _encoder(network, view, data['mean'], data['std'], name, spec, f'{name} of mmpretrain at {size} pixels')


LIBRARIES: dict[str, Callable[[str, Optional[str], str], NetworkEncoder]] = dict(
    timm=timm_encoder, torchvision=torchvision_encoder, mmpretrain=mmpretrain_encoder)


def read_weights(file: str) -> dict[str, Tensor]:
    """Weights of a file that can run no code: ``.safetensors``, or what torch reads with ``weights_only``.

    Args:
        file: Local file.
    """
    if file.endswith(SAFE_SUFFIX):
        _library('safetensors', 'pip install safetensors')
        from safetensors.torch import load_file
        if not os.path.isfile(file):
            raise FileNotFoundError(f'no file {file!r}; check the path')
        return load_file(file)
    return state_dict_of(load_checkpoint_file(file))


def _encoder(network: nn.Module, view: CentreView, mean: Sequence[float], std: Sequence[float], name: str, spec: str,
             what: str) -> NetworkEncoder:
    """The encoder around a network of a library."""
    return NetworkEncoder(network, view, mean, std, name, spec,
                          f'{what}; see the library for its training data and licence.')


def _without(state: dict[str, Tensor], modules: Sequence[str]) -> dict[str, Tensor]:
    """Weights without those of some modules."""
    return {key: value for key, value in state.items() if key.rpartition('.')[0] not in modules}


def _without_last_layer(network: nn.Module) -> nn.Module:
    """Replace the last linear layer, the classifier, by nothing."""
    names = [name for name, module in network.named_modules() if isinstance(module, nn.Linear)]
    if names:
        parent, _, last = names[-1].rpartition('.')
        setattr(network.get_submodule(parent), last, nn.Identity())
    return network


def _offline(spec: str, where: str, error: Exception) -> ConnectionError:
    """Says which file to bring."""
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    return ConnectionError(f'the weights of {spec} cannot be downloaded ({reason}). On a computer with internet fetch '
                           f'{where}, copy it here, and say {spec}=FILE')


def _near(name: str, known: Sequence[str]) -> str:
    """Names that stand near a wrong one."""
    near = difflib.get_close_matches(name, known, 5)
    return f'; near it stand {", ".join(near)}' if near else ''


def _library(name: str, remedy: str) -> Any:
    """A library that need not be installed."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ModuleNotFoundError(f'{name} is not installed: {remedy}') from error
