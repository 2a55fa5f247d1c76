"""Gray images of more than eight bits."""
import struct

import numpy as np
import pytest

from mmcluster.datasets.decode import decode_image


def tiff(values, bits, photometric):
    """Bytes of a TIFF of one strip; values of 12 bits are packed."""
    rows, columns = values.shape
    data = values.astype('<u2').tobytes() if bits == 16 else np.packbits(
        (values.reshape(-1, 1) >> np.arange(bits - 1, -1, -1)) & 1).tobytes()
    tags = {256: columns, 257: rows, 258: bits, 259: 1, 262: photometric, 273: 8, 277: 1, 278: rows, 279: len(data)}
    entries = b''.join(struct.pack('<HHII', tag, 4, 1, value) for tag, value in tags.items())
    return b'II*\0' + struct.pack('<I', 8 + len(data)) + data + struct.pack('<H', len(tags)) + entries + bytes(4)


# Pillow knows no 12 bits with 0 as white, and says so
@pytest.mark.parametrize('bits, white_is_zero', [(8, False), (8, True), (12, False), (16, False), (16, True)])
def test_gray_of_any_depth_uses_the_whole_range(tmp_path, bits, white_is_zero):
    levels = np.arange(0, 256, 17).reshape(2, 8)
    (tmp_path / 'x.tif').write_bytes(tiff(levels * (2 ** bits - 1) // 255, bits, 0 if white_is_zero else 1))
    got = np.asarray(decode_image(tmp_path / 'x.tif', 'L'))
    assert np.array_equal(got, 255 - levels if white_is_zero else levels)
