"""What is handed to reference managers: items, chosen by their marks or ids, as BibTeX, RIS or to Zotero."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing

from triage.config import Clock, Config
from triage.core import feedback
from triage.core.citations import Citation, citation_key, split_name
from triage.core.errors import TriageError, UsageError
from triage.services.fetching.client import http_client
from triage.services.fetching.ingest import request_options
from triage.store import feedback as event_log
from triage.store import items
from triage.store.engine import Database


def chosen(database: Database, ids: Sequence[int] | None = None) -> list[Citation]:
    """The given items in their order, or else what is liked and loved, oldest first.

    Raises:
        UsageError: There is no such item.
    """
    with database.read() as connection:
        if ids is None:
            labels = feedback.labels(event_log.events(connection))
            ids = sorted(item_id for item_id, value in labels.items() if value > 0)
        ids = list(dict.fromkeys(ids))
        rows = items.by_ids(connection, ids)
        if missing := [item_id for item_id in ids if item_id not in rows]:
            raise UsageError(f"there is no item {missing[0]}", fix="triage list")
        texts, names = items.texts(connection, ids), items.identifiers(connection, ids)
    return [
        Citation(
            title=row.title,
            kind=row.kind,
            people=tuple(row.people),
            published=row.published_at,
            text=texts.get(row.id, ""),
            url=row.url,
            tags=tuple(row.tags),
            identifiers=names.get(row.id, {}),
            source=row.source,
        )
        for row in (rows[item_id] for item_id in ids)
    ]


def push(
    citations: Sequence[Citation],
    library: str,
    database: Database,
    config: Config,
    clock: Clock,
    *,
    allow_local: bool,
) -> tuple[int, int, list[str]]:
    """Adds papers to a Zotero library.

    Args:
        citations: What to add; what is no paper goes in as a web page.
        library: `users/123`, `groups/5`, either with `/collections/KEY` behind it.
        database: Knows whether the server asked to be left alone.
        config: Where the key is.
        clock: For Retry-After.
        allow_local: Whether the server may be on this machine.

    Returns:
        How many were added, how many were there already, and why others were refused.

    Raises:
        UsageError: That is no library.
        TriageError: The server takes nothing.
    """
    from ingestors.http import HttpError
    from ingestors.sandbox import ParseRefused, ParserPool
    from ingestors.secrets import SecretError
    from ingestors.zotero import Library, push_items

    place = Library.parse(library)
    if place is None:
        raise UsageError(
            f"{library!r} is no library of Zotero",
            fix="write users/NUMBER or groups/NUMBER; zotero.org/settings/keys shows your number",
        )
    records = [_record(citation) for citation in citations]
    options = request_options("zotero", {}, config)

    async def run() -> tuple[int, int, list[str]]:
        async with http_client(database, clock, "export") as http, aclosing(ParserPool(1)) as parsers:
            return await push_items(records, place, options, http, parsers, allow_local=allow_local)

    try:
        return asyncio.run(run())
    except (HttpError, SecretError) as failed:
        raise TriageError(failed.message) from failed
    except ParseRefused as refused:
        raise TriageError(f"the answer of Zotero was refused: {refused.reason}") from refused


def _record(citation: Citation) -> dict[str, object]:
    """A citation as an item of Zotero; each type of item has fields of its own, and no others."""
    names, venue = citation.identifiers, citation.identifiers.get("venue", "")
    creators = []
    for name in citation.people:
        given, family, suffix = split_name(name)
        last = " ".join(part for part in (family, suffix) if part)
        one = {"firstName": given, "lastName": last} if given else {"name": last}
        creators.append({"creatorType": "author", **one})
    extra = [f"PMID: {names['pmid']}"] if "pmid" in names else []
    record: dict[str, object] = {
        "itemType": "webpage",
        "title": citation.title,
        "creators": creators,
        "abstractNote": citation.text,
        "date": citation.published.date().isoformat() if citation.published else "",
        "url": citation.url or "",
        "extra": "\n".join(extra),
        "tags": [{"tag": tag} for tag in citation.tags],
    }
    if citation.kind != "paper":
        return {**record, "websiteTitle": citation.source, "work": citation_key(citation)}
    record |= {"DOI": names.get("doi", ""), "work": citation_key(citation)}
    if "arxiv" in names and not venue:
        archive = f"arXiv:{names['arxiv']}"
        return {**record, "itemType": "preprint", "repository": "arXiv", "archiveID": archive}
    if "arxiv" in names:
        record["extra"] = "\n".join([f"arXiv: {names['arxiv']}", *extra])
    return {**record, "itemType": "journalArticle", "publicationTitle": venue}
