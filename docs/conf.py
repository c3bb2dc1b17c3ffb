"""The documentation: `make docs` builds it into docs/_build/html, without the network."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

from sklearn.exceptions import ConvergenceWarning

import estep
from estep.errors import EstepWarning

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

project = "estep"
author = "The estep developers"
project_copyright = author
version = release = estep.__version__

extensions = [
    "mathml",
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = [
    "_build",
    "_templates",
    "examples",
    "gallery/*.py",
    "gallery/*.ipynb",
    "gallery/sg_execution_times.rst",
]
suppress_warnings = ["config.cache"]  # the gallery's order is a function, which no cache holds
nitpicky = True
# in a docstring `name` is code: a link where there is such a thing, plain otherwise
default_role = "py:obj"
nitpick_ignore_regex = [("py:obj", r".*"), ("py:class", r"(optional|array.*|callable|.*of shape.*)")]

# pages
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3
html_math_renderer = "mathml"

# reference
autosummary_generate = True
autodoc_typehints = "none"  # the docstrings say types in words
autodoc_member_order = "groupwise"
numpydoc_show_class_members = False  # autodoc lists them, with their docstrings
numpydoc_xref_param_type = False


def strict(conf, path):  # type: ignore[no-untyped-def]
    """Before each script: what a fit warns of breaks the build."""
    for kind in (ConvergenceWarning, EstepWarning):
        warnings.filterwarnings("error", category=kind)
    warnings.filterwarnings("ignore", "Creating legend")  # that it took a second; on a busy machine it may


# gallery: every file of examples/ is run, in the order of its number
sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"/plot_",
    "within_subsection_order": "FileNameSortKey",
    "abort_on_example_error": False,  # all failures are told at once, and -W makes each an error
    "reset_modules": ("matplotlib", strict),
    "download_all_examples": False,
    "capture_repr": (),  # what is printed is shown; the axes that `plot` returns are not
    "show_memory": False,
    "show_signature": False,
    "write_computation_times": False,
    "image_srcset": ["2x"],
    "copyfile_regex": r"",
    "remove_config_comments": True,
}

# look
html_theme = "pydata_sphinx_theme"
html_title = "estep"
html_static_path = ["_static"]
html_css_files = ["estep.css"]
html_show_sourcelink = False
html_sidebars = {"tutorial": [], "migrating": [], "index": []}
html_theme_options = {
    "navbar_end": ["theme-switcher"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
    "show_prev_next": False,
}


def skip(app, what, name, obj, skip, options):  # type: ignore[no-untyped-def]  # noqa: PLR0917
    """What scikit-learn's bases bring is in its own pages; fields of a named tuple are in the signature."""
    inherited = str(getattr(obj, "__module__", "")).startswith("sklearn.")
    return True if inherited or str(obj.__doc__).startswith("Alias for field number") else skip


def setup(app):  # type: ignore[no-untyped-def]
    """Called by Sphinx."""
    app.connect("autodoc-skip-member", skip)
