"""What the keys of a photo and its sidecars mean together, and what we write."""

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aesth.metadata.ratings import (
    PERCENT,
    READ_KEYS,
    NewRating,
    RatingState,
    arguments,
    clean_model,
    combine,
    embedded_values,
    given_back,
    holds,
    marks,
    still_stands,
)
from support.metadata import DATE, NEW

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


dates = st.datetimes(datetime(1980, 1, 1), datetime(2100, 1, 1), timezones=st.just(timezone(timedelta(hours=-9.5))))
news = st.builds(NewRating, st.sampled_from([-1, 1, 2, 3, 4, 5]), st.floats(0, 100), st.text(), dates)


@given(news)
def test_what_is_written_is_read_as_the_same_rating_and_known_as_ours(new: NewRating) -> None:
    written = {key: value for key, value in embedded_values(new).items() if value}
    if new.rating == -1:
        written[PICK] = "1"
    state = combine([marks(written)])
    assert state == RatingState(new.rating, new.rating, float(f"{new.score:.2f}"), clean_model(new.model))
    assert holds(written, embedded_values(new))


@given(news)
def test_no_value_can_become_an_argument_of_its_own(new: NewRating) -> None:
    for argument in arguments(embedded_values(new)):
        assert argument.startswith("-")
        assert len(argument.splitlines()) == 1
        argument.encode()


@given(news, st.sampled_from(sorted(embedded_values(NewRating(4, 1.0, "m", datetime(2000, 1, 1))))))
def test_a_write_that_lacks_a_key_is_noticed(new: NewRating, key: str) -> None:
    values = embedded_values(new)
    written: dict[str, object] = {name: value for name, value in values.items() if value} | {
        PICK: int(new.rating == -1)
    }
    if values[key]:
        del written[key]
    else:
        written[key] = 3
    assert not holds(written, values)


class TestTakenBack:
    """What a write leaves in a file can be told from what a person says, and gives way to what was there before."""

    star_values = st.sampled_from(["0", "1", "3", "5", "25", "99", "-1", "3.5"])
    old_values = st.dictionaries(st.sampled_from(READ_KEYS), star_values)
    news = st.builds(NewRating, st.sampled_from([-1, 1, 2, 3, 4, 5]), st.floats(0, 100), st.just("m"), st.just(DATE))

    @staticmethod
    def written(old: dict[str, str], new: NewRating) -> dict[str, str]:
        """What a photo says after a write, by the arguments that ExifTool gets."""
        now = dict(old)
        for argument in arguments(embedded_values(new)):
            key, _, value = argument[1:].partition("=")
            if key.endswith("-"):
                key, value = key[:-1], "" if now.get(key[:-1]) == value else now.get(key[:-1], "")
            now[key] = value
        return {key: value for key, value in now.items() if value}

    @given(old_values, news)
    def test_the_old_values_come_back(self, old: dict[str, str], new: NewRating) -> None:
        now = self.written(old, new)
        assert still_stands(now, now)
        assert {key: value for key, value in given_back(now, now, old).items() if value} == old

    @given(old_values, news, st.sampled_from(READ_KEYS), star_values)
    def test_what_a_person_changed_since_stands(
        self, old: dict[str, str], new: NewRating, key: str, value: str
    ) -> None:
        written = self.written(old, new)
        now = {**written, key: value}
        if still_stands(now, written):
            assert marks(now).stated == new.rating
            assert key != "XMP-digiKam:PickLabel" or given_back(now, written, old)[key] in (value, old.get(key, ""))

    def test_a_program_that_writes_the_same_stars_elsewhere_or_drops_some_is_no_person(self) -> None:
        written = self.written({}, NEW)
        assert still_stands(written | {"XMP-acdsee:Rating": "4"}, written)
        assert still_stands({key: value for key, value in written.items() if key != "IFD0:RatingPercent"}, written)
        assert still_stands(written | {"XMP-microsoft:RatingPercent": "75.0"}, written)
        assert given_back(written | {"XMP-acdsee:Rating": "4"}, written, {})["XMP-acdsee:Rating"] == ""

    @pytest.mark.parametrize(
        "change",
        [{"XMP-xmp:Rating": "2"}, {"IFD0:Rating": "2"}, {"XMP-digiKam:PickLabel": "1"}, {"XMP-aesth:Score": "12.00"}],
    )
    def test_another_rating_in_any_key_is_a_persons(self, change: dict[str, str]) -> None:
        written = self.written({}, NEW)
        assert not still_stands(written | change, written)
        assert not still_stands({key: value for key, value in written.items() if key not in change} | change, written)

    def test_a_pick_that_a_person_gave_since_stays(self) -> None:
        written = self.written({}, NEW)
        now = written | {"XMP-digiKam:PickLabel": "3"}
        assert still_stands(now, written)
        assert given_back(now, written, {})["XMP-digiKam:PickLabel"] == "3"


def test_arguments_are_one_line_each_whatever_another_program_left() -> None:
    (argument,) = [
        one for one in arguments({"XMP-aesth:Model": "a\nb & <c>\0é", "XMP-digiKam:PickLabel": ""}) if "Model" in one
    ]
    assert argument == "-XMP-aesth:Model=a&#10;b &amp; &lt;c&gt;&#0;é"
