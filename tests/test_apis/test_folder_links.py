"""A folder per cluster: what is ours follows the clusters, what somebody edited stays."""
import json
import os
import shutil

import numpy as np
import pytest

from mmcluster.apis.folder_links import RECORD, write_cluster_folders
from mmcluster.apis.folder_words import edited_copies

PATHS = ['a.png', 'b/c.png']


@pytest.fixture
def root(tmp_path):
    """A folder of two images, which need not be any."""
    folder = tmp_path / 'photos'
    for path in PATHS:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(path)
    return folder


def write(root, clusters, kind='copy', paths=PATHS):
    return write_cluster_folders(root.parent, root, paths, np.array(clusters), kind)


def found(root):
    folder = root.parent / 'images'
    return {file.relative_to(folder).as_posix(): file.read_text() for file in folder.rglob('*.png')}


@pytest.mark.parametrize('kind', ['copy', 'link'])
def test_an_edited_copy_stays_and_is_named(root, kind):
    assert write(root, [0, 1]) == []
    edited = root.parent / 'images' / '0' / 'a.png'
    edited.write_text('retouched')
    for _ in range(2):
        assert write(root, [1, 0], kind) == ['0/a.png']
        assert found(root) == {'0/a.png': 'retouched', '1/a.png': 'a.png', '0/b/c.png': 'b/c.png'}
    assert write(root, [0, 0], kind) == ['0/a.png'] and found(root)['0/a.png'] == 'retouched'
    assert '0/a.png was edited' in edited_copies(root, ['0/a.png'])[0] and edited_copies(root, []) == []
    edited.unlink()
    assert write(root, [0, 0], kind) == [] and found(root) == {'0/a.png': 'a.png', '0/b/c.png': 'b/c.png'}


def test_a_copy_follows_its_image(root):
    write(root, [0, 1])
    (root / 'a.png').write_text('taken again')
    assert write(root, [0, 1]) == [] and found(root)['0/a.png'] == 'taken again'


def test_wrong_links_are_renewed(root):
    write(root, [0, 1], 'link')
    moved = shutil.move(root, root.parent / 'moved')
    assert write(moved, [0, 1], 'link') == [] and found(moved)['0/a.png'] == 'a.png'
    assert all(str(moved) in os.readlink(file) for file in (root.parent / 'images').rglob('*.png'))


def test_the_record_of_an_older_version_is_read(root):
    write(root, [0, 1])
    record = root.parent / 'images' / RECORD
    assert set(json.loads(record.read_text())['copies']) == {'0/a.png', '1/b/c.png'}
    record.write_text(json.dumps(PATHS))
    (root.parent / 'images' / '1' / 'b' / 'c.png').write_text('retouched')
    assert write(root, [1, 0]) == ['1/b/c.png']
    assert found(root) == {'1/a.png': 'a.png', '1/b/c.png': 'retouched', '0/b/c.png': 'b/c.png'}


def test_a_record_leads_nowhere_else(root):
    write(root, [0, 1])
    precious = root.parent / 'precious.png'
    precious.write_text('x')
    stamp = [precious.stat().st_size, precious.stat().st_mtime_ns]
    names = ['0/../../precious.png', '../precious.png', str(precious)]
    for broken in (dict(paths=['../../precious.png', 'precious.png'], copies=dict.fromkeys(names, stamp)), {}, 7):
        (root.parent / 'images' / RECORD).write_text(json.dumps(broken))
        assert write(root, [0, 1]) == [] and precious.read_text() == 'x'
