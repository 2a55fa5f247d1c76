"""No option without a use: a config or an ablation sets it, or ``KEPT`` says whom it is for."""
import inspect
from collections import defaultdict
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.registry import Registry
from reduced import read_stage, stage_keys

from mmcluster import registry
from mmcluster.experiments import read_table, table_file, table_names
from mmcluster.recipes import stages

UNTYPED = dict(bank='SampleBank', teacher='MomentumTeacher')
# Who sets them -> the options, as Class.option; * stands for any class or option.
KEPT = {
    'data of one\'s own': """FolderSource.* TarSource.* ClassFolderSource.skip_unreadable
        TinyImageNetSource.skip_unreadable ListedSource.mode ArraySource.* IndexedDataset.indices
        IndexedDataset.cache ImbalancedSource.seed GroundTruthHook.labels GroundTruthHook.fingerprint
        NeighborHook.file WhitenedFeatures.features""",
    'a network of one\'s own': """GCCResNet.in_channels WideResNet.in_channels WideResNet.bn_momentum
        EfficientNetLite.in_channels EfficientNetLite.out_channels MLPClusterHead.hid_channels
        PreNormClusterHead.hid_channels MLPProjector.bias Boost.neck
        MultiHeadClusterer.neck RUC.backbone RUC.neck ClassicalClusterer.base SeCu.in_channels""",
    'views of one\'s own': """BatchGaussianBlur.kernel BatchRandomResizedCrop.ratio FixMatchCutout.*
        SweepHook.stream""",
    'a run that is repeated, timed or watched': """CentroidDistance.seed CentroidDistance.n_init LocalConsistency.seed
        AccompaniedPrototypes.seed RandomRows.seed ClusteringMetric.* CollapseHook.* ViewPreprocessor.channels_last
        RuntimeInfoHook.* CheckpointHook.strict""",
    'a trial of a table': 'TrialSource.*',
    'a million images of one\'s own': 'NeighborHook.probes',
    'a probe of one\'s own': 'KNNMetric.* SampledKMeans.seed SampledKMeans.n_init SampledKMeans.num_clusters',
    'several processes': 'MoCo.shuffle_bn',
    'Python: the model or its head says it in a run': '*.num_clusters',
    'weights that a ScheduleHook moves': """PICI.pisd PICI.picd PICI.cross_level RUC.unsup_weight TCL.boosting TEMI.last_layer
        MixMatchLoss.unsup_weight ProPos.psl_weight ProPos.sigma CCPSL.psl_weight PCL.proto_weight
        BYOLPCL.proto_weight BYOLCC.decay""",
    'MMEngine and PyTorch, or the command line': """*.init_cfg *Sampler.seed *Sampler.rank *Sampler.world_size
        SweepSampler.stream ViewPreprocessor.non_blocking
        GroupedOptimWrapperConstructor.paramwise_cfg FixMatchCosineLR.iters_per_epoch WarmupCosineLR.iters_per_epoch
        StrictPretrainedInit.* SampleBank.fingerprint""",
}


def ours() -> dict[str, type]:
    """Registered name -> class of this package."""
    found = {}
    for value in vars(registry).values():
        if isinstance(value, Registry):
            value.import_from_location()
            found.update({name: kind for name, kind in value.module_dict.items() if inspect.isclass(kind)
                          and kind.__module__.startswith('mmcluster')})
    return found


def optional(kind: type) -> set[tuple[str, str]]:
    """(class that defines it, name) of every optional argument, along the way that ``**kwargs`` go."""
    found = set()
    for owner in kind.__mro__:
        if '__init__' in vars(owner):
            if not owner.__module__.startswith('mmcluster'):
                break
            params = inspect.signature(owner.__init__).parameters.values()
            found |= {(owner.__name__, param.name) for param in params if param.default is not param.empty}
            if all(param.kind is not param.VAR_KEYWORD for param in params):
                break
    return found


def note(value, used: dict[str, set]) -> None:
    """Note which options a config gives to which class."""
    if isinstance(value, dict):
        if isinstance(value.get('type'), str):
            used[value['type'].rpartition('/')[2].rpartition('.')[2]] |= set(value)
        for key, item in value.items():
            if key in UNTYPED and isinstance(item, dict):
                used[UNTYPED[key]] |= set(item)
            note(item, used)
    elif isinstance(value, (list, tuple)):
        for item in value:
            note(item, used)


def of_tables() -> list[Config]:
    """The stages that cells of tables change; of cells that change the same options of a recipe, one."""
    found, seen = [], set()
    for name in table_names():
        for cell in read_table(table_file(name)).cells:
            options, stage = cell.spec.get('options') or {}, cell.spec.get('stage')
            kinds = sorted((name, str(value) if isinstance(value, dict) else '') for name, value in options.items())
            key = (cell.spec.get('recipe') or str(cell.spec.get('stages')), stage, *kinds)
            if not cell.runs or key in seen or not (options or cell.spec.get('stages')):
                continue
            seen.add(key)
            cfg = cell.recipe()
            changed = {name.split('.')[1] for name in options if name.startswith('stages.')}
            found += [stages.unfilled(cfg, each) for each in {*changed, stage or list(cfg.stages)[-1]}]
    return found


@pytest.fixture
def used():
    found = defaultdict(set)
    for cfg in [*map(read_stage, stage_keys()), *of_tables()]:
        note(cfg.to_dict(), found)
    return found


def test_every_option_has_a_use(used):
    classes = ours()
    takers = defaultdict(set)
    for name, kind in classes.items():
        for option in optional(kind):
            takers[option].add(name)
    idle = {f'{owner}.{name}' for (owner, name), kinds in takers.items() if not any(name in used[kind] for kind in kinds)}
    kept = [pattern for group in KEPT.values() for pattern in group.split()]
    left = {option for option in idle if not any(Path(option).match(pattern) for pattern in kept)}
    assert not left, f'{sorted(left)}: let a shipped recipe or a table of experiments set them, delete them, or say ' \
                     f'who does in KEPT'
    assert [pattern for pattern in kept if not any(Path(option).match(pattern) for option in idle)] == [], 'no longer idle'
