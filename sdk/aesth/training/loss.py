"""The directional triplet loss (paper, Eq. 2, 4 and 5)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from aesth.errors import ConfigError


class DirectionalTripletLoss(nn.Module):
    """L = Le + w Ld of embeddings a, p, n of anchor, positive and negative (Eq. 5, where w = 1).

    - Le = [m + ‖a - p‖² - ‖a - n‖²]+ brings pictures together that please alike (Eq. 2).
    - Ld = [m̃ - sgn[S(n) - S(a)] · (‖n‖ - ‖a‖)]+ makes the norm larger the more a picture pleases (Eq. 4).

    Eq. 4 is printed as sgn[S(n) - S(a)] · [‖a‖ - ‖n‖ + m̃]+. The two are the same where the negative is the more
    pleasing one. Where it is the less pleasing one, the printed form is -[‖a‖ - ‖n‖ + m̃]+: it has no lower bound, so
    that norms grow without end, and it is flat where the order is wrong by more than m̃. The hinge here is what the
    paper's text says: lower norms for the less pleasing, higher ones for the better pictures, until m̃ apart.
    """

    def __init__(self, margin: float, direction_margin: float, direction_weight: float = 1.0) -> None:
        """Choose the margins.

        Args:
            margin: m, in squared distance of embeddings.
            direction_margin: m̃, in norm of embeddings.
            direction_weight: w, the share of Ld; 0 leaves the triplet loss alone.

        Raises:
            ConfigError: one of them is negative or not finite.
        """
        super().__init__()
        for name, value in (
            ("margin", margin),
            ("direction_margin", direction_margin),
            ("direction_weight", direction_weight),
        ):
            if not 0 <= value < float("inf"):
                raise ConfigError(f"{name} is a number of at least 0, not {value:g}")
        self.margin = margin
        self.direction_margin = direction_margin
        self.direction_weight = direction_weight

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor, sign: Tensor) -> Tensor:
        """The mean loss of b triplets, a scalar; computed in single precision where embeddings come in less.

        Args:
            anchor: embeddings (b, d).
            positive: embeddings (b, d).
            negative: embeddings (b, d).
            sign: sgn[S(n) - S(a)], (b,): 1, -1, or 0 for a triplet without direction.
        """
        anchor, positive, negative = (_at_least_single(embedding) for embedding in (anchor, positive, negative))
        near, far = (anchor - positive).square().sum(dim=1), (anchor - negative).square().sum(dim=1)
        embedding_loss = functional.relu(self.margin + near - far)
        growth = _norm(negative) - _norm(anchor)
        direction_loss = sign.abs() * functional.relu(self.direction_margin - sign * growth)
        return (embedding_loss + self.direction_weight * direction_loss).mean()

    def extra_repr(self) -> str:
        """The margins, for printing."""
        return (
            f"margin={self.margin:g}, direction_margin={self.direction_margin:g}, "
            f"direction_weight={self.direction_weight:g}"
        )


def _at_least_single(embedding: Tensor) -> Tensor:
    return embedding if embedding.dtype == torch.float64 else embedding.float()


def _norm(embedding: Tensor) -> Tensor:
    """Euclidean length (b, d) -> (b,); its gradient at zero is zero, not NaN."""
    length: Tensor = torch.linalg.vector_norm(embedding, dim=1)
    return length
