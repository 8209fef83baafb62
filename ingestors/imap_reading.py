"""One visit to an IMAP account: what is fetched, in which order, and how far it has come.

New mails come first and then those from before, the newest first, in portions. Blocking, for a thread of
its own; the wire is `ingestors.imap_session`.

Cursor: `folders` has the position in each folder, `sent` the one in the folder of sent mail; `known` marks
of mails that were taken, by their main headers and size, so that neither a folder whose UIDs have lost their
meaning nor a mail that lies in two folders is fetched again; `own` marks of the ids of the reader's mails.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, timedelta

from ingestors.base import FetchError, FetchRequest, JsonValue, Refusal
from ingestors.imap_account import Account, Secret
from ingestors.imap_session import ImapSession, Summary
from ingestors.imap_wire import ImapError, ServerRefusedError
from ingestors.mime import MAX_MAIL, MAX_OWN, Marks

PORTION_MAILS = 1_000
PORTION_BYTES = 32 * 2**20
"""What one fetch takes in."""
PORTION_SUMMARIES = 20_000
"""Mails that one fetch looks at: more than it takes in, where most are known."""
MAX_BACKLOG = 200_000
"""Mails of a folder that are read from before the first fetch, the newest."""
MAX_KNOWN = 50_000

DEADLINE_S = 300.0
PAUSES_S = (1.0, 4.0)
"""Before a lost connection is made again. One that cannot be made at all is a matter of the next poll."""
TRIAL_S = 20.0
"""Of a login that somebody waits for."""
IDLE_S = 28 * 60.0
"""Servers end an IDLE after 30 minutes."""

_CHUNK = 500
_BATCH_MAILS = 50
_BATCH_BYTES = 4 * 2**20
_FOLDERS_NAMED = 30
_SENT_NAMES = ("sent", "sent items", "sent messages", "sent mail")
_MESSAGE_ID = re.compile(rb"(?im)^message-id:\s*<([^<>\s]{1,400})>")


@dataclass(slots=True)
class Position:
    """How far a folder is read. Zeros: not at all."""

    validity: int = 0
    """UIDVALIDITY under which the numbers below mean something."""
    floor: int = 0
    """The lowest UID that is wanted."""
    low: int = 0
    high: int = 0
    """All mails from `low` to `high` are done; between `floor` and `low` there are more."""
    next: int = 0
    """UIDNEXT and, below, HIGHESTMODSEQ when the folder was done."""
    modseq: int = 0

    @classmethod
    def of(cls, stored: JsonValue) -> Position:
        """The position in a cursor; whatever is no such number counts as zero."""
        numbers = stored if isinstance(stored, dict) else {}
        found = {field.name: numbers.get(field.name) for field in fields(cls)}
        return cls(**{name: n if isinstance(n, int) and n >= 0 else 0 for name, n in found.items()})

    def dump(self) -> dict[str, JsonValue]:
        """As JSON."""
        return {**asdict(self)}


class _Visit:
    """Settings of the source, and a session that can be cut from outside."""

    def __init__(self, request: FetchRequest, account: Account, secret: Secret) -> None:
        self._request = request
        self._account = account
        self._secret = secret
        self._session: ImapSession | None = None
        self._stopped = threading.Event()
        stored = request.cursor.get("folders")
        self._stored: Mapping[str, JsonValue] = stored if isinstance(stored, dict) else {}
        wanted = request.options.get("folders")
        names = [str(name) for name in wanted if name] if isinstance(wanted, list) else []
        self._folders = list(dict.fromkeys(names)) or [account.folder]

    def stop(self) -> None:
        """Ends the visit, from any thread."""
        self._stopped.set()
        if self._session is not None:
            self._session.abort()

    def _open(self, deadline: float) -> ImapSession:
        """A logged-in session; raises ImapError if there is none."""
        self._session = ImapSession(self._account, deadline, allow_local=self._request.allow_local)
        try:
            if self._stopped.is_set():
                raise ImapError("network", "the visit was ended")
            self._session.login(self._secret)
        except ImapError:
            self._session.close()
            raise
        return self._session


class Reading(_Visit):
    """A fetch: mails and positions grow together, so that what was read is never asked for again."""

    def __init__(self, request: FetchRequest, account: Account, secret: Secret) -> None:
        super().__init__(request, account, secret)
        self.raw: list[bytes] = []
        self.where: list[str] = []
        self.refusals: list[Refusal] = []
        self.own = Marks(request.cursor.get("own"), MAX_OWN)
        self.more = False
        self.lacks_validity = False
        self._known = Marks(request.cursor.get("known"), MAX_KNOWN)
        self._positions = {name: Position.of(self._stored.get(name)) for name in self._folders}
        self._sent = Position.of(request.cursor.get("sent"))
        self._size = 0
        self._looked_at = 0

    def cursor(self) -> dict[str, JsonValue]:
        """Where to go on."""
        return {
            "folders": {name: position.dump() for name, position in self._positions.items()},
            "sent": self._sent.dump(),
            "known": self._known.dump(),
            "own": self.own.dump(),
        }

    def run(self) -> FetchError | None:
        """Reads until nothing is left, the portion is full or the time is over; an error if nothing came."""
        deadline = time.monotonic() + DEADLINE_S
        for pause in (*PAUSES_S, None):
            logged_in = False
            try:
                with self._open(deadline) as session:
                    logged_in = True
                    self._read(session)
                return None
            except ImapError as error:
                lost = logged_in and error.kind in ("network", "timeout")
                in_time = pause is not None and time.monotonic() + pause < deadline
                if not (lost and in_time) or self._stopped.wait(pause):
                    return self._give_up(error)
        return None

    def _give_up(self, error: ImapError) -> FetchError | None:
        if not self.raw:
            return FetchError(error.kind, error.message)
        # What was read is kept; the positions say how far that is.
        self.more = False
        self.refusals.append(Refusal(self._account.name, f"{error.message}; the rest follows next time"))
        return None

    def _read(self, session: ImapSession) -> None:
        self.more = False
        refused: dict[str, str] = {}
        for name in self._folders:
            try:
                self._read_folder(session, name, self._positions[name])
            except ServerRefusedError as error:
                refused[name] = error.message
        if refused:
            there = ", ".join(sorted(name for name, _ in session.folders())[:_FOLDERS_NAMED])
            if len(refused) == len(self._folders):
                name, reason = next(iter(refused.items()))
                raise ImapError("not-found", f"{name} cannot be read: {reason}; there are: {there}")
            reasons = {name: f"{reason}; there are: {there}" for name, reason in refused.items()}
            self.refusals = [r for r in self.refusals if r.name not in reasons]  # of a connection before
            self.refusals += [Refusal(name, reason) for name, reason in reasons.items()]
        if not self.more:
            self._read_sent(session)

    def _read_folder(self, session: ImapSession, name: str, at: Position) -> None:
        found = session.examine(name)
        validity = found.validity or 0
        # UIDNEXT never goes down: then the folder is another, made within the second of the one before.
        if not validity or validity != at.validity or 0 < (found.next_uid or 0) < at.next:
            self.lacks_validity = self.lacks_validity or not validity
            at.validity, at.floor, at.low, at.high, at.next, at.modseq = validity, 0, 0, 0, 0, 0
        if at.modseq and at.modseq == found.modseq:
            return
        if not at.floor:
            self._begin(session, name, at)
        for uids in _chunks(session.uids(at.high + 1)):
            if self._is_full:
                return  # the next poll goes on; `more` is for what was there before, which has an end
            at.high = self._take(session, name, uids)
            if at.high != uids[-1]:
                return
        before = session.uids(at.floor, at.low - 1) if at.low > at.floor else []
        for uids in _chunks(before[::-1]):
            if not self._is_full:
                at.low = self._take(session, name, uids)
            if at.low != uids[-1]:
                self.more = True
                return
        at.low, at.next, at.modseq = at.floor, found.next_uid or 0, found.modseq or 0

    def _begin(self, session: ImapSession, name: str, at: Position) -> None:
        """Sets the position to before everything that is wanted of a folder."""
        there = session.uids(1)
        at.high = there[-1] if there else 0
        at.low = at.high + 1
        days = self._request.options.get("days")
        if isinstance(days, int | float) and days > 0:
            there = session.uids(1, since=(datetime.now(UTC) - timedelta(days=min(days, 36_500))).date())
            at.floor = there[0] if there else at.low
        if len(there) > MAX_BACKLOG:
            reason = f"only the newest {MAX_BACKLOG} of its {len(there)} mails are read"
            self.refusals.append(Refusal(name, reason))
            at.floor = there[-MAX_BACKLOG]
        at.floor = at.floor or 1

    def _take(self, session: ImapSession, folder: str, uids: Sequence[int]) -> int:
        """Takes mails in the order of `uids`, as far as they are wanted and the portion has room.

        Returns:
            The last UID that is done.
        """
        summaries = session.summaries(uids)
        self._looked_at += len(uids)
        batch: list[Summary] = []
        done = uids[0]
        for uid in uids:
            summary = summaries.get(uid)  # missing: it was deleted in between
            if summary is not None and not summary.deleted and not self._is_known(summary):
                if batch and (len(batch) >= _BATCH_MAILS or _size([*batch, summary]) > _BATCH_BYTES):
                    self._fetch(session, folder, batch)
                    batch = []
                    if self._is_full:
                        return done
                batch.append(summary)
            done = uid
        self._fetch(session, folder, batch)
        return done

    def _fetch(self, session: ImapSession, folder: str, batch: Sequence[Summary]) -> None:
        if not batch:
            return
        try:
            bodies = session.bodies([summary.uid for summary in batch], _size(batch))
        except ServerRefusedError as error:
            # A mail that the server cannot read itself must not hide all others for ever.
            if len(batch) == 1:
                self.refusals.append(Refusal(f"{folder}, UID {batch[0].uid}", error.message))
                return
            middle = len(batch) // 2
            self._fetch(session, folder, batch[:middle])
            self._fetch(session, folder, batch[middle:])
            return
        for summary in batch:
            place = f"{folder}, UID {summary.uid}"
            body = bodies.get(summary.uid)
            if body is None:
                self.refusals.append(Refusal(place, "the server did not send it"))
            elif not body.strip():
                self.refusals.append(Refusal(place, "it is empty"))
            else:
                self.raw.append(body)
                self.where.append(place)
                self._size += len(body)
                if mark := _mark(summary):
                    self._known.add(mark)

    def _is_known(self, summary: Summary) -> bool:
        mark = _mark(summary)
        return mark is not None and mark in self._known

    @property
    def _is_full(self) -> bool:
        return (
            len(self.raw) >= PORTION_MAILS
            or self._size >= PORTION_BYTES
            or self._looked_at >= PORTION_SUMMARIES
        )

    def _read_sent(self, session: ImapSession) -> None:
        """Learns the ids of the newest mails that the reader wrote; their texts stay where they are."""
        wanted = self._request.options.get("sent")
        try:
            name = _sent_folder(session) if wanted is None else str(wanted)
            if name and name not in self._folders:
                self._learn_own(session, name)
        except ImapError as error:
            if wanted:  # else it was only worth a try: nothing but a flag depends on it
                self.refusals.append(Refusal(str(wanted), error.message))

    def _learn_own(self, session: ImapSession, folder: str) -> None:
        found = session.examine(folder)
        if not found.validity or found.validity != self._sent.validity:
            self._sent = Position(validity=found.validity or 0)
        elif found.modseq and found.modseq == self._sent.modseq:
            return
        for uids in _chunks(session.uids(self._sent.high + 1)[-MAX_OWN:]):
            for _, summary in sorted(session.summaries(uids).items()):
                if message_id := _MESSAGE_ID.search(summary.fields):
                    self.own.add(message_id.group(1))
            self._sent.high = uids[-1]
        self._sent.modseq = found.modseq or 0


class Trial(_Visit):
    """A login that fetches nothing."""

    def run(self) -> FetchError | None:
        """Returns None if the account can be opened with all its folders, else what is in the way."""
        try:
            with self._open(time.monotonic() + TRIAL_S) as session:
                for name in self._folders:
                    try:
                        session.examine(name)
                    except ServerRefusedError as error:
                        return FetchError("not-found", f"{name} cannot be opened: {error.message}")
        except ImapError as error:
            return FetchError(error.kind, error.message)
        return None


class Watching(_Visit):
    """A wait for new mail."""

    def run(self) -> FetchError | None:
        """Returns None when there is something to fetch, an error if the server cannot tell."""
        at = Position.of(self._stored.get(self._folders[0]))
        try:
            with self._open(time.monotonic() + DEADLINE_S) as session:
                if not session.pushes:
                    return FetchError("usage", f"{self._account.host} does not tell of new mail by itself")
                found = session.examine(self._folders[0])
                # What came between the fetch and now is told by nobody.
                news = (found.validity or 0, found.next_uid or 0) != (at.validity, at.next)
                while not news:
                    news = session.wait(IDLE_S)
        except ImapError as error:
            return FetchError(error.kind, error.message)
        return None


def _mark(summary: Summary) -> bytes | None:
    """What tells a mail from all others, wherever it lies; None for one without a Message-ID.

    Not the Message-ID alone, which a stranger can borrow to have another mail pass for known.
    """
    return b"%d\n%b" % (summary.size, summary.fields) if _MESSAGE_ID.search(summary.fields) else None


def _size(batch: Sequence[Summary]) -> int:
    """Bytes of these mails that are read."""
    return sum(min(summary.size, MAX_MAIL) for summary in batch)


def _chunks(uids: Sequence[int]) -> list[Sequence[int]]:
    return [uids[at : at + _CHUNK] for at in range(0, len(uids), _CHUNK)]


def _sent_folder(session: ImapSession) -> str | None:
    """The folder of sent mail, by its mark (RFC 6154), else by one of its usual names."""
    folders = session.folders()
    marked = [name for name, attributes in folders if "\\Sent" in attributes]
    named = [name for name, _ in folders if name.lower().removeprefix("inbox.") in _SENT_NAMES]
    return next(iter([*marked, *named]), None)
