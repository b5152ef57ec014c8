"""Linear functions of features: of least squares, and of least squared hinges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

ITERATIONS = 120


@dataclass(frozen=True)
class Squares:
    """Rows x whose w x should be near ``wanted``.

    Attributes:
        rows: (n, f).
        wanted: (n,).
        weight: of the mean of the squares.
    """

    rows: Tensor
    wanted: Tensor
    weight: float

    def error(self, values: Tensor) -> Tensor:
        """Weighted squared differences, of w x (n,)."""
        return self.weight * (values - self.wanted).square().mean()


@dataclass(frozen=True)
class Hinges:
    """Rows x, differences of a better and a worse picture, whose w x should be at least ``wanted``.

    Attributes:
        rows: (n, f).
        wanted: (n,).
        weights: of each row, (n,).
    """

    rows: Tensor
    wanted: Tensor
    weights: Tensor

    def error(self, values: Tensor) -> Tensor:
        """Weighted squares of what is lacking, of w x (n,)."""
        return self.weights @ functional.relu(self.wanted - values).square()


def least(
    parts: Sequence[Squares | Hinges], width: int, ridge: float, start: Tensor | None = None, tolerance: float = 1e-9
) -> Tensor:
    """The w (width,) of least error: what ``parts`` say of it, and ``ridge`` times its squared length; by L-BFGS.

    Args:
        parts: each with rows of ``width`` features.
        width: how many features there are.
        ridge: above 0.
        start: a w (width,) that may be near; 0 by default.
        tolerance: change of the error in a step that ends the search.
    """
    weight = (torch.zeros(width) if start is None else start.detach().clone()).requires_grad_()
    optimiser = torch.optim.LBFGS(
        [weight],
        max_iter=ITERATIONS,
        history_size=20,
        tolerance_grad=1e-6,
        tolerance_change=tolerance,
        line_search_fn="strong_wolfe",
    )

    def error() -> Tensor:
        # Each product with the rows is made once, and its gradient by hand: autograd would keep copies of the rows.
        gradient = 2 * ridge * weight.detach()
        total = ridge * weight.detach().square().sum()
        for part in parts:
            values = (part.rows @ weight.detach()).requires_grad_()
            with torch.enable_grad():
                lack = part.error(values)
            (slope,) = torch.autograd.grad(lack, values)
            gradient += part.rows.t() @ slope
            total += lack.detach()
        weight.grad = gradient
        return total

    if parts:
        optimiser.step(error)  # type: ignore[no-untyped-call]
    return weight.detach()


def ridge_regression(parts: Sequence[Squares], width: int, ridge: float) -> Tensor:
    """The w (width,) of least error, as `least` finds it; solved for, since there are squares alone.

    Args:
        parts: each with rows of ``width`` features; together a few thousand rows.
        width: how many features there are.
        ridge: above 0.
    """
    rows = [(part.weight / max(1, len(part.rows))) ** 0.5 * part.rows for part in parts]
    wanted = [(part.weight / max(1, len(part.rows))) ** 0.5 * part.wanted for part in parts]
    if not rows:
        return torch.zeros(width)
    x, y = torch.cat(rows), torch.cat(wanted).double()
    normal = (x @ x.t()).double() + ridge * torch.eye(len(x), dtype=torch.float64)
    weight: Tensor = x.t() @ torch.linalg.solve(normal, y).float()
    return weight
