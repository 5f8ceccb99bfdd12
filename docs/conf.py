"""How Sphinx builds the documentation."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "Wayfare"
author = "The Wayfare developers"
project_copyright = author

extensions = ["myst_parser", "sphinx.ext.autodoc", "plain_docstrings", "reference_pages"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "Wayfare"
html_static_path = ["_static"]
# The index of modules would only repeat the reference's own pages.
html_domain_indices = False

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "groupwise"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
# The table of contents beside a reference page says "read()" below its class, and not the class again.
toc_object_entries_show_parents = "hide"
