"""The size that a picture's header states, read without decoding a pixel.

A picture of a few kilobytes can unfold to gigabytes, so an upload's size is judged before it reaches a decoder. Formats
that are not read here are not accepted.
"""

from __future__ import annotations

import struct
from struct import unpack_from

from reid_core.errors import NotAnImageError

__all__ = ["ACCEPTED", "image_size"]

ACCEPTED = "JPEG, PNG, WebP or BMP"

_JPEG_STANDALONE = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length: TEM, RST0-7, SOI
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOF0-15 without DHT, JPG, DAC
_JPEG_SCAN_OR_END = frozenset({0xDA, 0xD9})


def image_size(data: bytes) -> tuple[int, int]:
    """Width and height in pixels as a JPEG, PNG, WebP or BMP states them (before any EXIF rotation).

    Args:
        data: The whole file, or at least its header.

    Raises:
        NotAnImageError: If the bytes are of no accepted format, or end or break off within the header.

    Example:
        >>> image_size(b"BM" + bytes(12) + (40).to_bytes(4, "little") + bytes([3, 0, 0, 0, 2, 0, 0, 0]))
        (3, 2)
    """
    try:
        size = _size(data)
    except struct.error as error:
        raise NotAnImageError("the file ends within its header") from error
    if size is None:
        raise NotAnImageError(f"not a {ACCEPTED} file")
    width, height = size
    if width < 1 or height < 1:
        raise NotAnImageError(f"the header states {width}x{height} px")
    return width, height


def _size(data: bytes) -> tuple[int, int] | None:
    if data.startswith(b"\xff\xd8\xff"):
        return _jpeg_size(data)
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return _png_size(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _webp_size(data)
    if data.startswith(b"BM"):
        return _bmp_size(data)
    return None


def _jpeg_size(data: bytes) -> tuple[int, int]:
    """Source: ITU-T T.81, annex B.2: a frame header holds length, precision, height and width."""
    at = 2
    while True:
        lead, marker = unpack_from(">BB", data, at)
        if lead != 0xFF:
            raise NotAnImageError("the JPEG's header is damaged")
        if marker == 0xFF:  # fill bytes may precede a marker
            at += 1
        elif marker in _JPEG_FRAMES:
            height, width = unpack_from(">HH", data, at + 5)
            return width, height
        elif marker in _JPEG_SCAN_OR_END:
            raise NotAnImageError("the JPEG states no size")
        else:
            at += 2 if marker in _JPEG_STANDALONE else 2 + max(2, unpack_from(">H", data, at + 2)[0])


def _png_size(data: bytes) -> tuple[int, int]:
    """Source: PNG specification, 11.2.2: IHDR comes first and begins with width and height."""
    if data[12:16] not in {b"IHDR", b""}:
        raise NotAnImageError("the PNG's header is damaged")
    width, height = unpack_from(">II", data, 16)
    return width, height


def _webp_size(data: bytes) -> tuple[int, int]:
    """Source: WebP container specification (VP8X, VP8L) and RFC 6386, 9.1 (VP8)."""
    match data[12:16]:
        case b"VP8X":
            low_w, high_w, low_h, high_h = unpack_from("<HBHB", data, 24)
            return (low_w | high_w << 16) + 1, (low_h | high_h << 16) + 1
        case b"VP8L":
            bits = unpack_from("<I", data, 21)[0]
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8 ":
            width, height = unpack_from("<HH", data, 26)
            return width & 0x3FFF, height & 0x3FFF
    raise NotAnImageError("the WebP's header is damaged")


def _bmp_size(data: bytes) -> tuple[int, int]:
    """Source: BITMAPCOREHEADER (12 bytes) and its successors; a negative height means rows from the top."""
    if unpack_from("<I", data, 14)[0] == 12:
        width, height = unpack_from("<HH", data, 18)
        return width, height
    width, height = unpack_from("<ii", data, 18)
    return width, abs(height)
