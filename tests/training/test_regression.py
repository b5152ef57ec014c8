"""Linear functions, solved for in one way and in another; slow oracles of `least` are in `test_fitting`."""

from __future__ import annotations

import torch

from aesth.training.regression import Squares, least, ridge_regression

WIDTH = 32


def test_a_ridge_regression_is_the_least_of_squares() -> None:
    generator = torch.Generator().manual_seed(0)
    parts = [
        Squares(torch.randn(count, WIDTH, generator=generator), torch.randn(count, generator=generator), weight)
        for count, weight in ((20, 2.0), (7, 0.3), (0, 1.0))
    ]
    found = ridge_regression(parts, WIDTH, 0.05)
    assert torch.allclose(found, least(parts[:2], WIDTH, 0.05), atol=1e-3)
    assert found.norm() > 0.1
    assert not ridge_regression([], WIDTH, 0.05).any()
