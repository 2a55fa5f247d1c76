"""A fitted clustering of features, as far as new images need it: reducer, linear head, centres and their reach."""
from __future__ import annotations

import json
import zipfile
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Optional, Union

import numpy as np
import torch

from mmcluster.functional.clustering.whitening import blocks
from mmcluster.writing import whole_file

from .feature_reducer import FeatureReducer

FORMAT = 1
REACH = 0.99                    # share of a cluster's rows that lie within its reach
PRIOR_ROWS = 20                 # weight of all rows' distances in the reach of one cluster: few rows know it badly
ARRAYS = ('mean', 'reduce_weight', 'centers', 'weight', 'bias', 'median', 'reach')


class Assignment(NamedTuple):
    """Clusters of rows.

    Attributes:
        cluster: (N,) int64, -1 for none.
        confidence: (N,) probability of the cluster.
        second: (N,) int64, next best cluster; -1 where there is only one.
        margin: (N,) confidence minus the probability of the second.
        distance: (N,) to the centre, in the reduced space; to the nearest one without a cluster.
        outlier: (N,) 0 up to the median distance of the cluster, 1 from its reach (99 per cent of its rows) on.
    """
    cluster: np.ndarray
    confidence: np.ndarray
    second: np.ndarray
    margin: np.ndarray
    distance: np.ndarray
    outlier: np.ndarray


def distances(z: np.ndarray, centers: np.ndarray, cluster: np.ndarray) -> np.ndarray:
    """Distance (N,) float32 of reduced rows (N, d) to the centres of their clusters, block by block."""
    parts = [np.linalg.norm(rows - centers[own], axis=1) for rows, own in zip(blocks(z), blocks(cluster))]
    return np.concatenate(parts).astype(np.float32) if parts else np.zeros(0, np.float32)


def spread(distance: np.ndarray, cluster: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Median and reach (K,) of the distances of each cluster's rows; those of small clusters lean on all rows."""
    known = cluster >= 0
    overall = np.quantile(distance[known], (0.5, REACH)) if known.any() else np.ones(2)
    found = np.tile(overall, (count, 1))
    order = np.argsort(cluster, kind='stable')
    edges = np.searchsorted(cluster[order], np.arange(count + 1))
    for own, (start, end) in enumerate(pairwise(edges)):
        if end > start:
            mine = np.quantile(distance[order[start:end]], (0.5, REACH))
            found[own] = ((end - start) * mine + PRIOR_ROWS * overall) / (end - start + PRIOR_ROWS)
    return found[:, 0], found[:, 1]


class FeatureModel:
    """Clusters features of new images.

    Args:
        reducer: Fitted.
        centers: (K, d) in the reduced space.
        weight: (d, K) of the linear head; probabilities are its softmax.
        bias: (K,).
        median: (K,) median distance of the rows of each cluster.
        reach: (K,) distance beyond which a row belongs to none.
        meta: What else is kept with it, as JSON can hold it.
    """

    def __init__(self, reducer: FeatureReducer, centers: np.ndarray, weight: np.ndarray, bias: np.ndarray,
                 median: np.ndarray, reach: np.ndarray, meta: Optional[dict[str, Any]] = None):
        self.reducer, self.centers, self.weight, self.bias = reducer, centers, weight, bias
        self.median, self.reach, self.meta = median, reach, dict(meta or {})

    def reduce(self, x: np.ndarray) -> np.ndarray:
        """Reduce features (N, D) to (N, d).

        Raises:
            ValueError: If they have another width than those of the fit.
        """
        width = len(self.reducer.mean_)
        if x.ndim != 2 or x.shape[1] != width:
            raise ValueError(f'The features have shape {x.shape}, but this model was fitted on {width} columns: use '
                             'the encoder that made them')
        return self.reducer.transform(x)

    def probabilities(self, z: np.ndarray) -> np.ndarray:
        """Probability (N, K) of every cluster, of reduced rows (N, d)."""
        logits = np.ascontiguousarray(z) @ self.weight.astype(z.dtype) + self.bias.astype(z.dtype)
        return torch.from_numpy(logits).softmax(dim=1).numpy()

    def describe(self, z: np.ndarray, cluster: Optional[np.ndarray] = None, reject: bool = False) -> Assignment:
        """Assign reduced rows, block by block.

        Args:
            z: (N, d) reduced rows.
            cluster: (N,) clusters where they are known already, -1 for none; else those of the head.
            reject: Rows beyond the reach of their cluster belong to none.
        """
        parts = []
        for start, rows in zip(range(0, max(len(z), 1), 8192), blocks(z)):
            parts.append(self._describe(rows, None if cluster is None else cluster[start:start + len(rows)], reject))
        if not parts:
            parts = [self._describe(np.zeros((0, self.weight.shape[0]), np.float32), None, reject)]
        return Assignment(*(np.concatenate(column) for column in zip(*parts)))

    def _describe(self, z: np.ndarray, cluster: Optional[np.ndarray], reject: bool) -> Assignment:
        """One block of :meth:`describe`."""
        prob, rows = self.probabilities(z), np.arange(len(z))
        own = prob.argmax(axis=1) if cluster is None else cluster.astype(np.int64)
        near = np.where(own >= 0, own, prob.argmax(axis=1))
        confidence = np.where(own >= 0, prob[rows, near], 0)
        prob[rows, near] = -1
        second = prob.argmax(axis=1) if prob.shape[1] > 1 else np.full(len(z), -1)
        margin = np.where(own >= 0, confidence - np.where(second >= 0, prob[rows, second], 0), 0)
        distance = distances(z, self.centers, near)
        room = np.maximum(self.reach[near] - self.median[near], 1e-12)
        outlier = np.clip((distance - self.median[near]) / room, 0, 1)
        if reject:
            own = np.where(distance > self.reach[near], -1, own)
        outlier = np.where(own >= 0, outlier, 1)
        numbers = [value.astype(np.float32) for value in (confidence, margin, distance, outlier)]
        return Assignment(own, numbers[0], second.astype(np.int64), *numbers[1:])

    def write(self, stream: BinaryIO) -> None:
        """Write an ``.npz`` without pickles to an open file."""
        meta = dict(self.meta, format=FORMAT, unit=bool(self.reducer.unit_), reason=self.reducer.reason_)
        arrays: dict[str, Any] = dict(
            mean=self.reducer.mean_, reduce_weight=self.reducer.weight_.astype(np.float32),
            centers=self.centers, weight=self.weight, bias=self.bias, median=self.median, reach=self.reach)
        np.savez(stream, meta=np.array(json.dumps(meta)), **arrays)

    def save(self, path: Union[str, Path]) -> None:
        """Write one ``.npz``; an older file stays until the new one is whole."""
        with whole_file(Path(path)) as stream:
            self.write(stream)

    @classmethod
    def load(cls, path: Union[str, Path, BinaryIO]) -> FeatureModel:
        """Read what :meth:`save` wrote; nothing in the file can run.

        Raises:
            ValueError: If the file is cut short, no such model, or of another format.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                meta = json.loads(str(file['meta']))
                arrays = {name: file[name] for name in ARRAYS} if meta.get('format') == FORMAT else {}
        except (KeyError, ValueError, EOFError, zipfile.BadZipFile, OSError) as error:
            if isinstance(error, FileNotFoundError):
                raise
            raise ValueError(f'{path} is no model of mmcluster, or is cut short: cluster the images again') from error
        if not arrays:
            raise ValueError(f'{path} has format {meta.get("format")}, this version reads {FORMAT}: cluster the images '
                             'again, or use the version that wrote it')
        reducer = FeatureReducer()
        reducer.mean_, reducer.weight_ = arrays.pop('mean'), arrays.pop('reduce_weight').astype(np.float64)
        reducer.unit_, reducer.reason_ = meta.pop('unit'), meta.pop('reason')
        meta.pop('format')
        return cls(reducer, meta=meta, **arrays)
