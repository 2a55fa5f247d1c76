"""Reading a file never runs code unless asked to, and what does not fit a model is refused."""
import os
import pickle
import re

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.model import BaseModule, Sequential
from mmengine.registry import DefaultScope
from mmengine.runner import CheckpointLoader, Runner
from mmengine.runner.checkpoint import _load_checkpoint
from reduced import differences
from test_engine.toy import toy_cfg
from torch import nn

from mmcluster import compat
from mmcluster.compat import allow_pickle, load_checkpoint_file
from mmcluster.strict import state_dict_problems


class Malicious:
    """Unpickling it makes a folder."""

    def __init__(self, marker):
        self.marker = str(marker)

    def __reduce__(self):
        return os.mkdir, (self.marker,)


@pytest.fixture
def trap(tmp_path):
    """A checkpoint that makes a folder when it is unpickled, and that folder."""
    marker = tmp_path / 'code_ran'
    torch.save(dict(state_dict=dict(weight=torch.ones(2)), meta=Malicious(marker)), tmp_path / 'trap.pth')
    return str(tmp_path / 'trap.pth'), marker


@pytest.mark.parametrize('read', [load_checkpoint_file, compat.load_from_local, CheckpointLoader.load_checkpoint,
                                  _load_checkpoint])
def test_code_in_a_file_does_not_run(trap, read):
    path, marker = trap
    with pytest.raises(pickle.UnpicklingError, match=r"trap\.pth.*(posix|nt)\.mkdir.*--allow-pickle"):
        read(path)
    assert not marker.exists()


@pytest.mark.parametrize('door', [dict(resume=True), dict(resume=False), dict(init_cfg=True)])
def test_no_door_of_the_runner_runs_code(trap, door, tmp_path):
    path, marker = trap
    cfg = toy_cfg(tmp_path / 'run')
    if 'init_cfg' in door:
        cfg.model.init_cfg = dict(type='Pretrained', checkpoint=path)
    else:
        cfg.update(load_from=path, **door)
    with pytest.raises(pickle.UnpicklingError, match='--allow-pickle'):
        Runner(**cfg).train()
    assert not marker.exists()


def test_text_of_a_checkpoint_is_never_executed(tmp_path):
    """mmengine's resume compares, and its inferencers build, configs by executing their text."""
    cfg, marker = toy_cfg(tmp_path / 'run'), tmp_path / 'code_ran'
    Runner(**cfg).train()
    checkpoint = torch.load(tmp_path / 'run' / 'epoch_2.pth', weights_only=True)
    text = f"x = __import__('os').mkdir({str(marker)!r})"
    checkpoint['meta'].update(config=text, cfg=text)
    checkpoint['message_hub']['runtime_info'].update(cfg=text, config=text)
    path = str(tmp_path / 'trap.pth')
    torch.save(checkpoint, path)
    runner = Runner(**{**cfg, 'resume': True, 'load_from': path, 'train_cfg': dict(by_epoch=True, max_epochs=3),
                       'work_dir': str(tmp_path / 'on'), 'experiment_name': 'trapped'})
    runner.train()
    assert runner.epoch == 3 and not marker.exists()
    assert text not in (runner.message_hub.get_info('cfg'), runner.message_hub.get_info('config'))
    for read in (CheckpointLoader.load_checkpoint, lambda path: load_checkpoint_file(path, allow_pickle=True)):
        assert 'mkdir' not in repr({**read(path), 'state_dict': None})


def test_a_bare_pickle_is_refused_too(tmp_path):
    (tmp_path / 'bare.pkl').write_bytes(pickle.dumps(Malicious(tmp_path / 'code_ran'), protocol=4))
    with pytest.raises(pickle.UnpicklingError, match='allow-pickle'):
        load_checkpoint_file(str(tmp_path / 'bare.pkl'))
    assert not (tmp_path / 'code_ran').exists()


def test_the_opt_in_reads_the_file_and_ends(trap):
    path, marker = trap
    with allow_pickle(False), pytest.raises(pickle.UnpicklingError):
        CheckpointLoader.load_checkpoint(path)
    with allow_pickle():
        with allow_pickle(False):  # an inner flag that is off takes nothing away
            CheckpointLoader.load_checkpoint(path)
    assert marker.exists()
    marker.rmdir()
    with pytest.raises(pickle.UnpicklingError):
        CheckpointLoader.load_checkpoint(path)
    load_checkpoint_file(path, allow_pickle=True)
    assert marker.exists()


def test_foreign_values_are_named(tmp_path):
    path = str(tmp_path / 'history.pth')
    torch.save(dict(hub=HistoryBuffer([1.], [1]), scale=np.float64(2)), path)
    with pytest.raises(pickle.UnpicklingError, match='HistoryBuffer'):
        load_checkpoint_file(path)
    assert load_checkpoint_file(path, allow_pickle=True)['hub'].current() == 1


@pytest.mark.parametrize('content', [b'', b'no checkpoint at all', b'PK\x03\x04 half a zip'])
def test_no_checkpoint_is_told_from_a_refused_one(tmp_path, content):
    (tmp_path / 'x.pth').write_bytes(content)
    with pytest.raises(RuntimeError, match=r'x\.pth.*bytes.*truncated'):
        load_checkpoint_file(str(tmp_path / 'x.pth'))


@pytest.mark.parametrize('zipped', [True, False])
def test_a_truncated_file_is_named(tmp_path, zipped):
    path = tmp_path / 'whole.pth'
    torch.save(dict(weight=torch.arange(100.)), path, _use_new_zipfile_serialization=zipped)
    assert load_checkpoint_file(str(path))['weight'].sum() == 4950
    for share in (0.3, 0.6, 0.9):
        (tmp_path / 'half.pth').write_bytes(path.read_bytes()[:int(share * path.stat().st_size)])
        with pytest.raises(RuntimeError, match=r'half\.pth.*truncated'):
            load_checkpoint_file(str(tmp_path / 'half.pth'))


def test_a_flipped_bit_is_noticed(tmp_path):
    """Each of 300 files with one flipped bit is refused, or holds what was saved; and each with one in the entry of a
    record, as a bit there can make torch take the record for a folder, and zeros for its values."""
    path, other = tmp_path / 'epoch_2.pth', tmp_path / 'epoch_1.pth'
    generator = torch.Generator().manual_seed(0)
    saved = dict(meta=dict(epoch=2, note='some text'), state_dict={f'layer{i}': torch.randn(
        8, 16, generator=generator) for i in range(12)})
    torch.save(saved, path)
    other.touch()
    whole, refused = path.read_bytes(), 0
    entry = 8 * whole.rindex(b'PK\x01\x02', 0, whole.rindex(b'/data/11'))   # 46 bytes, then the name
    for bit in [*np.random.default_rng(0).choice(8 * len(whole), 300, replace=False), *range(entry, entry + 8 * 46)]:
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        try:
            assert differences(saved, load_checkpoint_file(str(path))) == []
        except RuntimeError as error:
            assert re.search(r'epoch_2\.pth.*damaged.*go on from epoch_1\.pth.*last_checkpoint', str(error))
            refused += 1
    assert refused > 150, 'most of the bits are values'


def test_a_file_without_checksums_is_read_with_a_warning(tmp_path, monkeypatch):
    told = []
    monkeypatch.setattr(compat, 'print_log', lambda text, **_: told.append(text))
    for zipped in (True, False):
        path = str(tmp_path / f'{zipped}.pth')
        torch.save(dict(weight=torch.ones(2)), path, _use_new_zipfile_serialization=zipped)
        load_checkpoint_file(path)
    assert len(told) == 1 and 'False.pth has no checksums' in told[0]


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no checkpoint at .*gone\.pth"):
        CheckpointLoader.load_checkpoint(str(tmp_path / 'gone.pth'))


def test_downloads_are_read_safely(trap, monkeypatch, tmp_path):
    path, marker = trap
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path / 'hub'))
    monkeypatch.setattr(torch.hub, 'download_url_to_file',
                        lambda url, to, **_: open(to, 'wb').write(open(path, 'rb').read()))
    for address in ('https://example.org/trap.pth', 'http://example.org/trap.pth?x=1'):
        with pytest.raises(pickle.UnpicklingError):
            CheckpointLoader.load_checkpoint(address)
    for address in ('openmmlab://resnet50', 'mmcls://resnet50', 's3://bucket/a.pth', 'pavi://a'):
        with pytest.raises(pickle.UnpicklingError, match='Download the file'):
            CheckpointLoader.load_checkpoint(address)
    assert not marker.exists()


def test_files_of_one_name_and_two_addresses_are_two(monkeypatch, tmp_path):
    fetched = []
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path))
    monkeypatch.setattr(torch.hub, 'download_url_to_file', lambda url, to, **_: (
        fetched.append(url), torch.save(dict(source=url), to)))
    for address in ('https://a.org/model.pth', 'https://b.org/model.pth', 'https://a.org/model.pth?version=2') * 2:
        assert CheckpointLoader.load_checkpoint(address)['source'] == address
    assert len(fetched) == 3


@pytest.fixture
def pair(tmp_path):
    """A trained pair of layers, and the path of its checkpoint."""
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    for tensor in net.state_dict().values():
        tensor.copy_(torch.arange(tensor.numel()).view(tensor.shape) + 1)
    torch.save(dict(meta={}, state_dict=net.state_dict()), tmp_path / 'pair.pth')
    return net, str(tmp_path / 'pair.pth')


def pretrained(width=4, layers=1, **init_cfg):
    """The same layers, more or less, initialised from a checkpoint in our scope."""
    net = Sequential(nn.Linear(3, width), *[nn.BatchNorm1d(width) for _ in range(layers)],
                     init_cfg=dict(type='Pretrained', **init_cfg))
    with DefaultScope.overwrite_default_scope('mmcluster'):
        net.init_weights()
    return net


def equal(a, b):
    return all(torch.equal(a.state_dict()[name], b.state_dict()[name]) for name in b.state_dict())


def test_pretrained_loads_what_fits(pair):
    net, path = pair
    assert equal(pretrained(checkpoint=path), net)


@pytest.mark.parametrize('width, layers, message', [
    (5, 1, r'6 missh.*: 0\.weight \(4, 3\).*\(5, 3\)'), (4, 0, r'5 unexpected: 1\.weight'), (4, 2, r'5 missing: 2\.w')])
def test_pretrained_refuses_what_does_not_fit(pair, width, layers, message):
    with pytest.raises(ValueError, match=rf'pair\.pth.*does not fit(.|\n)*{message}(.|\n)*strict=False'):
        pretrained(width, layers, checkpoint=pair[1])


def test_problems_are_listed_ten_at_most():
    net = nn.Sequential(*[nn.Linear(2, 2) for _ in range(20)])
    lines = state_dict_problems(net, {f'x{i}': torch.zeros(1) for i in range(12)})
    assert lines[0].startswith('40 missing') and lines[0].count('weight') == 5 and lines[0].endswith('...')
    assert lines[1].startswith('12 un') and 'x9' in lines[1] and 'x10' not in lines[1]
    assert state_dict_problems(net, net.state_dict()) == []


def test_partial_loading_has_to_be_asked_for_and_must_load_something(pair):
    net, path = pair
    partial = pretrained(5, checkpoint=path, strict=False, revise_keys=[(r'^0\.weight', 'gone')])
    assert torch.equal(partial[1].num_batches_tracked, net[1].num_batches_tracked)
    with pytest.raises(ValueError, match='does not fit'):
        pretrained(checkpoint=path, strict=False, revise_keys=[('^', 'no.')])


def test_prefix_and_renaming(pair, tmp_path):
    net, path = pair
    state = {f'module.old.{name}': value for name, value in net.state_dict().items()}
    torch.save(dict(state, **{'module.head.weight': torch.zeros(1)}), tmp_path / 'wrapped.pth')
    assert equal(pretrained(checkpoint=str(tmp_path / 'wrapped.pth'), prefix='old'), net)
    swapped = {name.replace('0.', 'a.'): value for name, value in net.state_dict().items()}
    torch.save(dict(state_dict=swapped), tmp_path / 'renamed.pth')
    assert equal(pretrained(checkpoint=str(tmp_path / 'renamed.pth'), revise_keys=[(r'^a\.', '0.')]), net)
    with pytest.raises(ValueError):
        pretrained(checkpoint=path, prefix='nowhere')


def test_keys_may_be_left_out(pair, tmp_path):
    net, path = pair
    torch.save(dict(net.state_dict(), **{'bank.target': torch.zeros(3), 'bank.targets': torch.zeros(3)}),
               tmp_path / 'more.pth')
    more = dict(checkpoint=str(tmp_path / 'more.pth'))
    assert equal(pretrained(**more, leave_out=[r'bank\.target', r'bank\.targets']), net)
    with pytest.raises(ValueError, match='1 unexpected: bank.targets'):
        pretrained(**more, leave_out=[r'bank\.target'])


def test_a_submodule_may_be_the_pretrained_one(pair):
    class Whole(BaseModule):
        def __init__(self):
            super().__init__()
            self.part = Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4),
                                   init_cfg=dict(type='Pretrained', checkpoint=pair[1]))
            self.head = nn.Linear(4, 2)

    whole = Whole()
    with DefaultScope.overwrite_default_scope('mmcluster'):
        whole.init_weights()
    assert equal(whole.part, pair[0])


def test_tensors_of_an_absent_device_come_to_the_cpu(tmp_path, monkeypatch):
    torch.save(dict(weight=torch.ones(2)), tmp_path / 'x.pth')
    places = []
    monkeypatch.setattr(torch, 'load', lambda path, map_location, weights_only: places.append(map_location) or {})
    CheckpointLoader.load_checkpoint(str(tmp_path / 'x.pth'))
    CheckpointLoader.load_checkpoint(str(tmp_path / 'x.pth'), 'meta')
    assert places == ['cpu', 'meta']
