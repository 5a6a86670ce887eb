"""Strangers' text: nothing in it rules a terminal, turns the direction of a line, or is computed by a spreadsheet."""

import json
import logging
from pathlib import Path

import pytest

from abaco.core import logs, quoting
from abaco.core.errors import InputError
from abaco.core.reasons import Reason
from abaco.core.text import show

CONTROLS = (*range(9), *range(0x0E, 0x20), *range(0x7F, 0x85), *range(0x86, 0xA0))
UNSEEN = [*map(chr, CONTROLS), "\u00ad", "\u061c", "\u200b", "\u200d",
          "\u200e", "\u202a", "\u202e", "\u2060", "\u2066", "\u2069", "\ufeff", "\ufffb", "\udc80",
          "\U000e0041"]  # fmt: skip
HOSTILE = "\x1b[2J\x1b]0;x\x07 a\r\nb\u202ec\x9b31m\x7f"
SHOWN = "�[2J�]0;x� a  b�c�31m�"


@pytest.mark.parametrize("character", UNSEEN)
def test_character_that_cannot_be_seen_is_shown_as_such(character):
    assert quoting.visible(f"a{character}b") == quoting.visible_lines(f"a{character}b") == "a�b"


@pytest.mark.parametrize("text", ["Peña, José", "A\u00a0B", "李 😀", "", "1.500,50 €"])
def test_other_text_stays(text):
    assert quoting.visible(text) == text


def test_lines_become_one():
    assert quoting.visible("a\r\nb\tc\u2028d") == "a  b c d"
    assert quoting.visible_lines("a\n\tb") == "a\n\tb"


def test_terminal_log_message_and_error_show_no_controls(capsys):
    show(HOSTILE.replace("\n", ""))
    show(HOSTILE.replace("\n", ""), error=True)
    said = capsys.readouterr()
    assert said.out == said.err == SHOWN.replace("  b", " b") + "\n"
    assert str(InputError(HOSTILE)) == SHOWN
    assert str(Reason("file_not_used", name=HOSTILE, cause="empty")) == f"{SHOWN} was not used: empty."
    assert quoting.file_name(Path("\x1b[31mx\u202e.csv")) == "�[31mx�.csv"
    record = logging.LogRecord("abaco", logging.INFO, "", 0, "read %s", (HOSTILE,), None)
    assert logs.FORMS["text"].format(record).endswith(f" read {SHOWN}")
    assert json.loads(logs.FORMS["json"].format(record))["message"] == f"read {quoting.visible_lines(HOSTILE)}"


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1+1", "-1+1", "@SUM(A1)", " =1", "＝1+1", "＋1", "－1", "＠x", "-", "=cmd|' /C calc'!A0", "-A1", "\n=1"],
)
def test_no_cell_is_a_formula(text):
    assert quoting.plain_cell(text) == f"'{quoting.visible(text)}"


@pytest.mark.parametrize("text", ["-5", "+1.50", "-1,234.50", "-1e5", "-3.5%", "ABF - 1", "a=b", "", "5550-0001"])
def test_number_stays_a_number(text):
    assert quoting.plain_cell(text) == text


@pytest.mark.parametrize("start", "\t\r")
def test_tab_and_carriage_return_begin_no_cell(start):
    assert quoting.plain_cell(f"{start}x") == " x"
