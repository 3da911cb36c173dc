"""Sizes read from headers agree with the decoder's, and broken headers are refused."""

from __future__ import annotations

import struct

import cv2
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reid_core.errors import NotAnImageError
from services.query.image_size import image_size


def encoded(extension, width, height, *flags, channels=3):
    done, buffer = cv2.imencode(extension, np.zeros((height, width, channels), np.uint8), list(flags))
    assert done
    return buffer.tobytes()


def webp_extended(width, height):
    canvas = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF\0\0\0\0WEBPVP8X" + struct.pack("<II", 10, 0) + canvas


@pytest.mark.parametrize(
    "data",
    [
        encoded(".jpg", 37, 51),
        encoded(".jpg", 37, 51, cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
        encoded(".jpg", 37, 51, channels=1),
        encoded(".png", 37, 51),
        encoded(".png", 37, 51, channels=4),
        encoded(".webp", 37, 51, cv2.IMWRITE_WEBP_QUALITY, 80),
        encoded(".webp", 37, 51, cv2.IMWRITE_WEBP_QUALITY, 101),
        encoded(".webp", 37, 51, cv2.IMWRITE_WEBP_QUALITY, 80, channels=4),
        encoded(".bmp", 37, 51),
        webp_extended(37, 51),
        b"BM" + bytes(12) + struct.pack("<IHH", 12, 37, 51),
        b"BM" + bytes(12) + struct.pack("<Iii", 40, 37, -51),
    ],
    ids=[
        "JPEG", "progressive JPEG", "grey JPEG", "PNG", "PNG with alpha", "WebP", "lossless WebP", "WebP with alpha",
        "BMP", "extended WebP", "old BMP", "BMP from the top",
    ],
)  # fmt: skip
def test_the_header_states_the_size(data):
    assert image_size(data) == (37, 51)


def test_fill_bytes_before_a_jpeg_marker_are_skipped():
    data = encoded(".jpg", 37, 51)
    assert image_size(data[:2] + b"\xff\xff" + data[2:]) == (37, 51)


def test_a_width_of_forty_thousand_is_read_without_decoding():
    header = struct.pack(">II", 40_000, 10)
    assert image_size(b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR" + header) == (40_000, 10)


@pytest.mark.parametrize("data", [b"", b"hello", b"GIF89a" + bytes(20), b"%PDF-1.7", bytes(100)])
def test_other_files_are_refused(data):
    with pytest.raises(NotAnImageError, match="not a JPEG, PNG, WebP or BMP file"):
        image_size(data)


@pytest.mark.parametrize("extension", [".jpg", ".png", ".webp", ".bmp"])
def test_a_header_that_breaks_off_is_refused_wherever_it_does(extension):
    data = encoded(extension, 37, 51)
    for length in range(len(data)):
        try:
            size = image_size(data[:length])
        except NotAnImageError:
            continue
        assert size == (37, 51)


def test_a_picture_without_pixels_is_refused():
    with pytest.raises(NotAnImageError, match="0x51 px"):
        image_size(b"BM" + bytes(12) + struct.pack("<Iii", 40, 0, 51))


@given(st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBP", b"BM"]), st.binary(max_size=64))
@example(b"\xff\xd8\xff", b"\xe0\0\0" + bytes(40))
@example(b"RIFF\0\0\0\0WEBP", b"XXXX" + bytes(40))
def test_any_bytes_give_a_size_or_a_refusal(start, rest):
    try:
        width, height = image_size(start + rest)
    except NotAnImageError:
        return
    assert width > 0
    assert height > 0
