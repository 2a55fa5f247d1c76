"""Encoders of this project and of other libraries."""
import json
import pickle

import numpy as np
import pytest
import torch
from PIL import Image
from reduced import propos_cfg, train, write_digits

from mmcluster.apis import load_weights
from mmcluster.datasets import IndexedDataset
from mmcluster.encoders import build_encoder, named
from mmcluster.encoders.embedded import PACKAGE
from mmcluster.engine.extract import extract, sweep_loader
from mmcluster.recipes.binding import bind_data
from mmcluster.recipes.known_types import check_built
from mmcluster.registry import MODELS

pytestmark = pytest.mark.usefixtures('engine')
IMAGES = torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def built(spec):
    return build_encoder(spec, 'cpu')


@pytest.mark.parametrize('door', ['memory', 'worker'])
def test_a_run_of_this_project(tmp_path, door):
    data = write_digits(tmp_path)
    cfg = propos_cfg(tmp_path / 'work', data, epochs=1, warmup=0, door=door)
    checkpoint = train(cfg)['train']
    encoder = built(str(tmp_path / 'work'))
    assert built(checkpoint).digest == encoder.digest and pickle.loads(pickle.dumps(encoder.preprocess))
    given = cfg.test_dataloader.dataset
    dataset = IndexedDataset(given.source, size=given.get('size'), pipelines=given.get('pipelines'))
    bind_data(cfg)
    model = MODELS.build(cfg.model)
    load_weights(model, checkpoint)
    expected = extract(model, sweep_loader(dataset), len(dataset))[:8]
    rows = np.load(data['array'])[:8]
    pixels = np.stack([encoder.preprocess(Image.fromarray(row).convert('RGB')) for row in rows])
    found = encoder.encode(torch.from_numpy(pixels).permute(0, 3, 1, 2))
    torch.testing.assert_close(found, expected.cpu(), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize('kind', ['os.makedirs', 'mmengine.mkdir_or_exist', 'mmengine.utils.path.mkdir_or_exist'])
def test_a_record_calls_nothing_but_parts_of_networks(tmp_path, kind):
    """Of a stranger's work dir or result folder; a registry imports and calls any dotted path."""
    train(propos_cfg(tmp_path / 'work', write_digits(tmp_path), epochs=1, warmup=0))
    record, made = tmp_path / 'work' / 'config.json', tmp_path / 'made'
    config = json.loads(record.read_text())
    config['model']['neck'] = {'type': kind, 'name' if kind == 'os.makedirs' else 'dir_name': str(made)}
    record.write_text(json.dumps(config))
    with pytest.raises(ValueError, match='it is not called'):
        built(str(tmp_path / 'work'))
    assert not made.exists()
    check_built(dict(neck=dict(type='torch.nn.Identity')), 'a class of modules is a part of a network')


def test_a_folder_that_is_no_run(tmp_path):
    with pytest.raises(FileNotFoundError, match='no work dir of mmcluster'):
        built(str(tmp_path))


@pytest.mark.parametrize('suffix', ['.pth', '.safetensors'])
def test_timm_with_a_file(tmp_path, suffix):
    timm = pytest.importorskip('timm')
    network, file = timm.create_model('mobilenetv3_small_050').eval(), str(tmp_path / f'weights{suffix}')
    if suffix == '.pth':
        torch.save(network.state_dict(), file)
    else:
        pytest.importorskip('safetensors.torch').save_file(network.state_dict(), file)
    encoder = built(f'timm:mobilenetv3_small_050={file}')
    with torch.no_grad():
        x = (IMAGES.float() / 255 - torch.tensor([.485, .456, .406]).view(3, 1, 1)) / \
            torch.tensor([.229, .224, .225]).view(3, 1, 1)
        expected = network.forward_head(network.forward_features(x), pre_logits=True)
    torch.testing.assert_close(encoder.encode(IMAGES), expected, atol=1e-4, rtol=1e-4)
    assert (encoder.preprocess.size, encoder.preprocess.resize) == (224, 256)
    torch.save({'module': torch.nn.Linear(1, 1)}, tmp_path / 'code.pth')
    with pytest.raises(pickle.UnpicklingError, match='can run code'):
        built(f'timm:mobilenetv3_small_050={tmp_path}/code.pth')


def test_torchvision_with_a_file(tmp_path):
    from torchvision import models
    network = models.get_model('mobilenet_v3_small', weights=None).eval()
    torch.save(network.state_dict(), tmp_path / 'weights.pth')
    encoder = built(f'torchvision:mobilenet_v3_small={tmp_path}/weights.pth')
    network.classifier[3] = torch.nn.Identity()
    with torch.no_grad():
        x = (IMAGES.float() / 255 - torch.tensor([.485, .456, .406]).view(3, 1, 1)) / \
            torch.tensor([.229, .224, .225]).view(3, 1, 1)
        torch.testing.assert_close(encoder.encode(IMAGES), network(x), atol=1e-4, rtol=1e-4)
    torch.save(models.get_model('shufflenet_v2_x0_5', weights=None).state_dict(), tmp_path / 'other.pth')
    with pytest.raises(ValueError, match='does not fit'):
        built(f'torchvision:mobilenet_v3_small={tmp_path}/other.pth')


def test_mmpretrain_with_a_file(tmp_path):
    import mmpretrain
    name = 'mobilenet-v3-small_8xb128_in1k'
    network = mmpretrain.get_model(name, pretrained=False).eval()
    torch.save({'state_dict': network.state_dict()}, tmp_path / 'weights.pth')
    encoder = built(f'mmpretrain:{name}={tmp_path}/weights.pth')
    with torch.no_grad():
        x = (IMAGES.float() - torch.tensor([123.675, 116.28, 103.53]).view(3, 1, 1)) / \
            torch.tensor([58.395, 57.12, 57.375]).view(3, 1, 1)
        expected = network.backbone(x)[-1].mean((2, 3))
    torch.testing.assert_close(encoder.encode(IMAGES), expected, atol=1e-4, rtol=1e-4)
    assert (encoder.preprocess.size, encoder.preprocess.resize) == (224, 256)
    with pytest.raises(ValueError, match=f'download https://.*mmpretrain:{name}=FILE'):
        built(f'mmpretrain:{name}')


def test_weights_that_cannot_be_downloaded(monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError('no route to host')

    monkeypatch.setattr(named, 'load_from_http', refuse)
    with pytest.raises(ConnectionError, match=r'no route.*https://download.pytorch.org.*torchvision:resnet18=FILE'):
        built('torchvision:resnet18')
    timm = pytest.importorskip('timm')
    monkeypatch.setattr(timm, 'create_model', refuse)
    with pytest.raises(ConnectionError, match=r'huggingface.co/timm/resnet18.*safetensors.*timm:resnet18=FILE'):
        built('timm:resnet18')


@pytest.mark.parametrize('spec, said', [
    ('resnet', 'there is no encoder'), ('torchvision:resnet17', 'near it stand'), ('mmpretrain:resnet17', 'has no'),
    ('timm:resnet17', 'near it stand')])
def test_names_that_nobody_knows(spec, said):
    if spec.startswith('timm'):
        pytest.importorskip('timm')
    with pytest.raises(ValueError, match=said):
        built(spec)


def test_the_default_without_its_package(monkeypatch):
    from mmcluster.encoders import embedded
    monkeypatch.setattr(embedded, 'find_spec', lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'mmcluster\[encoder\]'"):
        built('default')


def test_the_default_is_a_backbone_for_a_booster():
    pytest.importorskip(PACKAGE)
    assert MODELS.build(dict(type='EfficientNetLite')).out_channels == 1280
