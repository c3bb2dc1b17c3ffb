"""How a fit is coming on: a live line on a terminal, plain lines elsewhere, and never a lost fit."""

import json
import re
import sys

import pytest
from command import Terminal

from estep.cli import progress as room
from estep.cli.progress import Progress
from estep.engine import Info

FIT = ("fit", "gaussian-mixture", "example:faithful", "-k", 2, "--starts", 2, "--tol", 0, "--max-iter", 20)


def info(objective, gain):
    return Info(objective, gain, 0.1, 1e-12, 1, "plain")


def climb(told, start, gains):
    objective = -100.0
    for i, gain in enumerate(gains, 1):
        objective += gain
        told(start, i, info(objective, gain))


@pytest.fixture
def terminal(monkeypatch):
    """Makes standard error a terminal that can rewrite a line, at every iteration."""
    monkeypatch.setattr(room, "SECONDS", 0.0)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)

    def attach():  # in the test itself: pytest sets the streams anew between a fixture and its test
        stream = Terminal()
        monkeypatch.setattr(sys, "stderr", stream)
        return stream

    return attach


def test_a_plain_line_every_tenth_pass(capsys):
    climb(Progress(4, "log-likelihood", live=False), 2, [0.5**i for i in range(20)])
    assert capsys.readouterr().err.splitlines() == [
        "start 3 of 4, iteration 10: log-likelihood -98.0020, about 0.002 still to gain",
        "start 3 of 4, iteration 20: log-likelihood -98.0000, about 1.9e-06 still to gain",
    ]


def test_a_climb_that_does_not_slow_down_has_no_projection(capsys):
    climb(Progress(1, "objective", live=False), 0, [1.0] * 10)
    assert capsys.readouterr().err == "iteration 10: objective -90.0000, gained 1\n"


def test_verbose_of_a_fit_names_starts_and_leaves_the_answer_alone(run):
    found = run(*FIT, "-v", "--json")
    line = re.compile(r"start [12] of 2, iteration \d+0: log-likelihood -\d+\.\d{4}, (about|gained) \S+.*")
    *lines, warning = found.err.splitlines()
    assert len(lines) == 4
    assert all(line.fullmatch(each) for each in lines)
    assert warning.startswith("warning: EM001")
    assert found.out == run(*FIT, "--json").out


def test_without_a_terminal_nothing_is_told(run):
    assert "iteration" not in run(*FIT).err.partition("warning: EM001")[0]


def test_a_live_line_is_rewritten_and_gone_at_the_end(run, terminal):
    stream = terminal()
    found = run(*FIT, "--json")
    assert json.loads(found.out)["status_"] == "MAX_ITER"
    shown, warning = stream.getvalue().split("\x1b[K\x1b[33mwarning:\x1b[0m EM001")
    assert "\n" not in shown
    assert warning.endswith("\n\x1b[K\r")
    states = shown.split("\x1b[K\r")
    assert states[0] == "reading example:faithful"
    assert states[1] == "fitting"
    assert any(re.match(r"start [12] of 2, iteration \d+: log-likelihood -", state) for state in states)
    assert max(map(len, states)) < 80


@pytest.mark.parametrize(("name", "value"), [("TERM", "dumb"), ("TERM", "")])
def test_a_terminal_that_cannot_rewrite_a_line_gets_none(run, terminal, monkeypatch, name, value):
    stream = terminal()
    monkeypatch.setenv(name, value)
    assert run(*FIT).code == 0
    assert stream.getvalue().startswith("warning: EM001")
    assert "\r" not in stream.getvalue()


def test_verbose_on_a_terminal_is_lines(run, terminal):
    stream = terminal()
    run(*FIT, "-v")
    assert "\r" not in stream.getvalue()
    assert "iteration 10: log-likelihood" in stream.getvalue()


@pytest.mark.parametrize("no_colour", [False, True])
def test_an_error_has_colour_unless_it_is_not_wanted(run, terminal, monkeypatch, no_colour):
    stream = terminal()
    if no_colour:
        monkeypatch.setenv("NO_COLOR", "1")
    assert run("show", "nowhere.estep").code == 6
    assert stream.getvalue().startswith("\x1b[Kerror: " if no_colour else "\x1b[K\x1b[31merror:\x1b[0m ")


@pytest.mark.parametrize("fault", [BrokenPipeError, ValueError, None])
def test_a_terminal_that_goes_away_does_not_end_the_fit(run, monkeypatch, fault):
    class Gone(Terminal):
        def write(self, _):
            raise fault

    monkeypatch.setattr(sys, "stderr", None if fault is None else Gone())
    found = run(*FIT, "-v", "--json")
    assert found.code == 0
    assert json.loads(found.out)["n_iter_"] == 20


def test_an_unknown_size_of_terminal_is_eighty(terminal):
    stream = terminal()
    Progress(None, "log-likelihood", live=True).say("x" * 200)
    assert stream.getvalue() == "x" * 79 + "\x1b[K\r"
