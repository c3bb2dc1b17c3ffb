"""Words of a command that are wrong are named all at once, each with a way out."""

from pathlib import Path

import pytest

DATA = "height,weight\n1,2\n2,1\n4,4\n"


@pytest.fixture
def refused(run):
    """The lines of the error of a command that is refused."""
    Path("data.csv").write_text(DATA)

    def call(command):
        found = run(*command.split())
        assert (found.code, found.out) == (2, "")
        return found.error.splitlines()

    return call


def test_two_wrong_options_and_a_wrong_column(refused):
    assert refused("fit normal data.csv --columns heightt,age --tol nan --treads 2") == [
        "error: 3 faults in the command (see estep fit normal --help):",
        "- no such option: --treads; did you mean --threads?",
        "- --tol: nan is out of range; give a number >= 0, such as 0.5",
        "- no columns 'heightt' (did you mean 'height'?), 'age'; the data have 'height', 'weight'",
    ]


def test_a_mistyped_option_is_read_as_it_was_meant(refused):
    head, *faults = refused("fit normal data.csv --colums=age --max-iters 0")
    assert faults == [
        "- no such option: --colums; did you mean --columns?",
        "- no such option: --max-iters; did you mean --max-iter?",
        "- --max-iter: 0 is out of range; give a whole number >= 1",
        "- no column 'age'; the data have 'height', 'weight'",
    ]
    assert head.startswith("error: 4 faults")


@pytest.mark.parametrize(
    ("command", "faults"),
    [
        ("fit normal data.csv -z", ["no such option: -z"]),
        ("fit normal data.csv -vz --xyz", ["no such option: -z", "no such option: --xyz"]),
        ("fit normal data.csv --json=1", ["option '--json' does not take a value"]),
        ("fit normal --tol", ["option '--tol' requires an argument", "missing argument 'DATA'"]),
        ("fit hmm data.csv -k 0 --groups id", ["--components: 0", "no column 'id'"]),
        ("fit normal data.csv --weights weightt -o -", ["--out: a model is not", "did you mean 'weight'?"]),
        ("fit normal nowhere.csv --tol x", ["--tol: 'x' is not a number", "nowhere.csv: there is no such"]),
        ("fit normal - --tol x", ["--tol: 'x' is not a number"]),
        ("predict data.csv --threads 0", ["missing option '-m'", "--threads: 0"]),
        ("fit normal data.csv more.csv", ["one word too many: 'more.csv'; only options may follow"]),
    ],
)
def test_every_fault_of_a_command(refused, command, faults):
    lines = refused(command)
    told = lines[1:] if len(faults) > 1 else lines
    assert len(told) == len(faults)
    for fault in faults:
        assert any(fault in line for line in told)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("fit data.csv", "a model comes before the data, as in `estep fit normal data.csv`; the models are"),
        ("fit kmeans data.csv", "no such model: 'kmeans'; did you mean 'soft-kmeans'?"),
        ("fit quux data.csv", "no such model: 'quux'; give one of gaussian-mixture, mixture"),
        ("normal data.csv", "'normal' is a model; say `estep fit normal`"),
        ("quux", "no such command: 'quux'; give one of fit, predict, score, impute"),
        ("predcit data.csv", "no such command: 'predcit'; did you mean 'predict'?"),
        ("--verison", "no such option: --verison; did you mean --version?"),
    ],
)
def test_a_word_that_is_no_command(refused, command, words):
    (line,) = refused(command)
    assert words in line
    assert " --help)" in line


def test_help_is_shown_even_beside_a_wrong_option(run):
    found = run("fit", "normal", "--foo", "--help")
    assert (found.code, found.err) == (0, "")
    assert found.out.startswith("Usage: estep fit normal [OPTIONS] DATA\n")
