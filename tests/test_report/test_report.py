"""The page of a result folder: what it says, how large it is, and what it must never do."""
import base64
import io
import json
import os
import re
import time
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from report_maker import make_folder, make_result

import mmcluster.report
from mmcluster.apis.result import ResultError, write_result
from mmcluster.report import write_report
from mmcluster.report.data import packed, purity_by_distance
from mmcluster.report.gallery import Gallery, by_priority, galleries
from mmcluster.report.names import inside, shown
from mmcluster.report.page import render, spent

TEMPLATES = Path(mmcluster.report.__file__).parent / 'templates'
VOID = {'meta', 'link', 'input', 'img', 'br', 'line', 'polyline'}


class Page(HTMLParser):
    """Elements of a page, its texts, and whether each element that was opened is closed."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.elements, self.texts, self.faults = [], [], {}, []
        self.feed(text)
        self.faults += self.open

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.elements.append((tag, attrs))
        if tag not in VOID:
            self.open.append((tag, attrs.get('id')))

    def handle_endtag(self, tag):
        if tag in VOID:
            return
        if not self.open or self.open.pop()[0] != tag:
            self.faults.append(f'</{tag}> at {self.getpos()}')

    def handle_data(self, text):
        key = self.open[-1] if self.open else ('', None)
        self.texts[key] = self.texts.get(key, '') + text

    @property
    def data(self):
        return json.loads(self.texts['script', 'data'])

    @property
    def pictures(self):
        return [text for text in self.texts.get(('script', 'pictures'), '').split('\n') if text]

    def ids(self):
        return {attrs['id'] for _, attrs in self.elements if 'id' in attrs}


def page_of(result, **options):
    return Page(write_report(result, **options).read_text(encoding='utf-8'))


def unpacked(entry):
    return np.frombuffer(base64.b64decode(entry['data']), dict(int32='<i4', uint16='<u2', uint8='u1')[entry['kind']])


@pytest.fixture(scope='module')
def result(tmp_path_factory):
    labels = [f'class {i % 3}' for i in range(24)]
    return make_folder(tmp_path_factory.mktemp('full'), label=labels, curve=True, nowhere=3,
                       unreadable=[('cut.png', 'cut short')])


@pytest.fixture(scope='module')
def page(result):
    return page_of(result)


def test_the_page_has_its_parts(page):
    assert page.faults == []
    assert {'groups', 'cluster', 'map-canvas', 'how-many', 'labels', 'unreadable', 'about', 'search', 'viewer',
            'grouped', 'coarse'} <= page.ids()
    text = ' '.join(page.texts.values())
    for said in ('24 images in 3 clusters', '3 of them belong nowhere', 'A <small> network.', '--encoder timm:',
                 'cut short', 'kmeans', '1 min 10 s', 'likely', 'Purity'):
        assert said in text, said


def test_every_image_is_in_the_data(page, result):
    data = page.data
    paths = [data['folders'][folder] + name for folder, name in zip(unpacked(data['columns']['folder']), data['names'])]
    assert paths == [f'part {i % 2}/image_{i:04}.png' for i in range(24)]
    assert unpacked(data['columns']['cluster']).tolist() == [-1] * 3 + [i % 3 for i in range(3, 24)]
    assert [cluster['id'] for cluster in data['clusters']] == [0, 1, 2, -1] and not data['clusters'][3]['borderline']
    assert sorted(data['pictured']) == list(range(24)) and len(page.pictures) == 24
    image = Image.open(io.BytesIO(base64.b64decode(page.pictures[0])))
    assert image.format == 'WEBP' and image.size == (40, 40), 'a small picture keeps its size'


def test_nothing_is_fetched(page):
    policy = next(attrs['content'] for tag, attrs in page.elements if attrs.get('http-equiv'))
    assert policy.startswith("default-src 'none'; img-src data:;")
    for _, attrs in page.elements:
        for name in ('src', 'href', 'action', 'data', 'srcset'):
            assert name not in attrs or attrs[name].startswith(('#', 'data:')), attrs


def test_purity_by_distance_to_the_centre():
    result = make_result(list('abcdefghijklmnopqrstuvwx'), label=[''] * 24)
    assert purity_by_distance(result) == []
    result.table['cluster'][:] = np.arange(24) % 2
    result.table['distance'][:] = np.arange(24)
    result.label = [f'class {i % 2}' for i in range(20)] + ['class 2', '', 'class 2', '']
    assert purity_by_distance(result, 2) == [1., pytest.approx(9 / 11)]      # 6 + 5 rows in each half
    result.table['cluster'][:6] = np.arange(2, 8)       # clusters of one image have no parts
    assert purity_by_distance(result, 2) == [1., pytest.approx(5 / 7)]
    assert purity_by_distance(result, 10) == []
    result.label = None
    assert purity_by_distance(result) == []


def test_without_labels_curve_and_tree(tmp_path):
    page = page_of(make_folder(tmp_path, 6, clusters=2))
    assert page.faults == [] and not {'how-many', 'labels', 'unreadable', 'grouped'} & page.ids()


def test_one_image(tmp_path):
    page = page_of(make_folder(tmp_path, 1, clusters=1))
    assert page.faults == [] and '1 image in 1 cluster' in page.texts['h1', None]
    assert page.data['clusters'][0]['typical'] == [0] and page.data['clusters'][0]['random'] == []


def test_all_belong_nowhere(tmp_path):
    page = page_of(make_folder(tmp_path, 4, clusters=1, nowhere=4))
    assert page.faults == [] and [cluster['id'] for cluster in page.data['clusters']] == [-1]


HOSTILE = ['"quoted"', "it's", '</script><script>alert(1)</script>', '<!--<script>', '<img src=x onerror=alert(1)>',
           '&amp;&lt;', '{{ 7 * 7 }}', '{% raw %}', 'a\nb', 'a\rb', 'tab\there', '\u202egpj.exe', '\u2066x\u2069',
           '\u200fright', '\u2028line', '😀👩‍🔬', 'é', 'e\u0301', '$(touch x)', '`id`', '=1+1', '-rf', '..hidden', '%2e%2e%2f',
           'javascript:alert(1)', "');alert(1)//", '\x01\x7f', '\udcff\udcfe', '\\u003c/script', ']]>', 'x' * 252,
           '日本語' * 28, ' lead', 'trail ', '#frag?query', "' onload='alert(1)", '</style>', '\ufeffbom', '*', 'CON']


def hostile_names():
    return [f'd{i % 7} </title>"/{name}{i:03}' for i, name in enumerate((HOSTILE * 6)[:200])]


@pytest.fixture(scope='module')
def hostile(tmp_path_factory):
    names = hostile_names()
    labels = [HOSTILE[i % len(HOSTILE)].replace('\udcff', 'x').replace('\udcfe', 'x') for i in range(len(names))]
    return make_folder(tmp_path_factory.mktemp('hostile') / 'a </script>"', names=names, label=labels,
                       unreadable=[(name, f'odd {name}') for name in names[:40]], clusters=4)


def test_hostile_names_stay_text(hostile):
    page = page_of(hostile)
    assert page.faults == [] and len(page.pictures) == 200
    assert [tag for tag, _ in page.elements].count('script') == 3
    assert not [attrs for _, attrs in page.elements if any(name.startswith('on') for name in attrs)]
    data = page.data
    paths = [data['folders'][folder] + name for folder, name in zip(unpacked(data['columns']['folder']), data['names'])]
    assert paths == [shown(name) for name in hostile_names()]
    text = (hostile / 'report.html').read_text(encoding='utf-8')
    assert not re.search('[\x00-\x08\x0b-\x1f\x7f\u200f\u202e\u2066\u2028]', text)


def test_names_are_shown_for_what_they_are():
    assert shown('a\u202egpj.exe') == 'a\\u202egpj.exe' and shown('a\nb') == 'a\\u000ab'
    assert shown('\udcff') == '\\xff' and shown('👩‍🔬é') == '👩‍🔬é'


def test_nothing_outside_of_the_folder_is_read(tmp_path):
    result = make_folder(tmp_path, 3, clusters=1)
    photos = tmp_path / 'photos'
    (tmp_path / 'secret').mkdir()
    (photos / 'part 0' / 'image_0000.png').rename(tmp_path / 'secret' / 'image_0000.png')
    (photos / 'link.png').symlink_to(tmp_path / 'secret' / 'image_0000.png')
    (photos / 'folder').symlink_to(tmp_path / 'secret')
    (photos / 'fine.png').symlink_to(photos / 'part 1' / 'image_0001.png')
    (photos / 'loop').symlink_to(photos / 'loop')
    outside = [str(tmp_path / 'secret' / 'image_0000.png'), '../secret/image_0000.png', 'link.png',
               'folder/image_0000.png', 'part 1/../../secret/image_0000.png', 'a\0b', 'loop', 'C:\\x.png',
               '\\\\host\\x.png']
    root = photos.resolve()
    names = [None, None] if os.name == 'nt' else [root / path for path in outside[-2:]]    # letters, but on Windows
    assert [inside(root, path) for path in outside] == [None] * (len(outside) - 2) + names
    outside.remove('a\0b')         # the module csv of Python 3.10 reads no such table
    write_result(result, make_result([*outside, 'fine.png'], clusters=2, root=photos))
    page = page_of(result)
    assert page.data['pictured'] == [len(outside)]
    assert '2 lie outside of the folder, behind links: ' in str(page.texts) and '6 could not be read again' in str(page.texts)
    page = page_of(result, links=True)
    assert [outside[row] if row < len(outside) else 'fine.png' for row in sorted(page.data['pictured'])] == [
        'link.png', 'folder/image_0000.png', 'fine.png'], 'names out of the folder are never followed'
    assert 'behind links' not in str(page.texts)


def test_a_name_beyond_the_encoding_of_the_system_has_no_picture(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, 'resolve', lambda self: str(self).encode('ascii'))
    assert inside(tmp_path, 'café.png') is None


def test_images_that_moved(tmp_path):
    result = make_folder(tmp_path, 4, clusters=1)
    (tmp_path / 'photos').rename(tmp_path / 'moved')
    with pytest.raises(ResultError, match='--root'):
        write_report(result)
    page = page_of(result, root=tmp_path / 'moved', out=tmp_path / 'elsewhere.html')
    assert len(page.pictures) == 4 and not (result / 'report.html').exists()


def test_a_failed_page_leaves_the_old_one(tmp_path, monkeypatch):
    result = make_folder(tmp_path, 4, clusters=1)
    before = write_report(result).read_bytes()

    def full(descriptor):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr('os.fsync', full)
    with pytest.raises(OSError, match='No space'):
        write_report(result)
    assert (result / 'report.html').read_bytes() == before and not list(result.glob('.*'))


def test_pictures_keep_to_the_budget_and_the_most_telling_come_first(tmp_path):
    """1,000 rows over 40 files of noise, which compress worse than any photograph: 1/20 of the rows, 1/8 of the bytes."""
    photos = tmp_path / 'photos'
    photos.mkdir()
    for i in range(40):
        Image.fromarray(np.random.RandomState(i).randint(0, 255, (160, 160, 3), np.uint8)).save(photos / f'{i}.jpg')
    made = make_result([f'./{i}/../{i % 40}.jpg'.replace(f'{i}/../', './' * (i // 40)) for i in range(1000)], clusters=60)
    start = time.perf_counter()
    text = render(made, photos.resolve(), 1_800_000, workers=2)
    assert len(text.encode()) <= 1_800_000 and time.perf_counter() - start < 30
    data = Page(text).data
    pictured = set(data['pictured'])
    assert 200 < len(pictured) < 1000
    assert all(pictured.issuperset(cluster['typical'][:1] + cluster['far'][:1]) for cluster in data['clusters'])
    bare = sum(len(str(data[name])) for name in ('columns', 'names', 'folders'))
    assert bare / 1000 < 150, 'bytes of an image without its picture'


def test_galleries_hold_what_they_say():
    made = make_result([f'{i}.png' for i in range(60)], clusters=2)
    chosen = galleries(made, 5)
    for cluster, gallery in chosen.items():
        rows = np.flatnonzero(made.table['cluster'] == cluster)
        assert gallery.typical == rows[np.argsort(made.table['distance'][rows])[:5]].tolist()
        assert gallery.borderline == rows[np.argsort(made.table['margin'][rows])[:5]].tolist()
        assert gallery.far == rows[np.argsort(-made.table['outlier'][rows])[:5]].tolist()
        assert len(gallery.random) == 5 and not set(gallery.random) & set(gallery.typical)
        assert gallery.duplicates == [[56, 57, 58, 59]] and gallery.copies == 1
    order = by_priority([Gallery(typical=[4, 1]), Gallery(typical=[7], far=[4, 2])], 9, 6)
    assert order[:3] == [4, 7, 1] and len(order) == 6 == len(set(order))


def test_packed_numbers_are_little_endian():
    assert base64.b64decode(packed(np.array([1, -1]), 'int32')['data']) == b'\1\0\0\0\xff\xff\xff\xff'


def test_times_read_well():
    assert [spent(value) for value in (0.34, 59.6, 60, 3661)] == ['0.3 s', '1 min', '1 min', '1 h 1 min']


@pytest.mark.parametrize('path', sorted(path for path in TEMPLATES.rglob('*') if path.is_file()), ids=lambda p: p.name)
def test_parts_are_small_and_add_no_markup(path):
    text = path.read_text(encoding='utf-8')
    assert len(text.splitlines()) <= 250
    assert path.suffix != '.js' or max(map(len, text.splitlines())) <= 120
    for word in ('innerHTML', 'outerHTML', 'insertAdjacentHTML', 'document.write', 'eval(', 'fetch(', 'XMLHttpRequest',
                 'http:', 'https:', '|safe', 'autoescape false', 'url('):
        assert word not in text, word
