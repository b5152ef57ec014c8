"""Ctrl-C stops a run between two photos, or two steps; a second one stops it at once."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
import typer

from aesth.cli.stopping import GracefulStop
from aesth.cli.train import STOPPING, stoppable
from aesth.training.stopping import stop_if_asked


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


def test_waiting_within_a_wait_is_interrupted_also_when_the_inner_one_is_over() -> None:
    def outcomes() -> Iterator[str]:
        assert list(stop.between(["a"])) == ["a"]
        interrupt()
        yield "b"

    with GracefulStop() as stop, pytest.raises(KeyboardInterrupt):
        next(stop.between(outcomes()))


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


class Interrupted:
    """Ctrl-C comes while Python destroys it, where an exception is lost."""

    def __del__(self) -> None:
        interrupt()


def test_a_signal_that_falls_into_a_destructor_is_not_lost() -> None:
    with GracefulStop() as stop:
        Interrupted()
        with pytest.raises(KeyboardInterrupt):
            stop.check()


def test_a_training_stops_where_it_is_asked_and_says_so_before(capsys: pytest.CaptureFixture[str]) -> None:
    def training() -> None:
        Interrupted()
        done.append("a step")
        stop_if_asked()
        done.append("another step")

    done: list[str] = []
    with pytest.raises(typer.Exit) as stopped, stoppable():
        training()
    assert done == ["a step"]
    assert stopped.value.exit_code == 130
    assert capsys.readouterr().err == f"{STOPPING}\n"
    stop_if_asked()


def test_a_stop_that_comes_after_the_last_step_counts_too() -> None:
    with pytest.raises(typer.Exit), stoppable():
        interrupt()


def test_a_training_that_nobody_stops_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with stoppable():
        stop_if_asked()
    assert capsys.readouterr().err == ""


def test_a_signal_that_was_ignored_stays_ignored_and_handlers_are_given_back() -> None:
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with GracefulStop() as stop:
            interrupt()
            stop.check()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, previous)
