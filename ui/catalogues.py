"""Collect the dashboard's texts: `python -m ui.catalogues` writes the template and brings every catalogue up to it."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir, extract_from_file
from babel.messages.pofile import read_po, write_po

from adloom.platforms import advice_causes
from ui.i18n import SOURCE_LANGUAGE, TEMPLATE, catalogue, languages

ROOT = Path(__file__).parent
KEYWORDS = {"_": (1,), "_n": (1, 2)}
# What mails say too stands in the distribution, marked in its own way.
SHARED = {"shared/adloom/platforms/advice_causes.py": Path(advice_causes.__file__)}
SAID = {"said": None}


def extract() -> Catalog:
    """The texts as they stand in the code, with the modules they come from."""
    template = Catalog(project="Adloom", charset="utf-8", fuzzy=False)
    found = extract_from_dir(ROOT, method_map=[("**.py", "python")], keywords=KEYWORDS)
    for module, _line, message, _comments, _context in sorted(found, key=lambda item: (item[0], item[1])):
        template.add(message, locations=[(f"ui/{module}", 1)])
    for name, path in SHARED.items():
        for _line, message, _comments, _context in extract_from_file("python", path, keywords=SAID):
            template.add(message, locations=[(name, 1)])
    return template


def written(content: Catalog) -> bytes:
    """The catalogue as a file; without dates, so that it changes only when a text does."""
    file = BytesIO()
    write_po(file, content, omit_header=True, include_lineno=False, ignore_obsolete=True, width=110)
    return _header(content) + file.getvalue()


def _header(content: Catalog) -> bytes:
    lines = ["Content-Type: text/plain; charset=utf-8"]
    if content.locale is not None:
        lines += [f"Language: {content.locale}", f"Plural-Forms: {content.plural_forms}"]
    shown = "".join(f'"{line}\\n"\n' for line in lines)
    return f'msgid ""\nmsgstr ""\n{shown}\n'.encode()


def main() -> None:
    template = extract()
    TEMPLATE.write_bytes(written(template))
    for language in languages():
        if language == SOURCE_LANGUAGE:
            continue
        with catalogue(language).open("rb") as file:
            known = read_po(file, locale=language)
        known.update(template, no_fuzzy_matching=True, update_creation_date=False)
        catalogue(language).write_bytes(written(known))


if __name__ == "__main__":
    main()
