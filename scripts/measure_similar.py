"""Measure which copies of photos `aesth similar` tells as one picture, for docs/similar.md.

python scripts/measure_similar.py FOLDER --originals 100

Copies are made of some photos of a folder, in many ways, and looked for among all photos of it. Intervals are Wilson's,
of 95 %.
"""

from __future__ import annotations

import argparse
import hashlib
import math
import sys
from collections.abc import Callable, Iterator, Mapping
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance

from aesth import Scorer
from aesth.apps.similar import GREY_COPY, same_pictures

Change = Callable[[Image.Image, np.random.Generator], Image.Image]


def compressed(image: Image.Image, quality: int) -> Image.Image:
    """A picture that was a JPEG."""
    file = BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")


def resized(image: Image.Image, share: float) -> Image.Image:
    """A picture of a share of the width and height."""
    return image.resize((max(1, round(image.width * share)), max(1, round(image.height * share))), Image.LANCZOS)


def cropped(image: Image.Image, share: float, chance: np.random.Generator) -> Image.Image:
    """A part somewhere in a picture, of a share of the width and height."""
    width, height = round(image.width * share), round(image.height * share)
    left = int(chance.integers(0, image.width - width + 1))
    top = int(chance.integers(0, image.height - height + 1))
    return image.crop((left, top, left + width, top + height))


def brightened(image: Image.Image, factor: float) -> Image.Image:
    """A picture with all values multiplied; what exceeds white is lost."""
    return ImageEnhance.Brightness(image).enhance(factor)


def edited(image: Image.Image, chance: np.random.Generator) -> Image.Image:
    """Cropped, shrunk, brighter and more colourful, at once."""
    return compressed(ImageEnhance.Color(brightened(resized(cropped(image, 0.93, chance), 0.5), 1.15)).enhance(1.3), 60)


CHANGES: Mapping[str, Change] = {
    "half the size": lambda image, _: compressed(resized(image, 0.5), 90),
    "a quarter of the size": lambda image, _: compressed(resized(image, 0.25), 90),
    "JPEG of quality 95": lambda image, _: compressed(image, 95),
    "JPEG of quality 60": lambda image, _: compressed(image, 60),
    "JPEG of quality 30": lambda image, _: compressed(image, 30),
    "crop to 0.95 of each side": lambda image, chance: compressed(cropped(image, 0.95, chance), 95),
    "crop to 0.9": lambda image, chance: compressed(cropped(image, 0.9, chance), 95),
    "crop to 0.8": lambda image, chance: compressed(cropped(image, 0.8, chance), 95),
    "brightness x0.7": lambda image, _: compressed(brightened(image, 0.7), 95),
    "brightness x1.4": lambda image, _: compressed(brightened(image, 1.4), 95),
    "black and white": lambda image, _: compressed(image.convert("L").convert("RGB"), 95),
    "turned by 90°": lambda image, _: compressed(image.transpose(Image.Transpose.ROTATE_90), 95),
    "all at once: crop to 0.93, half the size, x1.15, colour, quality 60": edited,
}


def main() -> None:
    """Print a table in Markdown, then the pairs that were taken for one picture and are none, or so it seems."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--originals", type=int, default=100)
    options = parser.parse_args()
    photos = sorted(path for path in options.folder.rglob("*") if path.suffix.lower() in {".jpg", ".jpeg", ".png"})
    chosen = sorted(photos, key=lambda path: hashlib.sha256(path.name.encode()).digest())[: options.originals]
    names = [(path, "") for path in photos] + [(path, kind) for path in chosen for kind in CHANGES]
    with Scorer(jobs=1, threads=1) as scorer:
        seen = list(scorer.score(pictures(photos, chosen), look=GREY_COPY))
    thumbnails = np.stack([np.asarray(one.seen, np.uint8) for one in seen])
    embeddings = np.stack([one.embedding for one in seen if one.embedding is not None]).astype(np.float16)
    report(names, set(same_pictures(thumbnails, embeddings)), len(chosen))


def pictures(photos: list[Path], chosen: list[Path]) -> Iterator[np.ndarray]:
    """All photos, then all changes of the chosen ones."""
    for path in photos:
        yield np.asarray(Image.open(path).convert("RGB"))
    for path in chosen:
        chance = np.random.default_rng(int.from_bytes(hashlib.sha256(path.name.encode()).digest()[:4]))
        original = Image.open(path).convert("RGB")
        for change in CHANGES.values():
            yield np.asarray(change(original, chance))


def report(names: list[tuple[Path, str]], pairs: set[tuple[int, int]], originals: int) -> None:
    """What was found, and what was found wrongly."""
    true = dict.fromkeys(CHANGES, 0)
    for one, other in pairs:
        if names[one] == (names[other][0], ""):
            true[names[other][1]] += 1
    lines = [f"| {kind} | {interval(found, originals)} |" for kind, found in true.items()]
    lines.append(f"| all of them | {interval(sum(true.values()), originals * len(CHANGES))} |")
    plain = sum(not kind for _, kind in names)
    wrong = [pair for pair in pairs if names[pair[0]][0] != names[pair[1]][0]]
    unlike = [pair for pair in wrong if not any(names[number][1] for number in pair)]
    lines += [
        "",
        f"Of {plain * (plain - 1) // 2} pairs of different photos, {len(unlike)} were taken for one picture.",
        f"Of {len(pairs)} pairs that were found, copies included, {len(pairs) - len(wrong)} are of one photo.",
        *(f"{names[one][0]} {names[other][0]}" for one, other in unlike),
    ]
    sys.stdout.write("\n".join(lines) + "\n")


def interval(found: int, of: int) -> str:
    """A share in percent with Wilson's interval of 95 %."""
    z, share = 1.96, found / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    return f"{100 * share:.1f} | {100 * (middle - half):.1f}-{100 * (middle + half):.1f}"


if __name__ == "__main__":
    main()
