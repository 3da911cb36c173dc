from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.storage.listing import decode_cursor, encode_cursor


@given(st.floats(allow_nan=False), st.integers(-(2**63), 2**63 - 1))
def test_every_place_in_a_list_survives_as_text(start_s, tracklet_no):
    cursor = encode_cursor(start_s, tracklet_no)
    assert decode_cursor(cursor) == (start_s, tracklet_no)
    assert cursor.isascii()
    assert not set("/+ &") & set(cursor)
