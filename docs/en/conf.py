"""Sphinx builds the site: python -m sphinx -W -b html docs/en build/site."""
from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import mmcluster  # noqa: E402

project = 'mmcluster'
author = 'The mmcluster authors'
copyright = f'2026, {author}'
release = version = mmcluster.__version__

extensions = ['myst_parser', 'sphinx.ext.autodoc', 'sphinx.ext.autosummary', 'sphinx.ext.napoleon']
exclude_patterns = ['_build']
templates_path = ['_templates']
myst_heading_anchors = 4
myst_enable_extensions = ['colon_fence']
autosummary_generate = True
autodoc_typehints = 'signature'
autodoc_preserve_defaults = True
autodoc_member_order = 'bysource'
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
html_theme = 'furo'
html_title = f'mmcluster {release}'
html_show_sphinx = False
# Docstrings are prose in a plain style: `name` is code there, not a reference to resolve.
default_role = 'code'
nitpicky = False


def _from_the_repository(app: Any, docname: str, source: list[str]) -> None:
    """Turn links that leave the pages (``../../configs/...``) into code: the site does not hold those files."""
    source[0] = re.sub(r'\[([^\]]+)\]\((?:\.\./)+((?:configs|tools|tests|mmcluster|README)[^)\s]*)\)', r'\1 (`\2`)',
                       source[0])


def _plain_prose(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Escape what reStructuredText would read as markup in (N, *shape), |x| and name_: docstrings are plain text."""
    for i, line in enumerate(lines):
        parts = re.split(r'(``.+?``|`.+?`|:\w+:`.+?`)', line)
        lines[i] = ''.join(part if part.startswith(('`', ':')) else re.sub(r'(\*(?! )|\||_(?=\W|$))', r'\\\1', part)
                           for part in parts)


def setup(app: Any) -> None:
    """Read by Sphinx."""
    app.connect('source-read', _from_the_repository)
    app.connect('autodoc-process-docstring', _plain_prose, priority=100)
