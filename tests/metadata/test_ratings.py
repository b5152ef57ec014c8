"""What the keys of a photo and its sidecars mean together, and what we write."""

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aesth.metadata.ratings import (
    KEYWORD_KEYS,
    PERCENT,
    READ_KEYS,
    Colour,
    Extras,
    NewRating,
    RatingState,
    arguments,
    clean_model,
    combine,
    embedded_values,
    given_back,
    holds,
    marks,
    our_keywords,
    sidecar_values,
    still_stands,
    values_of,
)
from support.metadata import NEW

XMP, ACDSEE, WINDOWS = "XMP-xmp:Rating", "XMP-acdsee:Rating", "XMP-microsoft:RatingPercent"
EXIF, PERCENT_KEY, PICK = "IFD0:Rating", "IFD0:RatingPercent", "XMP-digiKam:PickLabel"
ORDER = [XMP, ACDSEE, WINDOWS, EXIF, PERCENT_KEY]


def rating_of(*files: dict[str, object]) -> int | None:
    return combine([marks(file) for file in files]).rating


def ours(stars: int) -> dict[str, object]:
    return {XMP: stars, "XMP-aesth:Rating": stars, "XMP-aesth:Score": 50.0, "XMP-aesth:Model": "m"}


@pytest.mark.parametrize("first", range(5))
def test_the_first_key_in_digikams_order_wins(first: int) -> None:
    later = {key: 99 if key in (WINDOWS, PERCENT_KEY) else 5 for key in ORDER[first + 1 :]}
    stars = {ORDER[first]: 25 if ORDER[first] in (WINDOWS, PERCENT_KEY) else 2}
    assert rating_of({**later, **stars}) == 2


@pytest.mark.parametrize(
    ("lowest", "highest", "stars"), [(0, 0, None), (1, 12, 1), (13, 37, 2), (38, 62, 3), (63, 87, 4), (88, 100, 5)]
)
def test_percentages_mean_what_they_mean_to_windows(lowest: int, highest: int, stars: int | None) -> None:
    assert {rating_of({PERCENT_KEY: percent}) for percent in range(lowest, highest + 1)} == {stars}
    assert stars is None or lowest <= PERCENT[stars] <= highest


@pytest.mark.parametrize(
    ("value", "stars"),
    [
        (0, None),
        (-1, -1),
        (7, 5),
        (3.7, 3),
        (0.4, 1),
        ("4", 4),
        ("none", None),
        ("inf", None),
        (True, None),
        ([3], None),
    ],
)
def test_odd_values(value: object, stars: int | None) -> None:
    assert rating_of({XMP: value}) == stars


def test_a_value_that_is_no_number_leaves_the_word_to_the_next_key() -> None:
    assert rating_of({XMP: "?", EXIF: 3}) == 3


def test_a_pick_label_rejects_whatever_the_stars_say() -> None:
    assert rating_of({XMP: 5, PICK: 1}) == -1
    assert rating_of({PICK: "1"}) == -1
    assert rating_of({XMP: 5, PICK: 3}) == 5


def test_the_sidecar_wins_over_the_photo() -> None:
    assert rating_of({XMP: 2}, {XMP: 5}) == 2
    assert rating_of({XMP: 0}, {XMP: 5}) is None


def test_a_sidecar_without_a_rating_does_not_hide_a_persons() -> None:
    assert rating_of({}, {XMP: 5}) == 5


def test_a_persons_rating_in_any_file_wins_over_ours() -> None:
    assert rating_of(ours(3), {XMP: 5}) == 5
    assert rating_of(ours(3), ours(3) | {XMP: 1}) == 1
    assert rating_of(ours(3), ours(2)) == 3


def test_stars_changed_in_the_sidecar_are_told_from_ours_in_the_photo() -> None:
    assert combine([marks({XMP: 5}), marks(ours(3))]) == RatingState(5, 3, 50.0, "m")


def test_of_a_sidecar_shared_with_a_raw_only_a_persons_rating_counts() -> None:
    photo = marks({})
    assert combine([marks({XMP: 4}, shared=True), photo]).rating == 4
    assert combine([marks(ours(4), shared=True), photo]) == RatingState()


def test_within_a_file_a_cameras_nought_hides_no_stars() -> None:
    assert rating_of({XMP: 0, EXIF: 3}) == 3
    assert rating_of({XMP: 0, EXIF: 0, PERCENT_KEY: 0}) is None


@pytest.mark.parametrize("key", [ACDSEE, EXIF])
def test_stars_that_a_person_gave_by_one_key_only_are_told_from_ours(key: str) -> None:
    state = combine([marks(ours(3) | {key: 5})])
    assert (state.rating, state.our_rating) == (5, 3)
    assert state.conflicts == ()


def test_a_persons_stars_on_the_raw_count_for_its_jpeg_even_if_the_camera_wrote_a_nought_there() -> None:
    assert combine([marks({XMP: 0}), marks({XMP: 5}, shared=True)]).rating == 5
    assert combine([marks({XMP: 2}), marks({XMP: 5}, shared=True)]).rating == 2
    assert combine([marks({XMP: 0}), marks(ours(5), shared=True)]).rating is None


class TestConflicts:
    def test_keys_and_files_that_disagree_are_named(self) -> None:
        sidecar = marks({XMP: 3, WINDOWS: 50}, name="a.jpg.xmp")
        photo = marks({XMP: 3, EXIF: 2, PERCENT_KEY: 99}, name="a.jpg")
        assert combine([sidecar, photo]).conflicts == ("IFD0:Rating is 2 in a.jpg", "IFD0:RatingPercent is 5 in a.jpg")

    def test_a_rating_taken_back_in_the_sidecar_disagrees_with_the_photos(self) -> None:
        assert combine([marks({XMP: 0}), marks({XMP: 5})]).conflicts == ("XMP-xmp:Rating is 5",)

    def test_neither_what_we_wrote_nor_a_nought_disagrees_with_a_person(self) -> None:
        assert combine([marks({XMP: 5}), marks(ours(3) | {EXIF: 0})]).conflicts == ()

    @given(st.dictionaries(st.sampled_from(ORDER), st.integers(0, 5)))
    def test_there_is_one_exactly_where_two_keys_give_different_stars(self, said: dict[str, int]) -> None:
        percent = {0: 0, **PERCENT}
        tags = {key: percent[stars] if "Percent" in key else stars for key, stars in said.items()}
        assert bool(combine([marks(tags)]).conflicts) == (len(set(said.values()) - {0}) > 1)


dates = st.datetimes(datetime(1980, 1, 1), datetime(2100, 1, 1), timezones=st.just(timezone(timedelta(hours=-9.5))))
extras = st.builds(Extras, st.none() | st.sampled_from(Colour), st.booleans(), st.booleans())
news = st.builds(NewRating, st.sampled_from([-1, 1, 2, 3, 4, 5]), st.floats(0, 100), st.text(), dates, extras)
olds = st.fixed_dictionaries(
    {},
    optional={
        XMP: st.integers(-1, 5),
        ACDSEE: st.integers(0, 5),
        PICK: st.integers(0, 3),
        "XMP-xmp:Label": st.sampled_from(["Red", "Mine"]),
        "XMP-lr:HierarchicalSubject": st.sampled_from(["aesth|1 star", "aesth|mine", ["a|b", "aesth|rejected"]]),
        "XMP-digiKam:TagsList": st.sampled_from(["aesth/1 star", ["a/b", "aesth/5 stars"]]),
    },
)


def applied(values: dict[str, str], old: dict[str, object]) -> dict[str, object]:
    """What a file with the tags ``old`` holds after ``values`` are written."""
    single = {key: value for key, value in values.items() if key not in KEYWORD_KEYS}
    tags = {key: value for key, value in {**old, **single}.items() if value != ""}
    for key in values.keys() - single.keys():
        others = [item for item in listed(tags, key) if item not in our_keywords(key)]
        tags[key] = others + ([values[key]] if values[key] else [])
    return tags


def listed(tags: dict[str, object], key: str = "XMP-lr:HierarchicalSubject") -> list[object]:
    found = tags.get(key, [])
    return found if isinstance(found, list) else [found]


@given(news, olds)
def test_what_is_written_is_read_as_the_same_rating_and_known_as_ours(new: NewRating, old: dict[str, object]) -> None:
    for values in (embedded_values(new, old), sidecar_values(new, old)):
        written = applied(values, old)
        state = combine([marks(written)])
        assert state == RatingState(new.rating, new.rating, float(f"{new.score:.2f}"), clean_model(new.model))
        assert state.conflicts == ()
        assert holds(written, values, new.rating)


@given(news, olds)
def test_labels_picks_and_keywords_of_a_person_stay(new: NewRating, old: dict[str, object]) -> None:
    written = applied(embedded_values(new, old), old)
    if "XMP-xmp:Label" in old:
        assert written["XMP-xmp:Label"] == old["XMP-xmp:Label"]
    if old.get(PICK) in (2, 3) and new.rating != -1:
        assert written[PICK] == old[PICK]
    for item in ("a|b", "aesth|mine"):
        assert (item in listed(old)) == (item in listed(written))


@given(news, olds)
def test_our_keyword_is_that_of_the_stars_or_none(new: NewRating, old: dict[str, object]) -> None:
    ours_now = [item for item in listed(applied(embedded_values(new, old), old)) if item in OUR_KEYWORDS]
    assert ours_now == ([OUR_KEYWORDS[new.rating]] if new.extras.keyword else [])


OUR_KEYWORDS = [
    "",
    "aesth|1 star",
    "aesth|2 stars",
    "aesth|3 stars",
    "aesth|4 stars",
    "aesth|5 stars",
    "aesth|rejected",
]


@given(news, olds)
def test_all_that_may_change_is_listed_for_who_must_take_it_back(new: NewRating, old: dict[str, object]) -> None:
    assert embedded_values(new, old).keys() <= set(READ_KEYS)


@given(news, olds)
def test_no_value_can_become_an_argument_of_its_own(new: NewRating, old: dict[str, object]) -> None:
    for argument in arguments(embedded_values(new, old)):
        assert argument.startswith("-")
        assert len(argument.splitlines()) == 1
        argument.encode()


@given(news, st.sampled_from(sorted(embedded_values(NewRating(4, 1.0, "m", datetime(2000, 1, 1)), {}))))
def test_a_write_that_lacks_a_key_is_noticed(new: NewRating, key: str) -> None:
    values = embedded_values(new, {})
    written = applied(values, {})
    if values[key]:
        del written[key]
    else:
        written[key] = 3
    assert not holds(written, values, new.rating)


@given(news, st.sampled_from(KEYWORD_KEYS))
def test_a_keyword_that_is_lacking_is_noticed(new: NewRating, key: str) -> None:
    values = embedded_values(new, {})
    assert key not in values or not holds({**applied(values, {}), key: ["a|b"]}, values)


class TestTakenBack:
    """What a write leaves in a file can be told from what a person says, and gives way to what was there before."""

    @given(news, olds)
    def test_the_old_values_come_back_and_other_keywords_stay(self, new: NewRating, old: dict[str, object]) -> None:
        tags = applied(embedded_values(new, old), old)
        written, before = values_of(tags), values_of(old)
        assert still_stands(written, written)
        values = given_back(written, written, before)
        after = applied(values, tags)
        assert values_of(after) == before
        assert set(listed(after)) == set(listed(old))
        assert holds(after, values)

    @given(news, olds, st.sampled_from(READ_KEYS), st.sampled_from(["0", "1", "3", "5", "25", "99", "-1", "Mine"]))
    def test_what_a_person_changed_since_stands(
        self, new: NewRating, old: dict[str, object], key: str, value: str
    ) -> None:
        written = values_of(applied(embedded_values(new, old), old))
        now = {**written, key: value}
        if still_stands(now, written):
            assert marks(now).stated == new.rating
            if key in (PICK, "XMP-xmp:Label", "XMP-digiKam:ColorLabel") and value != written.get(key):
                assert given_back(now, written, values_of(old))[key] == value

    def test_a_program_that_writes_the_same_stars_elsewhere_or_drops_some_is_no_person(self) -> None:
        written = values_of(embedded_values(NEW, {}))
        assert still_stands(written | {ACDSEE: "4"}, written)
        assert still_stands({key: value for key, value in written.items() if key != PERCENT_KEY}, written)
        assert still_stands(written | {WINDOWS: "75.0"}, written)
        assert given_back(written | {ACDSEE: "4"}, written, {})[ACDSEE] == ""

    @pytest.mark.parametrize(
        "change", [{XMP: "2"}, {EXIF: "2"}, {EXIF: "0"}, {PICK: "1"}, {"XMP-aesth:Score": "12.00"}]
    )
    def test_another_rating_in_any_key_is_a_persons(self, change: dict[str, str]) -> None:
        written = values_of(embedded_values(NEW, {}))
        assert not still_stands(written | change, written)

    def test_a_pick_that_a_person_gave_since_stays(self) -> None:
        written = values_of(embedded_values(NEW, {}))
        now = written | {PICK: "3"}
        assert still_stands(now, written)
        assert given_back(now, written, {})[PICK] == "3"


def test_arguments_are_one_line_each_whatever_another_program_left() -> None:
    (argument,) = arguments({"XMP-aesth:Model": "a\nb & <c>\0é"})
    assert argument == "-XMP-aesth:Model=a&#10;b &amp; &lt;c&gt;&#0;é"
