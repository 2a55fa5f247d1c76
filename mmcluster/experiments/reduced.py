"""A trial of a table: its configs with few small images, small batches and two epochs. Its figures mean nothing."""
from __future__ import annotations

from typing import Any, Callable

from mmengine.config import Config, ConfigDict

from mmcluster.recipes.compose import facts_used
from mmcluster.recipes.known_names import shared_settings
from mmcluster.recipes.length import set_epochs
from mmcluster.recipes.merging import merge_parts
from mmcluster.recipes.stages import reader, with_data

EPOCHS, CLASSES, ROWS, SIDE, STEPS = 2, 4, 120, 32, 2
# Facts that say how much is done; the others stay what the table compares.
FACTS: dict[str, Any] = dict(
    num_clusters=CLASSES, batch=16, labelled=8, unlabelled=16, per_cluster=2, per_class=2, rows=48, micro_batches=2,
    window=2, map_interval=2, first_map=2, queue=64, hidden=64, num_neighbors=5, size=SIDE, padding=4, cutout=16,
    sweep=64, length=STEPS, passes=STEPS, granularities=[4, 8])
# What else would need more images than a trial has, by type.
TYPES: dict[str, dict[str, Any]] = dict(
    KMeansHook=dict(n_init=1), ClusteringMetric=dict(n_init=1), CentroidDistance=dict(n_init=1),
    AccompaniedPrototypes=dict(n_init=1), LocalConsistency=dict(k=8, floor=2),
    HybridClean=dict(k=8, threshold=0.25), SPICE=dict(batch_size=16, repeat=1),
    MaskedDecoder=dict(decoder_depth=1), FirstRows=dict(num_rows=ROWS))
SHARE = 0.2     # of its rows that a cluster labels at least, so that few images give some
SHARED = ('CentroidDistance', 'ProbabilityVariance', 'RandomRows')


def stated_facts(cfg: Config, name: str) -> dict[str, Any]:
    """Facts that the parts of a stage state, those of its network among them; none of a stage without parts."""
    stage = with_data(cfg)[name]
    merged = merge_parts(stage['parts'], reader(cfg).read) if stage.get('parts') else {}
    return {**merged.get('facts', {}), **merged.get('network', {})}


def reduce_recipe(cfg: Config) -> None:
    """State small facts for all stages, in place, before they are composed.

    Args:
        cfg: The recipe of a cell.
    """
    stages, find = with_data(cfg), reader(cfg).read
    used = {name: {*facts_used(stages, name, find, shared_settings(cfg)), *merge_parts(stage['parts'], find).get(
        'network', {})} for name, stage in stages.items() if stage.get('parts')}
    for name, known in used.items():
        every, stage = stated_facts(cfg, name), cfg.stages[name]
        small = {fact: value for fact, value in FACTS.items() if fact in every}
        if isinstance(every.get('size'), int):
            small['size'] = min(SIDE, every['size'])
            if every['size'] < SIDE:
                small.pop('padding', None), small.pop('cutout', None)
        stage.facts = {**(stage.get('facts') or {}), **{fact: small[fact] for fact in small if fact in known}}


def reduce_stage(cfg: Config) -> Callable[[Config], None]:
    """What makes a composed stage small, in place.

    Args:
        cfg: The recipe, reduced.
    """
    sizes = [stated_facts(cfg, name).get('size') for name in cfg.stages]
    side = min([SIDE, *(size for size in sizes if isinstance(size, int))])

    def edit(single: Config) -> None:
        """Make one composed stage small."""
        mean = (single.model.get('data_preprocessor') or {}).get('mean') or [0, 0, 0]
        source = dict(type='TrialSource', num_classes=CLASSES, num_rows=ROWS, size=side, channels=len(mean))
        for loader in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
            if single.get(loader):
                single[loader].dataset.source = ConfigDict(source)
                single[loader].merge(dict(num_workers=0, persistent_workers=False))
        sampler = single.train_dataloader.sampler
        if not sampler.get('sequential'):       # or its length follows from its streams
            sampler.length = min(sampler.get('length') or STEPS, STEPS)
        set_epochs(single, min(EPOCHS, single.train_cfg.max_epochs))
        single.train_cfg.val_interval = EPOCHS
        _walk(single._cfg_dict)

    return edit


def _walk(value: Any) -> None:
    """Give every part of a type in ``TYPES`` its small arguments, and drop weights of files below ``data``."""
    if isinstance(value, (list, tuple)):
        for item in value:
            _walk(item)
    if not isinstance(value, dict):
        return
    value.update(TYPES.get(str(value.get('type')), {}))
    if value.get('type') in SHARED:
        value['sigma'] = max(value.get('sigma', SHARE), SHARE)
    weights = value.get('init_cfg')
    if isinstance(weights, dict) and str(weights.get('checkpoint', '')).startswith('data/'):
        value.pop('init_cfg')
    if 'num_workers' in value:
        value['num_workers'] = 0
    if 'oracle_missing' in value:
        value['oracle_missing'] = 1     # of four classes
    for item in value.values():
        _walk(item)
