"""Updates the generated files: run `python -m prefectx.settings` in the project's folder."""

from prefectx.settings.reference import PAGE_FILE, SCHEMA_FILE, page, schema_text

if __name__ == "__main__":
    SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")
    PAGE_FILE.write_text(page(PAGE_FILE.read_text(encoding="utf-8")), encoding="utf-8")
