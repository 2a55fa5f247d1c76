"""An archive that was cut, or that reaches out of its folder, leaves nothing; what is passed over is counted."""
import importlib.util
import io
import os
import tarfile

import numpy as np
import pytest
from reduced import ROOT


@pytest.fixture(scope='module')
def tool():
    path = ROOT / 'tools' / 'dataset_converters' / 'unpack_archive.py'
    spec = importlib.util.spec_from_file_location('unpack_archive', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


FILES = {f'{kind}/{i:02}.jpg': np.random.default_rng(i).bytes(300 + 97 * i) for kind in ('a', 'b') for i in range(6)}


def archive_of(path, files=None, links=(), suffix=''):
    with tarfile.open(path, f'w:{suffix}') as archive:
        for name, content in (FILES if files is None else files).items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for name, kind, target in links:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, target
            archive.addfile(info)
    return path


@pytest.mark.parametrize('suffix', ['', 'gz', 'bz2', 'xz'])
def test_a_cut_archive_is_refused_at_every_place(tmp_path, tool, suffix, capsys):
    whole = archive_of(tmp_path / 'x.tar', suffix=suffix).read_bytes()
    content = len(whole) if suffix else 512 * sum(1 + -(-len(data) // 512) for data in FILES.values())
    headers = [] if suffix else np.cumsum([512 * (1 + -(-len(data) // 512)) for data in FILES.values()]).tolist()
    places = {*np.random.default_rng(0).integers(1, content, 40).tolist(), *headers, content - 1}
    for place in sorted(places):
        (tmp_path / 'cut.tar').write_bytes(whole[:place])
        assert tool.main([str(tmp_path / 'cut.tar'), '--out', str(tmp_path / 'out' / 'x')]) == 1, place
        assert not list(tmp_path.glob('out/*')) and 'error: ' in capsys.readouterr().err
    (tmp_path / 'cut.tar').write_bytes(whole)
    assert tool.main([str(tmp_path / 'cut.tar'), '--out', str(tmp_path / 'out' / 'x')]) == 0
    assert capsys.readouterr().out.endswith('12 images\n')


@pytest.mark.parametrize('suffix', ['gz', 'xz'])
def test_a_flipped_bit_of_a_compressed_archive(tmp_path, tool, suffix):
    whole = bytearray(archive_of(tmp_path / 'x.tar', suffix=suffix).read_bytes())
    whole[len(whole) // 2] ^= 16
    (tmp_path / 'x.tar').write_bytes(whole)
    assert tool.main([str(tmp_path / 'x.tar'), '--out', str(tmp_path / 'out' / 'x')]) == 1
    assert not list(tmp_path.glob('out/*'))


def test_a_damaged_header_in_the_middle(tmp_path, tool, capsys):
    whole = bytearray(archive_of(tmp_path / 'x.tar').read_bytes())
    start = 512 * (1 + -(-len(FILES['a/00.jpg']) // 512))
    whole[start + 150] ^= 1       # in its checksum: tarfile stops there without a word
    (tmp_path / 'x.tar').write_bytes(whole)
    assert tool.main([str(tmp_path / 'x.tar'), '--out', str(tmp_path / 'out' / 'x')]) == 1
    assert 'it was cut or is damaged' in capsys.readouterr().err


@pytest.mark.parametrize('name', ['/etc/evil.jpg', '../evil.jpg', 'a/../../evil.jpg'])
def test_paths_that_lead_outside(tmp_path, tool, name, capsys):
    archive = archive_of(tmp_path / 'x.tar', {**FILES, name: b'x'})
    assert tool.main([str(archive), '--out', str(tmp_path / 'out' / 'x')]) == 1
    assert 'outside its folder' in capsys.readouterr().err and not list(tmp_path.glob('out/*'))
    assert not (tmp_path / 'evil.jpg').exists()


def test_links_and_devices_are_not_made(tmp_path, tool, capsys):
    links = [('c', tarfile.SYMTYPE, '..'), ('c/evil.jpg', tarfile.SYMTYPE, '/etc/passwd'),
             ('d.jpg', tarfile.LNKTYPE, 'a/00.jpg'), ('p.jpg', tarfile.FIFOTYPE, ''), ('z.jpg', tarfile.CHRTYPE, '')]
    archive = archive_of(tmp_path / 'x.tar', links=links)
    assert tool.main([str(archive), '--out', str(tmp_path / 'out')]) == 0
    assert 'out: 12 images; passed over 5 links or devices\n' in capsys.readouterr().out
    assert sorted(path.name for path in (tmp_path / 'out').iterdir()) == ['a', 'b']


def test_what_is_passed_over_is_counted(tmp_path, tool, capsys):
    more = {'a/x.heic': b'1', 'a/y.jfif': b'2', 'b/z.cr2': b'3', 'README.txt': b'4', 'b/._x.jpg': b'5'}
    assert tool.main([str(archive_of(tmp_path / 'x.tar', {**FILES, **more})), '--out', str(tmp_path / 'out')]) == 0
    assert 'out: 14 images; passed over 1 .cr2: convert' in capsys.readouterr().out


def test_an_existing_target_is_left_alone(tmp_path, tool, capsys):
    archive = archive_of(tmp_path / 'x.tar')
    out = tmp_path / 'out'
    out.mkdir()
    (out / 'mine.txt').write_text('mine')
    assert tool.main([str(archive), '--out', str(out)]) == 1
    assert os.listdir(out) == ['mine.txt'] and 'differs from its source' in capsys.readouterr().err
    (tmp_path / 'file').write_text('mine')
    assert tool.main([str(archive), '--out', str(tmp_path / 'file')]) == 1
    assert (tmp_path / 'file').read_text() == 'mine'
