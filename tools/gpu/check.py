"""Runs the parts of a GPU check, each bounded in time, and writes one report; see tools/gpu_check.sh."""
from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Optional

HERE = Path(__file__).resolve().parent
# Part -> its items and the most seconds that it takes, imports included. Training takes the rest.
PARTS = {'correctness': (('peak', 'views', 'estep', 'losses'), 150),
         'speed': (('ProPos', 'ClusMatch', 'PICI', 'ASD', 'SPICE'), 180)}
LEAST = 20      # seconds that a training is worth starting for
TRAIN = dict(cuda=('propos_r18_cifar10', 'train_cfg.val_interval=5', 'default_hooks.checkpoint.interval=1'),
             tiny=('propos_cnn_digits', 'train_cfg.val_interval=1', 'default_hooks.checkpoint.interval=1'))


def finished(out: Path) -> dict[str, dict]:
    """Item -> its last result."""
    file = out / 'items.jsonl'
    lines = file.read_text(encoding='utf-8').splitlines() if file.exists() else []
    found: dict[str, dict] = {}
    for line in lines:
        try:
            item = json.loads(line)
        except ValueError:      # the end of a process that was stopped
            continue
        found[item.pop('item')] = item
    return found


def bounded(command: list[str], seconds: float, log: Path) -> Optional[int]:
    """Run a command; its exit code, or None if it was stopped as its time was up.

    Args:
        command: The command.
        seconds: Its time. It is asked to stop, and ended 10 seconds later, with all that it started.
        log: Where its output goes.
    """
    with open(log, 'a', encoding='utf-8') as file:
        run = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            return run.wait(max(seconds, 1))
        except subprocess.TimeoutExpired:
            for sign, patience in ((signal.SIGINT, 10), (signal.SIGKILL, None)):
                try:
                    os.killpg(run.pid, sign)
                    run.wait(patience)
                except (ProcessLookupError, subprocess.TimeoutExpired):
                    continue
            return None


def train(args: argparse.Namespace, seconds: float) -> dict[str, Any]:
    """Train in what time is left, or go on; the last evaluation.

    Args:
        args: Command line.
        seconds: Time that is left.
    """
    config, *options = TRAIN['tiny' if args.rehearse else 'cuda']
    if not args.rehearse and not Path(args.data).exists():
        return dict(ok=False, error=f'there is no {args.data}: give the folder of CIFAR-10 by --data')
    if seconds < LEAST and not args.rehearse:
        return dict(ok=False, error='no time was left: the same command again goes on here')
    places = [] if args.rehearse else [f'{loader}_dataloader.dataset.source.root={args.data}'
                                       for loader in ('train', 'val')]
    command = [sys.executable, str(HERE.parent / 'train.py'), config, '--amp', '--resume',
               '--work-dir', str(args.out / 'train'), *(['--epochs', '1'] if args.rehearse else []),
               '--cfg-options', *options, *places]
    begin = time.monotonic()
    code = bounded(command, seconds, args.out / 'log.txt')
    file = next((args.out / 'train').rglob('metrics.jsonl'), None)      # a recipe has a folder for each stage
    lines = file.read_text(encoding='utf-8').splitlines() if file else []
    last = json.loads(lines[-1]) if lines else {}
    ended = {None: 'time was up; the same command again goes on', 0: 'done'}.get(code, f'exit code {code}, see log.txt')
    return dict(ok=code in (0, None) and (bool(lines) or code is None), seconds=time.monotonic() - begin, ended=ended,
                **{key: value for key, value in last.items() if isinstance(value, (int, float))})


def spoken(value: Any) -> str:
    """A figure for the table."""
    return f'{value:.4g}' if isinstance(value, float) else str(value)


def write_report(args: argparse.Namespace, found: dict[str, dict], minutes: float) -> None:
    """Write report.json and report.md.

    Args:
        args: Command line.
        found: Item -> result.
        minutes: Since the start.
    """
    wanted = [item for items, _ in PARTS.values() for item in items] + ['train']
    top = found.get('peak', {}).get('tflops')
    for item in PARTS['speed'][0]:
        if top and 'tflops' in found.get(item, {}):
            found[item]['share_of_peak'] = found[item]['tflops'] / top
    missing = [item for item in wanted if item not in found]
    wrong = [item for item, result in found.items() if not result['ok']]
    facts = dict(device=args.device, rehearsal=args.rehearse, items=found, missing=missing, wrong=wrong)
    (args.out / 'report.json').write_text(json.dumps(facts, indent=1), encoding='utf-8')
    verdict = 'All is as it should be.' if not (missing or wrong) else ' '.join(filter(None, [
        f'Not as it should be: {", ".join(wrong)}.' if wrong else '',
        f'Not done: {", ".join(missing)}; the same command again does it.' if missing else '']))
    lines = [f'# GPU check{", a rehearsal" if args.rehearse else ""}', '', f'{verdict} {minutes:.1f} minutes on '
             f'{found.get("peak", {}).get("device", args.device)}.', '', '| item | ok | figures |', '|---|---|---|']
    for item in wanted:
        result = found.get(item, dict(ok='-'))
        figures = ', '.join(f'{key} {spoken(value)}' for key, value in result.items() if key != 'ok')
        lines.append(f'| {item} | {result["ok"]} | {figures} |')
    (args.out / 'report.md').write_text('\n'.join(lines) + '\n', encoding='utf-8')


def main(arguments: Optional[list[str]] = None) -> int:
    """Run the check; 0 if all is done and as it should be."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--out', type=Path, default=Path('gpu_check'))
    parser.add_argument('--data', default='data/cifar10', help='folder of CIFAR-10, as its config wants it')
    parser.add_argument('--minutes', type=float, default=10.)
    parser.add_argument('--device', default='cuda')
    parser.add_argument('--rehearse', action='store_true', help='tiny sizes')
    args = parser.parse_args(arguments)
    begin = time.monotonic()
    args.out.mkdir(parents=True, exist_ok=True)

    def left() -> float:
        """Seconds until the end, with some for the report."""
        return 60 * args.minutes - (time.monotonic() - begin) - 15

    for items, most in PARTS.values():
        known = finished(args.out)
        todo = [item for item in items if not known.get(item, {}).get('ok')]
        if todo and left() > 0:
            seconds = left() if args.rehearse else min(most, left())
            bounded([sys.executable, str(HERE / 'items.py'), str(args.out / 'items.jsonl'), *todo, '--device',
                     args.device, *(['--tiny'] if args.rehearse else [])], seconds, args.out / 'log.txt')
        write_report(args, finished(args.out), (time.monotonic() - begin) / 60)
    found = finished(args.out)
    found['train'] = train(args, left())
    write_report(args, found, (time.monotonic() - begin) / 60)
    print((args.out / 'report.md').read_text(encoding='utf-8'))
    report = json.loads((args.out / 'report.json').read_text(encoding='utf-8'))
    return int(bool(report['wrong'] or report['missing']))


if __name__ == '__main__':
    sys.exit(main())
