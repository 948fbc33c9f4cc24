"""A contact strategy: a table of rules with the channels, limits and quiet hours that bind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from crmkit.contact import _check
from crmkit.contact._actions import Actions, propose
from crmkit.contact._options import option_table
from crmkit.contact._quiet import QuietHours
from crmkit.contact._terms import Channel, Limit, rule_table
from crmkit.contact._toml import read_toml
from crmkit.contact._zones import check_zone, instant
from crmkit.core import html
from crmkit.core.checks import by_customer
from crmkit.core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

__all__ = ["Strategy"]


class Strategy:
    """Whom to contact by which channel with what, how often and when, as a table that a manager reads and edits.

    Each rule has a condition on the customers' columns (a stage, a segment, a value, a predicted need) in the language
    of expressions. Of the rules that fit a customer and whose contact is allowed, the one of the lowest rank acts; of
    equal ranks, the one that stands first. Nothing is guessed: :meth:`check` tells what the table leaves open, and
    :meth:`actions` sets aside, with the reason, every customer who gets no contact. A condition whose value is missing
    does not fit. Cost: one array operation a rule and operator.

    Parameters
    ----------
    table : table or list of mappings
        A row a rule: ``rule`` (its name), ``where``, ``channel``, ``content``; if wanted ``rank`` (1), ``purpose``,
        ``every_days`` (not again with this content by this channel within so many days), ``value`` (what a contact
        gains, an expression) and ``uses_<resource>`` (what it uses). Headers may be Chinese (规则, 优先级, 条件, 渠道,
        内容, 目的, 间隔天数, 价值, 占用_<resource>); blank rows and spaces around cells are left out.
    channels : sequence of Channel or str
        The channels there are; a text is a channel that always needs consent.
    limits : sequence of Limit, default=()
        How often a customer may be contacted.
    quiet : sequence of QuietHours or QuietHours, default=()
        When customers are left alone.
    timezone : str, default="UTC"
        The zone of customers whose column ``timezone`` is missing or empty.
    purpose : str, default="marketing"
        The purpose of rules that name none.

    Attributes
    ----------
    rules : DataFrame
        The table in its full form. Change a copy and make another strategy of it.
    channels : dict of str to Channel
        By name.
    limits, quiet : tuple
        As given.

    Raises
    ------
    DataError
        If the table cannot be read as rules, a channel stands twice, or the time zone is unknown.
    ExpressionError
        If a condition or formula is not in the expression language.

    Examples
    --------
    >>> from crmkit.contact import Limit, Strategy
    >>> customers = {"customer_id": ["a", "b"], "stage": ["new", "at risk"], "consent_email": [True, True]}
    >>> strategy = Strategy([{"rule": "welcome", "where": "stage == 'new'", "channel": "email", "content": "hello"}],
    ...                     channels=["email"], limits=[Limit(most=2, days=7)])
    >>> strategy.check(customers)[["problem", "customers"]].values.tolist()
    [['gap', 1]]
    >>> strategy.actions(customers, at="2024-03-01T09:00+00:00").table[["customer_id", "rule"]].values.tolist()
    [['a', 'welcome']]
    """

    def __init__(
        self,
        table: Any,
        *,
        channels: Sequence[Channel | str],
        limits: Sequence[Limit] = (),
        quiet: QuietHours | Sequence[QuietHours] = (),
        timezone: str = "UTC",
        purpose: str = "marketing",
    ) -> None:
        made = [Channel(name=channel) if isinstance(channel, str) else channel for channel in channels]
        self.channels: dict[str, Channel] = {channel.name: channel for channel in made}
        if len(self.channels) < len(made):
            raise DataError("channels: a name stands more than once")
        self.rules: pd.DataFrame = rule_table(table, purpose=purpose)
        self.limits: tuple[Limit, ...] = tuple(limits)
        self.quiet: tuple[QuietHours, ...] = (quiet,) if isinstance(quiet, QuietHours) else tuple(quiet)
        self.timezone: str = check_zone(timezone)

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read a strategy from a TOML file.

        Parameters
        ----------
        path : str or Path
            A file with ``[[rules]]``, ``[channels.NAME]``, and if wanted ``[[limits]]``, ``[[quiet]]``, ``timezone``
            and ``purpose``.

        Returns
        -------
        Strategy
            The strategy.

        Raises
        ------
        ConfigError
            If the file cannot be read, or a key is unknown or malformed.
        DataError
            As for the class.
        """
        rules, rest = read_toml(path)
        return cls(rules, **rest)

    def check(self, customers: Any) -> pd.DataFrame:
        """List gaps, contradictions and other problems of the strategy for these customers.

        Parameters
        ----------
        customers : table
            One row a customer, ``customer_id`` as column or index.

        Returns
        -------
        DataFrame
            ``problem, rule, other, customers, share, detail``, empty where there is none. Problems are ``gap`` (no
            rule fits), ``contradiction`` (two rules of one rank fit and differ), ``never fires``, ``never first``,
            ``unknown answer``, ``unknown column``, ``unknown channel``, ``not a condition``, ``limit cannot be kept``.
        """
        return _check.check(self, by_customer(customers, what="customers"))

    def actions(
        self, customers: Any, *, at: Any, history: Any = None, consent: Any = None, hour: str | None = None
    ) -> Actions:
        """Propose one contact a customer, or say why there is none.

        Parameters
        ----------
        customers : table
            One row a customer. ``opted_out`` (a missing answer counts as yes), ``timezone`` and, where no ``consent``
            is handed in, ``consent_<channel>`` are read if there.
        at : datetime or str
            From when contacts may be made, with a time zone. Nothing later is read from history and consent.
        history : table or None, default=None
            A row a contact made: ``customer_id``, ``time``, and ``channel``, ``content``, ``purpose`` as limits and
            rhythms ask for them; rows whose ``direction`` is ``"in"`` do not count. None says that nobody was
            contacted yet.
        consent : table or None, default=None
            A row an answer: ``customer_id``, ``channel``, ``granted``, and if known ``purpose``, ``time`` and
            ``expires`` (until when a grant counts). A missing channel or purpose means all.
        hour : str or None, default=None
            A column of the customers with the local hour (0 to 23) that suits them, as ``BestTime.predict`` gives it.

        Returns
        -------
        Actions
            With ``table``, ``candidates`` and ``set_aside``.

        Raises
        ------
        DataError
            If a rule names an unknown column or channel, or a table cannot be read.

        Warns
        -----
        DataWarning
            If ``consent`` names channels that the strategy has not, whose answers count for no rule.
        """
        frame = by_customer(customers, what="customers")
        wrong = _check.unknown_terms(self, frame)
        if wrong:
            told = "; ".join(" ".join(filter(None, [problem["rule"], problem["detail"]])) for problem in wrong)
            raise DataError(f"the strategy does not fit these customers: {told}")
        return propose(self, frame, instant(at), history, consent, hour)

    def options(
        self,
        customers: Any,
        *,
        at: Any,
        history: Any = None,
        consent: Any = None,
        keep: Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """Write all allowed contacts as options of a planning problem.

        Parameters
        ----------
        customers, at, history, consent : object
            As for :meth:`actions`.
        keep : sequence of str or None, default=None
            The customers' columns that limits of the plan name; None means all.

        Returns
        -------
        DataFrame
            A row a customer and allowed rule: ``case_id`` and ``customer_id`` (both the customer), ``remedy`` (the
            rule), ``value``, ``uses_<resource>``, then the customers' columns. Who may not be contacted is not in it.

        Raises
        ------
        DataError
            As for :meth:`actions`; if a rule has no value; or if a column of the customers has a name of the options.

        Warns
        -----
        DataWarning
            If values or uses are missing: such options are left out and counted.
        """
        proposed = self.actions(customers, at=at, history=history, consent=consent)
        return option_table(self, by_customer(customers, what="customers"), proposed.candidates, keep)

    def __repr__(self) -> str:
        return f"Strategy({len(self.rules)} rules, {len(self.channels)} channels, {len(self.limits)} limits)"

    def _repr_html_(self) -> str:
        rows = self.rules.itertuples(index=False, name=None)
        return html.table(list(self.rules.columns), list(rows), caption=repr(self))
