"""How a training went, on the page: charts of its logs, whatever is in them, and no section where they are gone."""
import json
import math
import shutil

import pytest
from PIL import Image
from reduced import clusmatch_cfg, propos_cfg, train, write_digits, write_recipe
from report_maker import make_folder, write_logs
from sklearn.datasets import load_digits
from test_report import HOSTILE, Page, page_of

from mmcluster.apis.folder import Settings, cluster_folder
from mmcluster.encoders.own import stages_of
from mmcluster.recipes.records import STARTED
from mmcluster.report import write_report
from mmcluster.report.chart import Plane, is_number, round_levels, written
from mmcluster.report.curve import k_curve
from mmcluster.report.training import MOST_POINTS, MOST_ROWS, thinned, training_charts

NAN = math.nan


def steps(count, **values):
    """Training records whose numbers are functions of the step."""
    return [dict(iter=step, step=step, epoch=1 + step // 10, loss=1 / step, lr=0.1) | {
        name: value(step) for name, value in values.items()} for step in range(1, count + 1)]


def charts(folder, *places):
    """Title of a group -> drawings of its charts."""
    found = training_charts(dict(training=list(places)), folder)
    return {group['title']: [chart['drawing'] for chart in group['charts']] for group in found['groups']}


def places_of(line):
    """Coordinates of a line of a drawing, a list for each piece."""
    return [[tuple(map(float, place.split(','))) for place in piece['points'].split()] for piece in line['pieces']]


def test_numbers_find_their_places():
    plane = Plane((0, 10), (-1, 1), left=40, right=140, top=10, bottom=110)
    assert [plane.across(x) for x in (0, 5, 10)] == [40, 90, 140]
    assert [plane.down(y) for y in (-1, 0, 1)] == [110, 60, 10], 'the largest is at the top'
    assert [Plane((1, 100), (0, 1), True, left=0, right=100).across(x) for x in (1, 10, 100)] == [0, 50, 100]
    flat = Plane((3, 3), (2, 2))
    assert (flat.across(3), flat.down(2)) == (flat.left, flat.top), 'nothing is divided by zero'
    pieces = plane.pieces([(0, NAN), (0, 0), (5, 1), (5, NAN), (5, NAN), (10, 0)])
    assert pieces == [dict(points='40.0,60.0 90.0,10.0', dot=False), dict(points='140.0,60.0 140.0,60.0', dot=True)]


def test_levels_are_round_and_enclose():
    assert round_levels(0, 1) == [0, 0.25, 0.5, 0.75, 1] and round_levels(0, 1797) == [0, 500, 1000, 1500, 2000]
    for low, high in ((0, 0), (-3, -3), (0.95, 0.95), (5e-324, 5e-324), (-1e29, 1e29), (1e20, 1e20 + 20000), (0, 1e-300),
                      (-0.07, 8.3), (0, 9.99e9)):
        levels = round_levels(low, high)
        assert 2 <= len(levels) <= 12 and levels[0] <= low and levels[-1] >= high, (low, high, levels)
    assert [written(value) for value in (1797, 0.30000000000000004, -0.5, 1e-5)] == ['1,797', '0.3', '−0.5', '1e−05']
    assert [is_number(value) for value in (1, 0.5, True, '1', None, NAN, math.inf, 10 ** 400)] == [True] * 2 + [False] * 6


def test_long_logs_are_thinned():
    assert thinned(range(5), 5) == [0, 1, 2, 3, 4] and thinned(range(1001), 3) == [0, 500, 1000]


def test_the_curve_over_k_lies_as_before():
    drawn = k_curve(dict(k_curve=[dict(k=2, stability=1, silhouette=NAN), dict(k=8, stability=0.5)],
                         k_suggestions=[dict(k=4), dict(k=9)]))
    assert [line['title'] for line in drawn['lines']] == ['Stability']
    assert places_of(drawn['lines'][0]) == [[(40, 26), (704, 126)]]
    assert drawn['marks'] == [dict(text=4, x=372, rank=1)] and k_curve({}) is None


def test_charts_show_what_was_logged(tmp_path):
    write_logs(tmp_path / 'a', [steps(5, positive_share=lambda step: step / 5, cluster_min=lambda step: 20,
                                      cluster_max=lambda step: 100)],
               [{'epoch': 2, 'head/acc': 0.5, 'head/cluster_min': 3}, {'epoch': 4, 'head/acc': 0.75}])
    write_logs(tmp_path / 'b', [steps(1, threshold_mean=lambda step: 0.9, threshold=lambda step: 0.9)])
    drawn = charts(tmp_path, 'a', 'b')
    loss, single = drawn['Loss']
    (points,), = [places_of(line) for line in loss['lines']]
    assert [x for x, _ in points] == [52, 155, 258, 361, 464] and points[0][1] == 10, 'the loss 1 is the upper edge'
    assert [tick['text'] for tick in loss['ticks']] == ['1', '2', '3', '4', '5'] and loss['unit'] == 'step'
    assert places_of(single['lines'][0]) == [[(258, 92)] * 2], 'a single record is in the middle'
    sizes, = drawn['Smallest and largest cluster']
    assert [line['title'] for line in sizes['lines']] == ['Largest', 'Smallest'] and sizes['levels'][0]['text'] == '0'
    threshold, = drawn['How sure an answer has to be']
    assert len(threshold['lines']) == 1, 'the same number by two names'
    shares, = drawn['How much the network learns from its own answers']
    assert places_of(shares['lines'][0])[0][-1] == (464, 10) and shares['levels'][-1]['text'] == '1'
    agreement, = drawn['Agreement with known classes, by the output of the network']
    assert [line['title'] for line in agreement['lines']] == ['Accuracy'] and agreement['unit'] == 'epoch'
    assert places_of(agreement['lines'][0]) == [[(52, 92), (464, 51)]]
    assert len(drawn) == 5, 'no chart without ground truth, or a number that was not logged'


def test_a_run_that_went_on_is_one_line(tmp_path):
    first, second = steps(8), [dict(record, loss=2) for record in steps(10)[5:]]
    write_logs(tmp_path / 'a', [first, second])
    line = places_of(charts(tmp_path, 'a')['Loss'][0]['lines'][0])[0]
    assert len(line) == 10 and len({y for _, y in line[5:]}) == 1
    write_logs(tmp_path / 'b', [first, steps(3)])
    assert len(places_of(charts(tmp_path, 'b')['Loss'][0]['lines'][0])[0]) == 3, 'it began anew, and is shorter'


def test_gaps_and_broken_lines(tmp_path):
    values = [1, NAN, 2, math.inf, '3', None, True, 10 ** 400, 1e31, [1], 0.5, 0.25]
    write_logs(tmp_path / 'a', [[dict(iter=step, loss=value) for step, value in enumerate(values, 1)]],
               [dict(epoch='1'), {'epoch': 2, 'kmeans/nmi': 0.5}])
    file, = (tmp_path / 'a').glob('*/vis_data/scalars.json')
    broken = ['', '{"iter": 3, "lo', 'null', '[1]', '[' * 99999, '7', '{"iter": [1], "loss": 1}', '{"iter": true, "loss": 1}',
              '{"iter": 1e999, "loss": 1}', '{"loss": 1}', '{"iter": 13, "loss": ' + '9' * 5000 + '}']
    file.write_bytes('\n'.join(broken[:5]).encode() + b'\n\xff\xfe\0\n' + file.read_bytes() + '\n'.join(broken).encode())
    with open(tmp_path / 'a' / 'metrics.jsonl', 'a') as history:
        history.write('{"epoch": 3, "kmeans/nm\n[]\n{"epoch": 4, "kmeans/nmi": 0.6}\n{"ep')
    drawn = charts(tmp_path, 'a')
    assert [len(piece) for piece in places_of(drawn['Loss'][0]['lines'][0])] == [2, 2, 2]
    assert [piece['dot'] for piece in drawn['Loss'][0]['lines'][0]['pieces']] == [True, True, False]
    assert places_of(drawn['Agreement with known classes, by k-means of its features'][0]['lines'][0])[0][0][0] == 52
    write_logs(tmp_path / 'b', [[dict(iter=step, loss=NAN) for step in range(3)]])
    assert training_charts(dict(training=['b']), tmp_path) is None


def with_training(result, places):
    """Write down the work dirs of a result."""
    summary = json.loads((result / 'summary.json').read_text())
    (result / 'summary.json').write_text(json.dumps(dict(summary, training=places)))
    return result


def test_the_section_goes_with_the_result_and_with_its_logs(tmp_path):
    result = with_training(make_folder(tmp_path, 6, clusters=2), ['training/one', 'training/two', 'gone'])
    for name in ('one', 'two'):
        write_logs(result / 'training' / name, [steps(30, feat_std=lambda step: 0.1)])
    page = page_of(result)
    assert page.faults == [] and 'training' in page.ids()
    assert ('a', {'href': '#training'}) in page.elements
    text = ' '.join(page.texts.values())
    assert 'Networks were trained one after the other' in text and 'Spread of the images' in text
    drawn = [attrs for tag, attrs in page.elements if tag == 'svg' and attrs.get('role') == 'img']
    assert [attrs['aria-label'].split(', by')[0] for attrs in drawn] == [
        f'{said.format(name)}' for said in ('Loss, {}: Loss from 1 to 0.03333',
                                            'Spread of the images, {}: In the steps from 0.1 to 0.1')
        for name in ('one', 'two')]
    rows = [tag for tag, attrs in page.elements if tag == 'tr']
    assert len(rows) == 2 * (1 + MOST_ROWS)
    moved = result.rename(tmp_path / 'moved')
    shutil.rmtree(moved / 'training' / 'one')
    page = page_of(moved)
    assert 'A network was trained' in ' '.join(page.texts.values()), 'of what is left'
    shutil.rmtree(moved / 'training')
    assert 'training' not in page_of(moved).ids() and '#training' not in (moved / 'report.html').read_text()


def test_hostile_logs_stay_text(tmp_path):
    names = [name.replace('/', '_') for name in HOSTILE[:20] if '\n' not in name and '\r' not in name]
    result = make_folder(tmp_path, 6, clusters=2)
    for name in names:
        write_logs(result / 'training' / name, [[{'iter': 1, 'loss': 1, '<b onload=x>loss': 2, 'loss_<i>': 3, 'lr': name,
                                                  'feat_std': name, 'epoch': name}]], [{'epoch': 1, f'head/{name}': 1}])
    with_training(result, [f'training/{name}' for name in names])
    page = page_of(result)
    assert page.faults == [] and [tag for tag, _ in page.elements].count('script') == 3
    assert not [attrs for _, attrs in page.elements if any(name.startswith('on') for name in attrs)]
    assert not {'b', 'img'} & {tag for tag, _ in page.elements} and 'loss_' not in ' '.join(page.texts.values())


@pytest.mark.parametrize('places', [None, 7, 'training', {}, [None, 3, ['a']], ['', '.', '..', 'a\0b', 'x' * 5000, '\udcff',
                                                                                '/dev/null', 'photos.txt']])
def test_a_summary_that_names_no_training(tmp_path, places):
    result = with_training(make_folder(tmp_path, 6, clusters=2), places)
    (result / 'photos.txt').write_text('')
    (result / 'x' / 'vis_data' / 'scalars.json').mkdir(parents=True)
    assert 'training' not in page_of(result).ids()


def test_a_long_training_keeps_the_page_small(tmp_path):
    result = with_training(make_folder(tmp_path, 6, clusters=2), ['a'])
    short = len(write_report(result).read_bytes())
    write_logs(result / 'a', [steps(5000, **dict.fromkeys((
        'positive_share', 'mask_share', 'threshold_mean', 'cluster_min', 'cluster_max', 'feat_std'), math.sin))])
    line, = charts(result, 'a')['Loss'][0]['lines']
    points = places_of(line)[0]
    assert len(points) == MOST_POINTS and points[0][0] == 52 and points[-1][0] == 464
    assert len(write_report(result).read_bytes()) - short < 50_000


def test_stages_before_one_are_found(tmp_path):
    def stage(name, **config):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / STARTED).write_text(json.dumps(config))
        (tmp_path / name / 'epoch_1.pth').write_bytes(b'')
    stage('run/first', model=dict(init='{work_dir}/third/epoch_1.pth'))        # records that name each other
    stage('run/second', model=dict(base='{work_dir}/first/epoch_1.pth', gone='{work_dir}/gone/epoch_1.pth'))
    stage('other', model=dict(init='no_file.pth'))
    stage('run/third', model=[str(tmp_path / 'other' / 'epoch_1.pth'), '{work_dir}/second/epoch_1.pth',
                              '{work_dir}/first/epoch_1.pth'])
    wanted = [str(tmp_path / name) for name in ('other', 'run/first', 'run/second', 'run/third')]
    assert stages_of(str(tmp_path / 'run/third')) == stages_of(str(tmp_path / 'run/third/epoch_1.pth')) == wanted
    (tmp_path / 'run/second' / STARTED).write_text('{')
    assert stages_of(str(tmp_path / 'run/second')) == [str(tmp_path / 'run/second')]
    assert stages_of('default') == stages_of(str(tmp_path)) == []


@pytest.mark.usefixtures('engine')
def test_the_stages_of_an_encoder_are_on_the_page(tmp_path):
    data = write_digits(tmp_path)
    configs = dict(propos=propos_cfg('', data, epochs=2), clusmatch=clusmatch_cfg('', data, epochs=2))
    for cfg in configs.values():
        cfg.visualizer.vis_backends = [dict(type='LocalVisBackend')]
    train(write_recipe(tmp_path, configs))
    images = tmp_path / 'images'
    for number, pixels in enumerate(load_digits().images[:12]):
        (images / str(number % 3)).mkdir(parents=True, exist_ok=True)
        Image.fromarray((pixels * 15).astype('uint8')).save(images / str(number % 3) / f'{number}.png')
    places = [str(tmp_path / 'work' / name) for name in ('propos', 'clusmatch')]
    out = cluster_folder(images, tmp_path / 'out', Settings(
        3, 'kmeans', places[1], labels='folders', workers=0, store=str(tmp_path / 'store')))
    assert json.loads((out / 'summary.json').read_text())['training'] == places
    page = Page((out / 'report.html').read_text(encoding='utf-8'))
    text = ' '.join(page.texts.values())
    assert page.faults == [] and 'training' in page.ids()
    for said in ('propos', 'clusmatch', 'Loss', 'How much the network learns', 'Smallest and largest cluster',
                 'Spread of the images', 'Agreement with known classes, by k-means', 'kmeans/acc', 'positive_share'):
        assert said in text, said
    shutil.rmtree(tmp_path / 'work')
    assert 'training' not in page_of(out).ids(), 'the work dirs are gone'
