from __future__ import annotations

from uuid import RFC_4122

import pytest

from services.identifiers import new_uuid7


def test_version_variant_and_time_stand_where_the_rfc_puts_them():
    made = new_uuid7(clock=lambda: 1645557742.0, entropy=lambda n: b"\xff" * n)
    assert str(made) == "017f22e2-79b0-7fff-bfff-ffffffffffff"
    assert made.version == 7
    assert made.variant == RFC_4122


def test_ids_sort_by_the_time_they_were_made():
    made = [new_uuid7(clock=lambda at_s=at_s: at_s) for at_s in (0.0, 0.001, 1.0, 1e9, 1.7e9, 2e9)]
    assert made == sorted(made)
    assert [str(one) for one in made] == sorted(str(one) for one in made)


def test_two_ids_of_one_moment_differ():
    assert len({new_uuid7(clock=lambda: 5.0) for _ in range(1000)}) == 1000


@pytest.mark.parametrize("at_s", [-1.0, 2.0**48])
def test_a_clock_out_of_range_is_refused(at_s):
    with pytest.raises(ValueError, match="48 bits"):
        new_uuid7(clock=lambda: at_s)
