"""E-steps and metrics of three processes with a GPU each, on fake tensors: see ``fake_processes``."""
import pytest
import torch
from fake_cuda import to_fake_cuda
from fake_processes import COUNT, fake_processes
from small_models import FlatNet
from test_engine.fake import D, K, fake_runner, rowwise

from mmcluster.engine.hooks import GraphHook, KMeansHook, NeighborHook, PrototypeHook, SelectHook, TransitionHook
from mmcluster.evaluation import ClusteringMetric, KNNMetric
from mmcluster.models import ASDLabels
from mmcluster.models.clusterers import GCC
from mmcluster.models.clusterers.pcl import Granularities
from mmcluster.models.heads import LinearClusterHead
from mmcluster.models.necks import MLPProjector
from mmcluster.models.shards import ProcessShards, process_shards
from mmcluster.registry import MODELS
from mmcluster.structures import Rows

pytestmark = pytest.mark.usefixtures('engine')
N, OWN = 121, 40        # rows of all, and of the process in the middle


def features(width=D):
    return torch.empty(OWN, width, device='cuda')


def model_of(**options):
    model = rowwise(N, head=torch.nn.Linear(D, K), **options)
    model.bank.add_field('neighbors', shape=(5,))
    return model


def estimate(hook, model=None, width=D):
    """What a hook estimates for the rows here."""
    runner = fake_runner(model_of() if model is None else model)
    return lambda: hook.estimate(runner, features(width)), runner.model


def selected(width=D, output='embed', **selector):
    return estimate(SelectHook(selector, output=output), width=width)


def prototypes():
    model = model_of()
    model.granularities = Granularities([K, 2 * K], D, 0.2)
    return estimate(PrototypeHook(n_init=2), model)


def graph():
    return estimate(GraphHook(1), GCC(FlatNet(), MLPProjector(6, 8, D, norm=False), LinearClusterHead(6, K),
                                      bank=dict(num_samples=N)))


def first_map():
    model, hook = model_of(fields=('pred',)), TransitionHook(align_first='head')
    model.labeller = ASDLabels(D, K, 8, 10, window=5)
    hook.features = lambda runner: features(K)
    runner = fake_runner(model)
    return lambda: dict(votes=hook.votes(runner)), model


def heads(name):
    model = MODELS.build(dict(
        type=name, backbone=dict(type='Pixels', out_channels=D), bank=dict(num_samples=N),
        head=dict(type='MultiHead', num_heads=3, head=dict(type='MLPClusterHead', in_channels=D, num_clusters=K))))
    return lambda: dict(losses=model.selection_losses(torch.empty(OWN, 3, K, device='cuda'), process_shards())), model


def evaluated(metric, width=K):
    def run():
        index = torch.empty(OWN, dtype=torch.long)
        sample = dict(index=index.cuda(), embed=features(), prob=features(width), num_clusters=K)
        metric.process(dict(test=Rows([], index, index, index)), [sample])
        assert metric.evaluate(COUNT * OWN)
        return {}

    return run, None


BAD, MOVING = {'bad_rows'}, {'bad_rows', '_run'}       # rows that are not finite are named; k-means stops
CHOSEN = {'_first_of_each', 'estimate'}                 # how many rows are selected is known
ESTEPS = {
    'k-means': (lambda: estimate(KMeansHook(K, align_to='target', posterior_temperature=0.1)),
                MOVING | {'_align', 'align_clusters', 'contingency', 'is_set'}),
    'k-means, Euclidean': (lambda: estimate(KMeansHook(K, metric='euclidean')), MOVING),
    'k-means, scaled': (lambda: estimate(KMeansHook(K, scale='batch')), MOVING),
    'prototypes of clusters': (prototypes, MOVING | {'concentration'}),
    'neighbours': (lambda: estimate(NeighborHook()), BAD | {'estimate'}),
    'near centres': (lambda: selected(type='CentroidDistance', sigma=0.5, num_clusters=K), MOVING | CHOSEN),
    'by variance': (lambda: selected(K, 'head_probs', type='ProbabilityVariance', sigma=0.5), BAD | CHOSEN),
    'local consistency': (lambda: selected(D + K, 'embed+head_probs', type='LocalConsistency', k=5, num_clusters=K),
                          BAD | {'__call__', '_report', '_split', 'balance', 'estimate', 'reliable_labels', 'top_up'}),
    'accompanied': (lambda: selected(type='AccompaniedPrototypes', per_cluster=2, num_clusters=K),
                    MOVING | {'accompanied_prototypes', 'estimate'}),
    'graph': (graph, BAD | {'estimate', 'neighbor_pairs', 'undirected_degree'}),
    'first map': (first_map, {'contingency'}),
    'SCAN': (lambda: heads('SCAN'), {'stored_neighbors', 'neighbor_pairs'}),
    'SPICE': (lambda: heads('SPICE'), {'is_set'}),
    'TEMI': (lambda: heads('TEMI'), {'stored_neighbors', 'neighbor_pairs'}),
    'k-means metric': (lambda: evaluated(ClusteringMetric('kmeans')), MOVING | {'compute_metrics'}),
    'head metric': (lambda: evaluated(ClusteringMetric('head')), BAD | {'compute_metrics'}),
    'k-NN metric': (lambda: evaluated(KNNMetric()), BAD | {'compute_metrics'}),
}


@pytest.mark.parametrize('name', ESTEPS)
def test_an_estep_of_several_processes_stays_on_the_device(name):
    """It goes through, what it finds is on the device, and the host reads where it is known to."""
    prepare, expected = ESTEPS[name]
    run, model = prepare()
    with fake_processes() as reads:
        if model is not None:
            to_fake_cuda(model)
        assert [key for key, value in run().items() if value.device.type != 'cuda'] == []
    assert reads.seen == expected


# ---- the rehearsal sees what several GPUs would punish

def test_what_an_exchange_leaves_on_the_host_is_seen(monkeypatch):
    run, model = estimate(NeighborHook())
    monkeypatch.setattr(ProcessShards, 'turns', lambda self, x: iter([(0, x.cpu())]))
    with pytest.raises(Exception, match='[Dd]evice'), fake_processes():
        to_fake_cuda(model)
        run()


def test_a_read_that_nobody_knows_of_is_seen(monkeypatch):
    run, model = heads('SPICE')
    monkeypatch.setattr('mmcluster.functional.labels.estep.negative_entropy', lambda mean, eps: float(mean.sum()))
    with fake_processes() as reads:
        to_fake_cuda(model)
        run()
    assert reads.seen - ESTEPS['SPICE'][1] == {'head_selection_losses'}
