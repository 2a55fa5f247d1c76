"""Probes: what a classifier finds in frozen features. They read ground truth, so they only say, and never steer."""
from __future__ import annotations

import math
from typing import Callable, NamedTuple, Optional

import numpy as np
import torch
from mmengine.evaluator import BaseMetric
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn

from mmcluster.checks import require_count, require_positive
from mmcluster.functional.clustering.neighbors import nearest
from mmcluster.functional.labels.knn import vote, weighted_knn
from mmcluster.functional.losses.contrast import unit_rows
from mmcluster.models.shards import process_shards
from mmcluster.registry import METRICS, OPTIMIZERS
from mmcluster.structures import TEST_STREAM

from .rows import share_of

VOTES = 4096        # rows that vote at once; each has a score for every class


class Split(NamedTuple):
    """Labelled features to learn from, and others to be right on.

    Attributes:
        train: (M, D).
        labels: (M,) long in [0, C).
        test: (Q, D).
        test_labels: (Q,) long.
        same: Both are one set, whose rows do not vote for themselves.
    """
    train: Tensor
    labels: Tensor
    test: Tensor
    test_labels: Tensor
    same: bool = False

    @property
    def num_classes(self) -> int:
        """C."""
        return int(max(self.labels.max(), self.test_labels.max())) + 1


def knn_probe(split: Split, k: int = 20, temperature: float = 0.07) -> float:
    """Accuracy of a vote of the k nearest training rows, weighted by exp(cosine / temperature).

    Args:
        split: Features; with ``same`` the own row of a query is left out.
        k: Neighbours.
        temperature: Divides the cosines.
    """
    own = torch.arange(len(split.test)) if split.same else None
    votes = weighted_knn(split.train, split.labels, split.test, split.num_classes, k, temperature, own)
    return float((votes.pred.cpu() == split.test_labels.cpu()).double().mean())


def logistic_probe(split: Split, c: float = 1.) -> float:
    """Accuracy of logistic regression to convergence on standardised features of the plain view (a cached probe).

    Args:
        split: Features.
        c: Inverse strength of its L2 penalty.
    """
    scaler = StandardScaler().fit(split.train.cpu().numpy())
    model = LogisticRegression(C=c, max_iter=1000).fit(scaler.transform(split.train.cpu().numpy()),
                                                       split.labels.cpu().numpy())
    return float(model.score(scaler.transform(split.test.cpu().numpy()), split.test_labels.cpu().numpy()))


def linear_probe(split: Split, epochs: int = 100, batch: int = 256, lr: float = 30., steps: tuple[int, ...] = (60, 80),
                 seed: int = 0, lars: bool = False, drawn: Optional[Callable[[int], Tensor]] = None) -> float:
    """Accuracy of a linear layer on frozen features, as MoCo and ProPos train it.

    Weights begin as N(0, 0.01), biases at 0; momentum 0.9, no decay. By SGD the rate falls to a tenth at each of
    ``steps`` (ProPos' second config); by LARS it follows a cosine to 0 (the first: 90 epochs of batches of 4096, rate
    0.1). Papers draw augmented views anew in each epoch; features of the plain view give other figures.

    Args:
        split: Features of the backbone.
        epochs: Passes over the training rows.
        batch: Rows a step.
        lr: Rate for 256 rows; it is scaled by ``batch`` / 256.
        steps: Epochs, of SGD.
        seed: Of weights and order.
        lars: Take LARS.
        drawn: Epoch, from 0, -> features (M, D) of the training rows in views of that epoch; ``None`` takes the plain
            ones of ``split``.
    """
    device, generator = split.train.device, torch.Generator().manual_seed(seed)
    layer = nn.Linear(split.train.shape[1], split.num_classes)
    nn.init.normal_(layer.weight, std=0.01, generator=generator)
    nn.init.zeros_(layer.bias)
    layer.to(device)
    count, rate = -(-len(split.train) // batch), lr * batch / 256
    optimiser = OPTIMIZERS.build(dict(type='LARS' if lars else 'SGD', params=layer.parameters(), lr=rate, momentum=0.9))

    def factor(step: int) -> float:
        """What a step multiplies the rate by: half a cosine with LARS, else a tenth from each of `steps` on."""
        if lars:
            return (1 + math.cos(math.pi * step / (epochs * count))) / 2
        return 0.1 ** sum(step >= epoch * count for epoch in steps)

    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, factor)
    labels = split.labels.to(device)
    for epoch in range(epochs):
        train = (split.train if drawn is None else drawn(epoch).to(device)).float()
        for rows in torch.randperm(len(train), generator=generator).to(device).split(batch):
            loss = nn.functional.cross_entropy(layer(train[rows]), labels[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    with torch.no_grad():
        pred = layer(split.test.float().to(device)).argmax(1).cpu()
    return float((pred == split.test_labels.cpu()).double().mean())


def few_label_probe(split: Split, per_class: int, draws: int = 5, seed: int = 0) -> tuple[float, float]:
    """Accuracy of logistic regression on a few labelled rows, mean and deviation over draws.

    Args:
        split: Features; with ``same`` the drawn rows are left out of the test.
        per_class: Labelled rows of each class.
        draws: How often they are drawn.
        seed: Of the draws.

    Raises:
        ValueError: If a class has fewer rows.
    """
    labels = split.labels.cpu().numpy()
    smallest = np.bincount(labels, minlength=split.num_classes).min()
    if smallest < per_class:
        raise ValueError(f'per_class={per_class}, but the smallest class has {smallest} rows; lower it')
    found = []
    for draw in range(draws):
        random = np.random.default_rng((seed, draw))
        chosen = torch.from_numpy(np.concatenate([
            random.choice(np.flatnonzero(labels == one), per_class, replace=False)
            for one in range(split.num_classes)]))
        rest = torch.ones(len(split.test), dtype=torch.bool)
        if split.same:
            rest[chosen] = False
        found.append(logistic_probe(Split(split.train[chosen], split.labels[chosen], split.test[rest],
                                          split.test_labels[rest])))
    return float(np.mean(found)), float(np.std(found, ddof=1)) if draws > 1 else 0.


@METRICS.register_module()
class KNNMetric(BaseMetric):
    """Accuracy of weighted k-NN among the evaluated rows, each without itself: it is logged, and selects nothing.

    Args:
        k: Neighbours that vote.
        temperature: Divides the cosines.
        prefix: Prefix of the name.
    """

    names = ('accuracy',)       # see ClusteringMetric

    def __init__(self, k: int = 20, temperature: float = 0.07, prefix: str = 'knn'):
        require_count('KNNMetric', k=k)
        require_positive('KNNMetric', temperature=temperature)
        super().__init__(prefix=prefix)
        self.k = k
        self.temperature = temperature

    def process(self, data_batch: dict, data_samples: list) -> None:
        """Keep the rows of one batch that have a label.

        Args:
            data_batch: stream -> Rows; ``label`` is read here.
            data_samples: Predictions with embed (B, D).
        """
        label: Optional[Tensor] = data_batch[TEST_STREAM].label
        for sample in data_samples:
            if label is not None:
                self.results.append((sample['index'].cpu(), sample['embed'].float(), label.cpu()))

    def evaluate(self, size: int) -> dict[str, float]:
        """Accuracy, equal on all ranks; nothing without ground truth. Rows go round the ring, labels are gathered.

        Args:
            size: N.
        """
        results = list(self.results)
        self.results.clear()
        return {f'{self.prefix}/{name}': value for name, value in self.compute_metrics(results).items()}

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Vote.

        Args:
            results: (index (B,), embed (B, D), label (B,)) of every batch of this rank.
        """
        shards = process_shards()
        total = int(shards.sum(torch.tensor(sum(int((part[2] >= 0).sum()) for part in results))))
        if total < 2:
            return {}
        _, rows, label = share_of(results)
        rows, label = rows[(label >= 0).to(rows.device)], label[label >= 0].to(rows.device)
        similarity, index = nearest(unit_rows(rows), min(self.k, total - 1), include_self=False, shards=shards)
        labels = shards.gather(label)
        num_classes, right = int(labels.max()) + 1, torch.zeros((), dtype=torch.long, device=rows.device)
        for part in torch.arange(len(label), device=rows.device).split(VOTES):
            pred = vote(index[part], similarity[part], labels, num_classes, self.temperature).pred
            right += (pred == label[part]).sum()
        return dict(accuracy=int(shards.sum(right)) / total)
