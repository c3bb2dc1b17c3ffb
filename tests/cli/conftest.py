"""The command line for all tests of this folder."""

import pytest
from command import caller


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    return caller(capsys, monkeypatch, tmp_path)
