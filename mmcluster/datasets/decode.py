"""One way to read an image file, and one way to say that it cannot be read."""
from __future__ import annotations

import io
import os
import stat
from pathlib import Path
from typing import Any, Mapping, Optional, Union

import PIL
from PIL import Image, TiffImagePlugin

from mmcluster.environment import env_int
from mmcluster.image_files import load_plugins, needs_plugin, suffix_of
from mmcluster.image_names import printable

from .gray import BITS, PHOTOMETRIC, gray_of_8_bits
from .path_table import PathTable

LIMIT = 'MMCLUSTER_MAX_PIXELS'
TIFF_SUFFIXES = ('.tif', '.tiff')
_TIFF_MAGIC = (b'II*\0', b'MM\0*')
_BIG_TIFF_MAGIC = (b'II+\0', b'MM\0+')
_BANDS, _EXTRA = 277, 338       # tags of a TIFF
_CMYK = 5
_ALPHA = {1, 2, 999}  # the last one is what CorelDRAW writes
_ORIENTATION = 274      # tag of EXIF
_ORIENTED = ('exif', 'Raw profile type exif', 'xmp', 'XML:com.adobe.xmp')      # where Pillow looks for it
_TURNS = {2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
          5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
          8: Image.Transpose.ROTATE_90}
_MAX_LISTED = 20
_GRAY = ' gray 2'       # counts the ways in which gray_of_8_bits has read TIFFs: caches of the others stay as they are


class UnreadableImageError(ValueError):
    """An image file that cannot be turned into 8-bit pixels.

    Attributes:
        reason: What is wrong with the file, without its name.
    """

    def __init__(self, message: str, reason: str = '') -> None:
        super().__init__(message)
        self.reason = reason


def decode_image(path: Union[str, Path], mode: str = 'RGB', draft: Optional[int] = None) -> Image.Image:
    """Read one image file as 8-bit colour or gray.

    Transparent pixels are composited on white. 16-bit gray is scaled linearly (65535 -> 255; 4095 in a TIFF of 12
    bits), palettes and CMYK are converted, the EXIF orientation is applied, and of animations and multi-page files the
    first frame is taken. Of a TIFF the fourth band must be marked as transparency or be the black of CMYK.

    Args:
        path: The file.
        mode: ``'RGB'`` or ``'L'``.
        draft: Shorter edge in pixels that is enough: a JPEG is decoded at the smallest of 1, 1/2, 1/4 and 1/8 of its
            size that is not below it, which takes a fraction of the time. ``None`` decodes all pixels.

    Returns:
        The decoded image in the asked mode.

    Edge cases:
        Missing, empty, truncated and unknown files, pipes and devices, float or 32-bit pixels, TIFFs of more than three
        colour channels, colour TIFFs of 16 bits, and images of more pixels than Pillow's limit (which the environment
        variable ``MMCLUSTER_MAX_PIXELS`` changes) raise :class:`UnreadableImageError`.
    """
    if mode not in ('RGB', 'L'):
        raise ValueError(f"mode must be 'RGB' or 'L', got {mode!r}")
    _prepare_pillow()
    try:
        found = os.stat(path)
        if not stat.S_ISREG(found.st_mode):     # a pipe would never end, a device never begin
            raise ValueError('not a regular file')
        if found.st_size == 0:
            raise ValueError('the file is empty')
        with Image.open(path) as image:
            return eight_bit(image, mode, draft)
    except Exception as error:  # decoders of damaged files raise anything from OSError to IndexError
        reason = _reason(path, error)
        raise UnreadableImageError(f'{printable(str(path))}: {reason}', reason) from error


def decode_bytes(content: bytes, name: str, draft: Optional[int] = None) -> Image.Image:
    """Read the content of an image file as 8-bit colour, as :func:`decode_image` does.

    Args:
        content: All bytes of the file.
        name: What errors call it.
        draft: As in :func:`decode_image`.
    """
    _prepare_pillow()
    try:
        if not content:
            raise ValueError('the file is empty')
        with Image.open(io.BytesIO(content)) as image:
            return eight_bit(image, draft=draft)
    except Exception as error:
        reason = _reason(name, error)
        raise UnreadableImageError(f'{printable(name)}: {reason}', reason) from error


def eight_bit(image: Image.Image, mode: str = 'RGB', draft: Optional[int] = None) -> Image.Image:
    """Make of an image of Pillow what :func:`decode_image` makes of a file; a ``ValueError`` says why it cannot be.

    Args:
        image: As it was opened, or made in memory.
        mode: As in :func:`decode_image`.
        draft: Likewise; for an image that is not loaded yet.
    """
    tags = getattr(image, 'tag_v2', {})
    fault = _tiff_fault(tags)
    if fault:  # PIL would show some of what is there without a word
        raise ValueError(fault)
    if draft is not None:
        image.draft(None, (draft, draft))       # formats other than JPEG do nothing
    image.load()
    turned = _turned(image)
    return _to_mode(gray_of_8_bits(turned, tags) if turned.mode.startswith('I') else turned, mode)


def _prepare_pillow() -> None:
    """Give Pillow its plug-ins and the limit of the environment; a worker process may not have them yet."""
    load_plugins()
    if os.environ.get(LIMIT):
        Image.MAX_IMAGE_PIXELS = env_int(LIMIT, 0, least=1)     # it warns from here, and refuses from twice as many


def decoder_name(paths: PathTable, draft: Optional[int] = None) -> str:
    """What else than the files decides about their pixels, and whether they can be read.

    TIFFs are known by their suffix here: one under another keeps the pixels that an older reading has cached.

    Args:
        paths: The files.
        draft: As in :func:`decode_image`.
    """
    _prepare_pillow()
    size = '' if draft is None else f' draft {draft}'
    gray = _GRAY if paths.ending_in(TIFF_SUFFIXES).any() else ''
    return f'Pillow {PIL.__version__} {"HEIF" in Image.OPEN} {Image.MAX_IMAGE_PIXELS}{size}{gray}'


def _turned(image: Image.Image) -> Image.Image:
    """Apply the EXIF orientation. Pillow's own function also writes all tags anew, and fails at the first odd one."""
    try:
        turn = _TURNS.get(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # EXIF that is damaged says nothing about the pixels
        return image
    turned = image if turn is None else image.transpose(turn)
    if turn is not None:        # so that nobody turns it once more
        turned.info = {key: value for key, value in turned.info.items() if key not in _ORIENTED}
    return turned


def _to_mode(image: Image.Image, mode: str) -> Image.Image:
    """Bring an opened image of any PIL mode but those of 16-bit gray to 8-bit ``mode``."""
    if image.mode == 'F':
        raise ValueError('float pixels have no known range; save the image with 8 or 16 bits per channel')
    if 'transparency' in image.info or image.mode in ('RGBA', 'RGBa', 'LA', 'La', 'PA'):
        image = image.convert('RGBA')
        image = Image.alpha_composite(Image.new('RGBA', image.size, 'white'), image).convert('RGB')
    elif image.mode == 'P':
        image = image.convert('RGB')
    return image.convert(mode)


def _reason(path: Union[str, Path], error: Exception) -> str:
    """Say in one line why ``path`` could not be decoded."""
    tags = _tiff_tags(path)
    fault = _tiff_fault(tags or {})
    if fault:
        return fault
    if isinstance(error, FileNotFoundError):
        return 'the file does not exist'
    if isinstance(error, Image.DecompressionBombError):
        return f'more pixels than Pillow decodes, against files made to fill the memory ({error}). If you trust it, ' \
               f'set the environment variable {LIMIT} to its number of pixels'
    package = needs_plugin(suffix_of(Path(path).name))
    if isinstance(error, Image.UnidentifiedImageError) and package:
        return f'Pillow reads such files with the package {package}: install it, or convert them'
    if isinstance(error, Image.UnidentifiedImageError):
        return 'not an image of a known format' if tags is None else \
            f'TIFF of an unknown kind ({tags.get(_BANDS, 1)} channels); convert it to 8-bit RGB'
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def tiff_fault(path: Union[str, Path]) -> str:
    """Look whether the header of a file describes a TIFF that :func:`decode_image` refuses.

    Args:
        path: The file; its pixels are not decoded.

    Returns:
        What the TIFF has and what to do; an empty text for all other files, broken ones among them.
    """
    return _tiff_fault(_tiff_tags(path) or {})


def _tiff_fault(tags: Mapping[int, Any]) -> str:
    """Say why a TIFF with these tags is refused; an empty text if nothing speaks against it."""
    try:
        bands, bits = int(tags.get(_BANDS, 1)), int(max(tags.get(BITS, (1,))))
        known = tags.get(PHOTOMETRIC) == _CMYK or _ALPHA & set(tags.get(_EXTRA, ()))
    except (TypeError, ValueError, ArithmeticError):    # text where numbers belong, or no number at all
        return 'the header of the TIFF is damaged'
    if bands > 4 or (bands == 4 and not known):
        unmarked = ' and none is marked as transparency' if bands == 4 else ''
        return f'the TIFF has {bands} channels{unmarked}, at most three can be read; export three of them as 8-bit RGB'
    if bands > 2 and bits > 8:
        return f'the TIFF has {bands} channels of {bits} bits, whose range is not known; convert it to 8 bits a channel'
    return ''


def _tiff_tags(path: Union[str, Path]) -> Optional[Mapping[int, Any]]:
    """The first directory of a TIFF; None for other or broken files."""
    if not os.path.isfile(path):
        return None
    try:
        with open(path, 'rb') as file:
            header = file.read(16)
            if header[:4] not in _TIFF_MAGIC + _BIG_TIFF_MAGIC:
                return None
            directory = TiffImagePlugin.ImageFileDirectory_v2(header if header[:4] in _BIG_TIFF_MAGIC else header[:8])
            file.seek(directory.next)
            directory.load(file)
            return directory
    except Exception:  # whatever is wrong with the file, decoding it says so
        return None


def unreadable_error(failures: list[tuple[str, str]], total: int) -> UnreadableImageError:
    """Make one error of everything that could not be read.

    Args:
        failures: (path, reason) of every unreadable image; at least one.
        total: Number of images that were tried.

    Returns:
        The error to raise: it lists the first 20 files and says what to do.
    """
    lines = [f'  {printable(path)}: {reason}' for path, reason in failures[:_MAX_LISTED]]
    if len(failures) > _MAX_LISTED:
        lines.append(f'  ... and {len(failures) - _MAX_LISTED} more')
    return UnreadableImageError(
        '\n'.join([f'{len(failures)} of {total} images cannot be read:', *lines,
                   'Repair or remove these files, or set skip_unreadable=True to leave them out of the data set.']))
