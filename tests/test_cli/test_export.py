"""Files that run without this project, and models by name."""
import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

import mmcluster
from mmcluster.apis.exporting import difference, export
from mmcluster.apis.result import read_result
from mmcluster.cli import main

# what docs/en/python.md shows
ALONE = '''
import sys
import numpy as np, onnxruntime
from PIL import Image
image = Image.open(sys.argv[2]).convert('RGB')
side = min(image.size)
left, top = (image.width - side) / 2, (image.height - side) / 2
image = image.resize((160, 160), Image.BICUBIC, box=(left, top, left + side, top + side))
pixels = np.asarray(image, np.float32).transpose(2, 0, 1)[None]
cluster, probability, distance, embed = onnxruntime.InferenceSession(sys.argv[1]).run(None, {'images': pixels})
print(cluster[0], probability[0].max())
assert not {'mmcluster', 'torch'} & set(sys.modules)
'''


def test_onnx_computes_the_same_alone(photos, clustered, tmp_path):
    pytest.importorskip('onnxruntime')
    pytest.importorskip('onnxscript')
    file = export(clustered, tmp_path / 'x.onnx')
    assert json.loads((tmp_path / 'x.onnx.json').read_text())['off_from_torch'] <= 1e-4
    result = read_result(clustered)
    done = subprocess.run([sys.executable, '-c', ALONE, str(file), str(photos / result.paths[5])], check=True,
                          capture_output=True, text=True).stdout.split()
    assert int(done[0]) == result.table['cluster'][5]
    assert float(done[1]) == pytest.approx(result.table['confidence'][5], abs=0.02)     # bfloat16 in the store


def test_other_formats(clustered, tmp_path, capfd):
    assert main(['export', str(clustered), '--format', 'pt2', '--out', str(tmp_path / 'x.pt2')]) == 0
    assert 'off from torch' in capfd.readouterr().out
    program = torch.export.load(tmp_path / 'x.pt2').module()
    assert program(torch.zeros(3, 3, 160, 160))[1].shape == (3, 3)


def test_a_difference_is_found():
    wanted = (torch.tensor([1]), torch.tensor([[.2, .8]]), torch.ones(1), torch.ones(1, 2))
    same = [value.numpy() for value in wanted]
    assert difference(wanted, same) == 0
    assert difference(wanted, [np.array([0]), np.array([[.8, .2]]), *same[2:]]) == float('inf')
    assert difference(wanted, [*same[:3], same[3] + .5]) == .5


def test_models_by_name(tmp_path, engine, capfd):
    assert {'propos_cnn_digits', 'scan_cnn_digits'} <= set(mmcluster.list_models('digits'))
    assert main(['models', 'propos*digits', '--json']) == 0
    assert 'propos_cnn_digits' in [entry['name'] for entry in json.loads(capfd.readouterr().out)]
    model = mmcluster.get_model('cc_cnn_sign_digits', device='cpu')
    assert not model.training
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'cc.pth')
    again = mmcluster.get_model('cc_cnn_sign_digits', pretrained=str(tmp_path / 'cc.pth'), device='cpu')
    images = [Image.new('RGB', (50, 40), color) for color in ('red', 'blue')]
    first, second = (mmcluster.inference_model(net, images) for net in (model, again))
    assert all(np.array_equal(a['scores'], b['scores']) for a, b in zip(first, second))
    assert first[0]['scores'].shape == (10,) and first[0]['pred_cluster'] == first[0]['scores'].argmax()


@pytest.mark.parametrize('name, pretrained, said', [
    ('propos_cnn_digit', False, "did you mean 'propos_cnn_digits'"), ('propos_cnn_digits', True, 'mmcluster train')])
def test_models_that_are_not_there(name, pretrained, said):
    with pytest.raises(ValueError, match=said):
        mmcluster.get_model(name, pretrained)


def test_a_work_dir_is_no_result(tmp_path, capfd):
    (tmp_path / 'summary.json').write_text(json.dumps(dict(experiment='x', metrics={})))
    assert main(['export', str(tmp_path)]) == 2
    assert 'is the work dir of a training: cluster images with it first' in capfd.readouterr().err
