"""What the file of what is remembered holds, row by row."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from functools import cached_property
from hashlib import blake2b


@dataclass(frozen=True)
class ModelKey:
    """What a score depends on beside the photo.

    Attributes:
        name: ``NAME-PRECISION``.
        checksum: SHA-256 of the model's file, in hexadecimal.
        provider: where it is computed; another one rounds differently.
        pixels: version of decoding and preprocessing, `aesth.preprocess.PIXELS`; negative without previews.
    """

    name: str
    checksum: str
    provider: str
    pixels: int

    @cached_property
    def id(self) -> bytes:
        """A digest of it all: unlike a number that a file gives out, it never comes to mean another model."""
        return blake2b(repr(astuple(self)).encode(), digest_size=16).digest()


@dataclass(frozen=True)
class ViewKind:
    """What else is remembered of photos, such as an embedding or a thumbnail: bytes, whose form its maker knows.

    Attributes:
        what: its name, for people: ``embeddings``.
        of: all that it depends on beside the photo: the model, the version of pixels, the version of its form.
    """

    what: str
    of: str

    @cached_property
    def id(self) -> bytes:
        """A digest of it all."""
        return blake2b(repr(astuple(self)).encode("utf-8", "surrogatepass"), digest_size=16).digest()


@dataclass(frozen=True, slots=True)
class Known:
    """What is remembered of a photo: its score 0-100 and its norm."""

    score: float
    norm: float


@dataclass(frozen=True, slots=True)
class SeenFile:
    """How a file was when it was last seen.

    Attributes:
        state: size, time of modification and inode, as text.
        content: its fingerprint.
        is_noted: whether that it is seen needs no note.
    """

    state: str
    content: bytes
    is_noted: bool = False


@dataclass(frozen=True, slots=True)
class SaidOfRating:
    """What a file said of its rating while it was in a state.

    Attributes:
        state: how the file was, as text.
        said: what it said, as text.
        is_noted: whether that it is seen needs no note.
    """

    state: str
    said: str
    is_noted: bool = False


@dataclass(frozen=True)
class ModelScores:
    """How many scores of one model are known.

    Attributes:
        model: ``NAME-PRECISION`` and the start of its checksum.
        provider: where they were computed.
        scores: their number.
    """

    model: str
    provider: str
    scores: int


@dataclass(frozen=True)
class Views:
    """How much of one kind is remembered besides scores.

    Attributes:
        what: its name.
        photos: of how many photos.
        size: in bytes.
    """

    what: str
    photos: int
    size: int
