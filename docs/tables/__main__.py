"""``python -m docs.tables``."""

from docs.tables.pages import PAGES, written

for page in PAGES:
    page.write_text(written(page.read_text(encoding="utf-8")), encoding="utf-8")
