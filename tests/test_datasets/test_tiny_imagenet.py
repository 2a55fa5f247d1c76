"""Tiny-ImageNet: splits, labels of the validation images, and what is wrong with incomplete folders."""
import numpy as np
import pytest
from PIL import Image

from mmcluster.datasets import TinyImageNetSource, UnreadableImageError
from mmcluster.registry import DATASETS

WNIDS = ['n03', 'n01', 'n02']


def save(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new('RGB', (64, 64), (value,) * 3).save(path)


def write(root):
    """Two training images a class, four validation images, two test images; grey level = running number."""
    root = root / 'tiny-imagenet-200'
    for i, name in enumerate(WNIDS):
        for j in range(2):
            save(root / 'train' / name / 'images' / f'{name}_{j}.JPEG', 20 * i + 10 * j)
        (root / 'train' / name / f'{name}_boxes.txt').write_text('n03_0.JPEG\t0\t0\t63\t63\n')
    truth = ['n02', 'n03', 'n03', 'n01']
    for i in range(4):
        save(root / 'val' / 'images' / f'val_{i}.JPEG', 100 + 10 * i)
    (root / 'val' / 'val_annotations.txt').write_text(
        ''.join(f'val_{i}.JPEG\t{truth[i]}\t0\t32\t44\t62\n' for i in (2, 0, 3, 1)))
    for i in range(2):
        save(root / 'test' / 'images' / f'test_{i}.JPEG', 200 + 10 * i)
    (root / 'wnids.txt').write_text('\n'.join(WNIDS) + '\n')
    return root


def values(source):
    return [int(np.asarray(source.load(i)).mean().round(-1)) for i in range(len(source))]


TRAIN = [20, 30, 40, 50, 0, 10]     # n01, n02, n03


@pytest.mark.parametrize('split, labels, levels', [
    ('train', [0, 0, 1, 1, 2, 2], TRAIN), ('val', [1, 2, 2, 0], [100, 110, 120, 130]),
    ('val+train', [0, 0, 1, 1, 2, 2, 1, 2, 2, 0], TRAIN + [100, 110, 120, 130]),
    ('train+test', [0, 0, 1, 1, 2, 2, -1, -1], TRAIN + [200, 210])])
def test_splits(tmp_path, split, labels, levels):
    write(tmp_path)
    source = DATASETS.build(dict(type='TinyImageNetSource', root=str(tmp_path), split=split))
    assert source.labels.tolist() == labels and source.labels.dtype == np.int64 and values(source) == levels
    assert source.classes == ('n01', 'n02', 'n03') and source.paths[0].startswith(f'{source.name.split()[1][:3]}')
    assert source.load(0).size == (64, 64) and source.array is None


def test_the_folder_itself_without_the_list_of_classes(tmp_path):
    root = write(tmp_path)
    (root / 'wnids.txt').unlink()
    assert TinyImageNetSource(root, 'train').labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert TinyImageNetSource(root, 'test').labels is None
    prints = {TinyImageNetSource(root, split).fingerprint for split in ('train', 'val', 'train+val', 'test')}
    assert len(prints) == 4


def test_unreadable_images(tmp_path):
    root = write(tmp_path)
    (root / 'train' / 'n01' / 'images' / 'n01_1.JPEG').write_bytes(b'no image')
    with pytest.raises(UnreadableImageError):
        TinyImageNetSource(root).load(1)
    with pytest.warns(UserWarning, match='left out 1 of 6 images'):
        assert TinyImageNetSource(root, skip_unreadable=True).labels.tolist() == [0, 1, 1, 2, 2]


def test_faults(tmp_path):
    with pytest.raises(FileNotFoundError, match='is not a folder'):
        TinyImageNetSource(tmp_path / 'none')
    with pytest.raises(FileNotFoundError, match='holds neither tiny-imagenet-200/wnids.txt nor'):
        TinyImageNetSource(tmp_path)
    root = write(tmp_path)
    with pytest.raises(ValueError, match="split must be one of train, val, test, or several.*'valid'"):
        TinyImageNetSource(root, 'valid')
    table = root / 'val' / 'val_annotations.txt'
    text = table.read_text()
    for changed, odd in ((text.split('\n', 1)[1], 'val_2.JPEG'), (text + 'val_9.JPEG\tn01\n', 'val_9.JPEG'),
                         (text.replace('n02', 'n09'), 'n09')):
        table.write_text(changed)
        with pytest.raises(ValueError, match=f'val_annotations.txt does not fit .* beginning with {odd}'):
            TinyImageNetSource(root, 'train+val')
    table.unlink()
    with pytest.raises(FileNotFoundError, match='lacks val_annotations.txt: .*ClassFolderSource'):
        TinyImageNetSource(root, 'val')
    (root / 'train' / 'n02').rename(root / 'n02')
    with pytest.raises(FileNotFoundError, match='lacks 1 of 3 class folders, beginning with n02'):
        TinyImageNetSource(root)
    for image in (root / 'test' / 'images').iterdir():
        image.unlink()
    with pytest.raises(FileNotFoundError, match='test holds no image'):
        TinyImageNetSource(root, 'test')
    (root / 'test' / 'images').rmdir()
    with pytest.raises(FileNotFoundError, match='images is not a folder'):
        TinyImageNetSource(root, 'test')
