"""Which frames of a video are looked at, and what is decoded for them."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("av")

from aesth.decode.video.sampling import TICK, Sampler, pieces


@dataclass(frozen=True)
class Packet:
    """A packet without a picture."""

    seconds: float
    is_keyframe: bool
    number: int


@st.composite
def videos(draw: st.DrawFn) -> list[Packet]:
    """Groups of frames, each of which begins with a key frame, in the order of decoding: P before the B it is for."""
    packets: list[Packet] = []
    time = 0
    for _ in range(draw(st.integers(1, 6))):
        shown = list(itertools.accumulate(draw(st.lists(st.integers(1, 9), min_size=1, max_size=12)), initial=time))
        first, rest, time = shown[0], shown[1:], shown[-1] + draw(st.integers(1, 9))
        if draw(st.booleans()):  # each pair the other way round: B-frames
            rest = [t for pair in zip(rest[1::2], rest[::2], strict=False) for t in pair] + rest[len(rest) // 2 * 2 :]
        for moment in (first, *rest):
            packets.append(Packet(moment / 10, moment == first, len(packets)))
    return packets


every = st.sampled_from([0.1, 0.25, 0.5, 1.0, 3.0])


def chosen(packets: list[Packet], seconds: float) -> list[float]:
    sampler = Sampler(seconds)
    return [time for piece in pieces(packets) for time in sampler.choose(piece).times]


@given(videos(), every)
def test_of_each_span_of_time_in_which_there_are_frames_one_is_looked_at(packets: list[Packet], seconds: float) -> None:
    spans = [math.floor((time + TICK) / seconds) for time in chosen(packets, seconds)]
    assert spans == sorted({math.floor((packet.seconds + TICK) / seconds) for packet in packets})


@given(videos(), every)
def test_it_is_a_key_frame_where_there_is_one(packets: list[Packet], seconds: float) -> None:
    keys = {packet.seconds for packet in packets if packet.is_keyframe}
    spans_with_key = {math.floor((time + TICK) / seconds) for time in keys}
    for time in chosen(packets, seconds):
        span = math.floor((time + TICK) / seconds)
        before = [p.seconds for p in packets if p.seconds < time and math.floor((p.seconds + TICK) / seconds) == span]
        assert time in keys if span in spans_with_key else not before


@given(videos(), every)
def test_what_is_decoded_is_what_those_frames_need_and_no_more(packets: list[Packet], seconds: float) -> None:
    sampler = Sampler(seconds)
    for piece in pieces(packets):
        wanted = sampler.choose(piece)
        assert wanted.packets == piece.packets[: len(wanted.packets)]
        assert set(wanted.times) <= {packet.seconds for packet in wanted.packets}
        assert not wanted.packets or wanted.packets[-1].seconds in wanted.times
        assert wanted.ends == (len(wanted.packets) < len(piece.packets) or piece.until == math.inf)


@given(videos())
def test_pieces_are_the_packets_cut_before_key_frames(packets: list[Packet]) -> None:
    cut = list(pieces(packets))
    assert [packet for piece in cut for packet in piece.packets] == packets
    assert all(piece.packets[0].is_keyframe for piece in cut)
    assert not any(packet.is_keyframe for piece in cut for packet in piece.packets[1:])
    assert [piece.until for piece in cut] == [piece.packets[0].seconds for piece in cut[1:]] + [math.inf]


def test_a_video_without_further_key_frames_is_not_held_in_memory() -> None:
    taken = 0

    def endless() -> itertools.chain[Packet]:
        nonlocal taken
        for number in itertools.count():
            taken = number + 1
            yield Packet(number / 25, number == 0, number)

    first = next(pieces(endless(), longest=50))
    assert (len(first.packets), first.until, taken) == (50, None, 51)
    sampler = Sampler(1.0)
    assert sampler.choose(first).packets == first.packets, "what follows needs all of it"


@given(videos(), st.integers(1, 5))
def test_pieces_that_are_cut_short_are_looked_at_like_whole_ones(packets: list[Packet], longest: int) -> None:
    in_order = sorted(packets, key=lambda packet: packet.seconds)
    sampler = Sampler(0.5)
    times = [time for piece in pieces(in_order, longest) for time in sampler.choose(piece).times]
    assert len(times) == len({math.floor((packet.seconds + TICK) / 0.5) for packet in packets})


@pytest.mark.parametrize("seconds", [0.0, -1.0, math.nan])
def test_no_frame_is_taken_every_nothing(seconds: float) -> None:
    with pytest.raises(ValueError, match="more than 0"):
        Sampler(seconds)
