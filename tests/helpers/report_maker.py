"""Result folders with pictures, made up in a moment."""
import json
import os

import numpy as np
from PIL import Image

from mmcluster.apis.feature_model import FeatureModel
from mmcluster.apis.feature_reducer import FeatureReducer
from mmcluster.apis.result import Result, write_result
from mmcluster.functional.clustering.merge_tree import ward_tree


def picture(path, number, size=40):
    """Write one small picture whose colour follows a number."""
    pixels = np.full((size, size, 3), 120, np.uint8)
    pixels[:, :, number % 3] = 40 + number * 37 % 200
    pixels[number % size] = 255
    with open(path, 'wb') as stream:
        Image.fromarray(pixels).save(stream, 'JPEG' if size > 64 else 'PNG')


def make_result(paths, clusters=3, nowhere=0, label=None, curve=False, root='.', unreadable=()):
    """A result for paths; the first ``nowhere`` images belong nowhere."""
    random, count = np.random.RandomState(0), len(paths)
    cluster = np.arange(count) % clusters
    cluster[:nowhere] = -1
    middle = random.uniform(-0.8, 0.8, (clusters + 1, 2))
    place = np.clip(middle[cluster] + random.normal(0, 0.06, (count, 2)), -1, 1)
    group = np.full(count, -1)
    group[-2 * clusters:] = 0 if count > 2 * clusters else -1
    table = dict(cluster=cluster, second=(cluster + 1) % clusters if clusters > 1 else np.full(count, -1),
                 duplicate_group=group, x=place[:, 0], y=place[:, 1])
    table |= {name: random.rand(count) for name in ('confidence', 'margin', 'distance', 'outlier')}
    embed = random.rand(count, 4)
    model = FeatureModel(FeatureReducer(None).fit(np.concatenate([embed, np.eye(4)])), np.zeros((clusters, 4)),
                         np.zeros((4, clusters)), np.zeros(clusters), np.zeros(clusters), np.ones(clusters))
    sizes = np.bincount(cluster[cluster >= 0], minlength=clusters)
    summary = dict(mmcluster='0.0', versions=dict(numpy=np.__version__), root=str(root), images=count, k=clusters,
                   k_requested='auto', method='kmeans', seed=3, reduced_dim=4, quality={}, seconds=dict(features=70.2),
                   encoder=dict(name='lite', spec='default', dim=4, digest='', description='A <small> network.'),
                   clusters=[dict(id=own, size=int(sizes[own]), silhouette=None, spread=0.5) for own in range(clusters)],
                   tree=ward_tree(middle[:clusters], sizes).tolist(), groups=dict(count=min(10, clusters)))
    if clusters > 1:
        summary['quality'] = dict(silhouette=0.25, davies_bouldin=1.5)
    if curve:
        summary['k_curve'] = [dict(k=k, silhouette=0.5 / k, davies_bouldin=None, stability=1 / k,
                                   prediction_strength=0.9) for k in range(2, 12)]
        summary |= dict(k_suggestions=[dict(k=3, score=0.8), dict(k=5, score=0.6)], sureness='likely')
    if label is not None:
        summary |= dict(metrics=dict(acc=0.5, nmi=0.4, ari=0.3, purity=0.6), confusion=dict(
            classes=sorted(set(label)), clusters=list(range(clusters)), table=[[4] * clusters for _ in set(label)]))
    return Result(list(paths), table, embed, summary, model, list(unreadable), label)


def make_folder(folder, count=24, names=None, size=40, **options):
    """Pictures in ``folder/photos`` and their result in ``folder/result``; returns the latter."""
    photos = folder / 'photos'
    names = names or [f'part {i % 2}/image_{i:04}.png' for i in range(count)]
    for number, name in enumerate(names):
        path = os.path.join(photos, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        picture(path, number, size)
    write_result(folder / 'result', make_result(names, root=photos, **options))
    return folder / 'result'


def write_logs(work_dir, starts, evaluations=()):
    """What a training leaves of its course: the logs of its starts, and the history of its evaluations."""
    for number, records in enumerate(starts):
        folder = work_dir / f'2026010{number}_000000' / 'vis_data'
        folder.mkdir(parents=True)
        (folder / 'scalars.json').write_text('\n'.join(map(json.dumps, records)) + '\n')
    if evaluations:
        (work_dir / 'metrics.jsonl').write_text(''.join(json.dumps(line) + '\n' for line in evaluations))
