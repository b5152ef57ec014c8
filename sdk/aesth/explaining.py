"""Photos to pictures that explain their scores: what `aesth explain` does, for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from aesth import pairs
from aesth.ahead import WouldBlock, never
from aesth.alike import score_alike
from aesth.apps.explain import (
    Beside,
    Effect,
    Faithfulness,
    Remark,
    SaliencyMap,
    draw,
    faithfulness,
    files,
    occlusion,
    remarks,
)
from aesth.apps.explain.words import Measured, measure_all
from aesth.decode import load
from aesth.encoder import Encoder, OnnxEncoder
from aesth.errors import AesthError, DecodeError
from aesth.occupied import refuse_occupied_file
from aesth.preprocess import UInt8Image
from aesth.qualities import SIDE
from aesth.scorer import Scored, Scorer, norms_of
from aesth.tagging import Action, Outcome
from aesth.taste import Taste

FULL = 2.0
"""Points of the score that a place must be worth to be shown in full colour, if none is worth more."""


@dataclass(frozen=True, slots=True)
class Explaining:
    """What is made of each photo.

    Attributes:
        out: folder of the pictures; None puts each beside its photo.
        overwrite: replace what is there under their names.
        curves: whether to measure how far each map can be believed, which takes about as long again.
        dry_run: write nothing.
        beside: another model whose map is drawn beside the scorer's; it takes as long again.
    """

    out: Path | None = None
    overwrite: bool = False
    curves: bool = False
    dry_run: bool = False
    beside: OnnxEncoder | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a photo has its score.

    Attributes:
        saliency: what each place is worth in points of the score, (h, w), float32: above 0 it raises the score, so
            that this falls when the place is hidden; below 0 it lowers it.
        measured: what can be measured of the photo.
        faithfulness: how far the map can be believed; None where that was not asked for.
        beside: what another model makes of the photo; None where that was not asked for.
    """

    saliency: SaliencyMap
    measured: Measured
    faithfulness: Faithfulness | None = None
    beside: Beside | None = None

    @property
    def effect(self) -> Effect:
        """What the strongest places do to the score."""
        return _effect_of(self.saliency)

    @property
    def remarks(self) -> tuple[Remark, ...]:
        """What was measured, in words."""
        return remarks(self.measured)

    @property
    def facts(self) -> dict[str, float | None]:
        """The numbers, rounded as they are told.

        ``raises`` and ``lowers`` of the effect; all of `aesth.qualities.Qualities`; ``tilt`` of the horizon;
        ``area`` between the curves of the map, and those of maps of edges and of chance. None is what is not known.
        """
        tilt = self.measured.horizon and self.measured.horizon.tilt
        found = self.faithfulness
        areas = (found.ours.between, found.edges.between, found.between_by_chance) if found else (None, None, None)
        return {
            name: None if value is None else round(value, 4 if name in ("shadows", "highlights") else 2)
            for name, value in (
                asdict(self.effect)
                | asdict(self.measured.qualities)
                | {"tilt": tilt}
                | dict(zip(("area", "edges_area", "chance_area"), areas, strict=True))
            ).items()
        }


@dataclass(frozen=True, slots=True)
class Explained(Outcome):
    """What became of one photo.

    Attributes:
        picture: the PNG that explains it, which is there unless it was a dry run; None if it failed or was skipped.
        explanation: None if it failed or was skipped.
    """

    picture: Path | None = None
    explanation: Explanation | None = None


def explain(
    image: UInt8Image,
    encoder: Encoder,
    *,
    taste: Taste | None = None,
    curves: bool = False,
    beside: OnnxEncoder | None = None,
) -> Explanation:
    """Why ``image``, upright sRGB pixels (h, w, 3), has its score.

    Args:
        image: of any size; more pixels than a large screen has are of no use.
        encoder: gives the score.
        taste: of whom the score is; None is of what people like in common.
        curves: whether to measure how far that can be believed.
        beside: another model to explain the score of as well.
    """
    saliency = occlusion(encoder, image, taste=taste)
    return Explanation(
        _in_points(encoder, image, saliency, taste),
        measure_all(image),
        faithfulness(encoder, image, saliency, taste=taste) if curves else None,
        _beside(image, beside) if beside else None,
    )


def explain_photos(
    photos: Iterable[Path], scorer: Scorer, how: Explaining = Explaining(), would_block: WouldBlock = never
) -> Iterator[Explained]:
    """Explain photos by a picture each: lazily, in input order, one outcome a photo, whatever happens to it.

    A RAW with a JPEG or HEIF of the camera beside it is explained by that. Pictures that were made by this are skipped.

    Args:
        photos: files.
        scorer: scores them.
        how: what is made of each.
        would_block: whether taking the next photo would wait; then outcomes come first.
    """
    taken: set[Path] = set()
    asked = ((photo, None if files.is_explanation(photo) else photo) for photo in photos)
    for photo, scored in score_alike(asked, scorer, would_block):
        if scored is None:
            yield Explained(photo, None, None, None, Action.SKIPPED)
            continue
        try:
            yield _explained(photo, scored, scorer, how, files.name_of(photo, how.out, taken))
        except AesthError as error:
            yield Explained(photo, scored.score, scored.rating, None, Action.FAILED, error)


def keep_curves(explained: Iterable[Explained], path: Path, *, overwrite: bool = False) -> Iterator[Explained]:
    """``explained`` as it comes; at its end, however it came, their curves are in ``path``.

    That is a JSON list of objects with ``path``, and with ``ours``, ``edges`` and ``chance``, which have ``shares``,
    ``deletion``, ``insertion``, ``deletion_area`` and ``insertion_area``: see `aesth.apps.explain.Curves`.

    Raises:
        ConfigError: there is something already, or it cannot be written.
    """
    found: list[dict[str, object]] = []
    try:
        for photo in explained:
            if photo.explanation and photo.explanation.faithfulness:
                found.append({"path": str(photo.path)} | photo.explanation.faithfulness.to_dict())
            yield photo
    finally:
        text = json.dumps(found, indent=1) + "\n"
        files.write(path, lambda target: target.write_text(text, "ascii"), overwrite=overwrite)


def _explained(photo: Path, scored: Scored, scorer: Scorer, how: Explaining, target: Path) -> Explained:
    if scored.error is not None:
        raise scored.error
    if scored.score is None or scored.rating is None:
        raise DecodeError("has no score", photo)
    refuse_occupied_file(target, overwrite=how.overwrite)
    image = _pixels(photo, scorer)
    explanation = explain(image, scorer.encoder, taste=scorer.taste, curves=how.curves, beside=how.beside)
    if not how.dry_run:
        picture = draw(
            image,
            explanation.saliency,
            score=scored.score,
            rating=scored.rating,
            effect=explanation.effect,
            remarks=explanation.remarks,
            notes=_belief(explanation.faithfulness),
            full=FULL,
            name=_name_of(scorer.encoder),
            beside=explanation.beside,
        )
        files.write(target, partial(Image.fromarray(picture).save, format="PNG"), overwrite=how.overwrite)
    action = Action.SCORED if how.dry_run else Action.WRITTEN
    return Explained(photo, scored.score, scored.rating, None, action, picture=target, explanation=explanation)


def _pixels(photo: Path, scorer: Scorer) -> UInt8Image:
    """What is explained: with more pixels than a score needs, since sharpness is looked at as well."""
    picture = pairs.scored_by(photo)
    try:
        return load(picture, at_least=(SIDE, SIDE), headroom=2, max_pixels=scorer.max_pixels)
    except DecodeError:
        if picture == photo:
            raise
        return load(photo, at_least=(SIDE, SIDE), headroom=2, max_pixels=scorer.max_pixels)


def _in_points(encoder: Encoder, image: UInt8Image, saliency: SaliencyMap, taste: Taste | None) -> SaliencyMap:
    """A map in units of the norm as points of the score, which hardly moves at its ends."""
    whole, scale = _norm_of(encoder, image, taste), encoder.record.scale
    points: SaliencyMap = (scale.score(whole) - scale.score(whole - saliency)).astype(np.float32)
    return points


def _norm_of(encoder: Encoder, image: UInt8Image, taste: Taste | None) -> float:
    return float(norms_of(encoder.encode(encoder.record.preprocess(image)[None]), taste)[0])


def _beside(image: UInt8Image, encoder: OnnxEncoder) -> Beside:
    points = _in_points(encoder, image, occlusion(encoder, image), None)
    score = float(encoder.record.scale.score(_norm_of(encoder, image, None)))
    return Beside(_name_of(encoder), points, score, _effect_of(points))


def _name_of(encoder: Encoder) -> str:
    return encoder.model.name if isinstance(encoder, OnnxEncoder) else encoder.record.name


def _effect_of(points: SaliencyMap) -> Effect:
    return Effect(max(float(points.max()), 0.0), max(-float(points.min()), 0.0))


def _belief(found: Faithfulness | None) -> tuple[str, ...]:
    """How far a map can be believed, in words, where that was measured."""
    if found is None:
        return ()
    numbers = (found.ours.between, found.edges.between, found.between_by_chance)
    return ("how far to believe it: {:.1f} (edges {:.1f}, chance {:.1f})".format(*numbers),)
