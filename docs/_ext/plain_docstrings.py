"""Docstrings of this project are plain sentences with `code` in single backticks; Sphinx reads reStructuredText.

This extension turns the one into the other: code spans, labelled paragraphs (`Raises: …`, `Cancellation: …`), lists,
and indented blocks such as a drawn tree, which stay as they are. It leaves out numbers of rules, such as (I9), which
are for those who read the source. And it keeps the built-in names of signatures from leading to attributes that are
called like them: `type[Exception]` has nothing to do with `WSMessage.type`.
"""

import builtins
import re
from collections.abc import Iterator
from typing import Any

from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.util.nodes import find_pending_xref_condition

LABEL = re.compile(r"(?P<label>[A-Z][a-z]+(?: [a-z]+)?):(?P<rest> .*)?")
SECTION = re.compile(r"(?:Raises|Returns|Yields|Cancellation):")
CODE = re.compile(r"(`+)(.+?)\1")
ITEM = re.compile(r"(- |\d+\. )")
RULES = re.compile(r" \([A-Z]\d+(?:, [A-Z]\d+)*\)")


def escaped(text: str) -> str:
    """Text in which nothing means anything to reStructuredText."""
    return re.sub(r"([\\*|_])", r"\\\1", text)


def inline(text: str) -> str:
    """One paragraph's text: code spans become literals, the rest is escaped."""
    text = RULES.sub("", text)
    pieces = []
    position = 0
    for span in CODE.finditer(text):
        pieces += [escaped(text[position : span.start()]), _literal(span[2], text[span.end() :])]
        position = span.end()
    return "".join([*pieces, escaped(text[position:])])


def _literal(code: str, following: str) -> str:
    # A literal must end at the end of a word: "`thing`s" needs a separator that does not show.
    return f"``{code.strip()}``" + ("\\ " if following[:1].isalnum() else "")


def paragraphs(lines: list[str]) -> Iterator[list[str]]:
    """The runs of lines between blank ones, and before what begins with the name of a section."""
    current: list[str] = []
    for line in [*lines, ""]:
        if SECTION.match(line) and current:
            yield current
            current = []
        if line.strip():
            current.append(line.rstrip())
        elif current:
            yield current
            current = []


def converted(lines: list[str]) -> list[str]:
    """A docstring's lines as reStructuredText."""
    result: list[str] = []
    literal = False
    for number, paragraph in enumerate(paragraphs(lines)):
        if all(line.startswith("    ") for line in paragraph):
            result += ([] if literal else ["::", ""]) + paragraph + [""]
            literal = True
            continue
        literal = False
        # The first sentence may have a colon, and is no label.
        result += [*_prose(paragraph, LABEL.fullmatch(paragraph[0]) if number else None), ""]
    return result


def _prose(paragraph: list[str], label: re.Match[str] | None) -> Iterator[str]:
    """One paragraph: a labelled one, a list (perhaps with a sentence before it), or plain text."""
    if label and len(paragraph) > 1 and label["rest"] is None:
        yield f"**{label['label']}:**"
        yield ""
        yield from _items([line.strip() for line in paragraph[1:]], every_line=True)
        return
    if any(line.startswith("    ") for line in paragraph) and not label:
        # Code that begins at the margin.
        yield "::"
        yield ""
        yield from (f"    {line}" for line in paragraph)
        return
    text: list[str] = []
    for index, line in enumerate(paragraph):
        if ITEM.match(line):
            yield inline(" ".join(text))
            yield ""
            yield from _items(paragraph[index:], every_line=False)
            return
        text.append(line.strip())
    if label:
        text[0] = (label["rest"] or "").strip()
        yield f"**{label['label']}:** {inline(' '.join(text))}"
    else:
        yield inline(" ".join(text))


def _items(lines: list[str], *, every_line: bool) -> Iterator[str]:
    """List items, each on one line."""
    items: list[str] = []
    for line in lines:
        mark = ITEM.match(line)
        if mark or every_line or not items:
            items.append(line[mark.end() :] if mark else line)
        else:
            items[-1] += f" {line.strip()}"
    yield from (f"- {inline(item.strip())}" for item in items)


def convert_docstring(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]
) -> None:
    """The hook of autodoc: rewrite a docstring in place."""
    lines[:] = converted(lines)


def leave_builtins_alone(app: Sphinx, doctree: Any) -> None:
    """The hook after reading a page: a built-in name is no reference, since nothing here describes it."""
    for reference in list(doctree.findall(pending_xref)):
        if reference.get("refdomain") == "py" and hasattr(builtins, reference["reftarget"]):
            named = find_pending_xref_condition(reference, "resolved")
            reference.replace_self(reference.children if named is None else named.children)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the hooks."""
    app.connect("doctree-read", leave_builtins_alone)
    app.connect("autodoc-process-docstring", convert_docstring)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
