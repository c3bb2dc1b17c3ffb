"""Small public data sets, and data drawn from known models.

`load_*` return a `Dataset` read from a CSV file shipped with the package; `path` says where that file
lies, for the command line. `make_*` draw from a model whose parameters are known, and `make_missing`
takes cells away by a known mechanism: what a test or a tutorial needs to check an answer.
"""

from estep.datasets.files import Dataset, path
from estep.datasets.loaders import (
    load_airquality,
    load_casino,
    load_earthquakes,
    load_faithful,
    load_galaxies,
    load_geyser,
    load_iris,
)
from estep.datasets.missing import make_missing
from estep.datasets.synthetic import make_hmm, make_mixture, make_normal

__all__ = [
    "Dataset",
    "load_airquality",
    "load_casino",
    "load_earthquakes",
    "load_faithful",
    "load_galaxies",
    "load_geyser",
    "load_iris",
    "make_hmm",
    "make_missing",
    "make_mixture",
    "make_normal",
    "path",
]
