"""What a network looks at: guided ReLU over the norm (paper, section 5.3 and Fig. 9).

Guided backpropagation: Springenberg et al., "Striving for Simplicity: The All Convolutional Net" (ICLR 2015 workshop).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from aesth.training.backbones import BACKBONES
from aesth.training.networks import AestheticEncoder

Energy = Callable[[Tensor], Tensor]
"""Pixels 0-255 (n, h, w, 3), float32 -> what is explained of each picture, (n,)."""

_LIMITS: Mapping[Any, float] = {
    functional.relu: math.inf,
    functional.relu_: math.inf,
    torch.relu: math.inf,
    torch.relu_: math.inf,
    Tensor.relu: math.inf,
    Tensor.relu_: math.inf,
    functional.relu6: 6.0,
}


class GuidedReLU(TorchFunctionMode):
    """Within it every ReLU and ReLU6, of a module or of a function, passes only gradients above 0 of inputs above 0.

    What is computed forward stays the same. Where no ReLU holds anything back, forward or backward, the gradient is the
    plain one.
    """

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Replace ReLUs; call everything else."""
        del types
        given = kwargs or {}
        if func in _LIMITS:
            return _Guided.apply(_argument(0, "input", args, given), _LIMITS[func])
        # What nn.ReLU6 calls.
        if func is functional.hardtanh and _argument(1, "min_val", args, given, -1.0) == 0:
            return _Guided.apply(_argument(0, "input", args, given), _argument(2, "max_val", args, given, 1.0))
        return func(*args, **given)


def _argument(place: int, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any], default: Any = None) -> Any:
    return args[place] if place < len(args) else kwargs.get(name, default)


class _Guided(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, limit: float) -> Tensor:
        ctx.save_for_backward((x > 0) & (x < limit))
        return x.clamp(0, limit)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (passed,) = ctx.saved_tensors
        return gradient.clamp_min(0) * passed, None


def guided_saliency(energy: Energy, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """How much ``energy`` depends on each pixel, by guided ReLU.

    Args:
        energy: such as `norm_energy` of an encoder in evaluation mode.
        pixels: sRGB (n, h, w, 3), of the encoder's size.

    Returns:
        float32 (n, h, w): the largest of the absolute gradients of the three colours; at least 0.
    """
    saliency: NDArray[np.float32] = np.abs(guided_gradient(energy, pixels)).max(axis=-1)
    return saliency


def guided_gradient(energy: Energy, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The guided gradient of ``energy`` by each value of ``pixels`` (n, h, w, 3), float32 of the same shape."""
    image = torch.from_numpy(np.array(pixels)).float().requires_grad_()
    with GuidedReLU():
        total = energy(image).sum()
    (gradient,) = torch.autograd.grad(total, image)
    values: NDArray[np.float32] = gradient.numpy()
    return values


def norm_energy(encoder: AestheticEncoder) -> Energy:
    """The norm of the embedding: what a trained encoder says of a picture (section 5.4)."""

    def energy(image: Tensor) -> Tensor:
        length: Tensor = torch.linalg.vector_norm(encoder(image), dim=1)
        return length

    return energy


def feature_energy(encoder: AestheticEncoder) -> Energy:
    """The norm of the backbone's last features, averaged over all places: how strongly it recognises anything at all.

    For a backbone that was trained on ImageNet alone, which has no aesthetic space: its classifier sees these features,
    and the paper's projection begins at them (pool5).
    """
    branch = encoder.branches[0]
    layers = BACKBONES[branch.backbone].layers

    def energy(image: Tensor) -> Tensor:
        (last,) = encoder.maps(image, branch, layers)
        length: Tensor = torch.linalg.vector_norm(last.mean((2, 3)), dim=1)
        return length

    return energy


def smooth(saliency: NDArray[np.float32], share: float = 0.02) -> NDArray[np.float32]:
    """A map (h, w) after a Gaussian of sigma ``share`` x short side; single pixels of a gradient say little."""
    return np.asarray(ndimage.gaussian_filter(saliency, share * min(saliency.shape)), np.float32)


def half_area(saliency: NDArray[np.floating]) -> float:
    """Share of the picture that holds half of its saliency, 0 to 0.5: the wider the network looks, the larger.

    Of a map that is 0 everywhere, NaN.

    Args:
        saliency: at least 0, (h, w).
    """
    descending = np.sort(saliency.ravel().astype(np.float64))[::-1]
    total = descending.sum()
    if not total:
        return float("nan")
    return float(np.searchsorted(np.cumsum(descending), total / 2) + 1) / len(descending)
