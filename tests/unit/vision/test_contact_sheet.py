from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from reid_core.vision.contact_sheet import SheetCell, SheetRow, draw_contact_sheet, write_png

GREEN, RED = (0x50, 0x98, 0x1A), (0x2B, 0x30, 0xD7)
WORDS = {"title": "t", "subtitle": "s", "footer": "f"}


def cell(is_right=None, size=(256, 128)):
    return SheetCell(np.full((*size, 3), 127, np.uint8), ("cam1", "d 0.21"), is_right)


def row(*verdicts):
    return SheetRow("Query", cell(), tuple(cell(verdict) for verdict in verdicts))


def pixels_of(sheet, colour):
    return int(np.count_nonzero((sheet == np.array(colour, np.uint8)).all(axis=2)))


def test_right_answers_are_green_and_wrong_ones_red():
    right, wrong = (draw_contact_sheet([row(verdict)], **WORDS) for verdict in (True, False))
    assert pixels_of(right, GREEN) > 1000
    assert pixels_of(right, RED) == 0
    assert pixels_of(wrong, RED) > 1000
    assert pixels_of(wrong, GREEN) == 0


def test_sheet_grows_with_rows_and_answers():
    one, two = draw_contact_sheet([row(*[True] * 10)], **WORDS), draw_contact_sheet([row(*[True] * 10)] * 2, **WORDS)
    assert two.shape[0] > one.shape[0]
    assert two.shape[1] == one.shape[1]
    assert draw_contact_sheet([row(*[True] * 12)], **WORDS).shape[1] > one.shape[1]


def test_same_rows_make_the_same_picture():
    first, second = (draw_contact_sheet([row(True, False)], **WORDS) for _ in range(2))
    assert np.array_equal(first, second)


def test_crops_of_any_shape_fit_into_their_place():
    odd = SheetRow("Query", cell(size=(40, 200)), (cell(True, size=(1, 1)), cell(False, size=(500, 3))))
    assert draw_contact_sheet([odd], **WORDS).shape == draw_contact_sheet([row(True, False)], **WORDS).shape


def test_query_without_answers_is_drawn():
    assert draw_contact_sheet([row()], **WORDS).dtype == np.uint8


def test_sheet_without_rows_is_refused():
    with pytest.raises(ValueError, match="at least one row"):
        draw_contact_sheet([], **WORDS)


def test_written_picture_is_read_back(tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    write_png(tmp_path / "sheet.png", picture)
    with Image.open(tmp_path / "sheet.png") as read:
        assert np.array_equal(np.asarray(read)[:, :, ::-1], picture)
    assert [path.name for path in tmp_path.iterdir()] == ["sheet.png"]
