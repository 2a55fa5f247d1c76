"""What a GPU is asked for, one item a function; each returns figures and whether they are as they should be.

python tools/gpu/items.py FILE ITEM [ITEM ...] [--device cuda] [--tiny]      # see tools/gpu_check.sh

A line of JSON is added to FILE after each item, so that what is done stays when time is up.
"""
from __future__ import annotations

import argparse
import copy
import json
import time
import traceback
from pathlib import Path
from typing import Callable

import torch
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope
from models import SCALARS, build, random_rows, stage_of, step_function
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils.flop_counter import FlopCounterMode

from mmcluster.functional.clustering.kmeans import kmeans
from mmcluster.functional.clustering.match import contingency, hungarian
from mmcluster.functional.clustering.neighbors import nearest
from mmcluster.structures import Batch

LOSSES = ('propos_cnn_digits', 'propos_clusmatch_cnn_digits/clusmatch', 'spice_cnn_digits/spice_self',
          'scan_cnn_digits/scan_cluster', 'asd_ps_freematch_cnn_digits', 'pici_vit_digits', 'secu_cnn_digits',
          'moco_cnn_digits', 'cc_cnn_digits', 'tcl_cnn_digits', 'idfd_cnn_digits', 'fixmatch_cnn_digits_40')
SPEEDS = {'ProPos': ('propos_r18_cifar10', 'propos_cnn_digits'),
          'ClusMatch': ('propos_clusmatch_r18_cifar10/clusmatch', 'propos_clusmatch_cnn_digits/clusmatch'),
          'SPICE': ('spice_r18_cifar10/spice_self', 'spice_cnn_digits/spice_self'),
          'ASD': ('asd_ps_freematch_r18_cifar10', 'asd_ps_freematch_cnn_digits'),
          'PICI': ('pici_vit_small_rsod', 'pici_vit_digits')}
VIEWS = ('propos_r18_cifar10', 'propos_clusmatch_r18_cifar10/clusmatch')
SECONDS = 12.       # of timed steps
FEW = 20            # rows whose views are compared in a rehearsal


class HostDraws(TorchFunctionMode):
    """Random numbers come from the host's generator, wherever they are put: equal on every device."""

    NAMES = {getattr(torch, name) for name in ('rand', 'randn', 'randint', 'randperm', 'rand_like', 'randn_like',
                                               'bernoulli', 'multinomial')}

    def __torch_function__(self, func, types, args=(), kwargs=None):   # type: ignore[no-untyped-def]
        """Draw on the host and move what was drawn."""
        kwargs = dict(kwargs or {})
        if func not in self.NAMES or kwargs.get('generator') is not None:
            return func(*args, **kwargs)
        device = kwargs.pop('device', None)
        device = args[0].device if device is None and args and isinstance(args[0], Tensor) else device
        args = [value.cpu() if isinstance(value, Tensor) else value for value in args]
        return func(*args, **kwargs).to(device or 'cpu')


def wait(device: torch.device) -> None:
    """Wait for the device."""
    if device.type == 'cuda':
        torch.cuda.synchronize()


def timed(function: Callable[[], object], device: torch.device, least: float, most: int = 1000) -> float:
    """Seconds of one call: the mean over as many as last some seconds, after one to warm up."""
    function()
    wait(device)
    calls, begin = 0, time.perf_counter()
    while calls < most and (not calls or time.perf_counter() - begin < least):
        function()
        calls += 1
        if calls % 4 == 0:
            wait(device)
    wait(device)
    return (time.perf_counter() - begin) / calls


def far(one: Tensor, two: Tensor) -> float:
    """Largest difference, by the largest value."""
    one, two = one.double().cpu(), two.double().cpu()
    return float((one - two).abs().max() / one.abs().max().clamp(min=1e-3)) if one.numel() else 0.


def peak(device: torch.device, tiny: bool) -> dict:
    """What the device reaches in products of matrices in bfloat16, and in copies."""
    size = 128 if tiny else 8192
    a = torch.randn(size, size, device=device, dtype=torch.bfloat16)
    product = timed(lambda: a @ a, device, 0.1 if tiny else 3)
    big = torch.empty((1 << 20) if tiny else (1 << 30), device=device, dtype=torch.uint8)
    copied = timed(lambda: big.clone(), device, 0.1 if tiny else 1)
    name = torch.cuda.get_device_name() if device.type == 'cuda' else 'cpu'
    return dict(ok=True, device=name, torch=torch.__version__, tflops=2e-12 * size ** 3 / product,
                copy_gb_s=2e-9 * big.numel() / copied)


def losses(device: torch.device, tiny: bool) -> dict:
    """Losses and gradients of methods in float32 against those of the host, on the same views and random numbers."""
    found: dict[str, float] = {}
    for name in LOSSES[:4] if tiny else LOSSES:
        cfg = stage_of(name)
        model = build(cfg)
        for scalar in SCALARS:
            if hasattr(model, scalar):
                setattr(model, scalar, 0.1)
        streams = model.data_preprocessor(random_rows(cfg), True)['data_samples']
        results = []
        for place in (torch.device('cpu'), device):
            own = copy.deepcopy(model).to(place).train()
            moved = {key: Batch([view.to(place) for view in batch.views], batch.index.to(place))
                     for key, batch in streams.items()}
            torch.manual_seed(0)
            with HostDraws():
                arguments = next(iter(own.steps([moved]))) if hasattr(own, 'steps') else moved
                values = own(data_samples=arguments, mode='loss')
                own.parse_losses(values)[0].backward()
            grads = [param.grad.double().norm() for param in own.parameters() if param.grad is not None]
            results.append((torch.stack([value.detach().cpu() for key, value in values.items() if 'loss' in key]),
                            torch.stack(grads).norm()[None].cpu()))
        found[name] = max(far(*pair) for pair in zip(*results))
    return dict(ok=max(found.values()) < 2e-3, **found)


def estep(device: torch.device, tiny: bool) -> dict:
    """k-means and neighbours against the host."""
    rows, width, clusters = (400, 16, 5) if tiny else (60_000, 256, 10)
    generator = torch.Generator().manual_seed(0)
    means = 2 * torch.randn(clusters, width, generator=generator)
    x = means[torch.arange(rows) % clusters] + torch.randn(rows, width, generator=generator)
    there = x.to(device)
    begin = time.perf_counter()
    one = kmeans(x, clusters)
    host, begin = time.perf_counter() - begin, time.perf_counter()
    two = kmeans(there, clusters)
    wait(device)
    seconds = time.perf_counter() - begin
    mapping = hungarian(contingency(two.labels.cpu(), one.labels, clusters, clusters))
    same = float((mapping[two.labels.cpu()] == one.labels).double().mean())
    some = nn.functional.normalize(x[:max(rows // 6, 100)])
    index = nearest(some, 20).index, nearest(some.to(device), 20).index.cpu()
    shared = float((index[0][:, :, None] == index[1][:, None]).any(2).double().mean())
    inertia = abs(float(one.inertia) - float(two.inertia)) / float(one.inertia)
    return dict(ok=same > 0.999 and inertia < 1e-5 and shared > 0.999, same_label=same, inertia=inertia,
                shared_neighbors=shared, kmeans_s=seconds, kmeans_host_s=host)


def views(device: torch.device, tiny: bool) -> dict:
    """Batched views against those of the host: share of pixels that differ by more than one of 255 levels."""
    found = {}
    for name in VIEWS:
        cfg = stage_of(name)
        preprocessor = build(cfg).data_preprocessor
        rows = random_rows(cfg, FEW if tiny else 256)
        other = copy.deepcopy(preprocessor).to(device)
        made = [each(rows, True)['data_samples'] for each in (preprocessor, other)]
        step = float(preprocessor.scale.max()) / 255
        pairs = [pair for stream in made[0] for pair in zip(*(each[stream].views for each in made))]
        found[name] = max(float(((a - b.cpu()).abs() > step).double().mean()) for a, b in pairs)
    return dict(ok=max(found.values()) < 1e-3, **found)


def speed(method: str, device: torch.device, tiny: bool) -> dict:
    """Images a second of a training step with its views, in bfloat16 and channels last, and the share of the peak."""
    cfg = stage_of(SPEEDS[method][tiny])
    step, images = step_function(cfg, device)
    seconds = timed(step, device, 0.2 if tiny else SECONDS, 2 if tiny else 1000)
    with FlopCounterMode(display=False) as counter:
        step()
    tflops = 1e-12 * counter.get_total_flops() / seconds
    memory = torch.cuda.max_memory_allocated() / 2 ** 30 if device.type == 'cuda' else 0.
    return dict(ok=True, images_s=images / seconds, ms=1e3 * seconds, tflops=tflops, memory_gb=memory)


ITEMS: dict[str, Callable[[torch.device, bool], dict]] = dict(peak=peak, losses=losses, estep=estep, views=views)
ITEMS.update({method: lambda device, tiny, method=method: speed(method, device, tiny)        # type: ignore[misc]
              for method in SPEEDS})


def main() -> None:
    """Run items; one that fails does not keep the others from running."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('file', type=Path)
    parser.add_argument('items', nargs='+', choices=list(ITEMS))
    parser.add_argument('--device', default='cuda')
    parser.add_argument('--tiny', action='store_true')
    args = parser.parse_args()
    init_default_scope('mmcluster')
    MMLogger.get_instance('gpu_check', log_level='WARNING')
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    for name in args.items:
        begin = time.perf_counter()
        try:
            found = ITEMS[name](torch.device(args.device), args.tiny)
        except Exception as error:
            traceback.print_exc()
            found = dict(ok=False, error=f'{type(error).__name__}: {error}'.splitlines()[0][:300])
        with open(args.file, 'a', encoding='utf-8') as file:   # after half a line of one that was stopped
            file.write(f'\n{json.dumps(dict(item=name, seconds=time.perf_counter() - begin, **found))}\n')


if __name__ == '__main__':
    main()
