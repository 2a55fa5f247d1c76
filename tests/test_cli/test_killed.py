"""A command that is killed goes on by the same command, and ends in the same result."""
import multiprocessing
import os
import random
import shutil
import time
from pathlib import Path

import pytest

from mmcluster.cli import main

from .conftest import write_photos

KILLS = 4


def cluster(photos, out, cache):
    """The command in a process of its own: a fork, which need not import anything."""
    def body():
        from mmcluster.encoders import embed
        embed.CHUNK_SECONDS = 0     # a chunk after every batch, so that there is something to go on from
        os.environ['MMCLUSTER_CACHE'] = str(cache)
        os._exit(main(['cluster', str(photos), '--k', '3', '--out', str(out), '--workers', '0', '--link', '--quiet']))

    process = multiprocessing.get_context('fork').Process(target=body)
    process.start()
    return process


def content(out):
    """Files of a result but those with times in them, and the links."""
    found = {path.relative_to(out).as_posix(): path.read_bytes() for path in Path(out).rglob('*')
             if path.is_file() and not path.is_symlink() and path.name not in ('summary.json', 'report.html')}
    return found, sorted(path.relative_to(out).as_posix() for path in Path(out).rglob('*.png'))


def test_a_kill_at_any_moment_changes_nothing(tmp_path):
    photos = write_photos(tmp_path / 'photos', count=100, side=32)
    begin = time.monotonic()
    whole = cluster(photos, tmp_path / 'whole', tmp_path / 'cache')
    whole.join()
    seconds, moments, killed = time.monotonic() - begin, random.Random(0), 0
    for _ in range(KILLS):
        run = cluster(photos, tmp_path / 'killed', tmp_path / 'cache2')
        run.join(moments.uniform(0.05, 0.9) * seconds)
        alive = run.is_alive()
        run.kill()
        run.join()
        killed += alive
        if not alive:       # on a machine that was busy before, and is not now: begin anew, and be quicker
            seconds /= 2
            shutil.rmtree(tmp_path / 'killed')
            shutil.rmtree(tmp_path / 'cache2')
    last = cluster(photos, tmp_path / 'killed', tmp_path / 'cache2')
    last.join()
    assert whole.exitcode == last.exitcode == 0 and killed
    assert content(tmp_path / 'killed') == content(tmp_path / 'whole')
    assert not list((tmp_path / 'killed').glob('.*')), 'what killed runs left is gone'


@pytest.mark.parametrize('kind', ['link', 'copy'])
def test_half_a_copy_has_no_name_of_an_image(tmp_path, kind, monkeypatch):
    import numpy as np

    from mmcluster.apis.folder_links import write_cluster_folders
    photos = write_photos(tmp_path / 'photos', count=6, side=8)
    paths = sorted(path.relative_to(photos).as_posix() for path in photos.rglob('*.png'))
    cluster, copy = np.array([0, 1, 0, 1, -1, 0]), shutil.copy2

    def half(source, target):
        Path(target).write_bytes(Path(source).read_bytes()[:20])
        raise KeyboardInterrupt

    monkeypatch.setattr(shutil, 'copy2', half)
    if kind == 'copy':
        with pytest.raises(KeyboardInterrupt):
            write_cluster_folders(tmp_path, photos, paths, cluster, kind)
    monkeypatch.setattr(shutil, 'copy2', copy)
    assert write_cluster_folders(tmp_path, photos, paths, cluster, kind) == []
    folder = tmp_path / 'images'
    found = {path.relative_to(folder).as_posix().partition('/')[2]: path for path in folder.rglob('*.png')}
    assert {name: path.read_bytes() for name, path in found.items()} == {
        path: (photos / path).read_bytes() for path in paths}


def test_workers_change_no_bit(tmp_path):
    photos = write_photos(tmp_path / 'photos', count=70, side=32)
    for workers in '02':
        assert main(['features', str(photos), '--out', f'f{workers}.npy', '--store', f's{workers}', '--workers', workers,
                     '--quiet']) == 0
    assert Path('f0.npy').read_bytes() == Path('f2.npy').read_bytes()


def test_one_command_at_a_time_in_a_result(tmp_path, capfd):
    from mmcluster.engine.lock import locked
    photos = write_photos(tmp_path / 'photos', count=6, side=32)
    with locked(str(tmp_path / 'out')):
        assert main(['cluster', str(photos), '--k', '2', '--out', 'out', '--quiet']) == 2
    assert 'mmcluster: error' in capfd.readouterr().err
