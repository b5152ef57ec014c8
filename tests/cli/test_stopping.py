"""Ctrl-C stops a run between two photos; a second one stops it at once."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from aesth.cli.stopping import GracefulStop


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_work_on_a_photo_is_finished_before_the_run_stops() -> None:
    with GracefulStop() as stop:
        photos = stop.between(["a", "b"])
        assert next(photos) == "a"
        interrupt()
        with pytest.raises(KeyboardInterrupt):
            next(photos)
    assert stop.exit_code == 130


def test_waiting_for_a_photo_is_interrupted() -> None:
    def photos() -> Iterator[str]:
        interrupt()
        yield "a"

    with GracefulStop() as stop, pytest.raises(KeyboardInterrupt):
        next(stop.between(photos()))


def test_a_second_ctrl_c_does_not_wait() -> None:
    with GracefulStop() as stop:
        next(stop.between(["a"]))
        interrupt()
        with pytest.raises(KeyboardInterrupt):
            interrupt()


def test_check_stops_between_outcomes() -> None:
    with GracefulStop() as stop:
        stop.check()
        interrupt()
        with pytest.raises(KeyboardInterrupt):
            stop.check()


def test_a_signal_that_was_ignored_stays_ignored_and_handlers_are_given_back() -> None:
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with GracefulStop() as stop:
            interrupt()
            stop.check()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, previous)
