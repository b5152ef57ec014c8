"""The real exiv2, the library by which digiKam, darktable, Gwenview and others read photos, finds our stars."""

from __future__ import annotations

import pytest

from support.desktop import need
from support.metadata import exiv2
from support.rated import Rated

pytestmark = pytest.mark.apps


def test_it_finds_the_stars_of_every_photo_or_its_sidecar(request: pytest.FixtureRequest, rated: Rated) -> None:
    need(request.config, "exiv2")
    for name, stars in rated.stars.items():
        photo = rated.folder / name
        beside = [photo.with_name(f"{name}.xmp"), photo.with_suffix(".xmp")]
        found = exiv2(next((path for path in beside if path.exists()), photo))
        assert int(found.get("Xmp.xmp.Rating", 0)) == stars, name
        if stars > 0 and "Exif.Image.Rating" in found:
            assert int(found["Exif.Image.Rating"]) == stars, name
