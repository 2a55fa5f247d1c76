"""The check of a GPU, rehearsed on the CPU: what it measures, what it would punish, and that nothing runs on for ever."""
import importlib
import json
import sys
import time
from pathlib import Path

import pytest
import torch

FOLDER = Path(__file__).parents[2] / 'tools' / 'gpu'
CPU = torch.device('cpu')


@pytest.fixture
def tool(monkeypatch, engine):
    """name -> a file of the tool."""
    monkeypatch.syspath_prepend(str(FOLDER))
    yield importlib.import_module
    for name in ('items', 'models', 'check'):
        sys.modules.pop(name, None)


@pytest.fixture
def check(tool, tmp_path):
    """(arguments) -> exit code and report, with its folder."""
    module = tool('check')

    def run(*arguments):
        code = module.main(['--out', str(tmp_path / 'out'), '--device', 'cpu', *arguments])
        return code, json.loads((tmp_path / 'out' / 'report.json').read_text())

    run.module, run.out = module, tmp_path / 'out'
    return run


# ---- items

def test_a_device_like_the_host_passes(tool, monkeypatch):
    items = tool('items')
    monkeypatch.setattr(items, 'LOSSES', items.LOSSES[:2])
    monkeypatch.setattr(items, 'VIEWS', ('propos_cnn_digits',))
    for name in ('peak', 'losses', 'estep', 'views', 'ProPos'):
        found = items.ITEMS[name](CPU, True)
        assert found['ok'], (name, found)
    assert found['images_s'] > 0 and found['tflops'] > 0
    assert set(items.SPEEDS) == {'ProPos', 'ClusMatch', 'SPICE', 'ASD', 'PICI'}


@pytest.mark.parametrize('item', ['losses', 'estep', 'views'])
def test_a_device_that_computes_otherwise_is_seen(tool, monkeypatch, item):
    """The second of two equal computations, which is the device's, is spoiled."""
    items, calls = tool('items'), []

    def spoiled(function, change):
        def wrapped(*args, **kwargs):
            calls.append(1)
            out = function(*args, **kwargs)
            return change(out) if len(calls) % 2 == 0 else out
        return wrapped

    monkeypatch.setattr(items, 'LOSSES', items.LOSSES[:1])
    monkeypatch.setattr(items, 'VIEWS', ('propos_cnn_digits',))
    if item == 'losses':
        from mmcluster.models import clusterers
        monkeypatch.setattr(clusterers.ProPos, 'losses', spoiled(
            clusterers.ProPos.losses, lambda found: dict(found, loss_psa=1.01 * found['loss_psa'])))
    elif item == 'estep':
        monkeypatch.setattr(items, 'nearest', spoiled(
            items.nearest, lambda found: found._replace(index=found.index.roll(1, 0))))
    else:
        from mmcluster.models.preprocessor import ViewPreprocessor
        monkeypatch.setattr(ViewPreprocessor, 'forward', spoiled(ViewPreprocessor.forward, lambda out: dict(
            out, data_samples={name: batch._replace(views=[view + 0.1 for view in batch.views])
                               for name, batch in out['data_samples'].items()})))
    assert not items.ITEMS[item](CPU, True)['ok']


def test_random_numbers_of_a_device_are_the_hosts(tool):
    items = tool('items')
    drawn = []
    for _ in range(2):
        torch.manual_seed(3)
        with items.HostDraws():
            like = torch.zeros(2)
            drawn.append([torch.rand(3, device='cpu'), torch.randn_like(like), torch.randperm(4, device='cpu').float()])
    assert all(torch.equal(*pair) for pair in zip(*drawn))
    with items.HostDraws():
        assert torch.rand(2, device='meta').device.type == 'meta' and torch.rand(2).device.type == 'cpu'


def test_an_item_that_fails_is_told_and_the_next_one_runs(tool, tmp_path, monkeypatch):
    items = tool('items')

    def fail(device, tiny):
        raise RuntimeError('out of memory\nmore')

    monkeypatch.setattr(items, 'ITEMS', dict(bad=fail, good=lambda device, tiny: dict(ok=True, figure=2.)))
    monkeypatch.setattr(sys, 'argv', ['items', str(tmp_path / 'x'), 'bad', 'good', '--device', 'cpu'])
    items.main()
    bad, good = map(json.loads, (tmp_path / 'x').read_text().split('\n\n'))
    assert bad['error'] == 'RuntimeError: out of memory' and not bad['ok'] and good['figure'] == 2


# ---- the driver

def test_a_part_is_stopped_when_its_time_is_up(check):
    check.out.mkdir()
    begin = time.monotonic()
    sleeps = [sys.executable, '-c', 'import subprocess, sys; subprocess.run([sys.executable, "-c", "import time; time.sleep(60)"])']
    assert check.module.bounded(sleeps, 1, check.out / 'log') is None and time.monotonic() - begin < 20
    assert check.module.bounded([sys.executable, '-c', 'raise SystemExit(3)'], 20, check.out / 'log') == 3


def test_the_report_says_what_is_wrong_and_the_same_command_goes_on(check, monkeypatch):
    commands, results = [], dict(losses=False)

    def bounded(command, seconds, log):
        """Does all items but one; the training leaves a figure."""
        commands.append(command)
        if command[1].endswith('items.py'):
            with open(command[2], 'a') as file:
                for item in command[3:command.index('--device')]:
                    if results.get(item, True) is not None:
                        found = dict(item=item, seconds=1., ok=results.get(item, True), tflops=4.)
                        file.write(f'\n{json.dumps(found)}\n')
                file.write('{"item": "cut o')
            return 0
        (check.out / 'train' / 'propos').mkdir(parents=True, exist_ok=True)
        (check.out / 'train' / 'propos' / 'metrics.jsonl').write_text('{"epoch": 1, "kmeans/ACC": 0.5}\n')
        return None

    monkeypatch.setattr(check.module, 'bounded', bounded)
    results.update(ASD=None)
    code, report = check('--rehearse')
    assert code == 1 and report['wrong'] == ['losses'] and report['missing'] == ['ASD'] and report['rehearsal']
    assert report['items']['ProPos']['share_of_peak'] == 1 and report['items']['train']['kmeans/ACC'] == 0.5
    text = (check.out / 'report.md').read_text()
    assert 'Not as it should be: losses. Not done: ASD; the same command again does it.' in text
    assert 'time was up; the same command again goes on' in text
    del commands[:]
    results.clear()
    code, report = check('--rehearse')
    assert [command[3:command.index('--device')] for command in commands[:2]] == [['losses'], ['ASD']]
    assert code == 0 and not report['wrong'] and 'All is as it should be.' in (check.out / 'report.md').read_text()


def test_without_data_or_time_no_training_starts(check, monkeypatch, tmp_path):
    monkeypatch.setattr(check.module, 'bounded', lambda command, seconds, log: pytest.fail(str(command))
                        if 'train.py' in str(command) else 0)
    _, report = check('--data', str(tmp_path / 'none'))
    assert report['items']['train']['error'].startswith('there is no ')
    _, report = check('--data', str(tmp_path), '--minutes', '0.3')
    assert 'no time was left' in report['items']['train']['error']
