"""Bad input of the command: one sentence with the remedy, an exit code, and nothing lost."""
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from mmcluster.apis.result import read_result
from mmcluster.cli import main
from mmcluster.cli.errors import FAULT, INTERRUPTED, MACHINE, WRONG

from .conftest import write_photos


def refused(capfd, argv, said, code=WRONG):
    """Check that a command ends in one sentence that says something."""
    assert main([*argv, '--quiet']) == code
    err = [line for line in capfd.readouterr().err.splitlines() if line]
    assert len(err) == 1 and err[0].startswith('mmcluster: error: ') and said in err[0], err


def snapshot(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob('*') if path.is_file()}


@pytest.mark.parametrize('fill, argv, said', [
    (lambda folder: None, ['--k', '3'], 'holds no image'),
    (lambda folder: (folder / 'notes.txt').write_text('x'), ['--k', '3'], 'holds no image'),
    (lambda folder: write_photos(folder, count=1), ['--k', '1'], 'there is one image'),
    (lambda folder: write_photos(folder, count=4), ['--k', '5'], 'ask for at most 4'),
    (lambda folder: write_photos(folder, count=4), ['--k', '9:12'], 'ask for at most 4'),
    (lambda folder: write_photos(folder, count=4), ['--k', '2', '--method', 'hdbscan'], 'auto'),
    (lambda folder: write_photos(folder, count=4), ['--method', 'kmean'], 'method must be auto or one of'),
    (lambda folder: write_photos(folder, count=4), ['--k', '2', '--labels', 'nothing.csv'], 'nothing.csv'),
    (lambda folder: write_photos(folder, count=4), ['--k', '2', '--encoder', 'resnet'], 'there is no encoder'),
    (lambda folder: write_photos(folder, count=4), ['--k', '2', '--train', 'nothing'], 'there is no config'),
    (lambda folder: write_photos(folder, count=4), ['--k', '2', '--epochs', '3'], 'add --train, --boost or --finetune'),
    (lambda folder: write_photos(folder, count=4), ['--k', '2', '--device', 'gpu'], "no device 'gpu' here: give"),
    (lambda folder: write_photos(folder, count=4), ['--k', '2', '--device', 'cuda:99'], "no device 'cuda:99' here: give"),
    (lambda folder: [(folder / f'{i}.png').write_bytes(b'x') for i in range(3)], ['--k', '2'], 'cannot be read')])
def test_a_folder_or_setting_that_gives_no_clusters(fill, argv, said, tmp_path, capfd):
    (tmp_path / 'in').mkdir()
    fill(tmp_path / 'in')
    refused(capfd, ['cluster', 'in', '--workers', '0', *argv], said)


def test_labels_that_are_nowhere_are_sought_where_the_user_is(tmp_path, capfd):
    write_photos(tmp_path / 'in', count=4)
    refused(capfd, ['cluster', 'in', '--k', '2', '--labels', 'nothing.csv'], f'{tmp_path / "nothing.csv"} does not')


def test_a_misspelt_option_is_named_by_its_command(capfd):
    with pytest.raises(SystemExit) as ended:
        main(['cluster', 'in', '--methd', 'kmeans'])
    err = capfd.readouterr().err
    assert ended.value.code == WRONG and "--methd (did you mean '--method'?)" in err and 'cluster FOLDER' in err


def test_equal_images(tmp_path, capfd):
    (tmp_path / 'in').mkdir()
    for i in range(4):
        Image.new('RGB', (9, 9), 'red').save(tmp_path / 'in' / f'{i}.png')
    refused(capfd, ['cluster', 'in', '--k', '2', '--workers', '0'], 'the same features')


def test_a_missing_folder(capfd):
    refused(capfd, ['cluster', 'nowhere'], 'is no folder')
    refused(capfd, ['assign', 'nowhere', 'x.jpg'], 'no result folder')
    refused(capfd, ['report', 'nowhere'], 'no result folder')
    refused(capfd, ['export', 'nowhere'], 'no result folder')
    refused(capfd, ['features', 'nowhere'], 'is no folder')


def test_nothing_is_written_among_the_photographs(photos, monkeypatch, capfd):
    before = snapshot(photos)
    refused(capfd, ['cluster', str(photos), '--k', '3', '--out', str(photos / 'x')], 'among the images')
    refused(capfd, ['features', str(photos), '--out', str(photos / 'x.npy')], 'among the images')
    refused(capfd, ['cluster', str(photos), '--k', '3', '--store', str(photos / 'store'), '--workers', '0'],
            'name another one by --store', MACHINE)
    monkeypatch.chdir(photos)
    refused(capfd, ['cluster', '.', '--k', '3'], '--out')
    assert snapshot(photos) == before


def test_other_results_and_files_stay(photos, clustered, tmp_path, capfd):
    other, before = write_photos(tmp_path / 'other', count=6), snapshot(clustered)
    refused(capfd, ['cluster', str(other), '--k', '2', '--out', str(clustered)], 'the result of other images')
    assert snapshot(clustered) == before
    (tmp_path / 'mine').mkdir()
    (tmp_path / 'mine' / 'thesis.tex').write_text('x')
    refused(capfd, ['cluster', str(other), '--k', '2', '--out', 'mine'], 'holds other files (thesis.tex)')
    refused(capfd, ['cluster', str(other), '--k', '2', '--out', 'mine/thesis.tex'], 'is a file')


@pytest.mark.parametrize('files', [
    {'summary.json': '{"experiment": "cc", "seed": 0}', 'epoch_1.pth': ''}, {'summary.json': '{"total": 3}'},
    {'summary.json': '{"total"'}, {'summary.json': '{"format": 2}', 'assignments.csv': 'x'}, {'assignments.csv': 'x'}])
def test_tables_of_others_stay(photos, files, tmp_path, capfd):
    (tmp_path / 'mine').mkdir()
    for name, text in files.items():
        (tmp_path / 'mine' / name).write_text(text)
    before = snapshot(tmp_path / 'mine')
    refused(capfd, ['cluster', str(photos), '--k', '2', '--out', 'mine'], 'holds other files')
    assert snapshot(tmp_path / 'mine') == before


@pytest.mark.parametrize('argv', [
    ['assign', 'out', 'photos', '--out', 'out/assignments.csv'], ['features', 'photos', '--out', 'out/embeddings.npy'],
    ['features', 'photos', '--out', 'out/assignments.npy'], ['export', 'out', '--out', 'out/model.npz'],
    ['export', 'out', '--out', 'out/summary']])
def test_no_file_of_a_result_is_overwritten(photos, clustered, argv, tmp_path, capfd):
    (tmp_path / 'photos').symlink_to(photos)
    before = snapshot(shutil.copytree(clustered, tmp_path / 'out'))
    refused(capfd, argv, 'belongs to the result in')
    assert snapshot(tmp_path / 'out') == before


def test_a_damaged_result_is_replaced(photos, clustered, tmp_path):
    out = shutil.copytree(clustered, tmp_path / 'out')
    (out / 'summary.json').write_text('{"format": 1')
    assert main(['cluster', str(photos), '--k', '3', '--out', str(out), '--quiet', '--workers', '0']) == 0
    assert read_result(out).summary['k'] == 3


@pytest.mark.parametrize('argv', [['--method', 'foo'], ['--encoder', 'foo'], ['--limit', '1']])
def test_a_wrong_choice_leaves_no_empty_folder(photos, argv, tmp_path, capfd):
    refused(capfd, ['cluster', str(photos), '--workers', '0', *argv], '--limit 1 draws one' if '1' in argv else 'foo')
    assert not list(tmp_path.iterdir())


def test_a_single_image_is_for_another_command(photos, capfd):
    refused(capfd, ['cluster', str(next(photos.rglob('*.png')))], 'mmcluster assign RESULT')


def test_no_permission(photos, tmp_path, capfd, monkeypatch):
    def refuse(self, *args, **kwargs):
        raise PermissionError(13, 'Permission denied', str(self))

    monkeypatch.setattr('pathlib.Path.mkdir', refuse)       # a test may run as root, whom no mode keeps out
    refused(capfd, ['cluster', str(photos), '--k', '3', '--out', 'locked'], 'no permission for', MACHINE)


FULL = '''
import resource, signal, sys
from mmcluster.cli import main
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
sys.exit(main(sys.argv[2:]))
'''


@pytest.mark.parametrize('room', [1000, 120_000])       # not enough for the features; enough, but not for the result
def test_a_full_disk_loses_nothing(photos, clustered, tmp_path, room):
    pytest.importorskip('resource')
    out = shutil.copytree(clustered, tmp_path / 'out')
    before = snapshot(out)
    done = subprocess.run(
        [sys.executable, '-c', FULL, str(room), 'cluster', str(photos), '--k', '4', '--out', str(out), '--workers', '0',
         '--store', str(tmp_path / 'store'), '--quiet'], capture_output=True, text=True, env=dict(os.environ))
    said = [line for line in done.stderr.splitlines() if line.startswith('mmcluster')]
    assert done.returncode == MACHINE and len(said) == 1 and ('room' in said[0] or 'free space' in said[0]), done.stderr
    assert snapshot(out) == before


def test_another_encoder_or_version(photos, clustered, tmp_path, capfd):
    moved, image = shutil.copytree(clustered, tmp_path / 'moved'), str(photos / read_result(clustered).paths[0])
    summary = json.loads((moved / 'summary.json').read_text())
    (moved / 'summary.json').write_text(json.dumps(dict(summary, encoder=dict(summary['encoder'], digest='0'))))
    refused(capfd, ['assign', str(moved), image], 'is not the encoder of this result')
    refused(capfd, ['export', str(moved)], 'is not the encoder of this result')
    (moved / 'summary.json').write_text(json.dumps(dict(summary, format=99)))
    for argv in (['assign', str(moved), image], ['report', str(moved)], ['export', str(moved)]):
        refused(capfd, argv, 'format 99')
    assert main(['cluster', str(photos), '--k', '3', '--out', str(moved), '--quiet', '--workers', '0']) == 0
    assert np.array_equal(read_result(moved).table['cluster'], read_result(clustered).table['cluster'])


def test_a_store_of_another_version(photos, tmp_path, capfd):
    argv = ['features', str(photos), '--store', 'store', '--workers', '0']
    assert main([*argv, '--quiet']) == 0
    meta = next((tmp_path / 'store').rglob('meta.json'))
    meta.write_text(json.dumps(dict(json.loads(meta.read_text()), format=99)))
    before = snapshot(tmp_path / 'store')
    refused(capfd, argv, 'not a store of this encoder and version', MACHINE)
    assert snapshot(tmp_path / 'store') == before


def test_a_fault_of_the_program_shows_where_it_is(monkeypatch, capfd):
    def broken(args):
        return np.zeros(2).reshape(3)

    def stopped(args):
        raise KeyboardInterrupt

    monkeypatch.setattr('mmcluster.cli.models.run', broken)
    assert main(['models']) == FAULT and 'Traceback' in capfd.readouterr().err
    monkeypatch.setattr('mmcluster.cli.models.run', stopped)
    assert main(['models']) == INTERRUPTED and 'goes on' in capfd.readouterr().err


@pytest.mark.parametrize('argv, said', [
    (['export', 'file.pth'], 'is no result folder'),
    (['test', 'propos_clusmatch_cnn_digits', '--cfg-options', 'model.nonsense=3'], 'nothing reads'),
    (['test', 'propos_clusmatch_cnn_digits', '--cfg-options', 'test_dataloader.batchsize=1'], "did you mean 'batch_size'"),
    (['train', 'propos_clusmatch_cnn_digits', '--cfg-options', 'facts.num_clusters=ten'], 'facts.num_clusters must be a'),
    (['train', 'propos_clusmatch_cnn_digits', '--cfg-options', 'randomness.seed=abc'], 'randomness.seed must be a whole'),
    (['train', 'propos_clusmatch_cnn_digits', '--cfg-options', 'hooks.kmean=None'], "hooks.kmean=None removes nothing (did you mean"),
    (['train', 'propos_clusmatch_cnn_digits', '--cfg-options', 'stages.clusmatch.facts.lr=abc'], 'facts.lr must be a')])
def test_a_slip_in_a_command_says_what_to_do(argv, said, tmp_path, capfd):
    (tmp_path / 'file.pth').touch()
    assert main(argv) == WRONG and said in capfd.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize('option, said', [
    ('lr', "'lr' is no KEY=VALUE"), ("optim_wrapper.optimizer={'type':'SGD'}", 'optim_wrapper.optimizer.type=... and so on'),
    ('optim_wrapper.optimizer=dict(type=1)', 'optim_wrapper.optimizer._delete_=True')])
def test_an_option_that_is_no_plain_value_is_shown(option, said, capfd):
    with pytest.raises(SystemExit) as ended:
        main(['train', 'propos_clusmatch_cnn_digits', '--cfg-options', option])
    assert ended.value.code == WRONG and said in capfd.readouterr().err
