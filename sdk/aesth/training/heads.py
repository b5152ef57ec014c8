"""From pooled features to points of the aesthetic space (paper, section 5.3)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from aesth.encoder import DIMENSIONS


class Standardise(nn.Module):
    """Features at mean 0 and equal deviations, their vector of length about 1, by statistics of training pictures."""

    mean: Tensor
    scale: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("scale", torch.ones(width))

    def forward(self, features: Tensor) -> Tensor:
        """Features (n, f) -> (n, f)."""
        return (features - self.mean) * self.scale

    def fit(self, features: Tensor) -> None:
        """Take the statistics of ``features``, (n, f)."""
        self.mean.copy_(features.mean(0))
        self.scale.copy_(features.shape[1] ** -0.5 / features.std(0).clamp_min(1e-3))


class Projection(nn.Module):
    """Features (n, f) to points of the aesthetic space (n, 1000), an affine map.

    Args:
        width: f.
        rank: dimensions of the subspace that the points fill; 0 for all.
    """

    def __init__(self, width: int, rank: int) -> None:
        super().__init__()
        self.inner = nn.Linear(width, rank or DIMENSIONS)
        self.turn = nn.Linear(rank, DIMENSIONS, bias=False) if rank else nn.Identity()
        if rank:
            nn.init.orthogonal_(self.turn.weight)  # type: ignore[arg-type]

    def forward(self, features: Tensor) -> Tensor:
        """Features (n, f) -> points (n, 1000)."""
        return self.turn(self.inner(features))  # type: ignore[no-any-return]

    def movable(self) -> list[nn.Parameter]:
        """What a warm-up trains: all but the turn into the subspace."""
        return list(self.inner.parameters())

    @torch.no_grad()
    def start_at(self, distance: float) -> None:
        """Move the point of average features to ``distance`` from the origin, in a random direction."""
        direction = torch.randn_like(self.inner.bias)
        self.inner.bias.copy_(distance * direction / direction.norm())


class Landmarks(nn.Module):
    """A smooth function that says much near the pictures it knows, and nothing far from them.

    f(x) = sum over k of a_k exp(-g |x - l_k|^2), the form that kernel ridge regression gives.

    Args:
        width: of x.
        count: how many landmarks l_k there are.
        sharpness: g.
    """

    sharpness: Tensor

    def __init__(self, width: int, count: int, sharpness: float = 1.0) -> None:
        super().__init__()
        self.register_buffer("sharpness", torch.tensor(sharpness))
        self.places = nn.Parameter(torch.zeros(count, width))
        self.heights = nn.Parameter(torch.zeros(count))

    def forward(self, x: Tensor) -> Tensor:
        """Places (n, width) -> values (n,)."""
        return self.nearness(x) @ self.heights

    def nearness(self, x: Tensor) -> Tensor:
        """exp(-g |x - l_k|^2) of places (n, width) and all landmarks, (n, count)."""
        products = x @ self.places.t()
        squares = x.square().sum(1, keepdim=True) + self.places.square().sum(1) - 2 * products
        return (-self.sharpness * squares.clamp_min(0)).exp()


class Faults(nn.Linear):
    """Detectors of faults, of which each says nothing where it sees none: the sum of relu(u_k x + b_k).

    What a linear part learns of damage also moves the scores of photos that have none; a detector leaves them alone.

    Args:
        width: of x.
        count: how many detectors there are.
    """

    def __init__(self, width: int, count: int) -> None:
        super().__init__(width, count)

    def forward(self, features: Tensor) -> Tensor:
        """Features (n, width) -> how faulty pictures are, (n,), at least 0."""
        return functional.relu(super().forward(features)).sum(1)


class Polar(nn.Module):
    """Features (n, f) to points (n, 1000) in polar form: directions say what pictures are like, norms how pleasing.

    The norm is softplus(offset + w x + landmarks(x') - faults(x)), where x' are the features whose indices are
    ``near``. A norm of its own, rather than that of a projection, can be any function of the features, also where two
    damages of opposite directions both please less.

    Args:
        width: f.
        rank: dimensions of the subspace of the directions; 0 for all.
        near: indices of the features that the landmarks and the directions see.
        landmarks: how many landmarks there are.
        faults: how many detectors of faults there are.
    """

    near: Tensor

    def __init__(self, width: int, rank: int, near: Sequence[int], landmarks: int, faults: int = 0) -> None:
        super().__init__()
        self.register_buffer("near", torch.tensor(near))
        self.liking = nn.Linear(width, 1)
        self.faults = Faults(width, faults) if faults else None
        self.landmarks = Landmarks(len(near), landmarks)
        self.direction = Projection(len(near), rank)

    def forward(self, features: Tensor) -> Tensor:
        """Standardised features (n, f) -> points (n, 1000)."""
        places = self.places(features)
        direction = functional.normalize(self.direction(places), dim=1)
        points: Tensor = functional.softplus(self.liked(features, places))[:, None] * direction
        return points

    def movable(self) -> list[nn.Parameter]:
        """What a warm-up trains: the linear part, the detectors of faults and the directions."""
        faults = self.faults.parameters() if self.faults is not None else ()
        return [*self.liking.parameters(), *faults, *self.direction.movable()]

    @torch.no_grad()
    def start_at(self, distance: float) -> None:
        """Give the point of average features a norm of about ``distance``, in a random direction."""
        self.liking.bias.fill_(distance)
        self.direction.start_at(1.0)

    def places(self, features: Tensor) -> Tensor:
        """What the landmarks see of standardised features (n, f): vectors of length about 1."""
        places: Tensor = features[:, self.near] * (features.shape[1] / len(self.near)) ** 0.5
        return places

    def liked(self, features: Tensor, places: Tensor) -> Tensor:
        """How pleasing pictures are, (n,), of standardised features and their places."""
        said: Tensor = self.technique(features) + self.liking.bias + self.landmarks(places)
        return said

    def technique(self, features: Tensor) -> Tensor:
        """What the linear part, without its offset, and the faults say of standardised features (n, f), (n,)."""
        said = functional.linear(features, self.liking.weight).squeeze(1)
        return said if self.faults is None else said - self.faults(features)
