"""Links of a Link field: to which resource, in which relation (RFC 8288).

Link       = #link-value
link-value = "<" URI-Reference ">" *( OWS ";" OWS link-param )      section 3
"""

import re
from dataclasses import dataclass, field
from typing import final

from multidict import MultiDict, MultiDictProxy

from ._list_field import MAX_ELEMENTS, ListField, excerpt, skip, tell
from ._parameters import (
    Fault,
    RawParameter,
    ascii_lower,
    format_parameter,
    resolve_parameters,
    scan_parameters,
)

__all__ = ("Link", "parse_links")

_SEPARATORS = re.compile(r"[ \t,]*+", re.ASCII)
_TARGET = re.compile(r"<([^>]*+)>[ \t]*+", re.ASCII)
_TO_PARAMETERS = re.compile(r"[^;,]*+", re.ASCII)
# What is no link ends at the next comma; one inside of quotes could be followed by what looks like a link.
_GARBAGE = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*+"?)*+', re.ASCII | re.DOTALL)
_RELATIONS = re.compile(r"[^ \t]+", re.ASCII)
# RFC 3986: neither controls nor space, nor what could end the target; what is not ASCII is percent-encoded.
_NOT_IN_TARGET = re.compile(r"[^\x21\x23-\x3b\x3d\x3f-\x7e]", re.ASCII)

# Sections 3.2, 3.3 and 3.4.1: what occurs again "MUST be ignored by parsers".
_ONCE = frozenset(("anchor", "media", "title", "type"))


@final
@dataclass(frozen=True, slots=True)
class Link:
    """One link: its target as it was sent, its relation types in lower case, its other parameters.

    The target is a URI reference that nobody has resolved; `anchor`, if there is one, is another, and the context of
    the link in place of the resource that was asked for (section 3.2): who does not mean to follow such links must
    look at it. Parameters have lower-case names and decoded values, `title*` in place of `title`; `hreflang` may
    occur several times, and a parameter without a value has an empty one.
    """

    target: str
    rel: tuple[str, ...] = ()
    parameters: MultiDictProxy[str] = field(default_factory=lambda: MultiDictProxy(MultiDict()))

    @property
    def anchor(self) -> str | None:
        """The context of the link, a URI reference, or None where it is the resource itself."""
        return self.parameters.get("anchor")

    def encode(self) -> str:
        """The link as an element of a Link field.

        Raises: ValueError for a target that is no URI reference in ASCII, for relations with white space or among the
        parameters, and for parameters that no field can hold.
        """
        if _NOT_IN_TARGET.search(self.target) is not None:
            raise ValueError(f"{excerpt(self.target)} is no URI reference")
        if any(_RELATIONS.fullmatch(relation) is None for relation in self.rel):
            raise ValueError("a relation type has no white space")
        if "rel" in self.parameters:
            raise ValueError("relation types are no parameter of a link")
        parts = [f"<{self.target}>"]
        if self.rel:
            parts.append(format_parameter("rel", " ".join(self.rel), extended=False))
        parts += [format_parameter(name, value) for name, value in self.parameters.items()]
        return "; ".join(parts)


def parse_links(*values: str) -> ListField[Link]:
    """The links of all Link fields of a message, in their order.

    Takes each field's value by itself, so that a broken one spoils no other. Never raises. A link without a relation
    is kept, with none, and told in the problems, as is whatever could not be read.
    """
    links: list[Link] = []
    problems: list[str] = []
    for value in values:
        _read(value, links, problems)
    return ListField(tuple(links), tuple(problems))


def _read(value: str, links: list[Link], problems: list[str]) -> None:
    position = 0
    while True:
        position = skip(_SEPARATORS, value, position)
        if position == len(value):
            return
        if len(links) == MAX_ELEMENTS:
            tell(problems, f"only the first {MAX_ELEMENTS} links are read", "")
            return
        match = _TARGET.match(value, position)
        if match is None:
            end = skip(_GARBAGE, value, position)
            tell(problems, "{} is no link", value[position:end])
            position = end
            continue
        position = skip(_TO_PARAMETERS, value, match.end())
        if position > match.end():
            tell(problems, "{} follows a link", value[match.end() : position])
        raw, position = scan_parameters(value, position, in_list=True)
        links.append(_link(match[1].strip(" \t"), raw, problems))


def _link(target: str, raw: list[RawParameter], problems: list[str]) -> Link:
    # Unquoted URIs and media types are what RFC 2068 allowed and many still send: read, and no problem.
    forgiven = [each._replace(fault=None) if each.fault is Fault.NO_TOKEN else each for each in raw]
    values = resolve_parameters(forgiven, problems, values_needed=False)
    rel = _RELATIONS.findall(ascii_lower(values.pop("rel", [""])[0]))
    parameters = [
        (name, value)
        for name, found in values.items()
        for value in (found[:1] if name in _ONCE else found)
    ]
    if not rel:
        tell(problems, "the link to {} has no relation", target)
    return Link(target, tuple(rel), MultiDictProxy(MultiDict(parameters)))
