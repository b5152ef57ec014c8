"""From pooled features to points of the aesthetic space (paper, section 5.3)."""

from __future__ import annotations

import math
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

    f(x) = sum over k of a_k exp(-g |x - l_k|^2), the form that kernel ridge regression gives. Where there are several
    members, each sees some blocks of x, with landmarks and heights a_k of its own, and f is their mean. What a member
    sees is scaled so that vectors are as long as x is.

    Args:
        widths: of the blocks of x, side by side.
        count: how many landmarks l_k there are.
        members: which blocks each member sees; by default there is one that sees all.
        sharpness: g.
    """

    sharpness: Tensor

    def __init__(
        self, widths: Sequence[int], count: int, members: Sequence[Sequence[int]] = (), sharpness: float = 1.0
    ) -> None:
        super().__init__()
        self.widths = list(widths)
        self.members = tuple(map(tuple, members)) or (tuple(range(len(self.widths))),)
        self.register_buffer("sharpness", torch.tensor(sharpness))
        self.places = nn.Parameter(torch.zeros(count, sum(self.widths)))
        self.heights = nn.Parameter(torch.zeros(len(self.members), count))

    def forward(self, x: Tensor) -> Tensor:
        """Places (n, width) -> values (n,)."""
        near = self.nearness(x)
        said = [heights @ nearness.t() for heights, nearness in zip(self.heights, near, strict=True)]
        return torch.stack(said).mean(0)

    def nearness(self, x: Tensor) -> list[Tensor]:
        """exp(-g |x - l_k|^2) of places (n, width) and all landmarks, (n, count), as each member sees them."""
        blocks = zip(torch.split(x, self.widths, 1), torch.split(self.places, self.widths, 1), strict=True)
        squares = [_squares(own, landmarks) for own, landmarks in blocks]
        return [
            (-self.sharpness * self.scale(member) ** 2 * torch.stack([squares[block] for block in member]).sum(0)).exp()
            for member in self.members
        ]

    def scale(self, member: Sequence[int]) -> float:
        """What ``member`` multiplies the blocks by that it sees."""
        seen = sum(self.widths[block] for block in member)
        return (sum(self.widths) / max(1, seen)) ** 0.5  # type: ignore[no-any-return]


def _squares(x: Tensor, landmarks: Tensor) -> Tensor:
    """|x - l|^2 of (n, width) and (count, width), (n, count)."""
    squares = x.square().sum(1, keepdim=True) + landmarks.square().sum(1) - 2 * x @ landmarks.t()
    return squares.clamp_min(0)


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

    What the landmarks say may be the mean of what several members say, each of which sees some of the blocks of
    features: they err in different ways.

    Args:
        width: f.
        rank: dimensions of the subspace of the directions; 0 for all.
        near: indices of the features that the landmarks and the directions see, of each block of features.
        landmarks: how many landmarks there are.
        faults: how many detectors of faults there are.
        members: which blocks each member sees; by default there is one that sees all.
    """

    near: Tensor

    def __init__(
        self,
        width: int,
        rank: int,
        near: Sequence[Sequence[int]],
        landmarks: int,
        faults: int = 0,
        members: Sequence[Sequence[int]] = (),
    ) -> None:
        super().__init__()
        self.register_buffer("near", torch.tensor([index for block in near for index in block]))
        self.liking = nn.Linear(width, 1)
        self.landmarks = Landmarks([len(block) for block in near], landmarks, members)
        self.faults = Faults(width, faults) if faults else None
        self.direction = Projection(len(self.near), rank)

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

    @torch.no_grad()
    def round_directions(self) -> None:
        """Put the directions on a grid, so that a model's file takes a byte for each weight; norms stay as they are."""
        self.direction.inner.weight.copy_(of_a_byte(self.direction.inner.weight))

    def places(self, features: Tensor) -> Tensor:
        """What the landmarks see of standardised features (n, f): vectors of length about 1."""
        return places_of(features, self.near)

    def liked(self, features: Tensor, places: Tensor) -> Tensor:
        """How pleasing pictures are, (n,), of standardised features and their places."""
        said: Tensor = self.technique(features) + self.liking.bias + self.landmarks(places)
        return said

    def technique(self, features: Tensor) -> Tensor:
        """What the linear part, without its offset, and the faults say of standardised features (n, f), (n,)."""
        said = functional.linear(features, self.liking.weight).squeeze(1)
        return said if self.faults is None else said - self.faults(features)


def places_of(features: Tensor, near: Tensor) -> Tensor:
    """The standardised features (n, f) whose indices are ``near``, as vectors that are again of length about 1."""
    places: Tensor = features[:, near] * (features.shape[1] / len(near)) ** 0.5
    return places


def of_a_byte(values: Tensor) -> Tensor:
    """``values`` rounded to a grid of at most 255 steps, a power of two apart: a model's file takes a byte for each."""
    if not values.any():
        return values
    grid = 2.0 ** math.ceil(math.log2(float(values.abs().max()) / 127))
    rounded: Tensor = (values / grid).round() * grid
    return rounded
