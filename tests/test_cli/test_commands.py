"""The commands, from the command line to files and exit codes."""
import io
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from mmcluster.apis.result import read_result
from mmcluster.cli import main
from mmcluster.cli.console import Console, progress_text
from mmcluster.cli.main import COMMANDS, parser

from .conftest import write_photos

TOOLS = Path(__file__).parents[2] / 'tools'
HELP = [sys.executable, '-X', 'importtime', '-m', 'mmcluster', 'cluster', '--help']


def test_help_is_there_at_once_and_fits_a_screen():
    start = time.perf_counter()
    done = subprocess.run(HELP, capture_output=True, text=True, check=True)
    assert time.perf_counter() - start < 2
    lines = done.stdout.splitlines()
    assert len(lines) <= 30 and max(map(len, lines)) <= 80
    assert sum(line.startswith('  mmcluster cluster ') for line in lines) == 3
    imported = {line.rpartition('|')[2].strip() for line in done.stderr.splitlines()}
    assert not imported & {'torch', 'numpy', 'mmengine'}, 'help waits for nothing heavy'


def test_every_command_has_help():
    text = parser().format_help()
    assert all(name in text for name in COMMANDS)


@pytest.mark.parametrize('argv', [[], ['clutser'], ['cluster'], ['cluster', 'x', '--k', '0'],
                                  ['cluster', 'x', '--k', '9:5'], ['cluster', 'x', '--limit', '0'],
                                  ['cluster', 'x', '--link', '--copy']])
def test_a_wrong_command_line_ends_in_2(argv, capsys):
    with pytest.raises(SystemExit) as caught:
        main(argv)
    assert caught.value.code == 2 and 'usage' in capsys.readouterr().err


@pytest.mark.parametrize('command', [['-m', 'mmcluster', 'configs'], [str(TOOLS / 'configs.py')]])
def test_a_reader_who_has_seen_enough_is_no_error(command):
    """As ``head`` after a line; what fits into a buffer fails at its end only."""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([sys.executable, *command, 'ls', '--parts', 'boosters/*'], stdout=writer,
                          stderr=subprocess.PIPE, text=True)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, '')


def test_cluster_writes_a_result_and_leaves_the_photographs(photos, clustered):
    result = read_result(clustered)
    assert len(result.paths) == 24 and [path for path, _ in result.unreadable] == ['kind0/broken.jpg']
    assert result.summary['k'] == 3 and result.summary['metrics']['acc'] == 1
    assert result.summary['encoder']['spec'] == 'default' and result.summary['root'] == str(photos)
    assert {'features', 'cluster'} <= set(result.summary['seconds']) and len(result.summary['fingerprint']) == 64
    assert not list(photos.rglob('*.csv')) and len(list(photos.rglob('*'))) == 25 + 3


def test_the_first_line_says_what_will_happen(photos, capfd):
    assert main(['cluster', str(photos), '--k', '2:4', '--workers', '0']) == 0
    lines = capfd.readouterr().out.splitlines()
    assert lines[0].startswith('25 images') and 'efficientnet_lite0' in lines[0] and 'takes about' in lines[0]
    assert any('in 3 clusters' in line and 'chosen' in line for line in lines)
    assert read_result('clusters/photos').summary['k_requested'] == [2, 4], 'the default place of a result'


def test_the_last_lines_count_as_one_would_say_it(tmp_path, capfd):
    write_photos(tmp_path / 'in', count=4, kinds=2)
    (tmp_path / 'in' / 'broken.jpg').write_bytes(b'no image')
    assert main(['cluster', 'in', '--k', '1', '--workers', '0']) == 0
    out = capfd.readouterr().out
    assert '4 images in 1 cluster of 4\n' in out and '1 file could not be read' in out


def test_a_second_run_counts_what_changed(tmp_path, capfd):
    write_photos(tmp_path / 'in', count=8, kinds=2)
    argv = ['cluster', 'in', '--k', '2', '--workers', '0']
    assert main(argv) == 0 and 'since' not in capfd.readouterr().out
    for path, other in (('kind0/0002.png', 'kind1/0001.png'), ('kind0/new.png', 'kind1/0003.png')):
        (tmp_path / 'in' / path).write_bytes((tmp_path / 'in' / other).read_bytes())
    (tmp_path / 'in' / 'kind0' / '0004.png').unlink()
    assert main(argv) == 0
    assert 'since the last result: 1 added, 1 changed, 1 removed' in capfd.readouterr().out
    assert main(argv) == 0 and 'since' not in capfd.readouterr().out


def test_json_is_all_that_is_printed(photos, capfd):
    assert main(['cluster', str(photos), '--k', '3', '--limit', '12', '--json', '--workers', '0']) == 0
    said = capfd.readouterr()
    found = json.loads(said.out)
    assert found['k'] == 3 and found['images'] + found['unreadable'] == 12 and found['out'].endswith('photos')
    assert said.err == ''


@pytest.mark.parametrize('kind', ['link', 'copy'])
def test_folders_per_cluster(photos, kind, tmp_path):
    for k in (3, 2):    # the second run replaces the first one's
        assert main(['cluster', str(photos), '--k', str(k), f'--{kind}', '--quiet', '--workers', '0']) == 0
    result, folder = read_result('clusters/photos'), tmp_path / 'clusters' / 'photos' / 'images'
    found = {path.relative_to(folder).as_posix() for path in folder.rglob('*.png')}
    assert found == {f'{own}/{path}' for path, own in zip(result.paths, result.table['cluster'])}
    assert all(path.is_symlink() == (kind == 'link') for path in folder.rglob('*.png'))
    (folder / '0' / 'mine.txt').write_text('x')
    assert main(['cluster', str(photos), '--k', '3', f'--{kind}', '--quiet', '--workers', '0']) == 0
    assert (folder / '0' / 'mine.txt').exists()


def test_what_is_of_an_earlier_clustering_is_named(photos, capfd):
    argv = ['cluster', str(photos), '--out', 'out', '--workers', '0']
    assert main([*argv, '--k', '3', '--link']) == 0 and 'earlier clustering' not in capfd.readouterr().out
    Path('out/clusters.onnx').touch()
    assert main([*argv, '--k', '2']) == 0
    said = capfd.readouterr().out
    assert 'earlier clustering: --link or --copy' in said and 'earlier clustering: mmcluster export' in said


def test_assign_knows_old_and_new_images_without_the_old_ones(photos, clustered, tmp_path, capfd):
    moved = shutil.copytree(clustered, tmp_path / 'moved')
    result = read_result(moved)
    new = write_photos(tmp_path / 'new', count=6, start=100)
    shutil.copy(photos / result.paths[0], new / 'old.png')
    assert main(['assign', str(moved), str(new), '--json', '--workers', '0']) == 0
    found = {entry['path']: entry for entry in json.loads(capfd.readouterr().out)['images']}
    assert found['old.png']['cluster'] == result.table['cluster'][0]
    own = {path.split('/')[0]: cluster for path, cluster in zip(result.paths, result.table['cluster'])}
    assert all(entry['second'] != own[path.split('/')[0]] for path, entry in found.items() if path != 'old.png')
    assert main(['assign', str(moved), str(new / 'old.png'), '--out', 'new.csv', '--workers', '0']) == 0
    assert (tmp_path / 'new.csv').read_text().splitlines()[1].startswith('old.png,')


def test_features_go_into_a_file(photos, clustered, capfd):
    assert main(['features', str(photos), '--out', 'f.npy', '--workers', '0']) == 0
    assert '24 known before' in capfd.readouterr().out, 'mmcluster cluster has stored them'
    embed, paths = np.load('f.npy'), open('f.csv').read().splitlines()[1:]
    assert paths == read_result(clustered).paths
    assert np.allclose(embed, read_result(clustered).embed, atol=2e-3)


def test_progress_says_rate_and_time_to_go():
    assert progress_text('features', 60, 100, 20, 10.) == 'features: 60 of 100, 4.0/s, 0:10 to go'


def test_the_quickstart_clusters_a_folder(tmp_path):
    """Without a network: its environment is this one."""
    root = tmp_path / 'checkout'
    (root / 'tools').mkdir(parents=True)
    shutil.copy(TOOLS / 'quickstart.sh', root / 'tools')
    (root / 'tools' / 'setup_env.sh').write_text('exit 0\n')
    (root / '.venv' / 'bin').mkdir(parents=True)
    (root / '.venv' / 'bin' / 'python').symlink_to('/bin/echo')
    for argv, said in ((['photos', '--k', '3'], '-m mmcluster cluster photos --k 3'),
                       (['--seed', '1'], 'quickstart.py --seed 1')):
        done = subprocess.run(['bash', str(root / 'tools' / 'quickstart.sh'), *argv], cwd=tmp_path, check=True,
                              capture_output=True, text=True)
        assert done.stdout.strip().endswith(said)


def test_folders_per_cluster_lose_images_that_are_gone(tmp_path):
    write_photos(tmp_path / 'in', count=8, kinds=2)
    argv = ['cluster', 'in', '--k', '2', '--copy', '--quiet', '--workers', '0', '--out', 'out']
    assert main(argv) == 0
    (tmp_path / 'in' / 'kind0' / '0004.png').unlink()
    assert main([*argv[:4], *argv[5:]]) == 0, 'a result between them that has no folders'
    assert main(argv) == 0
    assert len(list(Path('out/images').rglob('*.png'))) == 7


def test_names_in_tables_are_safe_and_lead_back(tmp_path, capfd):
    write_photos(tmp_path / 'in', count=8, kinds=2)
    odd = {'=1+1.png', os.fsdecode(b'caf\xe9.png')}
    for name, old in zip(odd, ('0004.png', '0006.png')):
        (tmp_path / 'in' / 'kind0' / old).rename(tmp_path / 'in' / name)
    argv = ['cluster', 'in', '--k', '2', '--quiet', '--workers', '0', '--out', 'out', '--link']
    assert main(argv) == 0
    table = Path('out/assignments.csv').read_text(encoding='utf-8')
    assert './=1+1.png,' in table and './caf\\xe9.png,' in table
    assert odd <= set(read_result('out').paths)
    capfd.readouterr()
    assert main([*argv[:4], *argv[5:]]) == 0 and 'since the last result' not in capfd.readouterr().out
    assert main(['assign', 'out', 'in', '--out', 'new.csv', '--quiet', '--workers', '0']) == 0
    assert './caf\\xe9.png,' in Path('new.csv').read_text(encoding='utf-8')


@pytest.mark.parametrize('encoding, said', [('utf-8', 'caf\\xe9 é'), ('ascii', 'caf\\xe9 \\xe9')])
def test_a_console_shows_any_name(encoding, said):
    stream = io.TextIOWrapper(io.BytesIO(), encoding, 'strict')
    Console(lines_to=stream).line(os.fsdecode(b'caf\xe9') + ' é')
    assert stream.buffer.getvalue().decode(encoding) == f'{said}\n'


def test_the_table_of_assign_lists_what_cannot_be_read(photos, clustered, tmp_path, capfd):
    write_photos(tmp_path / 'in', count=1)
    (tmp_path / 'in' / os.fsdecode(b'bad\xe9.png')).write_bytes(b'no image')
    assert main(['assign', str(clustered), 'in', '--out', 'new.csv', '--workers', '0']) == 0
    rows = (tmp_path / 'new.csv').read_text(encoding='utf-8').splitlines()
    assert rows[1].startswith('kind0/0000.png,') and rows[2] == './bad\\xe9.png,,,,,,' and len(rows) == 3
    said = capfd.readouterr().out
    assert '2 images; 3 clusters' in said and 'cannot be read: bad\\xe9.png: ' in said and '1 image in' in said


def test_the_page_follows_the_links_that_led_to_the_images(photos, tmp_path):
    (tmp_path / 'links').mkdir()
    for place, path in enumerate(sorted(photos.rglob('*.png'))[:9]):
        (tmp_path / 'links' / f'{place}.png').symlink_to(path)
    assert main(['cluster', 'links', '--k', '2', '--quiet', '--workers', '0', '--out', 'out']) == 0
    assert 'all 9 images have a picture here' in Path('out/report.html').read_text()
    assert main(['report', 'out', '--quiet']) == 0
    assert '9 lie outside of the folder, behind links' in Path('out/report.html').read_text()
    assert main(['report', 'out', '--quiet', '--follow-links']) == 0
    assert 'all 9 images have a picture here' in Path('out/report.html').read_text()
