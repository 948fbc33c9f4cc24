"""Reads questionnaires, one answer a row, and sets aside every answer that is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from crmkit.core.errors import SchemaError, SchemaProblem
from crmkit.records._cells import Converted, distinct, missing_cells, text_series
from crmkit.records._mapping import Mapped, map_headers
from crmkit.records._numbers import NOT_A_NUMBER, as_numbers
from crmkit.records._read import OnError, load
from crmkit.records._scale import Scale
from crmkit.records._schema import header_key
from crmkit.records._schemas import FEEDBACK
from crmkit.records._sources import Opened, open_source
from crmkit.records._times import check_timezone

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from crmkit.records._loaded import Loaded

__all__ = ["questionnaire"]

QUESTION, ANSWER, RESPONDENT = "question", "answer", "respondent_row"

_OFF_SCALE = "not on the question's scale"
_NOT_ANSWERED = "not answered"
_UNKNOWN = "has no declared scale"


def questionnaire(
    source: Any,
    scales: Mapping[str, Scale | tuple[float, float]],
    *,
    layout: Literal["wide", "long"] = "wide",
    columns: Mapping[str, str | None] | None = None,
    on_error: OnError = "set-aside",
    timezone: str = "UTC",
    day_first: bool | None = None,
    encoding: str | None = None,
) -> Loaded:
    """Read a questionnaire as FEEDBACK, one row an answer.

    Parameters
    ----------
    source : DataFrame of pandas, Polars or PyArrow, mapping of columns, or path to CSV or Parquet
        Wide: one row a respondent, one column a question. Long: one row an answer, with its question and its score.
    scales : mapping of str to Scale or (low, high)
        The questions and the answers each allows. Wide: the headers of the questions' columns. Long: the texts of the
        question column.
    layout : {"wide", "long"}, default="wide"
        How the answers are arranged.
    columns : mapping of str to str, default=None
        From standard name (``customer_id``, ``time``, ``channel``, and in long layout ``question`` and ``score``) to
        the source's header.
    on_error : {"set-aside", "raise"}, default="set-aside"
        What to do with answers that cannot be used.
    timezone : str, default="UTC"
        In which times without an offset are local.
    day_first : bool, default=None
        How 03/04/2010 is meant.
    encoding : str, default=None
        Encoding of a text file, where it is not to be found out.

    Returns
    -------
    Loaded
        ``table`` has ``question``, ``score``, ``scale_low``, ``scale_high`` and the other columns of FEEDBACK. Every
        answer of the source, also one left blank, is in exactly one of ``table`` and ``set_aside``; in wide layout
        ``rows`` counts answers question by question, and ``respondent_row`` tells the source's row.

    Raises
    ------
    SchemaError
        If a question's column or a required one is absent, or with ``on_error="raise"`` any answer cannot be used.
    DataError
        If the source cannot be opened.
    ValueError
        If ``layout`` or ``on_error`` is unknown, or a scale is no scale.

    Examples
    --------
    >>> from crmkit import records
    >>> loaded = records.questionnaire(
    ...     {"客户编号": ["a", "b"], "服务态度": ["5", "非常满意"], "推荐意愿": ["11", ""]},
    ...     {"服务态度": records.Scale(1, 5, labels={"非常满意": 5}), "推荐意愿": (0, 10)},
    ... )
    >>> loaded.table[["customer_id", "score", "scale_high"]].to_dict("records")
    [{'customer_id': 'a', 'score': 5.0, 'scale_high': 5.0}, {'customer_id': 'b', 'score': 5.0, 'scale_high': 5.0}]
    >>> loaded.set_aside["reason"].tolist()
    ["score: not on the question's scale", 'score: not answered']
    """
    if layout not in {"wide", "long"}:
        raise ValueError(f"layout must be 'wide' or 'long', got {layout!r}")
    if on_error not in {"raise", "set-aside"}:
        raise ValueError(f"on_error must be 'raise' or 'set-aside', got {on_error!r}")
    if not scales:
        raise ValueError("scales is empty: declare each question with the answers it allows, such as {'q1': (1, 5)}")
    known = {str(question): each if isinstance(each, Scale) else Scale(*each) for question, each in scales.items()}
    zone = check_timezone(timezone)
    opened = open_source(source, encoding=encoding)
    if layout == "wide":
        opened, columns = _lengthen(opened, known, columns)
    headers = [str(header) for header in opened.frame.columns]
    mapped = map_headers(FEEDBACK, headers, columns=columns, preset=None, repeated=opened.repeated)
    converted = {} if mapped.problems else _answers(opened.frame, mapped, known)
    return load(
        opened,
        FEEDBACK,
        mapped,
        on_error=on_error,
        timezone=timezone,
        zone=zone,
        currency=None,
        day_first=day_first,
        converted=converted,
    )


def _lengthen(
    opened: Opened, scales: Mapping[str, Scale], columns: Mapping[str, str | None] | None
) -> tuple[Opened, dict[str, str | None]]:
    """Turn one row a respondent into one row an answer, question by question, cells as they were."""
    frame = opened.frame
    by_key = {header_key(header): header for header in reversed(list(frame.columns))}
    asked = {question: by_key.get(header_key(question)) for question in scales}
    missing = [question for question, header in asked.items() if header is None]
    if missing:
        listed = ", ".join(repr(str(header)) for header in frame.columns)
        problems = [SchemaProblem(question, f"is no header; the source has: {listed}") for question in missing]
        raise SchemaError(f"{opened.name} lacks {len(missing)} of {len(scales)} questions", problems)
    about = frame.drop(columns=[header for header in asked.values() if header is not None])
    about = about.rename(columns={name: f"{name} (source)" for name in (QUESTION, ANSWER) if name in about.columns})
    n_rows, n_questions = len(frame), len(asked)
    position = np.tile(np.arange(n_rows), n_questions)
    answers = about.iloc[position].reset_index(drop=True)
    cells = np.concatenate([frame[header].astype(object).to_numpy() for header in asked.values()])
    answers[QUESTION] = np.repeat(np.array(list(asked), dtype=object), n_rows)
    answers[ANSWER] = pd.Series(cells, dtype=object)
    answers[RESPONDENT] = position.astype(np.int64)
    broken = {reason: np.tile(mask, n_questions) for reason, mask in opened.broken.items()}
    long = Opened(answers, opened.name, opened.encoding, opened.delimiter, broken, opened.repeated)
    return long, {**(columns or {}), "question": QUESTION, "score": ANSWER}


def _answers(frame: pd.DataFrame, mapped: Mapped, scales: Mapping[str, Scale]) -> dict[str, Converted]:
    """Score every answer on its question's scale."""
    if "question" not in mapped.headers:
        problem = SchemaProblem("question", "is missing: map it with columns={'question': HEADER}")
        raise SchemaError("the source has no column of questions", [problem])
    asked = _texts(frame[mapped.headers["question"]])
    column = frame[mapped.headers["score"]]
    n_rows = len(frame)
    scores, low, high = np.full(n_rows, np.nan), np.full(n_rows, np.nan), np.full(n_rows, np.nan)
    known = np.zeros(n_rows, dtype=bool)
    unreadable, off = np.zeros(n_rows, dtype=bool), np.zeros(n_rows, dtype=bool)
    blank = missing_cells(column)
    for question, scale in scales.items():
        rows = np.flatnonzero(asked == question.strip())
        known[rows] = True
        low[rows], high[rows] = scale.low, scale.high
        read, words = _read_scores(column.iloc[rows].reset_index(drop=True), scale)
        unreadable[rows] = words
        off[rows] = ~np.isnan(read) & ~_allowed(read, scale)
        scores[rows] = scale.low + scale.high - read if scale.reverse else read
    no_question = asked == ""
    wrong = {_OFF_SCALE: off, NOT_A_NUMBER: unreadable & ~blank, _NOT_ANSWERED: blank & known}
    question_wrong = {_UNKNOWN: ~known & ~no_question, "missing": no_question}
    nothing = np.zeros(n_rows, dtype=bool)
    scores[off | unreadable] = np.nan
    return {
        "score": Converted(pd.Series(scores), nothing, _present(wrong)),
        "question": Converted(text_series([text or None for text in asked]), nothing, _present(question_wrong)),
        "scale_low": Converted(pd.Series(low), nothing),
        "scale_high": Converted(pd.Series(high), nothing),
    }


def _texts(column: pd.Series) -> npt.NDArray[np.object_]:
    """Give the questions as text, blank where missing."""
    codes, found = distinct(column)
    return np.array([*(str(cell).strip() for cell in found), ""], dtype=object)[codes]


def _read_scores(column: pd.Series, scale: Scale) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Read answers as numbers, or by their words; say which are neither."""
    codes, found = distinct(column)
    labelled = [scale.score_of(cell) if isinstance(cell, str) else None for cell in found]
    by_word = np.array([*(np.nan if score is None else score for score in labelled), np.nan])[codes]
    numbers = as_numbers(column, FEEDBACK["score"])
    values = np.where(np.isnan(by_word), numbers.values.to_numpy(dtype=np.float64), by_word)
    return values, np.isnan(values) & ~numbers.missing


def _allowed(scores: npt.NDArray[np.float64], scale: Scale) -> npt.NDArray[np.bool_]:
    """Say which scores the scale allows."""
    inside = (scores >= scale.low) & (scores <= scale.high)
    if scale.step is None:
        return np.asarray(inside, dtype=bool)
    steps = (scores - scale.low) / scale.step
    return np.asarray(inside & (np.abs(steps - np.round(steps)) < 1e-9), dtype=bool)


def _present(wrong: Mapping[str, npt.NDArray[np.bool_]]) -> dict[str, npt.NDArray[np.bool_]]:
    """Keep the reasons that any row has."""
    return {reason: mask for reason, mask in wrong.items() if mask.any()}
