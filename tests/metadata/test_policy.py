"""Whose rating wins."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aesth.metadata import Decision, Policy, RatingState, allows, decide

MODEL, OTHER = "base-int8 11111111", "lite-int8 22222222"
UNRATED = RatingState()
CLEARED = RatingState(None, our_rating=3, our_score=50.0, our_model=MODEL)
BY_HAND = RatingState(4)
CHANGED = RatingState(5, our_rating=3, our_score=50.0, our_model=MODEL)
REJECTED = RatingState(-1, our_rating=3, our_score=50.0, our_model=MODEL)
OURS = RatingState(3, our_rating=3, our_score=50.0, our_model=MODEL)
OLDER = RatingState(3, our_rating=3, our_score=50.0, our_model=OTHER)

WRITE, KEEP, SKIP = Decision.WRITE, Decision.KEEP, Decision.SKIP
ratings = st.none() | st.sampled_from([-1, 1, 2, 3, 4, 5])
states = st.builds(
    RatingState, ratings, ratings, st.none() | st.floats(0, 100), st.none() | st.sampled_from([MODEL, OTHER])
)


@pytest.mark.parametrize(
    ("policy", "decisions"),
    [
        (Policy.UNRATED, [WRITE, WRITE, KEEP, KEEP, KEEP, SKIP, SKIP]),
        (Policy.OURS, [WRITE, WRITE, KEEP, KEEP, KEEP, SKIP, SKIP]),
        (Policy.RAISE, [WRITE, WRITE, WRITE, WRITE, KEEP, SKIP, SKIP]),
        (Policy.OVERWRITE, [WRITE] * 7),
    ],
)
def test_each_policy_on_each_kind_of_photo(policy: Policy, decisions: list[Decision]) -> None:
    photos = [UNRATED, CLEARED, BY_HAND, CHANGED, REJECTED, OURS, OLDER]
    assert [decide(policy, state, MODEL) for state in photos] == decisions


def test_only_rescore_renews_the_stars_of_another_model() -> None:
    assert decide(Policy.OURS, OLDER, MODEL, rescore=True) is WRITE
    assert decide(Policy.OURS, OURS, MODEL, rescore=True) is SKIP
    assert decide(Policy.UNRATED, OLDER, MODEL, rescore=True) is SKIP


@given(states, st.sampled_from([Policy.UNRATED, Policy.OURS]), st.booleans())
def test_a_rating_that_we_did_not_write_is_never_touched(state: RatingState, policy: Policy, rescore: bool) -> None:
    if state.rating is not None and state.rating != state.our_rating:
        assert decide(policy, state, MODEL, rescore=rescore) is KEEP


@given(states, st.integers(1, 5))
def test_raise_never_lowers(state: RatingState, stars: int) -> None:
    if decide(Policy.RAISE, state, MODEL) is WRITE and allows(Policy.RAISE, state, stars):
        assert stars > (state.rating or 0)


def test_a_model_is_known_again_by_what_a_photo_can_hold_of_its_name() -> None:
    state = RatingState(3, 3, 50.0, "my model 12")
    assert decide(Policy.OURS, state, "my\nmodel 12", rescore=True) is SKIP
