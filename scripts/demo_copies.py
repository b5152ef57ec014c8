"""Put some of the photos of `make demo`, and copies of them as people make them, into a folder, for docs/similar.svg.

python scripts/demo_copies.py demo-photos FOLDER
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from PIL import Image

ALONE = ("coffee.png", "rocket.jpg")


def main() -> None:
    """Copy, shrink, crop, turn and bleach."""
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    target.mkdir(parents=True, exist_ok=True)
    for name in (*ALONE, "china.jpg", "flower.jpg", "chelsea.png"):
        shutil.copy(source / name, target)
    temple, dahlia, cat = (
        Image.open(source / name).convert("RGB") for name in ("china.jpg", "flower.jpg", "chelsea.png")
    )
    temple.resize((320, 214)).save(target / "china-web.jpg", quality=60)
    temple.convert("L").save(target / "china-bw.jpg")
    dahlia.crop((20, 15, dahlia.width - 30, dahlia.height - 25)).save(target / "flower-crop.jpg")
    cat.transpose(Image.Transpose.ROTATE_90).save(target / "chelsea-90.jpg")


if __name__ == "__main__":
    main()
