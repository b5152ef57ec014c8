"""Pictures of high dynamic range (HDR) -> sRGB, as a screen of ordinary brightness would show them.

PQ (SMPTE ST 2084) and HLG (ITU-R BT.2100) tell light up to 1000 nits and more, where white paper is at 203 nits
(ITU-R BT.2408). Light is compressed as in ITU-R BT.2390, section 5.4: dark and middle tones stay as they are, brighter
ones are bent so that the brightest just fits. All channels are scaled alike, so that hues stay.
"""

from __future__ import annotations

from enum import Enum
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aesth.preprocess import UInt8Image

Light = NDArray[np.floating[Any]]
"""Nits, of any shape."""

PAPER = 203.0
"""Nits of diffuse white in HDR (BT.2408); what sRGB calls white."""
PEAK = 1000.0
"""Nits of the brightest light that is told from brighter, as of most screens on which HDR is made."""

_M1, _M2 = 2610 / 16384, 2523 / 4096 * 128
_C1, _C2, _C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
_A, _B, _C = 0.17883277, 0.28466892, 0.55991073
_SYSTEM_GAMMA = 1.2

_LUMINANCE = np.array([0.2627, 0.6780, 0.0593], np.float32)
_TO_BT709 = np.array(
    [[1.660491, -0.587641, -0.072850], [-0.124550, 1.132900, -0.008349], [-0.018151, -0.100579, 1.118730]], np.float32
)
"""From the primaries of BT.2020 (ITU-R BT.2087)."""


class Transfer(Enum):
    """How the numbers of a HDR picture mean light."""

    PQ = "pq"
    HLG = "hlg"


def to_srgb(codes: NDArray[np.number[Any]], transfer: Transfer) -> UInt8Image:
    """HDR pixels (h, w, 3) of BT.2020 primaries, full range of 16 bits, as sRGB (h, w, 3)."""
    light = np.maximum(_nits(codes, transfer) @ _TO_BT709.T, 0)
    brightest = light.max(axis=-1, keepdims=True)
    light *= np.interp(brightest, *_gain_table()).astype(np.float32)
    srgb: UInt8Image = _gamma_table()[np.rint(np.minimum(light, 1) * 65535).astype(np.uint16)]
    return srgb


def compress(light: Light) -> Light:
    """``light`` of 0 to `PEAK` nits as 0 to `PAPER`: the knee of BT.2390, between numbers of PQ."""
    peak, most = pq_of(PEAK), pq_of(PAPER) / pq_of(PEAK)
    knee = 1.5 * most - 0.5
    value = np.minimum(pq_of(light) / peak, 1)
    t = np.maximum((value - knee) / (1 - knee), 0)
    bent = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (-2 * t**3 + 3 * t**2) * most
    compressed: Light = light_of_pq(np.where(value < knee, value, bent) * peak)
    return compressed


def pq_of(light: ArrayLike) -> Light:
    """What PQ stores, 0 to 1, for light in nits."""
    power = (np.maximum(light, 0) / 10000) ** _M1
    stored: Light = ((_C1 + _C2 * power) / (1 + _C3 * power)) ** _M2
    return stored


def light_of_pq(stored: Light) -> Light:
    """Nits that PQ means by 0 to 1."""
    power = np.maximum(stored, 0) ** (1 / _M2)
    light: Light = 10000 * (np.maximum(power - _C1, 0) / (_C2 - _C3 * power)) ** (1 / _M1)
    return light


def scene_light_of_hlg(stored: Light) -> Light:
    """Light of the scene, 0 to 1, that HLG means by 0 to 1."""
    light: Light = np.where(stored <= 0.5, stored**2 / 3, (np.exp((stored - _C) / _A) + _B) / 12)
    return light


def _nits(codes: NDArray[np.number[Any]], transfer: Transfer) -> Light:
    light = _light_table(transfer)[codes.astype(np.uint16, copy=False)]
    if transfer is Transfer.HLG:  # what a screen of `PEAK` nits makes of light of the scene
        light *= PEAK * np.maximum(light @ _LUMINANCE, np.float32(1e-6))[..., None] ** (_SYSTEM_GAMMA - 1)
    return light


@cache
def _light_table(transfer: Transfer) -> Light:
    stored = np.linspace(0, 1, 65536)
    light = light_of_pq(stored) if transfer is Transfer.PQ else scene_light_of_hlg(stored)
    return light.astype(np.float32)


@cache
def _gain_table() -> tuple[Light, Light]:
    """Nits of the brightest channel, and what turns the light of all three into 0 to 1 there."""
    nits = np.maximum(light_of_pq(np.linspace(0, 1, 2048)), 1e-6)
    return nits, compress(nits) / (nits * PAPER)


@cache
def _gamma_table() -> NDArray[np.uint8]:
    linear = np.linspace(0, 1, 65536)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    table: NDArray[np.uint8] = np.rint(encoded * 255).astype(np.uint8)
    return table
