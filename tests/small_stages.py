"""A stage of training in small: a network of two layers, and an interruption at any iteration."""

from __future__ import annotations

from dataclasses import replace

import torch

from reid_core.learning.augmentation import Augmentation
from reid_core.learning.free_samplers import FreeSampler
from reid_core.learning.objectives import Proxies
from reid_core.learning.recipes import Optimisation
from reid_core.learning.relations import PairWeights, Relations
from reid_core.learning.stages import Stage
from reid_core.models.network import ReidNetwork
from reid_core.models.network_recipe import NetworkRecipe

_RECIPE = NetworkRecipe("small", None, 64, 32, output_stride=16, global_dim=8, stripes=2, stripe_dim=4)


class _Trunk(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Conv2d(3, 8, 7, 4, 3), torch.nn.BatchNorm2d(8), torch.nn.ReLU(), torch.nn.Conv2d(8, 16, 3, 4, 1)
        )

    def forward_features(self, image):
        return self.layers(image)


def small_network():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return ReidNetwork(_RECIPE, _Trunk(), 16)


def _relations(tracklets):
    seen = tracklets.sightings
    nothing = PairWeights.none()
    return Relations(
        seen.cameras, seen.starts_s, seen.ends_s, positives=nothing, doubtful=nothing, apart_s=5.0, one_camera=True
    )


def small_stage(tracklets, objective, iterations=12, **changes):
    stage = Stage(
        number=1,
        identity="test",
        sampler=FreeSampler(tracklets.first_crop, tracklets.cameras),
        objective=objective,
        pictures=tracklets.images,
        light=110.0,
        augmentation=Augmentation(),
        optimisation=Optimisation(checkpoint_every=5, warm_up=2, learning_rate=1e-3),
        iterations=iterations,
        tracklets=4,
    )
    return replace(stage, **changes)


def small_proxies(tracklets):
    start = torch.randn(len(tracklets), 16, generator=torch.Generator().manual_seed(0))
    return Proxies(start, _relations(tracklets), temperature=0.1)


class StoppedError(Exception):
    pass


def stop_at(number):
    def report(done, _loss):
        if done == number:
            raise StoppedError

    return report
