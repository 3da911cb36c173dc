"""Every dataset by its name, with what its publication says of its size."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

from reid_core.errors import DatasetError
from reid_core.evaluation.datasets.campus4k import read_campus4k
from reid_core.evaluation.datasets.celeb_reid import read_celeb_reid, read_celebrities_reid
from reid_core.evaluation.datasets.cuhk03 import read_cuhk03_classic, read_cuhk03_new
from reid_core.evaluation.datasets.dukemtmc import read_dukemtmc
from reid_core.evaluation.datasets.dukemtmc_video import read_dukemtmc_video
from reid_core.evaluation.datasets.ilids_vid import read_ilids_vid
from reid_core.evaluation.datasets.last import read_last
from reid_core.evaluation.datasets.ltcc import read_ltcc
from reid_core.evaluation.datasets.market1501 import read_market1501
from reid_core.evaluation.datasets.mars import read_mars
from reid_core.evaluation.datasets.msmt17 import read_msmt17
from reid_core.evaluation.datasets.prcc import read_prcc
from reid_core.evaluation.datasets.prid2011 import read_prid2011

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from reid_core.evaluation.datasets.dataset import ReidDataset

__all__ = ["DATASETS", "KnownDataset", "PublishedSize", "known_dataset", "read_dataset"]


@dataclass(frozen=True, slots=True)
class PublishedSize:
    """Records of one split as published: training, queries, and gallery without junk."""

    train: int
    query: int
    gallery: int


@dataclass(frozen=True, slots=True)
class KnownDataset:
    """A dataset that can be read. ``size`` is ``None`` where sources differ."""

    title: str
    read: Callable[[Path], ReidDataset]
    size: PublishedSize | None = None


DATASETS: Mapping[str, KnownDataset] = MappingProxyType(
    {
        "market1501": KnownDataset("Market-1501", read_market1501, PublishedSize(12936, 3368, 15913)),
        "msmt17": KnownDataset("MSMT17", read_msmt17, PublishedSize(30248, 11659, 82161)),
        "cuhk03-detected": KnownDataset(
            "CUHK03, new protocol, detected boxes",
            partial(read_cuhk03_new, boxes="detected"),
            PublishedSize(7365, 1400, 5332),
        ),
        "cuhk03-labeled": KnownDataset(
            "CUHK03, new protocol, labeled boxes",
            partial(read_cuhk03_new, boxes="labeled"),
            PublishedSize(7368, 1400, 5328),
        ),
        "cuhk03-classic-detected": KnownDataset(
            "CUHK03, classic protocol, detected boxes", partial(read_cuhk03_classic, boxes="detected")
        ),
        "cuhk03-classic-labeled": KnownDataset(
            "CUHK03, classic protocol, labeled boxes", partial(read_cuhk03_classic, boxes="labeled")
        ),
        "dukemtmc-reid": KnownDataset("DukeMTMC-reID", read_dukemtmc, PublishedSize(16522, 2228, 17661)),
        "mars": KnownDataset("MARS", read_mars, PublishedSize(8298, 1980, 11310)),
        "dukemtmc-videoreid": KnownDataset("DukeMTMC-VideoReID", read_dukemtmc_video, PublishedSize(2196, 702, 2636)),
        "ilids-vid": KnownDataset("iLIDS-VID", read_ilids_vid, PublishedSize(300, 150, 150)),
        "prid2011": KnownDataset("PRID-2011", read_prid2011, PublishedSize(178, 89, 89)),
        "last": KnownDataset("LaST", read_last, PublishedSize(71248, 10176, 125353)),
        "prcc": KnownDataset("PRCC", read_prcc),
        "ltcc": KnownDataset("LTCC", read_ltcc, PublishedSize(9576, 493, 7050)),
        "celeb-reid": KnownDataset("Celeb-reID", read_celeb_reid, PublishedSize(20208, 2972, 11006)),
        "celebrities-reid": KnownDataset(
            "Celebrities-reID (Celeb-reID-light)", read_celebrities_reid, PublishedSize(9021, 887, 934)
        ),
        "campus4k": KnownDataset("Campus-4K", read_campus4k, PublishedSize(1843, 695, 1311)),
    }
)


def known_dataset(name: str) -> KnownDataset:
    """The dataset of that name.

    Raises:
        DatasetError: If there is none; names them all.
    """
    if name not in DATASETS:
        raise DatasetError(f"there is no dataset {name!r}; there are {', '.join(DATASETS)}")
    return DATASETS[name]


def read_dataset(name: str, root: Path) -> ReidDataset:
    """Read a dataset from its folder.

    Raises:
        DatasetError: If there is no such dataset, or the folder is not laid out as published.
    """
    return known_dataset(name).read(root)
