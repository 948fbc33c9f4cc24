"""The taxonomies in the box, and those of users: names, languages and phrases as a table."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import as_frame, positions, require_columns
from crmkit.core.errors import DataError
from crmkit.language import tokenize
from crmkit.text.phrases._finder import PhraseFinder
from crmkit.text.phrases._scope import apply_modifiers
from crmkit.text.tone._words import MODIFIERS, read_weights

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Mentions", "find_mentions", "taxonomy"]

_BOXED = ("causes", "sales")
_DENYING_HERE = frozenset({"不要", "不用"})
"""Words that have no tone, but of which what follows is not the case."""
Mentions = pd.DataFrame
"""A row a phrase found: ``text_id``, ``name``, ``start``, ``end``."""


def taxonomy(source: Any = "causes") -> pd.DataFrame:
    """Give a taxonomy as a table that can be changed: one row a phrase.

    Parameters
    ----------
    source : {"causes", "sales"}, path, mapping or table, default="causes"
        ``"causes"`` has eleven causes of poor service (quality, attitude, speed, delivery, price, refund, fault,
        information, access, privacy, safety), ``"sales"`` five signs that someone might buy; both in Chinese and
        English, our own words. A path is a TOML file with a table a name and a list a language, as is a mapping:
        ``{"parking": {"en": ["parking*"], "zh": ["停车"]}}``. A table has ``name``, ``phrase`` and, where wanted,
        ``language``.

    Returns
    -------
    pandas.DataFrame
        ``name``, ``language``, ``phrase``. Add rows with `pandas.concat`, drop others, and hand it to `needs`. A phrase
        that ends in ``*`` fits every ending.

    Raises
    ------
    DataError
        If a file is missing or no TOML, a name has no phrases, or a phrase or name is missing or could never be found.

    Examples
    --------
    >>> from crmkit.text import taxonomy
    >>> causes = taxonomy()
    >>> causes["name"].nunique(), sorted(causes["language"].unique())
    (11, ['en', 'zh'])
    """
    if isinstance(source, str) and source in _BOXED:
        text = (files("crmkit.text.causes") / "data" / f"{source}.toml").read_text(encoding="utf-8")
        return _from_mapping(tomllib.loads(text))
    if isinstance(source, str | Path):
        path = Path(source)
        if not path.exists():
            raise DataError(f"taxonomy must be {' or '.join(map(repr, _BOXED))}, or a TOML file that is there: {path}")
        try:
            return _checked(_from_mapping(tomllib.loads(path.read_text(encoding="utf-8"))))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise DataError(f"taxonomy: {path.name} is no TOML in UTF-8: {error}") from None
    if isinstance(source, dict) and not {"name", "phrase"} <= set(source):
        return _checked(_from_mapping(source))
    frame = as_frame(source, what="taxonomy")
    require_columns(frame, ["name", "phrase"], what="taxonomy")
    return _checked(frame.assign(language=frame.get("language", ""))[["name", "language", "phrase"]])


def _from_mapping(given: dict[str, Any]) -> pd.DataFrame:
    """Lay names, languages and lists out as rows."""
    rows: list[tuple[str, str, Any]] = []
    for name, languages in given.items():
        by_language = languages if isinstance(languages, dict) else {"": languages}
        for language, phrases in by_language.items():
            if isinstance(phrases, str) or not isinstance(phrases, list | tuple) or not phrases:
                raise DataError(f"taxonomy: {name!r} must have lists of phrases by language, none of them empty")
            rows += [(name, language, phrase) for phrase in phrases]
    return pd.DataFrame(rows, columns=["name", "language", "phrase"])


def _checked(table: pd.DataFrame) -> pd.DataFrame:
    """Refuse what could never be found."""
    wrong = table[["name", "phrase"]].isna().any(axis=1).to_numpy() | ~np.array(
        [isinstance(phrase, str) for phrase in table["phrase"]], dtype=bool
    )
    if wrong.any() or not len(table):
        raise DataError(
            f"taxonomy: name or phrase is missing or no text in {positions(wrong)}"
            if len(table)
            else "taxonomy has no phrase"
        )
    PhraseFinder(table["phrase"].tolist())
    return table.reset_index(drop=True)


def find_mentions(texts: Sequence[str], table: pd.DataFrame) -> Mentions:
    """Find the phrases of a taxonomy that are not negated.

    Parameters
    ----------
    texts : sequence of str
        The texts.
    table : pandas.DataFrame
        From `taxonomy`.

    Returns
    -------
    pandas.DataFrame
        A row a mention and name, in the order of the texts: ``text_id``, ``name``, ``start``, ``end`` (half-open, into
        the original text).
    """
    turns = _negations()
    phrases = table["phrase"].str.lower().drop_duplicates().tolist()
    tokens = tokenize(texts, offsets=True)
    found = PhraseFinder([*turns, *phrases]).find(tokens)
    polar = found.phrase >= len(turns)
    factor = np.array([*turns.values(), *[1.0] * len(phrases)])[found.phrase]
    weighed = apply_modifiers(found, factor, polar, tokens)
    meant = weighed.weight > 0
    place = weighed.found[meant]
    mentions = pd.DataFrame(
        {
            "text_id": weighed.text[meant],
            "phrase": np.array(phrases, dtype=object)[found.phrase[place] - len(turns)],
            "start": tokens.start[found.first[place]],
            "end": tokens.end[found.last[place]],
        }
    )
    owners = table.assign(phrase=table["phrase"].str.lower())[["name", "phrase"]].drop_duplicates()
    return mentions.merge(owners, on="phrase", how="inner", sort=False)[["text_id", "name", "start", "end"]]


@cache
def _negations() -> dict[str, float]:
    """Give words that deny what follows, and (factor 1) those that only look so: 不过, 没想到, "not only"."""
    factors = read_weights(MODIFIERS)
    denying = [word for word, factor in factors.items() if factor < 0]
    only_look = [
        word
        for word, factor in factors.items()
        if factor == 1 and word not in _DENYING_HERE and any(part in word for part in denying)
    ]
    return {**dict.fromkeys(denying, -1.0), **dict.fromkeys(only_look, 1.0)}
