"""The code in the documents runs, in the order in which a reader meets it.

Every ```python block of a file is executed in one namespace, and every line `$ estep ...` of a
```console or ```bash block is a command, all in one empty working directory. A fence with the word
`no-run` after its language is passed over.
"""

import os
import re
import subprocess
import sys
import types
from pathlib import Path
from textwrap import dedent
from typing import NamedTuple

import matplotlib as mpl
import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    path
    for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/**/*.md"))
    if "_build" not in path.parts
)
OPENING = re.compile(r"^ *(?:[-*+] +|\d+\. +)?(?P<fence>`{3,})(?P<info>[^`]*)$")


class Fence(NamedTuple):
    language: str
    line: int  # of the first line of code, counted from 1
    code: str


def fences(text):
    """The fenced blocks that are to be run."""
    found, lines = [], iter(enumerate(text.splitlines(), start=1))
    for number, line in lines:
        if not (opening := OPENING.match(line)):
            continue
        code = []
        for _, inner in lines:
            if inner.strip() == opening["fence"]:
                break
            code.append(inner)
        language, *words = opening["info"].split() or [""]
        if "no-run" not in words:
            found.append(Fence(language, number + 1, dedent("\n".join(code))))
    return found


def commands(fence):
    """The `$ estep ...` commands of a console block, each with its line."""
    lines = fence.code.splitlines()
    for i, line in enumerate(lines):
        if line.startswith("$ estep "):
            last = i
            while lines[last].endswith("\\") and last + 1 < len(lines):
                last += 1
            yield fence.line + i, "\n".join([line.removeprefix("$ "), *lines[i + 1 : last + 1]])


def run_document(path, monkeypatch, tmp_path):
    """Run one document in `tmp_path`; a failure names its file and line."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")  # for the commands
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    mpl.use("Agg")
    # a true module, so that what the document defines can be pickled and its annotations resolved
    module = types.ModuleType(f"document_{path.stem}")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    for fence in fences(path.read_text(encoding="utf-8")):
        if fence.language == "python":
            run_python(path, fence, module)
        elif fence.language in ("console", "bash"):
            for line, command in commands(fence):
                run_command(path, line, command)


def run_python(path, fence, module):
    padded = "\n" * (fence.line - 1) + fence.code  # so that a traceback shows the document's own lines
    try:
        exec(compile(padded, str(path), "exec", dont_inherit=True), vars(module))
    except Exception as error:
        frames, line = error.__traceback__, fence.line
        if isinstance(error, SyntaxError) and error.filename == str(path):
            line = error.lineno or line
        while frames is not None:
            if frames.tb_frame.f_code.co_filename == str(path):
                line = frames.tb_lineno
            frames = frames.tb_next
        message = f"{path}:{line}: {type(error).__name__}: {error} (the block begins at line {fence.line})"
        raise AssertionError(message) from error


def run_command(path, line, command):
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )
    if done.returncode:
        raise AssertionError(
            f"{path}:{line}: exit code {done.returncode} of: {command}\n{done.stdout}{done.stderr}"
        )


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_document_runs(path, monkeypatch, tmp_path):
    run_document(path, monkeypatch, tmp_path)


DOCUMENT = """
A list, and in it a block that uses what the block before it made:

```python
first = 1
```

- ```python
  first += 1
  ```
- indented

  ```python
  from pathlib import Path

  Path("made.txt").write_text(str(first + 1))
  ```

```python no-run
raise SystemExit
```

````text
```python
raise SystemExit
```
````
"""


def test_blocks_share_names_and_a_folder(monkeypatch, tmp_path):
    path = tmp_path / "page.md"
    path.write_text(DOCUMENT, encoding="utf-8")
    run_document(path, monkeypatch, tmp_path)
    assert (tmp_path / "made.txt").read_text(encoding="utf-8") == "3"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\n```python\nx = 1\n\n1 / 0\n```\n", r"page\.md:5: ZeroDivisionError"),
        ("\n```python\nx = 1\ny = = 1\n```\n", r"page\.md:4: SyntaxError"),
        ("```python\ndef f():\n    raise KeyError\n```\n\n```python\nf()\n```\n", r"page\.md:3: KeyError"),
        ("```console\n$ estep no-such-command \\\n    --help-me\n```\n", r"page\.md:2: exit code [1-9]"),
    ],
)
def test_a_failure_names_its_line(text, message, monkeypatch, tmp_path):
    path = tmp_path / "page.md"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(AssertionError, match=message):
        run_document(path, monkeypatch, tmp_path)


def test_commands_are_the_lines_with_a_prompt():
    fence = Fence("console", 10, "$ estep --help\noutput of estep\n$ ls\n$ estep fit \\\n    data.csv\n")
    assert list(commands(fence)) == [(10, "estep --help"), (13, "estep fit \\\n    data.csv")]
