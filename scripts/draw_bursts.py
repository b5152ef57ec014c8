"""Draw what `aesth best` found, a row for each group, as docs/bursts.jpg.

aesth best --format ndjson demo-bursts | python scripts/draw_bursts.py > docs/bursts.jpg
"""

from __future__ import annotations

import json
import sys
from itertools import groupby
from typing import Any

from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT, CAPTION, EDGE = 220, 150, 26, 6
GREEN, GREY, PAPER = (40, 160, 70), (90, 90, 90), (255, 255, 255)


def main() -> None:
    """Read outcomes from standard input, write the picture to standard output."""
    found = [photo for line in sys.stdin if (photo := json.loads(line))["group"] is not None]
    groups = [list(photos) for _, photos in groupby(found, key=lambda photo: photo["group"])]
    most = max(map(len, groups))
    sheet = Image.new("RGB", (most * (WIDTH + EDGE) + EDGE, len(groups) * (HEIGHT + CAPTION + EDGE) + EDGE), PAPER)
    for row, photos in enumerate(groups):
        for column, photo in enumerate(photos):
            draw(sheet, photo, EDGE + column * (WIDTH + EDGE), EDGE + row * (HEIGHT + CAPTION + EDGE))
    sheet.save(sys.stdout.buffer, "JPEG", quality=85)


def draw(sheet: Image.Image, photo: dict[str, Any], left: int, top: int) -> None:
    """One photo with its score, and its rank in the burst or the kind of its group."""
    image = Image.open(photo["path"]).convert("RGB")
    image.thumbnail((WIDTH, HEIGHT))
    colour = GREEN if photo["best"] else GREY
    pen = ImageDraw.Draw(sheet)
    if photo["best"]:
        pen.rectangle((left - 4, top - 4, left + image.width + 3, top + image.height + 3), fill=GREEN)
    sheet.paste(image, (left, top))
    place = photo["kind"] if photo["rank"] is None else ("the best" if photo["best"] else f"rank {photo['rank']}")
    pen.text((left, top + image.height + 6), f"{place}, score {photo['score']:.0f}", colour, ImageFont.load_default(15))


if __name__ == "__main__":
    main()
