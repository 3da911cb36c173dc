"""Small JPEG copies of pictures, to be put into a page."""

from __future__ import annotations

from io import BytesIO

from PIL import Image, UnidentifiedImageError

from reid_core.errors import NotAnImageError

__all__ = ["thumbnail"]

_QUALITY = 82


def thumbnail(picture: bytes, *, size_px: tuple[int, int] = (136, 256)) -> bytes:
    """A JPEG of the picture, shrunk until it fits; a small one keeps its size.

    Args:
        picture: A file of any common form.
        size_px: Width and height to fit into.

    Raises:
        NotAnImageError: If the bytes are no picture, or one too large to be decoded safely.
    """
    try:
        with Image.open(BytesIO(picture)) as opened:
            small = opened.convert("RGB")
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
        raise NotAnImageError(f"{len(picture)} bytes to be made small") from error
    small.thumbnail(size_px, Image.Resampling.LANCZOS)
    out = BytesIO()
    small.save(out, "JPEG", quality=_QUALITY, optimize=True)
    return out.getvalue()
