"""The one expression language: names, numbers, strings, arithmetic, a few functions, comparison, in, and/or/not."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from crmkit.core.errors import ExpressionError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    import numpy.typing as npt

__all__ = ["Evaluated", "Expression", "parse"]

LONGEST = 10_000
DEEPEST = 60
LARGEST_POWER = 16

_FUNCTIONS = {"abs": 1, "exp": 1, "log": 1, "sqrt": 1, "max": None, "min": None}  # how many numbers, None: two or more
_LANGUAGE = (
    "an expression may hold column names, numbers, strings, + - * / // % **, "
    f"{', '.join(sorted(_FUNCTIONS))} of numbers, comparisons, in, and, or, not"
)
_QUOTED = re.compile(r"""('(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")|`([^`\n]+)`""")
_OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "add", ast.Sub: "subtract", ast.Mult: "multiply", ast.Div: "divide", ast.FloorDiv: "floor_divide",
    ast.Mod: "mod", ast.Pow: "power", ast.USub: "negative", ast.UAdd: "positive",
    ast.Eq: "equal", ast.NotEq: "not_equal", ast.Lt: "less", ast.LtE: "less_equal", ast.Gt: "greater",
    ast.GtE: "greater_equal",
}  # fmt: skip


@dataclass(frozen=True)
class Evaluated:
    """What an expression gives for every row.

    Parameters
    ----------
    values : ndarray of shape (n_rows,)
        Bool for conditions, float64 for numbers, object for text; False or NaN where missing.
    missing : ndarray of bool, shape (n_rows,)
        Rows whose answer is unknown: a value that decides it is missing, or the arithmetic has no finite result.
    """

    values: npt.NDArray[Any]
    missing: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Expression:
    """A parsed expression; nothing of it is ever executed as Python.

    Missing values follow three-valued logic as in SQL: a comparison with a missing value is unknown, ``unknown or
    True`` is True, ``unknown and False`` is False. Arithmetic without a finite result, such as a division by zero or
    the logarithm of zero, is unknown too. Whoever evaluates decides what unknown means and tells how many rows it
    concerns.

    Parameters
    ----------
    text : str
        The expression as it was written.
    names : frozenset of str
        The columns it reads.

    Notes
    -----
    Cost: one array operation per operator; memory is a few columns of the table's length.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.core.predicate import parse
    >>> table = pd.DataFrame({"amount": [10.0, 500.0, None], "channel": ["web", "shop", "web"]})
    >>> parse("amount <= 200 and channel in ('web', 'app')").evaluate(table).values.tolist()
    [True, False, False]
    >>> parse("0.3 * amount - 1").evaluate(table).missing.tolist()
    [False, False, True]
    """

    text: str
    names: frozenset[str]
    _tree: ast.expr
    _quoted: Mapping[str, str]

    def evaluate(self, table: Any, /) -> Evaluated:
        """Work the expression out for every row of a table.

        Parameters
        ----------
        table : DataFrame or mapping of str to array
            The columns, all of one length.

        Returns
        -------
        Evaluated
            Values and which of them are unknown.

        Raises
        ------
        ExpressionError
            If a name is not a column, or text and numbers are mixed.
        """
        import numpy as np

        from crmkit.core._predicate_arrays import Evaluator

        columns = list(getattr(table, "columns", table.keys() if hasattr(table, "keys") else ()))
        unknown = sorted(self.names.difference(map(str, columns)))
        if unknown:
            raise ExpressionError(_unknown_names(self.text, unknown, [str(column) for column in columns]))
        with np.errstate(all="ignore"):
            return Evaluator(self.text, table, self._quoted).run(self._tree)


def _unknown_names(text: str, unknown: list[str], columns: list[str]) -> str:
    """Build the message for names that are no columns."""
    from difflib import get_close_matches

    parts = []
    for name in unknown:
        nearest = get_close_matches(name, columns, n=1)
        parts.append(f"{name!r}" + (f" (did you mean {nearest[0]!r}?)" if nearest else ""))
    listed = ", ".join(columns[:40]) + (", …" if len(columns) > 40 else "")
    return f"in {text!r}: no column {', '.join(parts)}; the columns are: {listed or 'none'}"


@lru_cache(maxsize=512)
def parse(text: str) -> Expression:
    r"""Read an expression, refusing everything that is not in the language.

    A column whose name is not a plain word stands in backticks: ``\`Customer ID\` == '12'``.

    Parameters
    ----------
    text : str
        For example ``"0.30 * lifetime_value - amount"`` or ``"recency_days <= 60 and not vip"``.

    Returns
    -------
    Expression
        Ready to be evaluated on any table that has its columns.

    Raises
    ------
    ExpressionError
        If it does not parse, is too long or too deep, or holds anything but the language: other calls, attributes,
        subscripts, comprehensions, lambdas, assignments, dunder names, powers over 16.

    Examples
    --------
    >>> from crmkit.core.predicate import parse
    >>> sorted(parse("0.3 * lifetime_value - amount").names)
    ['amount', 'lifetime_value']
    """
    if not isinstance(text, str):
        raise ExpressionError(f"an expression is text, got {type(text).__name__}")
    if len(text) > LONGEST:
        raise ExpressionError(f"an expression may have at most {LONGEST:,} characters, got {len(text):,}")
    quoted: dict[str, str] = {}

    def hide(match: re.Match[str]) -> str:
        if match.group(1) is not None:
            return match.group(1)
        stand_in = f"quoted_{len(quoted)}_column"
        quoted[stand_in] = match.group(2)
        return f" {stand_in} "

    shown = text if len(text) <= 120 else f"{text[:120]}…"
    try:
        tree = ast.parse(_QUOTED.sub(hide, text).strip(), mode="eval").body
    except SyntaxError as error:
        raise ExpressionError(f"in {shown!r}: {error.msg}; {_LANGUAGE}") from None
    except (MemoryError, RecursionError, ValueError, OverflowError):
        raise ExpressionError(f"in {shown!r}: too deeply nested or not readable; {_LANGUAGE}") from None
    names: set[str] = set()
    _check(tree, shown, names, quoted)
    return Expression(text, frozenset(names), tree, quoted)


def _check(tree: ast.expr, text: str, names: set[str], quoted: Mapping[str, str]) -> None:
    """Walk the tree without recursion, collect names and refuse what is not in the language."""
    stack: list[tuple[ast.expr, int]] = [(tree, 1)]
    while stack:
        node, depth = stack.pop()
        if depth > DEEPEST:
            raise ExpressionError(f"in {text!r}: nested deeper than {DEEPEST} levels")
        check = _CHECKS.get(type(node))
        if check is None:
            raise ExpressionError(f"in {text!r}: {_spoken(node)} is not allowed; {_LANGUAGE}")
        if isinstance(node, ast.Name):
            name = quoted.get(node.id, node.id)
            if name.startswith("__"):
                raise ExpressionError(f"in {text!r}: the name {name!r} is not allowed; {_LANGUAGE}")
            names.add(name)
        stack.extend((child, depth + 1) for child in check(node, text))


def _spoken(node: ast.AST) -> str:
    """Name a Python construct as people do."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(node).__name__).lower()
    return {"attribute": "attribute access", "call": "a call", "constant": "that constant"}.get(words, f"a {words}")


def _check_constant(node: ast.Constant, text: str) -> list[ast.expr]:
    """Allow finite numbers, text, True and False."""
    if isinstance(node.value, bool | str):
        return []
    if isinstance(node.value, int | float):
        try:
            finite = abs(float(node.value)) < float("inf")
        except OverflowError:
            finite = False
        if finite:
            return []
        raise ExpressionError(f"in {text!r}: a number is too large")
    raise ExpressionError(f"in {text!r}: {node.value!r} is not a number, text, True or False")


def _check_binary(node: ast.BinOp, text: str) -> list[ast.expr]:
    """Allow arithmetic, with small literal powers only."""
    if type(node.op) not in _OPERATORS:
        raise ExpressionError(f"in {text!r}: {_spoken(node.op)} is not allowed; {_LANGUAGE}")
    if isinstance(node.op, ast.Pow):
        power = node.right.operand if isinstance(node.right, ast.UnaryOp) else node.right
        number = power.value if isinstance(power, ast.Constant) else None
        if isinstance(number, bool) or not isinstance(number, int | float) or abs(number) > LARGEST_POWER:
            raise ExpressionError(f"in {text!r}: a power must be a number from -{LARGEST_POWER} to {LARGEST_POWER}")
    return [node.left, node.right]


def _check_compare(node: ast.Compare, text: str) -> list[ast.expr]:
    """Allow comparisons, chains of them, and membership in a list of constants."""
    children = [node.left]
    for operator, right in zip(node.ops, node.comparators, strict=True):
        if isinstance(operator, ast.In | ast.NotIn):
            if not isinstance(right, ast.Tuple | ast.List | ast.Set):
                raise ExpressionError(f"in {text!r}: 'in' needs a list in brackets, such as ('web', 'app')")
            for item in right.elts:
                constant = item.operand if isinstance(item, ast.UnaryOp) and isinstance(item.op, ast.USub) else item
                if not isinstance(constant, ast.Constant):
                    raise ExpressionError(f"in {text!r}: a list after 'in' may hold numbers and text only")
                _check_constant(constant, text)
        elif type(operator) in _OPERATORS:
            children.append(right)
        else:
            raise ExpressionError(f"in {text!r}: {_spoken(operator)!r} is not allowed; use == or !=")
    return children


def _check_unary(node: ast.UnaryOp, text: str) -> list[ast.expr]:
    """Allow minus, plus and not."""
    if not isinstance(node.op, ast.USub | ast.UAdd | ast.Not):
        raise ExpressionError(f"in {text!r}: {_spoken(node.op)} is not allowed; {_LANGUAGE}")
    return [node.operand]


def _check_call(node: ast.Call, text: str) -> list[ast.expr]:
    """Allow the functions of numbers, called by their plain name."""
    name = node.func.id if isinstance(node.func, ast.Name) else None
    if name not in _FUNCTIONS:
        raise ExpressionError(f"in {text!r}: such a call is not allowed; {_LANGUAGE}")
    if node.keywords:
        raise ExpressionError(f"in {text!r}: {name} takes numbers in brackets and no keywords")
    wanted = _FUNCTIONS[name]
    if len(node.args) != wanted if wanted is not None else len(node.args) < 2:
        expected = "two numbers or more" if wanted is None else "one number"
        raise ExpressionError(f"in {text!r}: {name} takes {expected}, got {len(node.args)}")
    return node.args


_CHECKS: dict[type[ast.AST], Callable[[Any, str], list[ast.expr]]] = {
    ast.Constant: _check_constant,
    ast.Name: lambda _node, _text: [],
    ast.BinOp: _check_binary,
    ast.UnaryOp: _check_unary,
    ast.BoolOp: lambda node, _text: node.values,
    ast.Call: _check_call,
    ast.Compare: _check_compare,
}
