"""Publish what a recipe's runs came to: small weights with their digest, and the figures of all seeds, for the zoo.

    python tools/model_converters/publish_model.py NAME RUN [RUN ...] [--half] [--license LICENSE]

NAME is a shipped recipe, each RUN the work dir of one seed. The weights are those of the first RUN: nothing is chosen
by figures. Its optimiser and what it keeps of every image are left out. The entry of the metafile gets the place of the
weights, digest, size and, of every metric of the last stage, mean, standard deviation and number of runs. With a folder
in MMCLUSTER_ZOO all goes there, and NAME may be a recipe NAME.py of that folder.
"""
from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import statistics
import sys
from pathlib import Path
from typing import Any, Optional

import torch
import yaml

from mmcluster.apis.weights import ZOO, is_address
from mmcluster.apis.zoo import last_stage
from mmcluster.compat import load_checkpoint_file
from mmcluster.evaluation.results import write_text
from mmcluster.recipes import config_file, read_config, shipped_configs
from mmcluster.recipes.changes import comparable, differences
from mmcluster.recipes.records import BUILT_ON, DONE, read_record
from mmcluster.recipes.stages import stage_config
from mmcluster.strict import BANK, state_dict_of
from mmcluster.writing import whole_file

METRICS = ('acc', 'nmi', 'ari')


def small_state(state: dict[str, torch.Tensor], half: bool) -> dict[str, torch.Tensor]:
    """Weights without state of images; matrices and convolutions in half precision, vectors and statistics as they are.

    Args:
        state: Name -> tensor.
        half: Round what has two dimensions or more, except for the centres of clusters.
    """
    return {key: value.half() if half and value.dim() > 1 and value.dtype == torch.float32 and 'center' not in key
            else value.clone() for key, value in state.items() if not key.startswith(BANK)}


def record_of(run: Path) -> dict[str, Any]:
    """What a run that is done says of itself; ``checkpoint`` is its last one.

    Args:
        run: Work dir of the stage.

    Raises:
        FileNotFoundError: If it is not done, or the checkpoint is gone.
    """
    record = read_record(str(run), DONE)
    if record is None or not (run / record['checkpoint']).is_file():
        raise FileNotFoundError(f'{run} holds no run that is done ({DONE} and the checkpoint that it names): train the '
                                f'recipe to its end first')
    return record


def check_config(run: Path, file: Path, stage: Optional[str], allowed: bool = False) -> None:
    """Refuse a run of another config than that of the recipe under whose name it is published.

    Seeds differ, the size of the data is not in a recipe, and earlier stages may lie anywhere.

    Args:
        run: Work dir of the stage.
        file: Of the recipe.
        stage: Its last one, ``None`` of a plain config.
        allowed: Only say what differs.

    Raises:
        ValueError: If an entry differs; the message names it.
    """
    root = os.path.abspath(run.parent if stage else run)
    cfg = read_config(file)
    cfg.work_dir = root
    new = comparable(stage_config(cfg, stage, {}) if stage else cfg, root)
    old = {key: value for key, value in record_of(run)['config'].items() if key != BUILT_ON}
    for value in (old, new):
        (value.get('randomness') or {}).pop('seed', None)
        for key in ('num_samples', 'fingerprint') if value['model'].get('bank') else ():
            value['model']['bank'].pop(key, None)
    earlier = [f"'{{{name}}}'" for name in cfg.get('stages') or ()]
    lines = [line for line in differences(old, new) if not line.endswith(tuple(earlier))]
    if not lines:
        return
    text = f'{run} was trained with another config than {file}:\n  ' + '\n  '.join(lines[:20])
    if not allowed:
        raise ValueError(f'{text}\nPublish it as a recipe of its own, or, if these are switches that the page of the '
                         f'model states, such as --amp, add --allow-config-change')
    print(text, file=sys.stderr)


def write_weights(run: Path, folder: Path, name: str, half: bool) -> tuple[Path, str]:
    """Write the weights of a run; returns the file and its sha256, whose beginning is in the file's name.

    Args:
        run: Work dir of the stage.
        folder: Of the zoo.
        name: Of the recipe.
        half: See :func:`small_state`.
    """
    path = run / record_of(run)['checkpoint']
    buffer = io.BytesIO()
    torch.save(dict(state_dict=small_state(state_dict_of(load_checkpoint_file(str(path))), half)), buffer)
    digest = hashlib.sha256(buffer.getvalue()).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f'{name}-{digest[:8]}.pth'
    with whole_file(file) as stream:
        stream.write(buffer.getvalue())
    for old in folder.glob(f'{name}-????????.pth'):
        if old != file:
            old.unlink()
    return file, digest


def figures(runs: list[Path]) -> tuple[dict[str, float], dict[str, str]]:
    """Metric -> its value in the first run, and metric -> mean, deviation and number of runs as text.

    Args:
        runs: Work dirs of the last stage, one a seed.
    """
    found = [json.loads((run / 'summary.json').read_text(encoding='utf-8')) for run in runs]
    if len({summary['seed'] for summary in found}) < len(found):
        raise ValueError(f'the runs {[str(run) for run in runs]} have seeds {[summary["seed"] for summary in found]}: '
                         f'give one run a seed')
    first = {key: round(value, 4) for key, value in found[0]['metrics'].items() if key.split('/')[-1] in METRICS}
    runs_of = {key: [summary['metrics'][key] for summary in found] for key in first}
    spread = {key: f'{statistics.mean(values):.4f} +- {statistics.stdev(values):.4f}, n={len(values)}'
              for key, values in runs_of.items() if len(values) > 1}
    return first, spread


def home_of(zoo: Optional[Path]) -> tuple[Path, bool]:
    """Folder of the weights, and whether it is a zoo of one's own, with metafiles in it.

    Args:
        zoo: What the command line says.

    Raises:
        ValueError: If it is neither the package's nor that of ``MMCLUSTER_ZOO``: no metafile would lead to it.
    """
    shipped, place = shipped_configs().parent / 'zoo', os.environ.get(ZOO, '')
    own = Path(place).expanduser() if place and not is_address(place) else None
    folder = zoo or own or shipped
    if folder.resolve() not in [each.resolve() for each in (shipped, own) if each is not None]:
        raise ValueError(f'--zoo {folder} is neither {shipped} nor the folder of the variable {ZOO}: set '
                         f'that to it, by which its models are found')
    return folder, folder.resolve() != shipped.resolve()


def entry_of(name: str, metafiles: list[Path]) -> tuple[Optional[Path], dict[str, Any]]:
    """The metafile that has a model, and its entry; ``None`` and an empty one if none has."""
    for path in metafiles:
        for model in (yaml.safe_load(path.read_text(encoding='utf-8')) or {}).get('Models') or ():
            if model['Name'] == name:
                return path, model
    return None, {}


def with_entry(text: str, entry: dict[str, Any]) -> str:
    """The text of a metafile in which a model has another entry; a new one comes last, all else stays as it is.

    Args:
        text: Of the metafile.
        entry: Of the model.
    """
    root = yaml.compose(text)
    pairs = {key.value: value for key, value in root.value} if root is not None else {}
    lines, models = text.splitlines(), pairs['Models'].value if pairs.get('Models') is not None else []
    column = models[0].start_mark.column if models else 4
    dumped = yaml.safe_dump(entry, sort_keys=False, allow_unicode=True).splitlines()
    block = [f'{" " * (column - 2)}- {dumped[0]}', *(' ' * column + line for line in dumped[1:])]
    if not models:
        return '\n'.join([*lines, 'Models:', *block, ''])
    old = next((model for model in models if entry['Name'] in [value.value for key, value in model.value
                                                               if key.value == 'Name']), None)
    begin = models[-1].end_mark.line if old is None else old.start_mark.line
    end = begin if old is None else old.end_mark.line + bool(old.end_mark.column > column)
    while end > begin and not lines[end - 1].strip():
        end -= 1
    return '\n'.join([*lines[:begin], *block, *lines[end:], ''])


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('name', metavar='NAME')
    parser.add_argument('runs', metavar='RUN', nargs='+', type=Path)
    parser.add_argument('--zoo', type=Path, help=f'folder of the weights: that of {ZOO}, or else the package\'s')
    parser.add_argument('--half', action='store_true', help='half precision where a matrix is stored')
    parser.add_argument('--license', default='Apache-2.0', help='of the weights')
    parser.add_argument('--allow-config-change', action='store_true', help='also runs of other settings; names them')
    try:
        publish(parser.parse_args())
    except (FileNotFoundError, ValueError) as error:
        parser.error(str(error))


def publish(args: argparse.Namespace) -> None:
    """Check runs, recipe and zoo, then write weights and entry."""
    folder, own = home_of(args.zoo)
    if Path(args.name).name != args.name or args.name.endswith('.py'):
        raise ValueError(f'{args.name} is a path: give the name of a shipped recipe, or let yours lie in the folder '
                         f'of {ZOO}, its parts beside it')
    path, entry = entry_of(args.name, sorted(folder.glob('*.yml') if own else shipped_configs().glob('metafile_*.yml')))
    beside = folder / (entry.get('Config') or f'{args.name}.py')
    file = beside if own and beside.is_file() else config_file(Path(entry.get('Config', args.name)).stem)
    if path is None and not own:
        raise ValueError(f'no metafile has a model {args.name!r}; run python tools/configs.py check first')
    path = path or folder / 'metafile.yml'
    stage = last_stage(file)
    runs = [run / stage if stage and (run / stage).is_dir() else run for run in args.runs]
    for run in runs:
        check_config(run, file, stage, args.allow_config_change)
    metrics, spread = figures(runs)
    if not entry:
        entry = new_entry(args.name, file, folder)
    weights, digest = write_weights(runs[0], folder, args.name, args.half)
    data = entry.get('Metadata', {}).get('Training Data', '')
    result = {'Task': 'Image Clustering', 'Dataset': ', '.join([data] if isinstance(data, str) else data),
              'Metrics': metrics, 'Seeds': spread}
    entry.update({'Weights': weights.name if own else f'{folder.name}/{weights.name}', 'SHA256': digest,
                  'Size': weights.stat().st_size, 'License': args.license, 'Results': [result]})
    write_text(str(path), with_entry(path.read_text(encoding='utf-8') if path.is_file() else '', entry))
    print(f'{weights}: {weights.stat().st_size / 1e6:.2f} MB, sha256 {digest}\n{path}: {metrics} {spread}')
    if not own:
        print('python tools/configs.py check brings the metafile into its form')


def new_entry(name: str, file: Path, folder: Path) -> dict[str, Any]:
    """Entry of a model that no metafile of one's own has: the package's if it is shipped, else by its recipe."""
    _, shipped = entry_of(name, sorted(shipped_configs().glob('metafile_*.yml')))
    if shipped:
        return {key: shipped[key] for key in ('Name', 'In Collection', 'Metadata', 'Config') if key in shipped}
    cfg = read_config(file)
    method = list(cfg.stages)[-1] if cfg.get('stages') else cfg.model.type
    data = str(cfg.get('data') or 'images of one\'s own').rpartition('/')[2]
    return {'Name': name, 'In Collection': method, 'Metadata': {'Training Data': data},
            'Config': os.path.relpath(file, folder)}


if __name__ == '__main__':
    main()
