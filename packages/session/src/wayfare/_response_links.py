"""The links of a response, resolved (RFC 8288)."""

from multidict import CIMultiDictProxy, MultiDict, MultiDictProxy
from wayfare_http_core import parse_links
from yarl import URL

__all__ = ("links_of",)


def links_of(
    headers: CIMultiDictProxy[str], base: URL
) -> MultiDictProxy[MultiDictProxy[str | URL]]:
    """The links by relation type: a link of several types stands under each, one of none under its URL.

    A link has its parameters, `rel` as it was sent but in lower case, and under `url` its target, resolved against
    `base`. One whose target is no URL is left out.
    """
    links: MultiDict[MultiDictProxy[str | URL]] = MultiDict()
    for link in parse_links(*headers.getall("Link", ())):
        try:
            url = base.join(URL(link.target))
        except ValueError:
            continue
        values: MultiDict[str | URL] = MultiDict(link.parameters)
        if link.rel:
            values["rel"] = " ".join(link.rel)
        values["url"] = url
        for relation in link.rel or (str(url),):
            links.add(relation, MultiDictProxy(values))
    return MultiDictProxy(links)
