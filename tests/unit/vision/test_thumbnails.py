from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from reid_core.errors import NotAnImageError
from reid_core.vision.thumbnails import thumbnail


def picture(width: int, height: int, *, mode: str = "RGB", form: str = "PNG") -> bytes:
    out = BytesIO()
    Image.new(mode, (width, height)).save(out, form)
    return out.getvalue()


def size_of(jpeg: bytes) -> tuple[int, int]:
    with Image.open(BytesIO(jpeg)) as opened:
        assert opened.format == "JPEG"
        return opened.size


def test_large_picture_is_shrunk_in_its_proportions():
    assert size_of(thumbnail(picture(400, 1000), size_px=(136, 256))) == (102, 256)
    assert size_of(thumbnail(picture(1000, 400), size_px=(136, 256))) == (136, 54)


def test_small_picture_keeps_its_size():
    assert size_of(thumbnail(picture(20, 50))) == (20, 50)


@pytest.mark.parametrize("mode", ["L", "RGBA", "P"])
def test_other_kinds_of_pixels_are_read(mode: str):
    assert size_of(thumbnail(picture(20, 50, mode=mode))) == (20, 50)


@pytest.mark.parametrize("data", [b"", b"no picture", picture(400, 400)[:60]])
def test_bytes_that_are_no_picture_are_refused(data: bytes):
    with pytest.raises(NotAnImageError, match=f"{len(data)} bytes"):
        thumbnail(data)
