"""Autocast on any device, and optimiser groups by learning rate and weight decay."""
from __future__ import annotations

import inspect
from contextlib import contextmanager
from typing import Any, Iterable, Iterator, Optional

import torch
from mmengine.logging import print_log
from mmengine.optim import OptimWrapper as _OptimWrapper
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.instancenorm import _InstanceNorm

from mmcluster.checks import require_positive
from mmcluster.registry import OPTIM_WRAPPER_CONSTRUCTORS, OPTIM_WRAPPERS, OPTIMIZERS

from .extract import unwrap

_NORMS = (_BatchNorm, nn.LayerNorm, nn.GroupNorm, _InstanceNorm, getattr(nn, 'RMSNorm', nn.LayerNorm))


@OPTIM_WRAPPERS.register_module()
class OptimWrapper(_OptimWrapper):
    """mmengine's wrapper, whose gradient norm stays on the device until the log interval.

    ``RuntimeInfoHook`` takes what lies in ``scalars`` after each iteration; mmengine's own hook does not.

    Args:
        args: See ``mmengine.optim.OptimWrapper``.
        kwargs: See ``mmengine.optim.OptimWrapper``.
    """

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        # a limit below 0 would turn every gradient around
        limits = self.clip_grad_kwargs or {}
        require_positive('optim_wrapper.clip_grad', **{name: limits[name] for name in ('max_norm', 'clip_value')
                                                       if name in limits})
        self.scalars: dict[str, Tensor] = {}

    def _clip_grad(self) -> None:
        params = [param for group in self.optimizer.param_groups for param in group['params']
                  if param.grad is not None]
        norm = self.clip_func(params, **self.clip_grad_kwargs) if params else None
        if norm is not None:
            self.scalars[self.grad_name] = norm


@OPTIM_WRAPPERS.register_module()
class AutocastOptimWrapper(OptimWrapper):
    """Runs the forward pass in bfloat16 where autocast allows it, on CPU as on an accelerator.

    Args:
        dtype: ``'bfloat16'``; ``None`` computes in float32. ``'float16'`` needs gradient scaling: use mmengine's
            ``AmpOptimWrapper`` on an accelerator.
        kwargs: See ``mmengine.optim.OptimWrapper``.

    Raises:
        ValueError: If ``dtype`` is another one.
    """

    def __init__(self, *args: Any, dtype: Optional[str] = 'bfloat16', **kwargs: Any):
        if dtype not in ('bfloat16', None):
            raise ValueError(f'AutocastOptimWrapper computes in bfloat16 or, with None, in float32; for {dtype!r} use '
                             f'AmpOptimWrapper, which scales gradients and needs an accelerator')
        super().__init__(*args, **kwargs)
        self.cast_dtype = getattr(torch, dtype) if dtype else None

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Autocast around the forward pass.

        Weights are cast anew in each of several passes: before torch 2.11 a cast that was made under ``no_grad`` served
        the passes after it, too, which got no gradient.
        """
        device = next(model.parameters()).device.type
        with super().optim_context(model), torch.autocast(device, self.cast_dtype, self.cast_dtype is not None,
                                                          cache_enabled=False):
            yield


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class GroupedOptimWrapperConstructor:
    """Builds an optimiser with one group for each pair of learning rate and weight decay.

    Args:
        optim_wrapper_cfg: Config of the wrapper with its ``optimizer``.
        paramwise_cfg: ``lr_mult``: module path -> factor of the learning rate, the longest matching path wins;
            ``no_decay``: ``'none'``, ``'norm'`` (weights and biases of normalisation layers), ``'norm_bias'`` (these
            and all other biases) or ``'ndim'`` (every tensor of less than two dimensions);
            ``layer_decay``: factor of the learning rate from each layer of a backbone to the one below it, for
            transformers whose ``get_layer_depth`` numbers their layers, as mmpretrain's do. Heads have the full rate;
            ``constant_lr``: module paths whose rate the schedules of mmcluster leave alone (SimSiam's predictor).

    Raises:
        ValueError: If ``paramwise_cfg`` has an unknown key or value.
    """

    def __init__(self, optim_wrapper_cfg: dict, paramwise_cfg: Optional[dict] = None):
        self.optim_wrapper_cfg = dict(optim_wrapper_cfg)
        paramwise = dict(paramwise_cfg or {})
        self.lr_mult = dict(paramwise.pop('lr_mult', {}))
        self.no_decay = paramwise.pop('no_decay', 'none')
        self.layer_decay = paramwise.pop('layer_decay', 1.)
        self.constant_lr = list(paramwise.pop('constant_lr', []))
        if paramwise:
            raise ValueError(f'unknown keys in paramwise_cfg: {sorted(paramwise)}; known are lr_mult, no_decay, '
                             f'layer_decay and constant_lr')
        if not 0 < self.layer_decay <= 1:
            raise ValueError(f'layer_decay must be in (0, 1], got {self.layer_decay}')
        if self.no_decay not in ('none', 'norm', 'norm_bias', 'ndim'):
            raise ValueError(f"no_decay must be 'none', 'norm', 'norm_bias' or 'ndim', got {self.no_decay!r}")

    def __call__(self, model: nn.Module) -> _OptimWrapper:
        """Build the wrapper for a model, whose frozen parameters are left out."""
        model = unwrap(model)
        cfg = dict(self.optim_wrapper_cfg)
        optimizer = dict(cfg.pop('optimizer'))
        cfg.setdefault('type', 'OptimWrapper')
        if 'lr' not in optimizer:
            raise ValueError(f"optim_wrapper.optimizer of type {optimizer.get('type')!r} needs an lr")
        groups = self.groups(model, optimizer['lr'], optimizer.get('weight_decay', _own_decay(optimizer)))
        for group in groups:
            print_log(f'optimiser group: lr {group["lr"]:g}, weight decay {group["weight_decay"]:g}, '
                      f'{len(group["params"])} tensors', logger='current')
        optimizer['params'] = groups
        return OPTIM_WRAPPERS.build(cfg, default_args=dict(optimizer=OPTIMIZERS.build(optimizer)))

    def groups(self, model: nn.Module, lr: float, weight_decay: float) -> list[dict]:
        """Parameter groups in the order of the model's parameters, each of which is in one group.

        Args:
            model: Model without a data-parallel wrapper.
            lr: Base learning rate.
            weight_decay: Weight decay of parameters that are not spared.

        Returns:
            One ``dict(params=..., lr=..., weight_decay=...)`` for each pair of rates, with ``constant_lr=True`` for
            those that no schedule moves.

        Raises:
            ValueError: If a path of ``lr_mult`` or ``constant_lr`` matches no parameter, or no part numbers its layers
                for ``layer_decay``.
        """
        groups: dict[tuple[float, float, bool], list] = {}
        used, seen, layered = set(), set(), self._layered(model)
        for path, module in model.named_modules():
            for name, param in module.named_parameters(recurse=False):
                if not param.requires_grad or param in seen:
                    continue
                seen.add(param)
                full = f'{path}.{name}'.lstrip('.')
                match, constant = _match(full, self.lr_mult), _match(full, self.constant_lr)
                used |= {('lr_mult', match), ('constant_lr', constant)}
                decay = 0. if self._spared(module, name, param) else weight_decay
                rate = lr * self.lr_mult.get(match, 1.) * self.layer_decay ** _layers_above(full, layered)
                groups.setdefault((rate, decay, constant is not None), []).append(param)
        for option, paths in (('lr_mult', self.lr_mult), ('constant_lr', self.constant_lr)):
            unused = [path for path in paths if (option, path) not in used]
            if unused:
                raise ValueError(
                    f'{option} names {sorted(unused)}, but no trained parameter lies there (or longer names of '
                    f'{option} take them all); the model has {[name for name, _ in model.named_children()]}')
        return [dict(params=params, lr=rate, weight_decay=decay, **(dict(constant_lr=True) if constant else {}))
                for (rate, decay, constant), params in groups.items()]

    def _layered(self, model: nn.Module) -> dict[str, nn.Module]:
        """Parts that number their layers and have trained parameters, by prefix; none without ``layer_decay``."""
        if self.layer_decay == 1:
            return {}
        found = {f'{path}.': module for path, module in model.named_modules() if hasattr(module, 'get_layer_depth')
                 and any(param.requires_grad for param in module.parameters())}
        if not found:
            raise ValueError('layer_decay needs a backbone that numbers its layers by get_layer_depth, such as '
                             "mmpretrain's VisionTransformer; drop it for any other")
        return found

    def _spared(self, module: nn.Module, name: str, param: nn.Parameter) -> bool:
        if self.no_decay in ('norm', 'norm_bias'):
            return isinstance(module, _NORMS) or (self.no_decay == 'norm_bias' and name.endswith('bias'))
        return self.no_decay == 'ndim' and param.dim() < 2


def _own_decay(optimizer: dict) -> float:
    """Weight decay of an optimiser that is told none, such as 0.01 of AdamW; without groups it would take the same."""
    kind = optimizer.get('type')
    kind = OPTIMIZERS.get(kind) if isinstance(kind, str) else kind
    known = inspect.signature(kind).parameters.get('weight_decay') if callable(kind) else None
    return 0. if known is None or not isinstance(known.default, (int, float)) else known.default


def _match(path: str, keys: Iterable[str]) -> Optional[str]:
    """The longest of some module paths that a parameter lies in."""
    return max((key for key in keys if path == key or path.startswith(key + '.')), key=len, default=None)


def _layers_above(name: str, layered: dict[str, Any]) -> int:
    """How many layers of its part come after the one that a parameter lies in; 0 outside of these parts."""
    for prefix, module in layered.items():
        if name.startswith(prefix):
            depth, count = module.get_layer_depth(name, prefix)
            return count - 1 - depth
    return 0
