"""What every config resolved to before configs were composed, and which differences were meant.

``tests/data/golden_configs.json.xz`` holds 253 stages as JSON, keyed ``config`` or ``recipe/stage``. A stage that has
another name today stands in ``RENAMED``. A difference is meant if an entry of ``CHANGES`` covers it.
"""
from __future__ import annotations

import json
import lzma
import re
from typing import Any, Iterator

from mmengine.config import Config
from reduced import ROOT

from mmcluster.recipes.known_names import SETTINGS

FILE = ROOT / 'tests' / 'data' / 'golden_configs.json.xz'
HOSTED = ('cnn_digits', 'r18_cifar10', 'r18_cifar20', 'r18_stl10')
# old key -> today's recipe/stage; a config of one stage without an entry is the only stage of its recipe.
RENAMED: dict[str, str] = {
    'clusmatch_cc_cnn_sign_digits': 'cc_clusmatch_cnn_sign_digits/clusmatch',
    'clusmatch_cc_r34_cifar10': 'cc_clusmatch_r34_cifar10/clusmatch',
    'clusmatch_pici_vit_small_uc_merced': 'pici_clusmatch_vit_small_uc_merced/clusmatch',
    'fixmatch_cc_cnn_sign_digits': 'cc_fixmatch_cnn_sign_digits/fixmatch',
    'fixmatch_cc_r34_cifar10': 'cc_fixmatch_r34_cifar10/fixmatch',
    'fixmatch_pici_vit_small_uc_merced': 'pici_fixmatch_vit_small_uc_merced/fixmatch',
    'asd_given_freematch_wrn28_2_svhn_40': 'asd_freematch_wrn28_2_svhn/given',
    'asd_on_freematch_wrn28_2_svhn': 'asd_freematch_wrn28_2_svhn/asd',
    **{f'asd_on_{host}_{data}': f'{host}_asd_{data}/asd' for host in ('scan', 'spice') for data in HOSTED},
    **{f'{booster}_{data}': f'scan_{booster}_{data}/{booster}' for booster in ('ruc', 'ruc_asd') for data in HOSTED},
    'clusmatch_cnn_digits': 'propos_clusmatch_cnn_digits/clusmatch',
    'clusmatch_gcc_r18_folder64': 'propos_clusmatch_r18stl_folder64/clusmatch',
    'clusmatch_r18_cifar10': 'propos_clusmatch_r18_cifar10/clusmatch',
    'clusmatch_r18_cifar10_paper': 'propos_clusmatch_r18_cifar10_paper/clusmatch',
    'clusmatch_r18_cifar20': 'propos_clusmatch_r18_cifar20/clusmatch',
    'propos_clusmatch_gcc_r18_folder64/clusmatch': 'propos_clusmatch_r18stl_folder64/clusmatch',
    'propos_clusmatch_gcc_r18_folder64/propos': 'propos_clusmatch_r18stl_folder64/propos',
    'propos_gcc_r18_folder64': 'propos_clusmatch_r18stl_folder64/propos',
    'scan_cluster_cnn_digits': 'scan_cnn_digits/scan_cluster',
    'scan_cluster_r18_cifar10': 'scan_r18_cifar10/scan_cluster',
    'scan_cluster_r18_cifar20': 'scan_r18_cifar20/scan_cluster',
    'scan_cluster_r18_stl10': 'scan_r18_stl10/scan_cluster',
    'scan_selflabel_cnn_digits': 'scan_cnn_digits/scan_selflabel',
    'scan_selflabel_r18_cifar10': 'scan_r18_cifar10/scan_selflabel',
    'scan_selflabel_r18_cifar20': 'scan_r18_cifar20/scan_selflabel',
    'scan_selflabel_r18_stl10': 'scan_r18_stl10/scan_selflabel',
    'spice_self_cnn_digits': 'spice_cnn_digits/spice_self',
    'spice_self_r18_cifar10': 'spice_r18_cifar10/spice_self',
    'spice_self_r18_cifar20': 'spice_r18_cifar20/spice_self',
    'spice_self_r18_stl10': 'spice_r18_stl10/spice_self',
    'spice_joint_cnn_digits': 'spice_cnn_digits/spice_joint',
    'spice_joint_r18_cifar10': 'spice_r18_cifar10/spice_joint',
    'spice_joint_r18_cifar20': 'spice_r18_cifar20/spice_joint',
    'spice_joint_r18_stl10': 'spice_r18_stl10/spice_joint',
}
# (old keys, places, why): regular expressions that match as a whole.
CHANGES: list[tuple[str, str, str]] = [
    (r'.*_digits.*', r'model\.data_preprocessor\.views\..*\.shear\.0: -([\d.]+) -> \1',
     'the largest shear, whose sign said nothing'),
    (r'asd_.*_r18_cifar20', r'model\.data_preprocessor\.(mean|std)\.\d',
     'the numbers of the data set, not rounded ones'),
    (r'.*asd.*_(r18|wrn28_2|vit)_.*', r'model\.labeller\.window', 'the default is said; a test holds the paper\'s'),
    (r'asd_.*svhn.*', r'model\.data_preprocessor\.views\..*\.flip_prob', '0 is the default'),
    (r'asd_(given_)?freematch_.*svhn(_40|/given)', r'find_unused_parameters', 'False is the default'),
    (r'asd_(on_)?freematch_.*svhn(/asd)?', r'model\.labeller\.given|(val|test)_evaluator\.top1|.*labelled\.pool',
     'the defaults'),
    (r'asd_ps_.*_cnn_digits(/asd)?', r'custom_hooks\.0\.selector\.n_init', '1 is the default'),
    (r'asd_ps_.*_vit_.*', r'model\.backbone\.init_cfg\.checkpoint', 'a fact names the file'),
    (r'asd_ps_clusmatch_cnn_digits/clusmatch', r'model\.base\.(labeller\.reg|pseudo_label_loss\.decay)',
     'a derived base says all that its own stage says'),
    (r'moco_asd_.*', r'model\.backbone', 'a part of the base was left out by None'),
    (r'(scan_ruc_.*/)?ruc(_.*)?', r'(model\.base|custom_hooks\.0\.network)\.(bank|pseudo_label_loss)',
     'a derived base says all that its own stage says'),
    (r'(scan_ruc_.*/)?ruc(_.*)?', r'custom_hooks\.0\.embed\.network\.temperature', 'as the stage says it'),
    (r'.*asd.*', r'model\.base\.(entropy_weight|center_ratio)', 'a derived base says all that its own stage says'),
    (r'.*', r'model\.(psl_weight|sigma|proto_weight)', 'the schedule says it'),
    (r'byol.*', r'model\.decay', 'the schedule says it'),
    (r'.*', r'model\.base\.(decay|psl_weight|sigma|temperature|ema_before_forward|joint_views)',
     'a derived base says all that its own stage says'),
    (r'(propos_)?clusmatch_r18_cifar20(/clusmatch)?', r'model\.data_preprocessor\.(mean|std)\.\d',
     'the booster normalised by rounded numbers, its base by exact ones'),
    (r'propos_r34_imagenet_dogs224', r'model\.data_preprocessor\.views', 'None is the default'),
    (r'.*jpeg_short/propos', r'custom_hooks\.[01]\.steps', 'a warm-up of no epochs; the last step of an epoch counts'),
    (r'spice.*r(18|34)_cifar20.*joint|spice_joint_r18_cifar20', r'model\.data_preprocessor\.(mean|std)\.\d',
     'the joint stage normalised by rounded numbers'),
    (r'(spice|scan).*', r'custom_hooks\.0\.network\.(temperature|center_ratio|entropy_weight)',
     'a network that is only asked says all that its own stage says'),
    (r'scan.*selflabel.*', r'model\.base\.entropy_weight', 'a derived base says all that its own stage says'),
    (r'spice.*joint.*', r'custom_hooks\.0\.selector\.(k|ratio|threshold)', 'the default of the selector'),
    (r'(moco|spice(_asd)?)_cnn_digits(/moco)?', r'param_scheduler\.warmup_epochs', 'none is the default'),
    (r'spice_(self_|asd_)?cnn_digits(/spice_self)?', r'optim_wrapper\.constructor',
     'without options it makes one group of what trains'),
    (r'cc_r34_imagenet.*', r'model\.data_preprocessor\.(views|test)', 'nothing is the default'),
    (r'cc_r34_imagenet.*', r'train_dataloader\.dataset\.pipelines\.batch\.\d\.1\.p', 'one half is the default'),
    (r'(clusmatch|fixmatch)_(cc|pici)_.*|(cc|pici)_.*/(clusmatch|fixmatch)', r'model\.head', 'None is the default'),
    (r'.*(sign_digits|svhn).*', r'model\.data_preprocessor\.views\.((un)?labelled\.)?\d\.[01]\.flip_prob',
     'the data set says that it is never mirrored, which is the default'),
    (r'.*cc_.*sign_digits(/.*match)?', r'model\.base\.channels_last', 'a derived base says all that its own stage says'),
    (r'.*', r'custom_hooks\.\d+\.(selector\.)*num_clusters|(val|test)_evaluator\.(\d\.)?num_clusters',
     'the model says how many clusters there are'),
    (r'.*', r'(model|model\.base|custom_hooks\.0\.network)\.pseudo_label_loss\.(num_clusters|in_channels)', 'the head says them'),
    (r'.*', r'(model|model\.base|custom_hooks\.\d\.network)\.(head\.)+in_channels',
     'the neck says it, or else the backbone'),
    (r'.*asd.*', r'(model|model\.base)\.labeller\.(num_clusters|in_channels)', 'the head says them'),
    (r'.*jpeg.*', r'(train|val|test)_dataloader\.dataset\.size', 'the size that all have is said'),
    (r'.*digits.*', r'auto_scale_lr', 'the schedule says for which batch its rate is meant'),
]


def golden() -> dict[str, Any]:
    """``settings``: old key -> settings; ``streams``: old key -> names of its streams, whose order numbers the draws."""
    return json.loads(lzma.decompress(FILE.read_bytes()))


def today(cfg: Config) -> dict[str, Any]:
    """Settings of a stage, as JSON has them."""
    return plain({name: value for name, value in cfg._cfg_dict.to_dict().items()
                  if name in SETTINGS and name != 'work_dir'})


def plain(value: Any) -> Any:
    """Nested dicts and lists; tuples become lists, as in JSON."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def differences(old: Any, new: Any, where: str = '') -> Iterator[str]:
    """``place: old -> new`` of every leaf in which two nested values differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            place = f'{where}.{key}'.lstrip('.')
            if key in old and key in new:
                yield from differences(old[key], new[key], place)
            else:
                yield f'{place}: {old.get(key, "nothing")} -> {new.get(key, "nothing")}'
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for i, (first, second) in enumerate(zip(old, new)):
            yield from differences(first, second, f'{where}.{i}')
    elif old != new:
        yield f'{where}: {old} -> {new}'


def not_meant(key: str, found: list[str]) -> list[str]:
    """Differences that no entry of ``CHANGES`` covers, which names a place, or a place and both values."""
    places = [place for keys, place, _ in CHANGES if re.fullmatch(keys, key)]
    return [line for line in found if not any(re.fullmatch(place, text) for place in places for text in (line, line.split(': ')[0]))]
