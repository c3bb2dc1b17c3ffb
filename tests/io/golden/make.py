"""Saves the models of `tests/golden.py`: `PYTHONPATH=tests python tests/io/golden/make.py`.

They are of the present format. A file that is there stays as it is, for it is what an older estep wrote.
"""

from __future__ import annotations

import json

from golden import CASES, FOLDER, hooks

from estep import load
from estep.io.modelfile import FORMAT


def main() -> None:
    folder = FOLDER / f"format{FORMAT}"
    folder.mkdir(exist_ok=True)
    for name, (make, X) in CASES.items():
        path = folder / f"{name}.estep"
        if not path.exists():
            make().fit(X).save(path)
    logliks = {name: load(folder / f"{name}.estep", **hooks(name)).loglik_ for name in CASES}
    (folder / "logliks.json").write_text(json.dumps(logliks, indent=2) + "\n")


if __name__ == "__main__":
    main()
