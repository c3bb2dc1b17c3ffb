"""Around the commands: help, exit codes, messages, signals and pipes."""

import json
import os
import shlex
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest

from estep import Normal, __version__, datasets, load
from estep.cli import shell

ESTEP = Path(sys.executable).with_name("estep")
FAITHFUL = str(datasets.path("faithful"))
COMMANDS = [
    "",
    "fit",
    "fit gaussian-mixture",
    "fit mixture",
    "fit soft-kmeans",
    "fit normal",
    "fit hmm",
    "fit ppca",
    "predict",
    "score",
    "impute",
    "decode",
    "filter",
    "forecast",
    "sample",
    "show",
    "demo",
]
FIT = ("fit", "gaussian-mixture")
PATIENCE = 120  # seconds: a bound for machines that are busy, not a measurement


@pytest.mark.parametrize("command", COMMANDS)
def test_the_examples_in_the_help_run(run, command):
    helped = run(*command.split(), "--help")
    assert helped.code == 0
    assert helped.err == ""
    _, examples = helped.out.split("Example")
    lines = [line.strip() for line in examples.splitlines()[1:] if line.strip()]
    assert lines
    for line in lines:
        program, *words = shlex.split(line)
        assert program == "estep"
        assert run(*words).code == 0


@pytest.mark.parametrize("command", ["", "fit"])
def test_no_line_of_the_list_of_commands_is_cut(run, command):
    assert "..." not in run(*command.split(), "--help").out.split("Commands:")[1]


@pytest.mark.parametrize("command", ["", "fit"])
def test_a_command_of_commands_alone_prints_its_help(run, command):
    assert run(*command.split()).out == run(*command.split(), "--help").out


def test_the_version(run):
    assert run("--version") == (0, f"estep {__version__}\n", "")


def test_help_loads_nothing_slow():
    code = (
        "import sys\nfrom estep.cli import main\n"
        "slow = {'numpy', 'scipy', 'sklearn', 'numba', 'pyarrow', 'matplotlib', 'rich', 'pandas'}\n"
        "slow |= {'narwhals', 'threadpoolctl', 'safetensors', 'estep.estimators', 'estep.engine'}\n"
        "code = main(['--help'])\n"
        "found = {'pydantic'} & set(sys.modules)\n"  # typer loads it to read the words of a command
        f"codes = [main([*words.split(), '--help']) for words in {COMMANDS}]\n"
        "sys.exit(', '.join(found | slow & set(sys.modules)) or max(code, *codes))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_warning_is_a_line_with_its_code(run):
    found = run(*FIT, "example:faithful", "-k", 2, "--max-iter", 1)
    assert found.code == 0
    (line,) = found.err.splitlines()
    assert line.startswith("warning: EM001: ")


def test_the_reason_of_the_failure_of_all_starts(run, tmp_path):
    (tmp_path / "same.csv").write_text("a,b\n" + "1,2\n" * 5)
    found = run(*FIT, "same.csv", "-k", 2)
    assert found.code == 3
    assert "distinct row" in found.error


def test_names_cannot_write_to_the_terminal(run, tmp_path):
    (tmp_path / "evil.csv").write_text('"\x1b[2J",x,y\na,1,2\nb,2,1\nc,4,4\n')
    found = run("fit", "normal", "evil.csv")
    assert found.code == 0
    assert "\x1b" not in found.err + found.out


def test_a_bug_is_told_without_a_traceback(run, monkeypatch):
    monkeypatch.setattr(Normal, "fit", lambda *_, **__: {}["x"])
    found = run("fit", "normal", "example:iris")
    assert found.code == 1
    assert "a bug in estep, please report it: KeyError" in found.error
    monkeypatch.setenv("ESTEP_DEBUG", "1")
    assert "Traceback" in run("fit", "normal", "example:iris").err


def test_no_memory_is_a_resource(run, monkeypatch):
    def fit(*_, **__):
        raise MemoryError

    monkeypatch.setattr(Normal, "fit", fit)
    found = run("fit", "normal", "example:iris")
    assert found.code == 5
    assert "memory" in found.error


def test_a_stopped_fit_is_saved_at_its_best_point(run, monkeypatch):
    fit = Normal.fit

    def stopped(self, *given, **named):
        fit(self, *given, **named)
        raise KeyboardInterrupt

    monkeypatch.setattr(Normal, "fit", stopped)
    found = run("fit", "normal", "example:iris", "-o", "m.estep")
    assert found.code == 130
    assert found.out == ""
    assert "best point so far" in found.err
    assert load("m.estep").mean_.shape == (4,)
    unsaved = run("fit", "normal", "example:iris")
    assert unsaved.code == 130
    assert "-o FILE would have kept its best point" in unsaved.err


def test_the_summary_is_told_even_if_the_disk_is_full(run, monkeypatch):
    from estep.errors import ResourceError

    def full(*_):
        raise ResourceError("cannot write 'm.estep': No space left on device")

    monkeypatch.setattr(Normal, "save", full)
    found = run("fit", "normal", "example:iris", "-o", "m.estep")
    assert found.code == 5
    assert "No space left" in found.error
    assert found.out.startswith("Multivariate normal")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_process_tidily(tmp_path, number, code):
    # not the entry point itself: where the tests run in the background, SIGINT is ignored
    program = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from estep.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    words = ["fit", "gaussian-mixture", FAITHFUL, "-k", "5", "--tol", "0", "--max-iter", "1000000000"]
    command = [sys.executable, "-c", program, *words, "--starts", "1", "-v", "-o", "m.estep"]
    with started(command, tmp_path) as process:
        wait_for("iteration 50:", process)
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == code
    assert out == ""
    assert "Traceback" not in err
    assert err.rstrip().endswith("interrupted")
    assert load(tmp_path / "m.estep").n_iter_ >= 40


def test_a_second_interrupt_is_immediate(tmp_path):
    program = (
        "import signal, sys, time; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from estep import Normal\n"
        "from estep.cli import main\n"
        "def wait(word):\n"
        "    print(word, file=sys.stderr, flush=True)\n"
        f"    time.sleep({10 * PATIENCE})\n"
        "def fit(self, *_, **__):\n"
        "    self.fitted_ = None\n"
        "    wait('fitting')\n"
        "Normal.fit, Normal.save = fit, lambda *_: wait('saving')\n"
        "sys.exit(main(['fit', 'normal', 'example:iris', '-o', 'm.estep']))"
    )
    with started([sys.executable, "-c", program], tmp_path) as process:
        wait_for("fitting", process)
        process.send_signal(signal.SIGINT)
        wait_for("saving", process)  # the tidy way out, which takes for ever
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
    assert process.returncode == -signal.SIGINT  # 130 to a shell
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_waits_until_compiled_code_has_returned():
    source = "def caller(call, reached):\n    call()\n    reached.append('next line')\n"
    room = {}
    exec(compile(source, str(shell.PACKAGE / "kernels" / "cpu" / "some.py"), "exec"), room)
    reached = []

    def call():  # stands for numba, which runs Python in the course of a compiled call
        signal.raise_signal(signal.SIGTERM)
        reached.append("returned")

    with shell._one_interrupt() as caught, pytest.raises(KeyboardInterrupt, match=r"^$"):
        room["caller"](call, reached)
    assert reached == ["returned"]
    assert caught == [signal.SIGTERM]
    assert sys.gettrace() is None


@contextmanager
def started(command, folder):
    """A process with pipes that is killed if it outlives the test's patience."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=folder, **pipes) as process:
        watchdog = threading.Timer(2 * PATIENCE, process.kill)
        watchdog.start()
        try:
            yield process
        finally:
            watchdog.cancel()
            process.kill()


def wait_for(words, process):
    """Read standard error up to a line with these words."""
    assert any(words in line for line in process.stderr)


def test_the_entry_point_and_a_pipe(tmp_path):
    text = Path(FAITHFUL).read_bytes()
    done = subprocess.run(
        [ESTEP, "fit", "normal", "-", "--json"], input=text, capture_output=True, check=True, cwd=tmp_path
    )
    assert done.stderr == b""
    assert json.loads(done.stdout)["loglik_"] == Normal().fit(datasets.load_faithful().values).loglik_


def test_a_named_pipe_is_read_once(run, tmp_path):
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    writer = subprocess.Popen(
        [sys.executable, "-c", f"open({str(pipe)!r}, 'w').write(open({FAITHFUL!r}).read())"]
    )
    found = run("impute", pipe)
    writer.wait()
    assert found.code == 0
    assert found.out == Path(FAITHFUL).read_text().replace('"', "")


@pytest.mark.parametrize("words", ["show m.estep --json", "impute example:airquality"])
def test_a_reader_that_goes_away_is_no_error(tmp_path, words):
    Normal().fit(datasets.load_iris().values).save(tmp_path / "m.estep")
    command = [ESTEP, *words.split()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path) as process:
        process.stdout.close()
        told = process.stderr.read()
    assert b"error" not in told
    assert b"Broken" not in told


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("words", ["show m.estep", "impute example:airquality"])
def test_a_full_standard_output_is_an_error(tmp_path, words):
    Normal().fit(datasets.load_iris().values).save(tmp_path / "m.estep")
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [ESTEP, *words.split()], stdout=full, stderr=subprocess.PIPE, text=True, cwd=tmp_path, check=False
        )
    assert done.returncode == 5
    assert done.stderr.splitlines()[-1].startswith("error: ")
    assert "No space left on device" in done.stderr


@pytest.mark.parametrize(
    ("words", "closed", "code"),
    [("fit normal -", 0, 6), ("fit normal example:faithful", 1, 5), ("fit normal example:faithful", 2, 0)],
)
def test_closed_streams(tmp_path, words, closed, code):
    command = f"{shlex.quote(str(ESTEP))} {words} {closed}>&-"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == code
    assert "Traceback" not in done.stderr


def test_a_terminal_that_knows_little(tmp_path):
    (tmp_path / "data.csv").write_text("größe,b\n1,2\n2,1\n4,4\n", encoding="utf-8")
    environment = {"PATH": os.environ["PATH"], "TERM": "dumb", "LC_ALL": "C", "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [ESTEP, "fit", "normal", "data.csv"], capture_output=True, env=environment, cwd=tmp_path, check=True
    )
    assert b"gr\\xf6\\xdfe" in done.stdout
    assert b"\x1b" not in done.stdout + done.stderr
