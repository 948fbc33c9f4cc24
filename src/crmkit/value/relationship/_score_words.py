"""The reasons for a customer's score in words, English and Chinese."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crmkit.core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

__all__ = ["LANGUAGES", "check_language", "reasons"]

LANGUAGES = ("en", "zh")

_NAMES = {
    "value": ("value", "价值"),
    "loyalty": ("loyalty", "忠诚度"),
    "engagement": ("engagement", "互动"),
}
_HIGHER = ("{part} higher than that of {share} % of customers", "{part}高于 {share}% 的客户")
_LOWER = ("{part} lower than that of {share} % of customers", "{part}低于 {share}% 的客户")
_NONE = ("nothing speaks for it", "没有突出的优势"), ("nothing speaks against it", "没有明显的不足")
_UNKNOWN = ("nothing is known", "没有可用的信息")


def check_language(language: str) -> int:
    """Check a language.

    Parameters
    ----------
    language : {"en", "zh"}
        The language of words.

    Returns
    -------
    int
        Its place in tables of words.

    Raises
    ------
    DataError
        If it is another one.
    """
    if language not in LANGUAGES:
        raise DataError(f"language must be one of {', '.join(map(repr, LANGUAGES))}, got {language!r}")
    return LANGUAGES.index(language)


def reasons(
    parts: Sequence[str],
    which: npt.NDArray[np.intp],
    share: npt.NDArray[np.float64],
    known: npt.NDArray[np.bool_],
    *,
    speaks_for: bool,
    language: str,
) -> npt.NDArray[np.object_]:
    """Write one reason a customer.

    Parameters
    ----------
    parts : sequence of str
        The parts of the score.
    which : ndarray of int, shape (n_customers,)
        The part that speaks most, -1 where none does.
    share : ndarray of float, shape (n_customers,)
        Of customers that are lower (for a reason for) or higher (against) in that part.
    known : ndarray of bool, shape (n_customers,)
        Whether any part is known.
    speaks_for : bool
        A reason for the score, or against it.
    language : {"en", "zh"}
        Of the words.

    Returns
    -------
    ndarray of object, shape (n_customers,)
        Texts.
    """
    place = check_language(language)
    form = (_HIGHER if speaks_for else _LOWER)[place]
    names = [_NAMES[part][place] if part in _NAMES else part for part in parts]
    # Every text there can be is written once; rounding down never claims more customers than there are.
    written = [form.format(part=name, share=percent or "<1") for name in names for percent in range(101)]
    texts = np.array([*written, _NONE[0 if speaks_for else 1][place], _UNKNOWN[place]], dtype=object)
    percent = np.floor(np.nan_to_num(share) * 100 + 1e-9).astype(np.int64)
    code = np.where(which < 0, len(written), which * 101 + percent)
    return np.asarray(texts[np.where(known, code, len(written) + 1)], dtype=object)
