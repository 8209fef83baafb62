"""What is asked in several steps before something is said.

What to mute and for how long, which items to mark at once, what to make of a reason. Each question is a
coroutine that shows one dialog after the other and hands what the reader wants said to the marks. Nothing is
said before the last answer; Esc at any step says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from triage.core import muting, words
from triage.core.errors import UsageError
from triage.core.feedback import Said
from triage.core.items import LESS_OF, Item, Reason
from triage.core.readings import MarkShare
from triage.core.rules import STRONGEST, Condition, Effect, Field, Rule, in_words
from triage.core.verbs import Verb
from triage.tui.screens.ask import AskScreen
from triage.tui.screens.menu import Choice, MenuScreen
from triage.tui.screens.veil import Veil
from triage.tui.session import Section
from triage.tui.writer import Write

if TYPE_CHECKING:
    from triage.tui.app import TriageApp

Say = Callable[[Veil], Coroutine[Any, Any, None]]
"""Says something, perhaps after another question."""
HEAVIEST = 10.0
"""Of an interest."""
SUGGESTED = 60
"""Characters of a passage that are offered as the words of an interest."""
BULK = (Verb.DISLIKE, Verb.LIKE, Verb.LATER, Verb.SAVE)
DURATION_KEYS = dict(zip("dwmg", muting.DURATIONS, strict=True))


async def mute(veil: Veil, app: TriageApp, item: Item) -> None:
    """What of an item to mute, and for how long."""
    choices = [
        Choice(str(number), f"{kind} {name}", condition)
        for number, (kind, name, condition) in enumerate(muting.subjects(item)[:8], 1)
    ]
    choices.append(Choice("w", "words of your own …", "words"))
    chosen = await veil.show(MenuScreen("Mute what?", choices, "Search and list still have what is muted."))
    if chosen == "words":
        chosen = await _words_to_mute(veil, app, item)
    if chosen is not None:
        await _mute_for(veil, app, chosen)


async def _words_to_mute(veil: Veil, app: TriageApp, item: Item) -> Condition | None:
    typed = await veil.show(AskScreen("Mute items that mention which words?", item.title))
    if typed is None:
        return None
    try:
        return muting.condition("mentions", typed)
    except UsageError as error:
        app.complain(error)
        return None


async def _mute_for(veil: Veil, app: TriageApp, condition: Condition) -> None:
    choices = [Choice(key, name, name) for key, name in DURATION_KEYS.items()]
    duration = await veil.show(MenuScreen("For how long?", choices, f"The rule: {Rule(condition, 'never')}"))
    if duration is not None:
        rule = Rule(condition, "never", muting.DURATIONS[duration])
        app.write(lambda backend: backend.add_rule(rule), "muted")


async def mark_all(veil: Veil, app: TriageApp, sections: tuple[Section, ...], here: Item | None) -> None:
    """Which of the items on show to mark, and how: one step for undo."""
    shown = [item for section in sections for item in section.items]
    if not shown:
        app.say("Nothing is shown")
        return
    chosen: tuple[str, list[Item]] | None = ("all that is shown", shown)
    if len(sections) > 1:
        choices = [
            Choice(
                str(number),
                f"{section.title}: {words.plural(len(section.items), 'item')}",
                (section.title, list(section.items)),
            )
            for number, section in enumerate(sections, 1)
        ]
        choices.append(Choice("a", f"all that is shown: {words.plural(len(shown), 'item')}", chosen))
        menu = MenuScreen("Mark which?", choices)
        menu.cursor = next((n for n, section in enumerate(sections) if here in section.items), 0)
        chosen = await veil.show(menu)
    if chosen is None:
        return
    which, items = chosen
    keys = {Verb.DISLIKE: "d", Verb.LIKE: "l", Verb.LATER: "s", Verb.SAVE: "a"}
    verbs = [Choice(keys[verb], verb.value, verb) for verb in BULK]
    question = f"Say what of {words.plural(len(items), 'item')} ({which})?"
    verb = await veil.show(MenuScreen(question, verbs, "One undo takes all of it back."))
    if verb is not None:
        app.mark_items(items, verb)


async def correct(
    veil: Veil, app: TriageApp, item: Item, row: Reason | MarkShare, said: Said, direction: int
) -> None:
    """What to make of one row of the why screen: less of it (-1), more of it (1), or either (0)."""
    found = _corrections(app, item, row, said)
    wanted = [(label, do) for sign, label, do in found if direction in (0, sign) or sign == 0]
    if not wanted:
        app.say("Nothing can be said of this row")
        return
    if isinstance(row, MarkShare):
        question = f"“{row.title}”"
    else:
        question = {-1: "Less like this?", 1: "More like this?"}.get(direction, "What of this?")
    choices = [Choice(str(number), label, do) for number, (label, do) in enumerate(wanted, 1)]
    do = await veil.show(MenuScreen(question, choices, "" if isinstance(row, MarkShare) else row.name))
    if do is not None:
        await do(veil)


def _corrections(
    app: TriageApp, item: Item, row: Reason | MarkShare, said: Said
) -> list[tuple[int, str, Say]]:
    """What can be said of a row: for less of it (-1), for more (1) or either (0), and in which words."""

    def write(do: Write, what: str) -> Say:
        return _at_once(lambda: app.write(do, what))

    def mark(verb: Verb) -> Say:
        return _at_once(lambda: app.mark_items([item], verb))

    if isinstance(row, MarkShare):
        return [(0, "take that mark back", write(lambda to: to.unmark(row.item), "undone"))]
    if row.kind == "interest":
        return _of_interest(row.name, said, write)
    if row.kind in ("source", "person"):
        field: Field = "source" if row.kind == "source" else "author"
        try:
            condition = muting.condition(field, muting.person(row.name) if field == "author" else row.name)
        except UsageError:
            return []
        return [
            (
                -1,
                "count it one less, as a rule",
                write(lambda to: to.add_rule(Rule(condition, -1.0)), "said"),
            ),
            (-1, "mute it …", lambda veil: _mute_for(veil, app, condition)),
            (1, "count it one more, as a rule", write(lambda to: to.add_rule(Rule(condition, 1.0)), "said")),
        ]
    if row.kind == "rule":
        return _of_rule(row.name, said, write)
    if row.kind == "passage":
        return [
            (-1, "less of these words …", lambda veil: _interest(veil, app, row.name, -1.0)),
            (-1, "dislike the item", mark(Verb.DISLIKE)),
            (1, "an interest in these words …", lambda veil: _interest(veil, app, row.name, 1.0)),
            (1, "like the item", mark(Verb.LIKE)),
        ]
    return []


def _at_once(do: Callable[[], None]) -> Say:
    async def say(_veil: Veil) -> None:
        do()

    return say


def _of_interest(name: str, said: Said, write: Callable[[Write, str], Say]) -> list[tuple[int, str, Say]]:
    phrase = next((p for p in said.interests if name in (p, f"{LESS_OF}{p}")), None)
    if phrase is None:
        return []
    weight = said.interests[phrase]

    def to(new: float) -> Say:
        return write(lambda backend: backend.set_interest(phrase, new), "said")

    lower, higher = (weight / 2, weight * 2) if weight > 0 else (weight * 2, weight / 2)
    found = [(0, "remove it from your interests", to(0.0))]
    if lower >= -HEAVIEST:
        found.insert(0, (-1, f"weigh it {lower:+g}, not {weight:+g}", to(lower)))
    if higher <= HEAVIEST:
        found.insert(1, (1, f"weigh it {higher:+g}, not {weight:+g}", to(higher)))
    return found


def _of_rule(name: str, said: Said, write: Callable[[Write, str], Say]) -> list[tuple[int, str, Say]]:
    # A hard rule's reason names what it does before its condition.
    condition = max((c for c in said.rules if name.endswith(c)), key=len, default=None)
    if condition is None:
        return []
    effect: Effect = said.rules[condition]
    found = [(0, "remove the rule", write(lambda to: to.change_rule(condition, 0.0), "removed"))]
    if isinstance(effect, float):
        for step in (-1, 1):
            new = effect + step
            if new and abs(new) <= STRONGEST:
                label = f"change it to {in_words('', new).strip()}"
                found.append((step, label, write(_changes(condition, new), "said")))
    return found


def _changes(condition: str, effect: float) -> Write:
    return lambda backend: backend.change_rule(condition, effect)


async def _interest(veil: Veil, app: TriageApp, passage: str, weight: float) -> None:
    """Asks for the words of an interest, or of what the reader wants less of."""
    question = "An interest in which words?" if weight > 0 else "Less of which words?"
    typed = await veil.show(AskScreen(question, passage[:SUGGESTED].rpartition(" ")[0] or passage))
    if typed is not None:
        app.write(lambda backend: backend.set_interest(typed, weight), "said")
