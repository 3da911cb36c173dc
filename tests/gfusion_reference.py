"""The paper's form of G-Fusion's graph re-ranking, as a witness: Zhang et al., MM 2023, equations 2-7, 15 and 16.

Exact, without an N x N matrix: an affinity counts only among the k_l most alike, so lists of those say all. Where the
paper can be read in more than one way, this reads: D makes the rows of D^-1 A* sum to one ("normalised by row
normalisation"); a query is its own neighbour, and its edges to the gallery count in full; W is Gaussian with ReLU.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array, diags_array

KS, KL, DELTA = 3, 60, 25


def nearest(query, gallery, k):
    """The k most alike, nearest first, and their affinity (Eq. 2, alpha 1, features of unit length)."""
    k = min(k, len(gallery))
    ids, cosines = np.empty((len(query), k), np.int64), np.empty((len(query), k), np.float32)
    for start in range(0, len(query), 512):
        block = query[start : start + 512] @ gallery.T
        some = np.argpartition(-block, k - 1, axis=1)[:, :k]
        order = np.argsort(-np.take_along_axis(block, some, 1), axis=1, kind="stable")
        ids[start : start + 512] = np.take_along_axis(some, order, 1)
        cosines[start : start + 512] = np.take_along_axis(block, ids[start : start + 512], 1)
    return ids, np.exp(cosines - 1)


def transition_sets(features, images, ks=KS):
    """Eq. 3: sorted signed gaps of each directed camera pair, from the k_s most alike training images."""
    ids, _ = nearest(features, features, ks)
    rows, others = np.repeat(np.arange(len(ids)), ids.shape[1]), ids.ravel()
    here, there = images.camera_ids[rows], images.camera_ids[others]
    gaps = images.frames[rows] - images.frames[others]
    pairs = {(a, b) for a, b in zip(here.tolist(), there.tolist(), strict=True) if a != b}
    return {(a, b): np.sort(gaps[(here == a) & (there == b)]) for a, b in pairs}


def consistent(sets, images, rows, others, gallery, delta=DELTA):
    """Eq. 4: is the gap of each pair within delta of a recorded gap of its two cameras?"""
    here, there = images.camera_ids[rows], gallery.camera_ids[others]
    gaps, found = images.frames[rows] - gallery.frames[others], np.zeros(len(rows), np.bool_)
    for (a, b), known in sets.items():
        at = np.flatnonzero((here == a) & (there == b))
        first, last = (
            np.searchsorted(known, gaps[at] - delta, "left"),
            np.searchsorted(known, gaps[at] + delta, "right"),
        )
        found[at] = last > first
    return found


def adjacency(ids, affinity, images, gallery, sets, ks=KS):
    """Eq. 5: affinities of E_v and, where there are transition sets, of E_st. Shape (N, gallery)."""
    rows, others = np.repeat(np.arange(len(ids)), ids.shape[1]), ids.ravel()
    kept = np.tile(np.arange(ids.shape[1]) < ks, len(ids))
    if sets is not None:
        kept |= consistent(sets, images, rows, others, gallery)
    return csr_array((affinity.ravel()[kept], (rows[kept], others[kept])), shape=(len(ids), len(gallery)))


class GFusion:
    """The graph of one case; `embed` propagates over it (time=None leaves E_st out)."""

    def __init__(self, lists, features, *, with_time=True, ks=KS, kl=KL):
        self.features = features
        sets = transition_sets(features.train, lists.train, ks) if with_time else None
        edges = adjacency(*nearest(features.gallery, features.gallery, kl), lists.gallery, lists.gallery, sets, ks)
        symmetric = (edges + edges.T) / 2
        asked = adjacency(*nearest(features.query, features.gallery, kl), lists.query, lists.gallery, sets, ks)
        self.gallery = (diags_array(1 / symmetric.sum(axis=1)) @ symmetric).tocsr()
        own = 1 / (1 + asked.sum(axis=1))
        self.query, self.own = (diags_array(own) @ asked).tocsr(), own[:, None]

    def embed(self, seed, hidden=1024):
        """Embeddings of query and gallery after two layers; seed None leaves the random projection out."""
        random, query, gallery = np.random.default_rng(seed), self.features.query, self.features.gallery
        for _ in range(2):
            query, gallery = self.query @ gallery + self.own * query, self.gallery @ gallery
            if seed is not None:
                w = random.standard_normal((gallery.shape[1], hidden), np.float32) / np.sqrt(gallery.shape[1])
                query, gallery = np.maximum(query @ w, 0), np.maximum(gallery @ w, 0)
            query, gallery = query.astype(np.float32), gallery.astype(np.float32)
        return query, gallery

    def rows(self, seed, hidden=1024):
        """Squared distances of embeddings, which rank as their Gaussian affinity does; less each query's own square."""
        query, gallery = self.embed(seed, hidden)
        squares = np.einsum("gd,gd->g", gallery, gallery)
        return lambda start, stop: squares - 2 * query[start:stop] @ gallery.T
