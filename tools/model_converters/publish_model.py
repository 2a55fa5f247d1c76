"""Publish what a recipe's runs came to: small weights with their digest, and the figures of all seeds, for the zoo.

    python tools/model_converters/publish_model.py NAME RUN [RUN ...] [--zoo zoo] [--half] [--license LICENSE]

NAME is a shipped recipe, each RUN the work dir of one seed. The weights are those of the first RUN: nothing is chosen
by figures. Its optimiser and what it keeps of every image are left out. The entry of the metafile gets the place of the
weights, digest, size and, of every metric of the last stage, mean, standard deviation and number of runs.
"""
from __future__ import annotations

import argparse
import hashlib
import io
import json
import statistics
from pathlib import Path

import torch
import yaml

from mmcluster.apis.zoo import last_stage, model_entry
from mmcluster.compat import load_checkpoint_file
from mmcluster.engine.resume import latest_checkpoint
from mmcluster.recipes import shipped_configs
from mmcluster.strict import BANK, state_dict_of

METRICS = ('acc', 'nmi', 'ari')


def small_state(state: dict[str, torch.Tensor], half: bool) -> dict[str, torch.Tensor]:
    """Weights without state of images; matrices and convolutions in half precision, vectors and statistics as they are.

    Args:
        state: Name -> tensor.
        half: Round what has two dimensions or more, except for the centres of clusters.
    """
    return {key: value.half() if half and value.dim() > 1 and value.dtype == torch.float32 and 'center' not in key
            else value.clone() for key, value in state.items() if not key.startswith(BANK)}


def write_weights(run: Path, folder: Path, name: str, half: bool) -> tuple[Path, str]:
    """Write the weights of a run; returns the file and its sha256, whose beginning is in the file's name.

    Args:
        run: Work dir of the stage.
        folder: Of the zoo.
        name: Of the recipe.
        half: See :func:`small_state`.
    """
    path = latest_checkpoint(str(run))
    if path is None:
        raise FileNotFoundError(f'{run} has no checkpoint: train the recipe to its end first')
    buffer = io.BytesIO()
    torch.save(dict(state_dict=small_state(state_dict_of(load_checkpoint_file(path)), half)), buffer)
    digest = hashlib.sha256(buffer.getvalue()).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob(f'{name}-????????.pth'):
        old.unlink()
    file = folder / f'{name}-{digest[:8]}.pth'
    file.write_bytes(buffer.getvalue())
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


def write_entry(name: str, fields: dict) -> Path:
    """Put fields into a model's entry of its metafile; returns the metafile."""
    for path in sorted(shipped_configs().glob('metafile_*.yml')):
        head, begin, rest = path.read_text(encoding='utf-8').partition('Models:\n')
        models = yaml.safe_load(begin + rest)['Models'] if begin else []
        entry = next((model for model in models if model['Name'] == name), None)
        if entry is not None:
            entry.update(fields)
            path.write_text(head + yaml.safe_dump(dict(Models=models), sort_keys=False), encoding='utf-8')
            return path
    raise ValueError(f'no metafile has a model {name!r}; run python tools/configs.py check first')


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('name', metavar='NAME')
    parser.add_argument('runs', metavar='RUN', nargs='+', type=Path)
    parser.add_argument('--zoo', type=Path, default=shipped_configs().parent / 'zoo', help='folder of the weights')
    parser.add_argument('--half', action='store_true', help='half precision where a matrix is stored')
    parser.add_argument('--license', default='Apache-2.0', help='of the weights')
    args = parser.parse_args()
    entry = model_entry(args.name)
    stage = last_stage(entry.config)
    runs = [run / stage if stage and (run / stage).is_dir() else run for run in args.runs]
    metrics, spread = figures(runs)
    file, digest = write_weights(runs[0], args.zoo, args.name, args.half)
    result = {'Task': 'Image Clustering', 'Dataset': ', '.join(entry.data), 'Metrics': metrics, 'Seeds': spread}
    path = write_entry(args.name, {'Weights': f'{args.zoo.name}/{file.name}', 'SHA256': digest,
                                   'Size': file.stat().st_size, 'License': args.license, 'Results': [result]})
    print(f'{file}: {file.stat().st_size / 1e6:.2f} MB, sha256 {digest}\n{path}: {metrics} {spread}\n'
          f'python tools/configs.py check brings the metafile into its form')


if __name__ == '__main__':
    main()
