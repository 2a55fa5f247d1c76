"""From a fitted clusterer to what a result folder says: table, quality, tree, and metrics where labels exist."""
from __future__ import annotations

from typing import Any, Optional, Sequence

import numpy as np
from sklearn.metrics import davies_bouldin_score, silhouette_samples

from mmcluster.functional.clustering.duplicates import duplicate_groups
from mmcluster.functional.clustering.layout import map_layout
from mmcluster.functional.clustering.match import hungarian
from mmcluster.functional.clustering.metrics import clustering_metrics

from .features_clusterer import FeatureClusterer
from .result import Result

SILHOUETTE_ROWS = 5000
ALL_PAIRS_ROWS = 60000          # beyond, near-duplicates are looked for within clusters only
DUPLICATE_COSINE = 0.95         # of centred features
COARSE_GROUPS = 10


def quality(clusterer: FeatureClusterer) -> tuple[dict[str, float], list[dict[str, Any]]]:
    """Judge clusters without labels.

    Args:
        clusterer: Fitted.

    Returns:
        Silhouette (of a sample) and Davies-Bouldin index of the clustering, and size, silhouette and spread (mean
        distance to the centre) of each cluster. What a single cluster, or one of a row each, leaves undefined is left
        out or ``None``.
    """
    labels, z = clusterer.labels_, clusterer.reduced_
    known = np.flatnonzero(labels >= 0)
    sample = np.random.RandomState(clusterer.seed).permutation(known)[:SILHOUETTE_ROWS]
    clusters = [dict(id=own, size=int((labels == own).sum()), silhouette=None,
                     spread=float(clusterer.assignment_.distance[labels == own].mean()))
                for own in range(clusterer.n_clusters_)]
    if not 1 < len(np.unique(labels[sample])) < len(sample):
        return {}, clusters
    silhouettes = silhouette_samples(z[sample], labels[sample])
    for own in np.unique(labels[sample]):
        clusters[own]['silhouette'] = float(silhouettes[labels[sample] == own].mean())
    return dict(silhouette=float(silhouettes.mean()),
                davies_bouldin=float(davies_bouldin_score(z[known], labels[known]))), clusters


def compare(target: Sequence[str], labels: np.ndarray) -> tuple[dict[str, float], dict[str, Any]]:
    """Compare clusters with labels that a user gave.

    Args:
        target: N class names, '' for unknown; images without a known class do not count.
        labels: (N,) clusters, -1 for none, which counts as one more cluster.

    Returns:
        ``acc``, ``nmi``, ``ari`` and ``purity`` (many-to-one), and the confusion: class names, cluster ids and the
        table of counts (classes x clusters), with columns in the order that puts matches on the diagonal.
    """
    names = np.asarray(target, str)
    known = names != ''
    classes, codes = np.unique(names[known], return_inverse=True)
    clusters, own = np.unique(labels[known], return_inverse=True)
    metrics = clustering_metrics(codes, labels[known], ami=False)
    table = np.zeros((len(classes), len(clusters)), np.int64)
    np.add.at(table, (codes, own), 1)
    matched = [int(column) for column in hungarian(table) if column >= 0]
    order = matched + [column for column in range(len(clusters)) if column not in matched]
    return ({name: float(metrics[name]) for name in ('acc', 'nmi', 'ari', 'purity')},
            dict(classes=classes.tolist(), clusters=clusters[order].tolist(), table=table[:, order].tolist()))


def describe_clusters(clusterer: FeatureClusterer, embed: np.ndarray, paths: Sequence[str], summary: dict[str, Any],
                      unreadable: Sequence[tuple[str, str]] = (), label: Optional[Sequence[str]] = None) -> Result:
    """Gather everything that a result folder holds.

    Args:
        clusterer: Fitted on ``embed``.
        embed: (N, D).
        paths: N paths relative to the root.
        summary: What only the caller knows: root, encoder, versions, seconds.
        unreadable: Images that are left out, with reasons.
        label: N class names, '' for unknown.

    Returns:
        The result; see :func:`mmcluster.apis.result.write_result`.
    """
    found, labels = clusterer.assignment_, clusterer.labels_
    part = np.zeros(len(labels), np.int64) if len(labels) <= ALL_PAIRS_ROWS else labels
    centred = np.asarray(embed, np.float32) - clusterer.reducer_.mean_.astype(np.float32)
    place = map_layout(clusterer.reduced_, clusterer.seed)
    table = dict(cluster=labels, confidence=found.confidence, second=found.second, margin=found.margin,
                 distance=found.distance, x=place[:, 0], y=place[:, 1], outlier=found.outlier,
                 duplicate_group=duplicate_groups(centred, DUPLICATE_COSINE, part))
    scores, clusters = quality(clusterer)
    wanted = clusterer.n_clusters
    whole = dict(images=len(paths), unreadable=len(unreadable), k=clusterer.n_clusters_,
                 k_requested=list(wanted) if isinstance(wanted, tuple) else wanted, method=clusterer.method_,
                 seed=clusterer.seed, reduced_dim=clusterer.reduced_.shape[1], reduced=clusterer.reducer_.reason_,
                 quality=scores, clusters=clusters, tree=clusterer.tree_.tolist(),
                 groups=dict(count=min(COARSE_GROUPS, clusterer.n_clusters_),
                             of_cluster=clusterer.groups(COARSE_GROUPS).tolist()))
    choice = clusterer.choice_
    if choice:
        score = {point.k: point.score for point in choice.curve}
        whole |= dict(k_curve=[dict(point._asdict(), davies_bouldin=_finite(point.davies_bouldin))
                               for point in choice.curve],
                      k_suggestions=[dict(k=k, score=score[k]) for k in choice.suggestions], sureness=choice.sureness,
                      k_coarse=choice.coarse)
    if label is not None and any(label):
        whole['metrics'], whole['confusion'] = compare(label, labels)
    return Result(list(paths), table, np.asarray(embed, np.float16), {**whole, **summary}, clusterer.model_,
                  list(unreadable), None if label is None else list(label))


def _finite(value: float) -> Optional[float]:
    """A number that JSON can hold."""
    return value if np.isfinite(value) else None
