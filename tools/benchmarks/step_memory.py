"""Memory of a training step of a config, reckoned on fake tensors: nothing is computed, no GPU is needed.

python tools/benchmarks/step_memory.py CONFIG [--stage NAME] [--processes 8] [--fp32]

Of one process: weights with buffers and teachers, gradients, the optimiser's state, what the forward pass of its share
of the rows keeps for the backward pass (in bfloat16 where autocast computes so, each storage once), and the fields of
the sample bank for a data set of --images. A device takes more: its libraries' workspace, fragments, and what one layer
needs while it computes.
"""
from __future__ import annotations

import argparse
from typing import Optional

import torch
from mmengine.registry import init_default_scope
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode

from mmcluster.recipes import config_file
from mmcluster.recipes.stages import read_stage
from mmcluster.registry import MODELS
from mmcluster.structures import Batch

GB = 2 ** 30
STATES = dict(SGD=1, LARS=1, Adam=2, AdamW=2)   # tensors of the size of a weight that an optimiser keeps


def tensor_bytes(tensors: object) -> int:
    """Bytes of some tensors."""
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)    # type: ignore[attr-defined]


def kept_bytes(model: nn.Module, streams: dict[str, Batch], autocast: bool) -> int:
    """Bytes that a forward pass keeps for the backward pass, those of the weights themselves left out."""
    own = {tensor.untyped_storage()._cdata for tensor in [*model.parameters(), *model.buffers()]}
    seen: dict[int, tuple[int, Tensor]] = {}

    def pack(tensor: Tensor) -> Tensor:
        """Count a storage once; it is held, so that its number is not given away again."""
        key = tensor.untyped_storage()._cdata
        if key not in own:
            seen[key] = tensor.untyped_storage().nbytes(), tensor
        return tensor

    with torch.autocast('cpu', torch.bfloat16, autocast), \
            torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        losses = model.loss(**streams)      # type: ignore[operator]
        sum(value for name, value in losses.items() if name.startswith('loss'))
    return sum(size for size, _ in seen.values())


def reckon(cfg: object, processes: int, images: int, autocast: bool) -> dict[str, float]:
    """Name -> GB of one process.

    Args:
        cfg: Config of a stage.
        processes: W.
        images: N.
        autocast: Compute in bfloat16 where autocast does.
    """
    given = dict(cfg.model, data_preprocessor=None)         # type: ignore[attr-defined]
    given['bank'] = dict(given.get('bank') or {}, num_samples=images)
    loader = cfg.train_dataloader                            # type: ignore[attr-defined]
    pipelines = loader.dataset.pipelines or {}
    model = MODELS.build(given).train()
    bank = tensor_bytes(model.bank.buffers()) if model.bank is not None else 0
    weights = tensor_bytes([*model.parameters(), *model.buffers()]) - bank
    trained = tensor_bytes(param for param in model.parameters() if param.requires_grad)
    with FakeTensorMode(allow_non_fake_inputs=True) as mode:
        for module in model.modules():
            for name, param in list(module._parameters.items()):
                if param is not None:
                    module._parameters[name] = nn.Parameter(mode.from_tensor(param.data), param.requires_grad)
            for name, buffer in list(module._buffers.items()):
                if buffer is not None:
                    module._buffers[name] = mode.from_tensor(buffer)
        streams = {}
        for name, stream in loader.sampler.streams.items():
            rows = stream['size'] // processes
            views = len(pipelines.get(name, pipelines.get('batch', [0, 0])))
            streams[name] = Batch([torch.empty(rows, 3, 224, 224) for _ in range(views)],
                                  torch.zeros(rows, dtype=torch.long))
        kept = kept_bytes(model, streams, autocast)
    state = STATES[cfg.optim_wrapper.optimizer.type] * trained     # type: ignore[attr-defined]
    found = dict(weights=weights, gradients=trained, optimiser=state, kept=kept, bank=bank)
    return {name: size / GB for name, size in {**found, 'sum': sum(found.values())}.items()}


def main(arguments: Optional[list[str]] = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('config')
    parser.add_argument('--stage')
    parser.add_argument('--processes', type=int, default=8)
    parser.add_argument('--images', type=int, default=1_281_167)
    parser.add_argument('--fp32', action='store_true', help='no autocast')
    args = parser.parse_args(arguments)
    init_default_scope('mmcluster')
    cfg = read_stage(config_file(args.config), args.stage)
    sizes = reckon(cfg, args.processes, args.images, not args.fp32)
    print(f'{args.config} {args.stage or ""}, one of {args.processes} processes, '
          f'{"float32" if args.fp32 else "bfloat16 autocast"}: '
          + ', '.join(f'{name} {size:.2f} GB' for name, size in sizes.items()))


if __name__ == '__main__':
    main()
