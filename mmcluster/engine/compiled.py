"""``compile=True``: the networks of a clusterer are compiled, what lies between them stays as it is."""
from __future__ import annotations

from typing import Any

from mmengine.runner import Runner
from torch import nn

from mmcluster.models.clusterers.base import BaseClusterer
from mmcluster.models.teacher import MomentumTeacher

from .extract import unwrap

NETWORKS = ('backbone', 'neck', 'head', 'projector', 'predictor')


class CompilingRunner(Runner):
    """mmengine's Runner, whose ``compile`` compiles networks instead of the whole step.

    A step makes views from 64-bit random numbers, which Inductor does not take, moves averages by a decay that changes
    with the iteration, which would compile it anew each time, and ends in the optimiser, so as a whole it falls into
    pieces. The networks are its costly part, and compile without a break.

    Args:
        args: See ``mmengine.runner.Runner``.
        kwargs: See ``mmengine.runner.Runner``.
    """

    def _maybe_compile(self, target: str) -> None:
        options = self.cfg.get('compile')
        if isinstance(options, bool) or options is None:
            options = {} if options else None
        if options is not None:
            names = compile_networks(unwrap(self.model), **options)
            self.logger.info(f'compiled: {", ".join(names)}. The first steps wait for the compiler')


def compile_networks(model: nn.Module, **options: Any) -> list[str]:
    """Compile the networks of a clusterer and of its momentum teachers, in place; states keep their names.

    Args:
        model: A clusterer without a data-parallel wrapper.
        options: Of ``torch.compile``.

    Returns:
        Paths of what was compiled.

    Raises:
        ValueError: If there is none.
    """
    owners = [(path, module) for path, module in model.named_modules()
              if isinstance(module, (BaseClusterer, MomentumTeacher))]
    networks = {f'{path}.{name}'.lstrip('.'): getattr(owner, name, None) for path, owner in owners for name in NETWORKS}
    found = {path: network for path, network in networks.items() if isinstance(network, nn.Module)}
    if not found:
        raise ValueError(f'{type(model).__name__} has none of the networks that can be compiled, '
                         f'{", ".join(NETWORKS)}; drop compile')
    for network in found.values():
        network.compile(**options)
    return list(found)
