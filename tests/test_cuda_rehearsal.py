"""The losses of every method, its views and its E-steps on fake tensors of a GPU: see ``fake_cuda``."""
import pytest
import torch
from fake_cuda import NUM_SAMPLES, build, fake_cuda, fake_rows, rehearse, to_fake_cuda
from reduced import read_stage
from torch import nn
from torch._subclasses.fake_tensor import DataDependentOutputException, DynamicOutputShapeException

from mmcluster.functional.clustering.assign import assign
from mmcluster.functional.clustering.kmeans import center_similarity, lloyd
from mmcluster.functional.clustering.neighbors import local_consistency, nearest
from mmcluster.functional.clustering.seeding import Space, seed_restarts
from mmcluster.functional.labels.estep import head_selection_losses, prototype_estep
from mmcluster.functional.labels.select import select_by_distance, select_by_variance
from mmcluster.registry import MODELS

pytestmark = pytest.mark.usefixtures('engine')
DIGITS, SIGNS, CIFAR, LARGE = (8, 8, 1), (32, 32, 3), (32, 32, 3), (224, 224, 3)
STEPS = {'propos_clusmatch_r18_cifar10/clusmatch': CIFAR, 'propos_clusmatch_cnn_digits/clusmatch': DIGITS,
         'spice_cnn_digits/spice_self': DIGITS, 'scan_cnn_digits/scan_cluster': DIGITS,
         'temi_raw_digits': DIGITS, 'turtle_raw_digits': DIGITS,
         'scan_r18_cifar10/scan_selflabel': CIFAR,
         'dec_digits/autoencoder': DIGITS, 'dec_digits/dec': DIGITS, 'idec_mnist/idec': (28, 28, 1),
         'scan_ruc_cnn_digits/ruc': DIGITS, 'scan_ruc_asd_cnn_digits/ruc_asd': DIGITS,
         'propos_clusmatch_r50_imagenet/clusmatch': LARGE, 'propos_clusmatch_r18stl_folder64/clusmatch': (64, 64, 3)} | dict(
    propos_r50_imagenet=LARGE, secu_r50_imagenet=LARGE,
    byol_r18_cifar10=CIFAR, propos_cnn_digits=DIGITS, propos_r18_cifar20=CIFAR, moco_cnn_digits=DIGITS,
    simclr_cnn_digits=DIGITS, simsiam_cnn_sign_digits=SIGNS, secu_cnn_digits=DIGITS,
    cc_cnn_sign_digits=SIGNS, gcc_cnn_sign_digits=SIGNS,
    pici_vit_sign_digits=SIGNS, pcl_cnn_sign_digits=SIGNS, pcl_r18_cifar20_release=CIFAR, byol_pcl_cnn_digits=DIGITS,
    byol_cc_cnn_digits=DIGITS, cc_psl_r18_cifar10=CIFAR, idfd_r18_cifar10=CIFAR, tcl_cnn_sign_digits=SIGNS,
    fixmatch_cnn_digits_40=DIGITS, asd_ps_freematch_cnn_digits=DIGITS, asd_ps_mutexmatch_r18_cifar10=CIFAR, **{
        f'{name}_wrn28_2_cifar10_40': CIFAR
        for name in ('adamatch', 'flexmatch', 'freematch', 'mixmatch', 'mutexmatch', 'softmatch')})
SCALARS = ('psl_weight', 'proto_weight', 'sigma', 'pisd', 'picd', 'cross_level')     # a weight of 0 skips its code
STOPS = (DataDependentOutputException, DynamicOutputShapeException)


def read(name):
    return read_stage(name)


@pytest.fixture(params=STEPS, ids=list(STEPS))
def stage(request):
    """(config, model on fake cuda, shape of an image); the mode is on until the end of the test."""
    cfg = read(request.param)
    model = build(cfg)
    with fake_cuda():
        to_fake_cuda(model)
        for scalar in SCALARS:
            if hasattr(model, scalar):
                setattr(model, scalar, 0.1)
        if hasattr(getattr(model, 'labeller', None), 'mapped'):
            model.labeller.host['mapped'] = True
        if getattr(model, 'match', None) == 'batch':    # its option that sends one small table to the host
            model.match = 'set'
        yield cfg, model, STEPS[request.param]


def test_a_step_stays_on_the_device(stage):
    cfg, model, shape = stage
    seen = set()
    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            module.register_forward_hook(lambda module, inputs, output: seen.add(output.dtype))
    for losses in rehearse(model, fake_rows(cfg, shape)):
        assert any(name.startswith('loss_') for name in losses)
        assert all(value.device.type == 'cuda' and value.dtype == torch.float32 and value.ndim == 0
                   for name, value in losses.items() if torch.is_tensor(value))
    # TURTLE's heads have no layer: their rows go into a product in float32
    assert seen == (set() if cfg.model.type == 'TURTLE' else {torch.bfloat16}), 'networks compute in the type of autocast'


def test_evaluation_stays_on_the_device(stage):
    cfg, model, shape = stage
    rows = next(iter(fake_rows(cfg, shape).values()))
    view = model.eval().data_preprocessor({'test': rows}, False)['data_samples']['test'].views[0]
    assert all(output is None or output.device.type == 'cuda' for output in model.outputs(view))


def test_every_part_is_rehearsed():
    """A network, head, loss or method that comes without a rehearsal is seen here."""
    MODELS.import_from_location()
    wanted = {name for name, kind in MODELS.module_dict.items()
              if kind.__module__.startswith('mmcluster') and isinstance(kind, type) and issubclass(kind, nn.Module)}
    wanted -= {'ClassicalClusterer',        # which trains nothing, and clusters on the host
               'EfficientNetLite', 'WhitenedFeatures'}      # below: their recipes need a file each
    built = {type(module).__name__ for name in STEPS for module in build(read(name)).modules()}
    assert wanted <= built


@pytest.mark.parametrize('network, shape', [
    (dict(type='EfficientNetLite'), (2, 3, 64, 64)), (dict(type='WhitenedFeatures', in_channels=6, out_channels=4), (5, 6))])
def test_networks_of_the_folder_command_stay_on_the_device(network, shape):
    network = MODELS.build(network)
    with fake_cuda():
        out = to_fake_cuda(network)(torch.empty(*shape, device='cuda'))
        assert all(value.device.type == 'cuda' for value in (out if isinstance(out, tuple) else (out,)))


# ---- E-steps

def features(rows=NUM_SAMPLES, width=8):
    return torch.empty(rows, width, device='cuda')


def labels(rows=NUM_SAMPLES):
    return torch.empty(rows, dtype=torch.long, device='cuda')


def centers(clusters=4, width=8):
    return torch.empty(clusters, width, device='cuda', dtype=torch.double)


ESTEPS = {
    'seeding': lambda: seed_restarts(Space.of(features(), 'cosine'), torch.empty(3, dtype=torch.long, device='cuda'),
                                     torch.empty(3, 3, 4, device='cuda', dtype=torch.double)),
    'assignment': lambda: assign(Space.of(features(), 'cosine'), centers()[None], None),
    'similarity': lambda: center_similarity(features(), centers().float()),
    'prototypes': lambda: prototype_estep(torch.empty(2, 40, 4, device='cuda'), features(40)),
    'heads': lambda: head_selection_losses(torch.empty(2, 40, 4, device='cuda'), features(40)),
}


@pytest.mark.parametrize('name', ESTEPS)
def test_an_estep_stays_on_the_device(name):
    with fake_cuda():
        out = ESTEPS[name]()
        tensors = [out] if torch.is_tensor(out) else [value for value in out if torch.is_tensor(value)]
        assert tensors and all(value.device.type == 'cuda' for value in tensors)


# their stopping rule, their check of the input, or the number of chosen rows is read by the host
READS = {
    'lloyd': lambda: lloyd(features(), centers(), max_iter=3),
    'neighbors': lambda: nearest(features(), 5),
    'consistency': lambda: local_consistency(features(), labels(), 5),
    'by distance': lambda: select_by_distance(features(), labels(), centers().float(), 0.5),
    'by variance': lambda: select_by_variance(torch.empty(NUM_SAMPLES, 4, device='cuda'), 0.5),
}


@pytest.mark.parametrize('name', READS)
def test_an_estep_that_the_host_reads_stays_on_the_device_until_then(name):
    with fake_cuda(), pytest.raises(STOPS):
        READS[name]()


# ---- the rehearsal sees what a GPU would punish

class Planted(nn.Module):
    """A model with one fault."""

    def __init__(self, fault):
        super().__init__()
        self.weight, self.fault, self.left = nn.Parameter(torch.ones(3)), fault, torch.ones(3)

    def forward(self, x):
        return dict(left=lambda: x * self.left, read=lambda: x * float(self.weight.sum()),
                    shape=lambda: x[x > 0], made=lambda: x * torch.arange(3))[self.fault]()


@pytest.mark.parametrize('fault, error', [('left', Exception), ('read', STOPS), ('shape', STOPS),
                                          ('made', RuntimeError)])
def test_a_planted_fault_is_seen(fault, error):
    model = Planted(fault)
    with fake_cuda(), pytest.raises(error):
        to_fake_cuda(model)(torch.empty(3, device='cuda'))


def test_autocast_is_on():
    layer = nn.Linear(3, 2)
    with fake_cuda():
        assert to_fake_cuda(layer)(torch.empty(5, 3, device='cuda')).dtype == torch.bfloat16
