"""Whose rating wins: a person's, always, unless the person says otherwise."""

from __future__ import annotations

from enum import Enum

from aesth.metadata.ratings import RatingState, clean_model


class Policy(Enum):
    """Which photos may get our stars.

    ``UNRATED``: only photos without a rating. ``OURS``: those, and the ones whose rating is what we wrote.
    ``RAISE``: all, as long as no rating is lowered and no reject is taken back. ``OVERWRITE``: all.
    """

    UNRATED = "unrated"
    OURS = "ours"
    RAISE = "raise"
    OVERWRITE = "overwrite"


class Decision(Enum):
    """What a policy says of one photo.

    ``WRITE``: score it and write. ``KEEP``: a person's rating stands. ``SKIP``: our rating is there.
    """

    WRITE = "write"
    KEEP = "keep"
    SKIP = "skip"


def decide(policy: Policy, state: RatingState, model: str, *, rescore: bool = False) -> Decision:
    """What to do with a photo in ``state`` when ``model`` scores and ``policy`` rules, before its score is known.

    Args:
        policy: whose rating wins.
        state: what the photo says now.
        model: the model that would score.
        rescore: renew the ratings that another model of ours gave.
    """
    if state.rating is None or policy is Policy.OVERWRITE:
        return Decision.WRITE
    if state.rating == state.our_rating:
        renew = rescore and state.our_model != clean_model(model) and policy is not Policy.UNRATED
        return Decision.WRITE if renew else Decision.SKIP
    return Decision.WRITE if policy is Policy.RAISE and state.rating > 0 else Decision.KEEP


def allows(policy: Policy, state: RatingState, stars: int) -> bool:
    """Whether ``policy`` lets ``stars`` replace the rating of a photo that `decide` said may be written."""
    return policy is not Policy.RAISE or state.rating is None or stars > state.rating
