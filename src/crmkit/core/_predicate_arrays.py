"""Works a parsed expression out on whole columns with three-valued logic."""

from __future__ import annotations

import ast
import unicodedata
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from crmkit.core.checks import as_frame
from crmkit.core.errors import ExpressionError
from crmkit.core.predicate import _OPERATORS, Evaluated

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Evaluator"]

_CALLS = {"abs": "absolute", "exp": "exp", "log": "log", "max": "maximum", "min": "minimum", "sqrt": "sqrt"}
NUMBER, TEXT, TRUTH, TIME = "a number", "text", "a condition", "a time"


class _Operand:
    """Values of one kind with their unknown rows; constants have no rows of their own."""

    def __init__(self, kind: str, values: Any, missing: npt.NDArray[np.bool_] | np.bool_) -> None:
        self.kind = kind
        self.values = values
        self.missing = missing


def _constant(value: Any) -> _Operand:
    """Wrap a literal."""
    if isinstance(value, bool):
        return _Operand(TRUTH, np.bool_(value), np.False_)
    if isinstance(value, str):
        return _Operand(TEXT, value, np.False_)
    return _Operand(NUMBER, np.float64(value), np.False_)


def _column(column: Any, text: str, name: str) -> _Operand:
    """Wrap a column by what it holds."""
    if isinstance(column, np.ndarray) and column.dtype.kind in "fiub":
        return _plain(column)
    series: Any = pd.Series(column) if not isinstance(column, pd.Series) else column
    missing = series.isna().to_numpy(dtype=bool)
    if pd.api.types.is_bool_dtype(series.dtype):
        return _Operand(TRUTH, series.fillna(value=False).to_numpy(dtype=bool) & ~missing, missing)
    if pd.api.types.is_datetime64_any_dtype(series.dtype):
        if getattr(series.dt, "tz", None) is not None:
            series = series.dt.tz_convert("UTC").dt.tz_localize(None)
        return _Operand(TIME, series.to_numpy(dtype="datetime64[us]"), missing)
    if pd.api.types.is_numeric_dtype(series.dtype):
        values = series.to_numpy(dtype=np.float64, na_value=np.nan)
        return _Operand(NUMBER, values, missing | ~np.isfinite(values))
    values = series.astype(object).to_numpy()
    known = values[~missing]
    if len(known) and all(isinstance(value, bool | np.bool_) for value in known):
        return _Operand(TRUTH, np.where(missing, False, values).astype(bool), missing)
    if not all(isinstance(value, str) for value in known):
        raise ExpressionError(
            f"in {text!r}: column {name!r} holds neither numbers, text, times nor conditions throughout"
        )
    return _Operand(TEXT, np.where(missing, "", values), missing)


def _plain(values: npt.NDArray[Any]) -> _Operand:
    """Wrap an array of numbers or conditions; what is not finite is unknown."""
    if values.dtype.kind == "b":
        return _Operand(TRUTH, values, np.zeros(len(values), dtype=bool))
    numbers = values.astype(np.float64, copy=False)
    return _Operand(NUMBER, numbers, ~np.isfinite(numbers))


class Evaluator:
    """Evaluates one expression on one table."""

    def __init__(self, text: str, table: Any, quoted: Mapping[str, str]) -> None:
        self.text = text
        self.table = table = table if isinstance(table, Mapping) else as_frame(table)
        self.quoted = quoted
        # Python's parser brings identifiers to NFKC, so columns are found by that form too.
        names = list(table.keys())
        self.by_name = {unicodedata.normalize("NFKC", str(name)): name for name in reversed(names)}
        self.by_name.update({str(name): name for name in names})
        self.n_rows = len(table) if isinstance(table, pd.DataFrame) else len(next(iter(table.values()), ()))

    def run(self, tree: ast.expr) -> Evaluated:
        """Give full-length values and unknown rows."""
        result = self.visit(tree)
        missing = np.broadcast_to(np.asarray(result.missing, dtype=bool), (self.n_rows,)).copy()
        if result.kind == TEXT:
            values = np.broadcast_to(np.asarray(result.values, dtype=object), (self.n_rows,)).copy()
            values[missing] = None
        elif result.kind == TRUTH:
            values = np.broadcast_to(np.asarray(result.values, dtype=bool), (self.n_rows,)) & ~missing
        elif result.kind == TIME:
            values = np.where(missing, np.datetime64("NaT"), result.values)
        else:
            values = np.broadcast_to(np.asarray(result.values, dtype=np.float64), (self.n_rows,)).copy()
            values[missing] = np.nan
        return Evaluated(values, missing)

    def visit(self, node: ast.expr) -> _Operand:
        """Evaluate one node; the parser has already refused everything else."""
        visit: Callable[[Any], _Operand] = getattr(self, f"visit_{type(node).__name__}")
        return visit(node)

    def visit_Constant(self, node: ast.Constant) -> _Operand:  # noqa: N802 -- named after the node
        """Evaluate a literal."""
        return _constant(node.value)

    def visit_Name(self, node: ast.Name) -> _Operand:  # noqa: N802 -- named after the node
        """Evaluate a column."""
        name = self.quoted.get(node.id, node.id)
        return _column(self.table[self.by_name[name]], self.text, name)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> _Operand:  # noqa: N802 -- named after the node
        """Evaluate minus, plus and not."""
        operand = self.visit(node.operand)
        if isinstance(node.op, ast.Not):
            operand = self.expect(operand, TRUTH, "not")
            return _Operand(TRUTH, ~operand.values & ~operand.missing, operand.missing)
        operand = self.expect(operand, NUMBER, "a sign")
        return _Operand(NUMBER, getattr(np, _OPERATORS[type(node.op)])(operand.values), operand.missing)

    def visit_BinOp(self, node: ast.BinOp) -> _Operand:  # noqa: N802 -- named after the node
        """Evaluate arithmetic; a result that is not finite is unknown."""
        left = self.expect(self.visit(node.left), NUMBER, "arithmetic")
        right = self.expect(self.visit(node.right), NUMBER, "arithmetic")
        values = getattr(np, _OPERATORS[type(node.op)])(left.values, right.values)
        return _Operand(NUMBER, values, left.missing | right.missing | ~np.isfinite(values))

    def visit_Call(self, node: ast.Call) -> _Operand:  # noqa: N802 -- named after the node
        """Evaluate a function of numbers; a result that is not finite is unknown, as is one of anything unknown."""
        name = getattr(node.func, "id", "")
        parts = [self.expect(self.visit(argument), NUMBER, name) for argument in node.args]
        function = getattr(np, _CALLS[name])
        values = function(parts[0].values) if len(parts) == 1 else parts[0].values
        missing: Any = parts[0].missing
        for part in parts[1:]:
            values, missing = function(values, part.values), missing | part.missing
        return _Operand(NUMBER, values, missing | ~np.isfinite(values))

    def visit_BoolOp(self, node: ast.BoolOp) -> _Operand:  # noqa: N802 -- named after the node
        """Evaluate and/or: what is unknown stays so unless another part decides."""
        word = "and" if isinstance(node.op, ast.And) else "or"
        parts = [self.expect(self.visit(value), TRUTH, word) for value in node.values]
        # A part is decisive where it is known and False (and), or known and True (or).
        decisive: Any = np.False_
        missing: Any = np.False_
        for part in parts:
            known = ~part.missing
            decisive = decisive | (known & (~part.values if word == "and" else part.values))
            missing = missing | part.missing
        missing = missing & ~decisive
        values = (~decisive & ~missing) if word == "and" else decisive
        return _Operand(TRUTH, values, missing)

    def visit_Compare(self, node: ast.Compare) -> _Operand:  # noqa: N802 -- named after the node
        """Evaluate a comparison, a chain of them, or membership."""
        left = self.visit(node.left)
        links = []
        for operator, right_node in zip(node.ops, node.comparators, strict=True):
            if isinstance(operator, ast.In | ast.NotIn):
                links.append(self.member(left, right_node, negate=isinstance(operator, ast.NotIn)))
            else:
                right = self.visit(right_node)
                links.append(self.compare(left, right, _OPERATORS[type(operator)]))
                left = right
        result = links[0]
        for link in links[1:]:
            decisive = (~result.missing & ~result.values) | (~link.missing & ~link.values)
            missing = (result.missing | link.missing) & ~decisive
            result = _Operand(TRUTH, ~decisive & ~missing, missing)
        return result

    def compare(self, left: _Operand, right: _Operand, operator: str) -> _Operand:
        """Compare two operands of one kind; text beside a time is read as a time."""
        left, right = self.as_time(left, right), self.as_time(right, left)
        kinds = {left.kind, right.kind}
        if kinds == {TRUTH, NUMBER}:  # 0/1 flags are written both ways
            left, right = (
                _Operand(NUMBER, np.asarray(side.values, dtype=np.float64), side.missing) for side in (left, right)
            )
        elif len(kinds) > 1 and (np.all(left.missing) or np.all(right.missing)):
            # A column of which nothing is known has the type of nothing: a file with one empty cell, say.
            nowhere = np.zeros(np.broadcast(left.values, right.values).shape, dtype=bool)
            return _Operand(TRUTH, nowhere, ~nowhere)
        elif len(kinds) > 1:
            raise ExpressionError(f"in {self.text!r}: {left.kind} cannot be compared with {right.kind}")
        values = (
            np.asarray(getattr(np, operator)(left.values, right.values), dtype=bool)
            if left.kind != TEXT
            else self.compare_text(left, right, operator)
        )
        missing = left.missing | right.missing
        return _Operand(TRUTH, values & ~missing, missing)

    def compare_text(self, left: _Operand, right: _Operand, operator: str) -> Any:
        """Compare text as Python does."""
        result = getattr(np, operator)(np.asarray(left.values, dtype=object), np.asarray(right.values, dtype=object))
        return np.asarray(result, dtype=bool)

    def member(self, left: _Operand, right: ast.expr, *, negate: bool) -> _Operand:
        """Say which values stand in a list of constants."""
        items = [ast.literal_eval(item) for item in getattr(right, "elts", [])]
        found: Any = np.zeros(np.shape(left.values), dtype=bool)
        for item in items:
            found = found | self.compare(left, _constant(item), "equal").values
        return _Operand(TRUTH, (~found if negate else found) & ~left.missing, left.missing)

    def as_time(self, operand: _Operand, other: _Operand) -> _Operand:
        """Read a text constant as a UTC time where it is compared with a time."""
        if other.kind != TIME or operand.kind != TEXT or not isinstance(operand.values, str):
            return operand
        try:
            instant = pd.Timestamp(operand.values)
        except ValueError:
            raise ExpressionError(f"in {self.text!r}: {operand.values!r} is not a time") from None
        if instant.tzinfo is not None:
            instant = instant.tz_convert("UTC").tz_localize(None)
        return _Operand(TIME, instant.to_datetime64(), np.False_)

    def expect(self, operand: _Operand, kind: str, where: str) -> _Operand:
        """Refuse an operand of the wrong kind; a condition counts as 1 or 0 in arithmetic, a number is no condition."""
        if operand.kind == kind:
            return operand
        if kind == NUMBER and operand.kind == TRUTH:
            return _Operand(NUMBER, np.asarray(operand.values, dtype=np.float64), operand.missing)
        raise ExpressionError(f"in {self.text!r}: {where} needs {kind}, got {operand.kind}")
