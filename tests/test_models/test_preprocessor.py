import copy
import pickle

import pytest
import torch

from mmcluster.models.preprocessor import ViewPreprocessor
from mmcluster.registry import MODELS
from mmcluster.structures import Batch, Rows

MEAN, STD = [125.0, 120.0, 110.0], [60.0, 62.0, 64.0]
SIMCLR = [dict(type='BatchRandomResizedCrop', size=12, flip_prob=0.5),
          dict(type='BatchColorJitter', brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1, prob=0.8),
          dict(type='BatchGrayscale', prob=0.2), dict(type='BatchGaussianBlur', kernel=9, prob=0.5)]
STRONG = [dict(type='BatchRandomCrop', size=12, padding=2, flip_prob=0.5),
          dict(type='BatchFixMatchRandAugment', num_ops=3), dict(type='BatchCutout')]
TEST = [dict(type='BatchResize', size=12)]


def memory_rows(n, channels=3, size=13, seed=0):
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (n, size, size, channels), dtype=torch.uint8, generator=generator)
    index = torch.randint(0, 60_000, (n,), generator=generator)
    return Rows([images], index, (3 << 32) + torch.randperm(n, generator=generator))


def take(rows, picked):
    return Rows([image[picked] for image in rows.images], rows.index[picked], rows.draw[picked])


def run(preprocessor, training=True, **streams):
    out = preprocessor(streams, training)
    assert set(out) == {'inputs', 'data_samples'} and out['inputs'] is None
    assert all(isinstance(batch, Batch) for batch in out['data_samples'].values())
    return out['data_samples']


@pytest.mark.parametrize('threads', [1, 2])
@pytest.mark.parametrize('channels,size', [(3, 16), (3, 13), (1, 13)])
def test_views_do_not_depend_on_the_batch(channels, size, threads):
    before = torch.get_num_threads()
    try:
        mean, std = ([100.], [50.]) if channels == 1 else (MEAN, STD)
        preprocessor = ViewPreprocessor(mean, std, views=[SIMCLR, STRONG], channels_last=True)
        rows = memory_rows(64, channels, size)
        torch.set_num_threads(3 - threads)
        full = run(preprocessor, batch=rows)['batch'].views
        torch.set_num_threads(threads)
        generator = torch.Generator().manual_seed(1)
        for n in range(1, 65):
            picked = torch.randperm(64, generator=generator)[:n]
            some = run(preprocessor, other=take(rows, picked))['other'].views
            assert all(torch.equal(a, b[picked]) for a, b in zip(some, full)), n
    finally:
        torch.set_num_threads(before)


def test_row_groups_do_not_show(monkeypatch):
    preprocessor, rows = ViewPreprocessor(MEAN, STD, views=[SIMCLR]), memory_rows(20)
    whole = run(preprocessor, batch=rows)['batch'].views[0]
    monkeypatch.setattr('mmcluster.models.preprocessor.CPU_CHUNK_BYTES', 4 * 13 * 13 * 3 * 3)
    assert torch.equal(run(preprocessor, batch=rows)['batch'].views[0], whole)


def test_views_differ_by_view_draw_and_index():
    preprocessor, rows = ViewPreprocessor(MEAN, STD, views=[SIMCLR, SIMCLR]), memory_rows(32)
    first, second = run(preprocessor, batch=rows)['batch'].views
    assert first.shape == (32, 3, 12, 12) and first.dtype == torch.float32
    assert (first != second).flatten(1).any(1).all()
    for other in (rows._replace(draw=rows.draw + 1), rows._replace(index=rows.index + 1)):
        changed = run(preprocessor, batch=other)['batch'].views[0]
        assert (changed != first).flatten(1).any(1).all()
    assert torch.equal(run(preprocessor, batch=rows)['batch'].views[0], first)


def test_normalisation_and_layout():
    rows = memory_rows(5)
    expected = (rows.images[0].permute(0, 3, 1, 2).double() - torch.tensor(MEAN).view(1, 3, 1, 1)) \
        / torch.tensor(STD).view(1, 3, 1, 1)
    for channels_last, layout in ((False, torch.contiguous_format), (True, torch.channels_last)):
        view, = run(ViewPreprocessor(MEAN, STD, channels_last=channels_last), training=False, batch=rows)['batch'].views
        assert torch.allclose(view.double(), expected, atol=1e-5) and view.is_contiguous(memory_format=layout)
    shared, = run(ViewPreprocessor([10.], [2.]), training=False, batch=rows)['batch'].views
    assert torch.allclose(shared, (rows.images[0].permute(0, 3, 1, 2).float() - 10) / 2, atol=1e-4)


def test_streams_have_their_own_recipes():
    preprocessor = ViewPreprocessor(MEAN, STD, views=dict(unlabelled=[SIMCLR, STRONG], labelled=[SIMCLR]), test=TEST)
    rows = memory_rows(6)
    out = run(preprocessor, unlabelled=rows, labelled=rows, test=rows)
    assert {name: len(batch.views) for name, batch in out.items()} == dict(unlabelled=2, labelled=1, test=1)
    assert torch.equal(out['unlabelled'].views[0], out['labelled'].views[0])
    assert torch.equal(out['labelled'].index, rows.index)
    evaluated = run(preprocessor, training=False, labelled=rows, unknown=rows)
    assert torch.equal(evaluated['labelled'].views[0], out['test'].views[0])
    assert torch.equal(evaluated['unknown'].views[0], out['test'].views[0])


def test_empty_recipe_is_the_evaluation_view():
    preprocessor, rows = ViewPreprocessor(MEAN, STD, views=[[], SIMCLR], test=TEST), memory_rows(6)
    plain, augmented = run(preprocessor, batch=rows)['batch'].views
    assert torch.equal(plain, run(preprocessor, training=False, batch=rows)['batch'].views[0])
    assert not torch.equal(plain, augmented)


def test_finished_views_are_only_normalised():
    rows = memory_rows(4, size=12)
    finished = Rows([rows.images[0].permute(0, 3, 1, 2).contiguous()] * 3, rows.index, rows.draw)
    plain, = run(ViewPreprocessor(MEAN, STD), training=False, batch=rows)['batch'].views
    for preprocessor in (ViewPreprocessor(MEAN, STD), ViewPreprocessor(MEAN, STD, views=dict(other=[SIMCLR]))):
        for training in (True, False):
            views = run(preprocessor, training, batch=finished)['batch'].views
            assert len(views) == 3 and all(torch.equal(view, plain) for view in views)
    single, = run(ViewPreprocessor(MEAN, STD), batch=finished._replace(images=finished.images[:1]))['batch'].views
    assert torch.equal(single, plain)


def test_features_pass_unchanged():
    rows = Rows([torch.randn(4, 7)], torch.arange(4), torch.arange(4))
    for views, count in ((None, 1), ([[], []], 2), (dict(batch=[[]] * 3), 3), (dict(other=[[]] * 3), 1)):
        out = run(ViewPreprocessor([0.], [1.], views=views), batch=rows)['batch'].views
        assert len(out) == count and all(torch.equal(view, rows.images[0]) for view in out)
        assert len(run(ViewPreprocessor([0.], [1.], views=views), training=False, batch=rows)['batch'].views) == 1


@pytest.mark.parametrize('views', [None, dict(labelled=[SIMCLR])])
def test_missing_recipe_names_the_stream(views):
    preprocessor = ViewPreprocessor(MEAN, STD, views=views)
    with pytest.raises(ValueError, match="training stream 'batch'") as error:
        preprocessor(dict(batch=memory_rows(2)), True)
    assert views is None or 'labelled' in str(error.value)


def test_easy_slips_are_errors():
    with pytest.raises(ValueError, match='list of views'):
        ViewPreprocessor(MEAN, STD, views=SIMCLR)
    with pytest.raises(ValueError, match='equal length'):
        ViewPreprocessor(MEAN, [1.])
    with pytest.raises(ValueError, match='B, H, W, C'):
        run(ViewPreprocessor(MEAN, STD), False, batch=Rows([torch.zeros(2, 3, 3, 3, dtype=torch.uint8)],
                                                           torch.arange(2), torch.arange(2)))


def test_autocast_is_off_and_labels_are_dropped():
    rows = memory_rows(4)._replace(label=torch.arange(4))
    preprocessor = ViewPreprocessor(MEAN, STD, views=[SIMCLR])
    plain = run(preprocessor, batch=rows)['batch']
    with torch.autocast('cpu', dtype=torch.bfloat16):
        inside = run(preprocessor, batch=rows)['batch']
    assert torch.equal(inside.views[0], plain.views[0]) and inside.views[0].dtype == torch.float32
    assert Batch._fields == ('views', 'index')


def test_input_is_not_changed_and_copies_agree():
    rows = memory_rows(8)
    pixels = rows.images[0].clone()
    preprocessor = MODELS.build(dict(type=ViewPreprocessor, mean=MEAN, std=STD, views=[SIMCLR, STRONG], test=TEST))
    views = run(preprocessor, batch=rows)['batch'].views
    assert torch.equal(rows.images[0], pixels) and not preprocessor.state_dict()
    for twin in (copy.deepcopy(preprocessor), pickle.loads(pickle.dumps(preprocessor))):
        assert all(torch.equal(a, b) for a, b in zip(run(twin, batch=rows)['batch'].views, views))


def test_an_empty_stream_passes():
    out = run(ViewPreprocessor(MEAN, STD, views=[SIMCLR, STRONG]), labelled=take(memory_rows(3), slice(0, 0)))
    assert [tuple(view.shape) for view in out['labelled'].views] == [(0, 3, 12, 12)] * 2
