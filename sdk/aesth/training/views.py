"""What the network sees: pictures, and copies of them made worse, rendered once into an array on disk."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aesth import decode
from aesth.errors import DecodeError
from aesth.preprocess import Preprocess, UInt8Image
from aesth.training.damage import DAMAGES, Strength, recompress
from aesth.training.files import replacing, require_space

WHOLE = (1 << 30, 1 << 30)


@dataclass(frozen=True)
class View:
    """A picture as it is shown to the network.

    Attributes:
        path: the picture.
        kind: how it is made worse, a key of `damage.DAMAGES`; None leaves it as it is.
        strength: how much worse; None where ``kind`` is.
        recompressed: saved once more as JPEG, as both pictures of a damage pair are.
    """

    path: Path
    kind: str | None = None
    strength: Strength | None = None
    recompressed: bool = False


def render(view: View, preprocess: Preprocess, seed: int = 0, *, whole: bool = True) -> UInt8Image:
    """The pixels of a view, (height, width, 3) as ``preprocess`` says; the same for the same seed, in any order.

    Args:
        view: what is shown.
        preprocess: to which size.
        seed: of what is random in damage.
        whole: decode every pixel; or else, of a picture that stays as it is, about as many as are needed.
    """
    plain = view.kind is None and not view.recompressed
    image = decode.load(view.path, at_least=preprocess.size if plain and not whole else WHOLE)
    if view.kind is not None and view.strength is not None:
        image = DAMAGES[view.kind][view.strength](image, _generator(view, seed))
    return preprocess(recompress(image) if view.recompressed else image)


def render_all(
    views: Sequence[View],
    preprocess: Preprocess,
    array: Path,
    *,
    seed: int = 0,
    jobs: int = 2,
    on_progress: Callable[[int], None] = lambda _: None,
) -> NDArray[np.uint8]:
    """All ``views`` as one array (n, height, width, 3), kept in the file ``array`` and mapped from there.

    A file that was made from the same views is used again.

    Args:
        views: what is rendered.
        preprocess: to which size.
        array: the file; a second one beside it, with the suffix ``.json``, says what it was made from.
        seed: of what is random in damage.
        jobs: pictures at a time.
        on_progress: told of every picture.

    Raises:
        DecodeError: a picture cannot be read.
        ConfigError: the file cannot be written.
    """
    key = array.with_suffix(".json")
    content = fingerprint(views, preprocess, seed)
    if not (array.is_file() and key.is_file() and json.loads(key.read_text("utf-8"))["views"] == content):
        require_space(array, len(views) * 3 * preprocess.size[0] * preprocess.size[1])
        key.unlink(missing_ok=True)
        with replacing(array) as partial:
            _fill(partial, views, preprocess, seed, jobs, on_progress)
        with replacing(key) as partial:
            partial.write_text(json.dumps({"views": content, "count": len(views)}), "utf-8")
    mapped: NDArray[np.uint8] = np.load(array, mmap_mode="r")
    return mapped


def _fill(
    array: Path, views: Sequence[View], preprocess: Preprocess, seed: int, jobs: int, on_progress: Callable[[int], None]
) -> None:
    pixels = np.lib.format.open_memmap(array, "w+", np.uint8, (len(views), *preprocess.size, 3))

    def fill(index: int) -> None:
        pixels[index] = render(views[index], preprocess, seed)
        on_progress(1)

    with ThreadPoolExecutor(jobs) as pool:
        for _ in pool.map(fill, range(len(views))):
            pass
    pixels.flush()


def _generator(view: View, seed: int) -> np.random.Generator:
    name = f"{seed}/{view.path.name}/{view.kind}/{view.strength}".encode("utf-8", "surrogateescape")
    return np.random.default_rng(np.frombuffer(hashlib.sha256(name).digest(), np.uint32))


def fingerprint(views: Sequence[View], preprocess: Preprocess, seed: int) -> str:
    """A digest of what is rendered: the files by name and bytes, wherever they lie, damage, size of the input and seed.

    Raises:
        DecodeError: a file cannot be read.
    """
    digest = hashlib.sha256(f"{seed} {preprocess.to_json()}".encode())
    contents = {path: _content_now(path) for path in {view.path for view in views}}
    for view in views:
        fields = (view.path.name, contents[view.path], view.kind, view.strength, view.recompressed)
        digest.update(repr(fields).encode())
    return digest.hexdigest()


def _content_now(path: Path) -> str:
    try:
        now = path.stat()
        return _content(path, (now.st_size, now.st_mtime_ns, now.st_ctime_ns, now.st_ino))
    except OSError as error:
        raise DecodeError(f"cannot be read: {error.strerror or error}", path) from error


@cache
def _content(path: Path, _state: tuple[int, ...]) -> str:
    """Read once, as a run asks for every fold and for everything that it keeps."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
