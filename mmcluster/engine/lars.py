"""LARS without a word to the host."""
from __future__ import annotations

from typing import Any, Callable, Iterable, Optional

import torch
from torch.optim import Optimizer

from mmcluster.checks import require_not_negative, require_positive
from mmcluster.registry import OPTIMIZERS

_EPS = 1e-8


@OPTIMIZERS.register_module()
class LARS(Optimizer):
    """SGD whose step on each weight is scaled by the norm of the weight over that of its gradient.

    Algorithm 1 of You, Gitman and Ginsburg (arXiv 1708.03888): v <- momentum v + r (g + weight_decay w), w <- w - v,
    with r = lr eta |w| / (|g| + weight_decay |w|). Norms stay on the device. Tensors of less than two dimensions, which
    are those of normalisation and biases, take r = lr and do not decay, as is usual for batches of thousands. A weight
    or gradient that is all zero takes r = lr, too.

    Args:
        params: Parameters or groups.
        lr: Learning rate.
        momentum: Share of the last step.
        weight_decay: Weight decay.
        eta: Trust coefficient.
    """

    def __init__(self, params: Iterable, lr: float, momentum: float = 0., weight_decay: float = 0.,
                 eta: float = 0.001) -> None:
        require_not_negative('LARS', lr=lr, momentum=momentum, weight_decay=weight_decay)
        require_positive('LARS', eta=eta)
        super().__init__(params, dict(lr=lr, momentum=momentum, weight_decay=weight_decay, eta=eta))

    @torch.no_grad()
    def step(self, closure: Optional[Callable[[], Any]] = None) -> Any:
        """One step on all parameters that have a gradient.

        Args:
            closure: Computes the loss anew, with gradients.

        Returns:
            The loss of the closure, if there is one.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            params = [param for param in group['params'] if param.grad is not None]
            self._step([param for param in params if param.dim() > 1], group, group['eta'], group['weight_decay'])
            self._step([param for param in params if param.dim() < 2], group, None, 0.)
        return loss

    def _step(self, params: list, group: dict, eta: Optional[float], decay: float) -> None:
        """Move some parameters of a group; without ``eta`` they are not scaled."""
        if not params:
            return
        grads = [param.grad for param in params]
        update = torch._foreach_add(grads, params, alpha=decay)
        if eta is not None:
            weight, grad = (torch.stack(torch._foreach_norm(tensors)) for tensors in (params, grads))
            scale = eta * weight / (grad + decay * weight + _EPS)
            scale = torch.where((weight > 0) & (grad > 0), scale, torch.ones_like(scale))
            torch._foreach_mul_(update, list(scale.unbind()))
        torch._foreach_mul_(update, group['lr'])
        if group['momentum']:
            for param, new in zip(params, update):
                self.state[param].setdefault('momentum_buffer', torch.zeros_like(new))
            buffers = tuple(self.state[param]['momentum_buffer'] for param in params)
            torch._foreach_mul_(buffers, group['momentum'])
            torch._foreach_add_(buffers, update)
            update = buffers
        torch._foreach_sub_(params, update)
