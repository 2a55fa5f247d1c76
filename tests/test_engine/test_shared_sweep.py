"""One sweep serves an evaluation and the E-step after it, in the precision of the step, and changes nothing."""
import pytest
from reduced import differences, load, propos_cfg, train, write_digits

from mmcluster.engine.hooks import sweep

pytestmark = pytest.mark.usefixtures('engine')
AMP = dict(type='AutocastOptimWrapper', dtype='bfloat16')


def run(tmp_path, monkeypatch, name, amp=False, **val_cfg):
    """Train; returns the checkpoint and the epochs whose E-step made a sweep of its own."""
    cfg = propos_cfg(tmp_path / name, write_digits(tmp_path))
    cfg.train_cfg.val_interval = 1
    cfg.val_cfg = dict(val_cfg)
    cfg.val_dataloader.sampler.batch_size = 512
    if amp:
        cfg.optim_wrapper.update(AMP)
    swept = []
    original = sweep.extract_share
    with monkeypatch.context() as patch:
        patch.setattr(sweep, 'extract_share', lambda *args: swept.append(args[5]) or original(*args))
        path = train(cfg)['train']
    return load(path), swept


@pytest.mark.parametrize('amp', [False, True])
def test_equal_results_with_fewer_sweeps(tmp_path, monkeypatch, amp):
    shared, few = run(tmp_path, monkeypatch, 'shared', amp)
    apart, all_ = run(tmp_path, monkeypatch, 'apart', amp, type='ValLoop')
    assert len(few) == 1 and len(all_) == 2         # E-steps at epochs 0 and 2; nothing was evaluated before the first
    same = {key: value for key, value in shared['state_dict'].items() if not key.startswith('final_centers')}
    assert differences(same, {key: apart['state_dict'][key] for key in same}) == []


def test_batches_of_another_size_are_swept_anew(tmp_path, monkeypatch):
    cfg = propos_cfg(tmp_path / 'run', write_digits(tmp_path))
    cfg.train_cfg.val_interval = 1
    cfg.val_dataloader.sampler.batch_size = 7
    swept = []
    original = sweep.extract_share
    monkeypatch.setattr(sweep, 'extract_share', lambda *args: swept.append(1) or original(*args))
    train(cfg)
    assert len(swept) == 2
