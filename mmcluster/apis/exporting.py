"""A result as one file that runs without this project."""
from __future__ import annotations

import io
import json
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Callable, Optional, Union

import numpy as np

from mmcluster.writing import whole_file

from .assigning import open_encoder
from .result import read_model, refuse_result_file
from .telling import Teller

if TYPE_CHECKING:
    import torch

FORMATS = ('onnx', 'pt2', 'torchscript')
TOLERANCE = 1e-4
CHECKED = (1, 5)        # batch sizes


def default_file(result: Union[str, Path], kind: str) -> Path:
    """Where the export of a result goes."""
    return Path(result) / f'clusters.{kind}'


def export(result: Union[str, Path], out: Union[str, Path, None] = None, kind: str = 'onnx',
           encoder: Optional[str] = None, teller: Optional[Teller] = None) -> Path:
    """Write encoder and clusters of a result to one file, and compare what it computes with torch.

    Args:
        result: Folder that ``mmcluster cluster`` wrote.
        out: The file; ``clusters.onnx``, ``.pt2`` or ``.torchscript`` in the result by default. A ``.json`` beside it
            says how images are prepared and what comes out.
        kind: ``'onnx'``, ``'pt2'`` (``torch.export``) or ``'torchscript'``.
        encoder: Where the encoder of the result lies, if it moved.
        teller: Is told what happens.

    Returns:
        The file. Its input is (B, 3, H, W) float32 of grey levels 0..255, for any B.

    Raises:
        ResultError: If the result cannot be read.
        ModuleNotFoundError: If a package is missing.
        ValueError: If the file computes something else, or would take the place of one of a result.
    """
    import torch

    from .exported import OUTPUTS, ExportedClusters
    if kind not in FORMATS:
        raise ValueError(f'there is no format {kind!r}: give one of {", ".join(FORMATS)}')
    teller, (summary, model) = teller or Teller(), read_model(result)
    file = Path(out) if out is not None else default_file(result, kind)
    beside = file.with_name(f'{file.name}.json')
    for path in (file, beside):
        refuse_result_file(path)
    built = open_encoder(summary, Path(result), encoder, 'cpu')
    size = getattr(built.preprocess, 'size', None)
    high, wide = size if isinstance(size, tuple) else (size, size)
    module = ExportedClusters(built, model).eval().requires_grad_(False)
    random = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (max(CHECKED), 3, high, wide), generator=random).float()
    content, run = dict(onnx=_onnx, pt2=_pt2, torchscript=_torchscript)[kind](module, images, OUTPUTS)
    worst = max(difference(module(images[:count]), run(images[:count])) for count in CHECKED)
    if worst > TOLERANCE:
        raise ValueError(f'what was exported is off by {worst:.1e}, more than {TOLERANCE:.0e}, so it was not written: '
                         f'try another of {", ".join(FORMATS)}')
    notes = dict(input=dict(name='images', shape=['B', 3, high, wide], type='float32, RGB, grey levels 0 to 255'),
                 prepare=repr(built.preprocess), outputs=list(OUTPUTS), encoder=summary['encoder'], k=summary['k'],
                 off_from_torch=worst)
    file.parent.mkdir(parents=True, exist_ok=True)
    for path, data in ((file, content), (beside, json.dumps(notes, indent=1).encode())):
        with whole_file(path) as stream:
            stream.write(data)
    teller.line(f'wrote {file}, off from torch by {worst:.1e} at most')
    return file


def difference(wanted: tuple[torch.Tensor, ...], found: list[np.ndarray]) -> float:
    """Largest difference of two lists of outputs; infinite if a cluster differs that is no tie.

    Args:
        wanted: Cluster, probability, distance, features.
        found: The same by the exported file.
    """
    cluster, *numbers = (value.numpy() for value in wanted)
    if not np.array_equal(cluster, found[0]) and np.abs(numbers[0] - found[1]).max() > TOLERANCE:
        return float('inf')
    return max(float(np.abs(a - b).max()) for a, b in zip(numbers, found[1:]))


def _onnx(module: torch.nn.Module, images: torch.Tensor, names: tuple[str, ...]) -> tuple[bytes, Callable]:
    """ONNX, and how onnxruntime runs it."""
    import torch
    try:
        import onnxruntime
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise ModuleNotFoundError(f"ONNX needs {error.name}: pip install 'mmcluster[export]', or give --format "
                                  'pt2') from error
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        program = torch.onnx.export(module, (images,), dynamo=True, input_names=['images'], output_names=list(names),
                                    dynamic_shapes=dict(images={0: torch.export.Dim('batch')}), verbose=False)
    assert program is not None      # None is for the old exporter
    content = program.model_proto.SerializeToString()
    session = onnxruntime.InferenceSession(content, providers=['CPUExecutionProvider'])
    return content, lambda batch: session.run(None, {'images': batch.numpy()})


def _pt2(module: torch.nn.Module, images: torch.Tensor, names: tuple[str, ...]) -> tuple[bytes, Callable]:
    """``torch.export``, read again."""
    import torch
    program, stream = torch.export.export(
        module, (images,), dynamic_shapes=dict(images={0: torch.export.Dim('batch')})), io.BytesIO()
    torch.export.save(program, stream)
    loaded = torch.export.load(io.BytesIO(stream.getvalue())).module()
    return stream.getvalue(), lambda batch: [value.numpy() for value in loaded(batch)]


def _torchscript(module: torch.nn.Module, images: torch.Tensor, names: tuple[str, ...]) -> tuple[bytes, Callable]:
    """A trace, read again."""
    import torch
    stream = io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter('ignore')
        torch.jit.save(torch.jit.trace(module, images), stream)
        loaded = torch.jit.load(io.BytesIO(stream.getvalue()))
    return stream.getvalue(), lambda batch: [value.numpy() for value in loaded(batch)]
