"""Adapt the copies of the pages for the site tool, whose Markdown differs from GitHub's.

Within code in a table, GitHub needs a backslash before `|`, which the tool would show. On the site,
the pages of the root folder lie beside the others, with names in lower case: the tool would take
README.md for the index.
"""

import re
import sys
from pathlib import Path

ROOT_PAGES = re.compile(r"\]\((?:\.\./)*(README|CONTRIBUTING|SECURITY)\.md")


def adapted(text: str) -> str:
    text = re.sub(r"^\|.*$", lambda row: row[0].replace(r"\|", "|"), text, flags=re.MULTILINE)
    text = ROOT_PAGES.sub(lambda link: f"]({link[1].lower()}.md", text)
    return text.replace("](docs/", "](")


for page in Path(sys.argv[1]).rglob("*.md"):
    page.write_text(adapted(page.read_text("utf-8")), "utf-8")
