"""Deadlines: results and errors pass through, and a call that never returns is left behind."""

import threading
from contextvars import ContextVar

import pytest

from abaco.core.deadlines import call_within

name = ContextVar("name", default="none")


def test_result_and_error_are_those_of_the_function():
    assert call_within(60, divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        call_within(60, divmod, 7, 0)


def test_call_that_never_returns_is_left_after_the_deadline():
    released = threading.Event()
    with pytest.raises(TimeoutError):
        call_within(0.05, released.wait)
    released.set()


def test_function_sees_the_context_of_its_caller():
    name.set("run-1")
    assert call_within(60, name.get) == "run-1"
