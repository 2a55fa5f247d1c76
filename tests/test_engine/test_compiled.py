"""``compile`` compiles the networks without a break, and training stays what it is."""
import shutil

import pytest
import torch
from reduced import load, propos_cfg, train, write_digits
from torch import nn

from mmcluster.engine.compiled import compile_networks
from mmcluster.models.clusterers import SimCLR

pytestmark = pytest.mark.usefixtures('engine')


@pytest.fixture(autouse=True)
def forget_graphs():
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def run(folder, compile=None):
    """The state of a ProPos with views, E-steps, a ramp of the decay, prototypes and a queue."""
    cfg = propos_cfg(folder / 'work', write_digits(folder / 'data'), epochs=2, warmup=1)
    if compile is not None:
        cfg.compile = compile
    return load(train(cfg)['train'])['state_dict']


def test_a_compiled_run_trains_the_same_networks(tmp_path):
    # fullgraph: a graph break is an error; this backend traces and differentiates, but needs no C++ compiler
    plain, compiled = (run(tmp_path / str(options), options) for options in (
        None, dict(backend='aot_eager', fullgraph=True)))
    assert plain.keys() == compiled.keys(), 'checkpoints keep their names'
    for name, value in plain.items():
        torch.testing.assert_close(compiled[name], value, rtol=1e-4, atol=1e-5, msg=lambda text, name=name: f'{name}: {text}')


def test_networks_and_their_averages_are_compiled(tmp_path):
    torch.manual_seed(0)
    model = SimCLR(nn.Linear(4, 6), nn.Linear(6, 3))
    graphs = []

    def backend(graph, example_inputs):
        graphs.append(graph)
        return graph.forward

    expected = model.project(torch.ones(5, 4))
    assert compile_networks(model, backend=backend, fullgraph=True) == ['backbone', 'projector']
    torch.testing.assert_close(model.project(torch.ones(5, 4)), expected)
    assert len(graphs) == 2


def test_a_model_without_networks_is_refused():
    with pytest.raises(ValueError, match='none of the networks'):
        compile_networks(nn.Linear(2, 2))


@pytest.mark.skipif(shutil.which('g++') is None, reason='Inductor needs a C++ compiler')
def test_inductor_takes_a_network():
    torch.manual_seed(0)
    model = SimCLR(nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU()), nn.Linear(6, 3))
    expected = model.backbone(torch.ones(5, 4))
    compile_networks(model, fullgraph=True)
    torch.testing.assert_close(model.backbone(torch.ones(5, 4)), expected)
