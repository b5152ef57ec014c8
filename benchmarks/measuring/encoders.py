"""The encoders that are measured: by name, and by what runs them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from aesth.encoder import OnnxEncoder
from aesth.providers import full_provider_name, offered_providers

BY: Mapping[str, str] = {"cpu": "", "openvino": " by OpenVINO"}
"""Provider -> what a label tells of it."""


class FindEncoder(Protocol):
    """Opens an encoder, or finds it opened."""

    def __call__(self, name: str, provider: str = "cpu") -> OnnxEncoder:
        """The encoder called ``name``, run by ``provider``."""


def is_offered(provider: str) -> bool:
    """Whether a provider is installed; it is not imported to know, since some tell their maker of that."""
    return full_provider_name(provider) in offered_providers()
