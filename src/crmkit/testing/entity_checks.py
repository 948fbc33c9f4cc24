"""What every entity recogniser must do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crmkit.testing.tables import texts

if TYPE_CHECKING:
    from crmkit.testing.plugin import Plugin

__all__ = ["CHECKS"]

MARKED = {
    "请到[浦东店]取货": "branch",
    "[浦东店]的客服态度很好": "branch",
    "我在[人民广场店]买的": "branch",
    "[人民广场店]今天开门吗": "branch",
    "my [Mi Band] is broken": "product",
    "I ordered a [Mi Band] last week": "product",
    "the [Kindle] never arrived": "product",
    "我的[Kindle]坏了": "product",
}
"""Texts with one name each, and what it is."""

STRANGE = [
    "",
    " ",
    "\n\t",
    "。",
    "😀",
    "😀请到浦东店取货",
    "ｍｙ Ｋｉｎｄｌｅ",
    "cafe\u0301",
    "\u0301",
    "a\x00b",
    "\ud800",
    "\u200b",
    "啊" * 999,
]


def _marked() -> tuple[list[str], list[list[tuple[int, int, str]]]]:
    """Give texts in two languages, with the entities in them."""
    plain = [text.replace("[", "").replace("]", "") for text in MARKED]
    spans = [[(text.index("["), text.index("]") - 1, label)] for text, label in MARKED.items()]
    return plain, spans


def _ready(plugin: Plugin) -> Any:
    """Make one, and teach it where it can be taught."""
    recognizer = plugin.make()
    return recognizer.fit(*_marked()) if _learns(recognizer) else recognizer


def _learns(recognizer: Any) -> bool:
    """Say whether it can be taught."""
    return callable(getattr(recognizer, "fit", None))


def _plain(found: Any) -> list[list[tuple[int, int, str]]]:
    """Give what was found as plain tuples."""
    return [[(int(one.start), int(one.end), str(one.label)) for one in entities] for entities in found]


def check_fit_returns_self(plugin: Plugin) -> None:
    """Where it learns, ``fit(texts, spans)`` gives the recogniser back."""
    recognizer = plugin.make()
    assert not _learns(recognizer) or recognizer.fit(*_marked()) is recognizer, "fit must return self"


def check_gives_one_list_a_text(plugin: Plugin) -> None:
    """``predict`` gives one list of entities for each text, also for empty ones and for no texts."""
    sample = [*texts()[0], ""]
    recognizer = _ready(plugin)
    found = recognizer.predict(sample)
    assert len(found) == len(sample), f"expected {len(sample)} lists, got {len(found)}"
    assert len(found[-1]) == 0, "an empty text has no entities"
    assert len(recognizer.predict([])) == 0, "no texts must give no lists"


def check_offsets_are_half_open_and_inside(plugin: Plugin) -> None:
    """Each entity covers at least one character of its own text, also of strange ones."""
    sample = [*texts()[0], "call 13800138000 or write to someone@example.com, 邮箱someone@example.com", *STRANGE]
    sample += _marked()[0]
    for text, entities in zip(sample, _ready(plugin).predict(sample), strict=True):
        for entity in entities:
            assert 0 <= entity.start < entity.end <= len(text), (
                f"offsets {entity.start}:{entity.end} of {len(text)} characters"
            )
            assert isinstance(entity.label, str), "an entity's label is text"


def check_entities_stand_in_order(plugin: Plugin) -> None:
    """The entities of a text come in the order of the text."""
    sample = [" ".join(_marked()[0]), "someone@example.com 13800138000"]
    for entities in _plain(_ready(plugin).predict(sample)):
        assert [one[0] for one in entities] == sorted(one[0] for one in entities), "entities are not in order"


def check_finds_what_it_was_taught(plugin: Plugin) -> None:
    """One that learns finds some of the very names it was taught, and gives no other labels."""
    sample, spans = _marked()
    if not _learns(plugin.make()):
        return
    found = _plain(_ready(plugin).predict(sample))
    labels = {label for entities in found for _, _, label in entities}
    assert labels <= set(MARKED.values()), "a label was given that was never taught"
    right = sum(spans[place][0] in entities for place, entities in enumerate(found))
    assert right, "not one of the names it was taught is found in the texts it was taught on"


def check_input_forms_give_the_same(plugin: Plugin) -> None:
    """A list, an object array and a Series are one, and a missing text counts as empty."""
    import numpy as np
    import pandas as pd

    sample = _marked()[0]
    recognizer = _ready(plugin)
    expected = _plain(recognizer.predict([*sample, ""]))
    for given in (np.array([*sample, None], dtype=object), pd.Series([*sample, None], index=range(9, 0, -1))):
        form = type(given).__name__
        assert _plain(recognizer.predict(given)) == expected, f"{form} gives other entities than a list"


def check_one_text_is_refused(plugin: Plugin) -> None:
    """A single text is not taken for a list of its characters."""
    recognizer = _ready(plugin)
    try:
        recognizer.predict("请到浦东店取货")
    except (TypeError, ValueError):
        return
    raise AssertionError("one text was taken for many: raise a TypeError")


def check_order_of_texts_does_not_matter(plugin: Plugin) -> None:
    """What is found in a text does not depend on the texts beside it."""
    sample = [*_marked()[0], *STRANGE, "write to someone@example.com"]
    recognizer = _ready(plugin)
    whole = _plain(recognizer.predict(sample))
    assert _plain(recognizer.predict(sample[::-1])) == whole[::-1], "another order of texts gives other entities"
    single = [_plain(recognizer.predict([text]))[0] for text in sample]
    assert single == whole, "a text alone gives other entities than among others"


def check_same_seed_same_result(plugin: Plugin) -> None:
    """Two fits with one seed find the same."""
    sample = _marked()[0]
    first, second = (_plain(_ready(plugin).predict(sample)) for _ in range(2))
    assert first == second, "two fits with one seed differ"


def check_inputs_are_left_alone(plugin: Plugin) -> None:
    """Neither texts nor spans are changed."""
    sample, spans = _marked()
    recognizer = plugin.make()
    if _learns(recognizer):
        recognizer.fit(sample, spans)
    recognizer.predict(sample)
    assert (sample, spans) == _marked(), "texts or spans were changed"


CHECKS = (
    check_fit_returns_self,
    check_gives_one_list_a_text,
    check_offsets_are_half_open_and_inside,
    check_entities_stand_in_order,
    check_finds_what_it_was_taught,
    check_input_forms_give_the_same,
    check_one_text_is_refused,
    check_order_of_texts_does_not_matter,
    check_same_seed_same_result,
    check_inputs_are_left_alone,
)
