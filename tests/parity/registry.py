"""Find parity vectors, call the adapter of their component and compare what it returns.

An adapter is a function ``(inputs, dtype) -> outputs`` registered with :func:`adapter`. It reads the keys of a vector
(``in_`` removed), never the file's name, and returns the outputs by name (``out_`` removed).
"""
from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Callable, NamedTuple

import numpy as np
import torch
from torch import Tensor

Adapter = Callable[[dict, torch.dtype], dict]
Order = Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]]
ADAPTERS: dict[tuple[str, str], Adapter] = {}
ORDERS: dict[tuple[str, str], Order] = {}
DEFAULT_DIR = Path(__file__).resolve().parents[1] / 'data' / 'parity'


class Tolerance(NamedTuple):
    """Bounds ``|actual - expected| <= atol + rtol |expected|`` in float64, for values and for gradients.

    ``single_rtol`` and ``single_atol`` are the parts of the bound on values in float32; those on gradients are always
    1e-4 and 1e-5.
    """
    atol: float = 1e-9
    rtol: float = 1e-7
    grad_atol: float = 1e-9
    grad_rtol: float = 1e-7
    single_rtol: float = 1e-4
    single_atol: float = 1e-5


# By method, by (method, component) where one component needs its own bounds, or by (method, component, output).
TOLERANCES: dict[str | tuple[str, ...], Tolerance] = {
    'propos': Tolerance(atol=1e-10, rtol=1e-9, grad_atol=1e-8, grad_rtol=1e-8),
    'clusmatch': Tolerance(atol=1e-9, rtol=1e-9, grad_atol=1e-9, grad_rtol=1e-8),
    'ssl': Tolerance(atol=1e-9, rtol=1e-9, grad_atol=1e-9, grad_rtol=1e-9),
    ('ssl', 'freematch'): Tolerance(atol=1e-9, rtol=1e-9, grad_atol=1e-8, grad_rtol=1e-9),
    'spice': Tolerance(atol=1e-9, rtol=1e-9, grad_atol=1e-9, grad_rtol=1e-9, single_rtol=1e-5),
    'asd': Tolerance(atol=1e-9, rtol=0, grad_atol=1e-10, grad_rtol=0),
    ('asd', 'ot_alignment'): Tolerance(atol=1e-6, rtol=0, single_atol=1e-4),    # regularisation 0.001 magnifies float32
    ('asd', 'ot_alignment', 'cost'): Tolerance(atol=1e-12, rtol=0),
    ('asd', 'class_transition'): Tolerance(atol=1e-12, rtol=0),
    ('asd', 'coverage_probability'): Tolerance(atol=1e-12, rtol=1e-9),
    ('asd', 'instance_loss'): Tolerance(atol=1e-10, rtol=0, grad_atol=1e-10, grad_rtol=0),
    'ruc': Tolerance(atol=1e-9, rtol=0, grad_atol=1e-9, grad_rtol=0),
    'scan': Tolerance(atol=1e-8, rtol=1e-8, grad_atol=1e-8, grad_rtol=1e-8, single_rtol=1e-5),
    ('pici', 'sincos_pos_embed'): Tolerance(atol=1e-6),
}
# The outputs that stay determined when the vector's flag of the first name is false (several optima or orders exist).
PINNED_WITHOUT_UNIQUENESS: dict[tuple[str, str], tuple[str, tuple[str, ...]]] = {
    ('clusmatch', 'align'): ('meta_unique', ('votes', 'n_agree')),
    ('scan', 'neighbors'): ('meta_unique_order', ('similarities',)),
}


def adapter(method: str, component: str) -> Callable[[Adapter], Adapter]:
    """Register a function as the adapter of ``method/component``; a name can be taken once."""

    def register(function: Adapter) -> Adapter:
        if (method, component) in ADAPTERS:
            raise KeyError(f'{method}/{component} already has an adapter: {ADAPTERS[method, component].__name__}.')
        ADAPTERS[method, component] = function
        return function

    return register


def order_of(method: str, component: str) -> Callable[[Order], Order]:
    """Register a function that gives outputs compared as sets one order; both sides pass through it."""

    def register(function: Order) -> Order:
        ORDERS[method, component] = function
        return function

    return register


def leaf(x: Tensor) -> Tensor:
    """The tensor as a fresh leaf that asks for a gradient."""
    return x.clone().requires_grad_()


def gradients(loss: Tensor, *leaves: Tensor) -> list[Tensor]:
    """Gradients of a loss, zero where a leaf has no part in it."""
    if not loss.requires_grad:
        return [torch.zeros_like(x) for x in leaves]
    found = torch.autograd.grad(loss, leaves, retain_graph=True, allow_unused=True)
    return [torch.zeros_like(x) if grad is None else grad for x, grad in zip(leaves, found)]


def parity_dir() -> Path:
    """Return the folder of vectors: environment variable ``PARITY_DIR``, else ``tests/data/parity``."""
    return Path(os.environ.get('PARITY_DIR', DEFAULT_DIR))


def find_vectors(folder: Path) -> list[Path]:
    """Return every ``<method>/<component>_<case>.npz`` below the folder, sorted."""
    return sorted(folder.glob('*/*.npz'))


def component_of(path: Path) -> str:
    """Return the longest registered component of the vector's method whose name, with ``_``, starts the file name.

    Raises:
        LookupError: No adapter is registered for the file.
    """
    method = path.parent.name
    names = [name for owner, name in ADAPTERS if owner == method and path.name.startswith(f'{name}_')]
    if not names:
        raise LookupError(f'{method}/{path.name}: no adapter is registered for this component; add one with @adapter.')
    return max(names, key=len)


def to_input(array: np.ndarray, dtype: torch.dtype) -> Any:
    """Turn a stored array into a Python number (0-d), a tensor of ``dtype`` (float) or a tensor of its own type."""
    if array.ndim == 0:
        return array.item()
    tensor = torch.from_numpy(array.copy())
    return tensor.to(dtype) if tensor.is_floating_point() else tensor


def to_array(value: Any) -> np.ndarray:
    """Turn an adapter's output into a numpy array."""
    return value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else np.asarray(value)


def allowed_error(expected: np.ndarray, is_grad: bool, bounds: Tolerance, dtype: torch.dtype) -> np.ndarray:
    """Return the largest allowed deviation of every entry of an expected float array."""
    size = np.abs(expected)
    if dtype == torch.float32:
        rtol, atol = (1e-4, 1e-5) if is_grad else (bounds.single_rtol, bounds.single_atol)
        return rtol * size + atol * max(1.0, size.max(initial=0.0))
    atol, rtol = (bounds.grad_atol, bounds.grad_rtol) if is_grad else (bounds.atol, bounds.rtol)
    return atol + rtol * size


def compare(name: str, value: Any, expected: np.ndarray, bounds: Tolerance, dtype: torch.dtype) -> None:
    """Assert that one output has the expected shape and values; integers and bools must be equal."""
    actual = to_array(value)
    assert actual.shape == expected.shape, f'{name}: shape {actual.shape}, expected {expected.shape}'
    if expected.dtype.kind != 'f':
        assert actual.dtype.kind in 'iub', f'{name}: {actual.dtype} where integers or bools are expected'
        wrong = actual != expected
        assert not wrong.any(), f'{name}: {int(wrong.sum())} of {expected.size} entries differ'
        return
    error = np.abs(actual.astype(np.float64) - expected)
    wrong = ~(error <= allowed_error(expected, name.startswith('grad'), bounds, dtype))
    assert not wrong.any(), (f'{name}: {int(wrong.sum())} of {expected.size} entries differ, '
                             f'largest deviation {error.max():.3e}')


def check_vector(path: Path, dtype: torch.dtype) -> None:
    """Run one vector in one precision and assert every output that it holds.

    Args:
        path: The ``.npz`` file; its folder names the method.
        dtype: torch.float64 or torch.float32, the type of the float arrays that the adapter receives.
    """
    component = component_of(path)
    key = (path.parent.name, component)
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    inputs = {name[3:]: to_input(array, dtype) for name, array in arrays.items() if name.startswith('in_')}
    expected = {name[4:]: array for name, array in arrays.items() if name.startswith('out_')}
    assert expected, f'{path.name} holds no output'
    flag, pinned = PINNED_WITHOUT_UNIQUENESS.get(key, ('', ()))
    if flag and not arrays.get(flag, True):
        expected = {name: expected[name] for name in pinned if name in expected}
    outputs = ADAPTERS[key](inputs, dtype)
    missing = sorted(set(expected) - set(outputs))
    assert not missing, f'{key[0]}/{component} does not return {missing}'
    if key in ORDERS:
        outputs = ORDERS[key]({name: to_array(outputs[name]) for name in expected})
        expected = ORDERS[key](expected)
    for name, array in expected.items():
        places = ((*key, name), key, key[0])
        bounds = next((TOLERANCES[place] for place in places if place in TOLERANCES), Tolerance())
        compare(name, outputs[name], array, bounds, dtype)
