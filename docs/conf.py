"""The site: `make site` builds it, offline, and a warning is an error."""

from importlib import metadata

project = "greenroom"
author = "The greenroom maintainers"
copyright = "the greenroom maintainers"  # noqa: A001 - Sphinx's own name for it
release = metadata.version("greenroom")

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_site"]
myst_heading_anchors = 3
# `title=main.py` behind a block's language is for the tests that run the block.
myst_enable_extensions = ["attrs_block"]
nitpicky = True

html_theme = "furo"
html_title = "greenroom"
html_show_sourcelink = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#1b6e43", "color-brand-content": "#1b6e43"},
    "dark_css_variables": {"color-brand-primary": "#6fcf97", "color-brand-content": "#6fcf97"},
}
