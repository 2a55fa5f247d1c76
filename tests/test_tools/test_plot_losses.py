"""Curves of losses by iterations, of evaluations by epochs; a resumed run's later record counts."""
import importlib.util
import json
from pathlib import Path

import pytest

FILE = Path(__file__).parents[2] / 'tools' / 'analysis_tools' / 'plot_losses.py'
SPEC = importlib.util.spec_from_file_location('plot_losses', FILE)
plot_losses = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(plot_losses)


@pytest.fixture
def work_dir(tmp_path):
    starts = [[dict(loss=3., iter=1, step=1), {'head/acc': 0.2, 'step': 1}, dict(loss=2., iter=2, step=2)],
              [dict(loss=1., iter=2, step=2), {'head/acc': 0.3, 'kmeans/acc': 0.4, 'step': 2}]]
    for name, records in zip(('20260101', '20260102'), starts):
        folder = tmp_path / name / 'vis_data'
        folder.mkdir(parents=True)
        (folder / 'scalars.json').write_text('\n'.join(map(json.dumps, records)))
    return tmp_path


def test_records_are_told_apart(work_dir):
    assert [record['loss'] for record in plot_losses.read_scalars(str(work_dir))] == [3., 1.]
    assert [record['head/acc'] for record in plot_losses.read_scalars(str(work_dir), evaluations=True)] == [0.2, 0.3]
    with pytest.raises(FileNotFoundError, match='with evaluations'):
        plot_losses.read_scalars(str(work_dir / '20260101'), evaluations=True)


def test_a_start_takes_the_place_of_what_was_logged_after_it(work_dir):
    folder = work_dir / '20260103' / 'vis_data'
    folder.mkdir(parents=True)
    (folder / 'scalars.json').write_text('{"loss": 9, "iter": 1, "step": 1}\n{"loss": 8, "iter": 2, "st')
    assert plot_losses.read_scalars(str(work_dir)) == [dict(loss=9, iter=1, step=1)], 'a line that was cut is none'
    assert len(plot_losses.read_scalars(str(work_dir), evaluations=True)) == 2


@pytest.mark.parametrize('scalars', [[], ['--scalars', 'head/acc', 'kmeans/acc']])
def test_a_curve_is_drawn(work_dir, scalars, monkeypatch):
    monkeypatch.setattr('sys.argv', ['plot_losses.py', str(work_dir), '--out', str(work_dir / 'curve.png'), *scalars])
    plot_losses.main()
    assert (work_dir / 'curve.png').stat().st_size > 1000
