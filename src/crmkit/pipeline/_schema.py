"""What a configured run can be told: one frozen dataclass for each table of the TOML file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = [
    "CapTable",
    "CasesTable",
    "Config",
    "FloorTable",
    "FrequencyTable",
    "HoldoutTable",
    "LimitsTable",
    "MetricTable",
    "OutputTable",
    "PlanTable",
    "ReadTable",
    "RemedyTable",
    "ReportTable",
    "RfmTable",
    "SegmentsTable",
    "TextTable",
    "ValueTable",
]

Schema = Literal[
    "plain", "customers", "transactions", "communications", "feedback", "ratings", "events", "campaigns", "cases",
    "opportunities",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ReadTable:
    """``[read.NAME]``: one table to read.

    Parameters
    ----------
    source : str
        A CSV or Parquet file; a relative path is looked for in ``data``.
    schema : str, default="transactions"
        One of the schemas of ``records``, or ``"plain"`` for a table taken as it is.
    columns : dict of str to str
        Standard name to the file's own header.
    on_error : {"raise", "set-aside"}, default="raise"
        Stop at rows that cannot be used, or set them aside with their reason.
    timezone : str, default="UTC"
        Of times written without one.
    currency : str or None
        Of amounts written without one.
    """

    source: str
    schema: Schema = "transactions"
    columns: dict[str, str] = field(default_factory=dict)
    on_error: Literal["raise", "set-aside"] = "raise"
    timezone: str = "UTC"
    currency: str | None = None


@dataclass(frozen=True, kw_only=True)
class RfmTable:
    """``[rfm]``: recency, frequency and monetary value of each customer.

    Parameters
    ----------
    table : str, default=""
        The table of transactions; where there is only one, it.
    cutoff : str or None
        Days from here on are not seen; None for the day after the last line.
    refunds : {"net", "ignore", "match"}, default="net"
        What negative amounts do.
    """

    table: str = ""
    cutoff: str | None = None
    refunds: Literal["net", "ignore", "match"] = "net"


@dataclass(frozen=True, kw_only=True)
class SegmentsTable:
    """``[segments]``: which customers are alike.

    Parameters
    ----------
    segmenter : str, default="kmeans"
        A plugin of kind segmenter.
    params : dict
        Its parameters.
    n_segments : int or "auto", default="auto"
        How many.
    transform : str, default="rfm"
        How the columns are brought to one scale.
    rename : dict of str to str
        New names of segments.
    """

    segmenter: str = "kmeans"
    params: dict[str, Any] = field(default_factory=dict)
    n_segments: int | Literal["auto"] = "auto"
    transform: str = "rfm"
    rename: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ValueTable:
    """``[value]``: what each customer is worth.

    Parameters
    ----------
    margin : float
        Profit as a share of spend; there is no default.
    horizon : float
        How far to look, in ``unit``.
    table : str, default=""
        The table of transactions; where there is only one, it.
    cutoff : str or None
        As in ``[rfm]``, whose cutoff counts where this one is missing.
    refunds : {"net", "ignore", "match"}, default="net"
        What negative amounts do.
    unit : {"day", "week", "month"}, default="week"
        The unit of the model.
    lifetime : str, default="bg-nbd"
        A plugin of kind lifetime-model.
    lifetime_params : dict
        Its parameters.
    spend : str, default="gamma-gamma"
        A plugin of kind spend-model.
    spend_params : dict
        Its parameters.
    annual_discount_rate : float, default=0.10
        What a year's wait costs.
    split : str or None
        A date; where given, the models are also fitted before it and compared on what came after, beside naive ones.
    compare : list of str
        Other lifetime models to compare.
    """

    margin: float
    horizon: float
    table: str = ""
    cutoff: str | None = None
    refunds: Literal["net", "ignore", "match"] = "net"
    unit: Literal["day", "week", "month"] = "week"
    lifetime: str = "bg-nbd"
    lifetime_params: dict[str, Any] = field(default_factory=dict)
    spend: str = "gamma-gamma"
    spend_params: dict[str, Any] = field(default_factory=dict)
    annual_discount_rate: float = 0.10
    split: str | None = None
    compare: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TextTable:
    """``[text]``: learns classes from labelled messages and gives them to the others.

    Parameters
    ----------
    labelled : str
        The table to learn from; rows without a label are not learnt from.
    text : str, default="text"
        Its column of texts, also in the other two tables.
    label : str, default="label"
        Its column of labels, also in ``test``.
    test : str or None
        A table of labelled messages kept for the evaluation alone.
    test_share : float, default=0.2
        Where ``test`` is missing: the share of labelled messages kept for the evaluation, drawn in equal parts a class.
    classify : str or None
        The table whose messages are classified; None for the rows of ``labelled`` that have no label.
    classifier : str, default="text-svm"
        A plugin of kind classifier that takes texts.
    params : dict
        Its parameters.
    into : str, default="label"
        The column the class is written to; how sure the classifier is of it, where it says so, stands in ``score``.
    where : str or None
        An expression: only messages where it is true are learnt from and classified, such as ``direction == 'in'``.
    """

    labelled: str
    text: str = "text"
    label: str = "label"
    test: str | None = None
    test_share: float = 0.2
    classify: str | None = None
    classifier: str = "text-svm"
    params: dict[str, Any] = field(default_factory=dict)
    into: str = "label"
    where: str | None = None


@dataclass(frozen=True, kw_only=True)
class MetricTable:
    """``[[metrics]]``: one figure with its interval.

    Parameters
    ----------
    evaluator : str
        A plugin of kind evaluator.
    table : str
        The table its columns come from.
    columns : list of str
        The columns, in the order the evaluator's spec lists them.
    by : str or None
        A column: one figure for each of its values.
    name : str, default=""
        What the figure is called; the evaluator's name where missing.
    options : dict
        Options of the evaluator.
    """

    evaluator: str
    table: str
    columns: tuple[str, ...]
    by: str | None = None
    name: str = ""
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class CasesTable:
    """``[cases]``: which events are cases that need a remedy.

    Parameters
    ----------
    table : str, default=""
        The table of events; where missing, the only table read. A table that was classified has its classes.
    by : str or None
        The column that says which rows are one case; None makes every row a case of its own.
    where : str or None
        An expression: only rows where it is true.
    carry : list of str
        Columns of the table that each case takes along from its last row; of a table that was classified, the class
        comes along anyway.
    """

    by: str | None = None
    table: str = ""
    where: str | None = None
    carry: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RemedyTable:
    """``[[remedies]]``: one thing that can be done for a case.

    Parameters
    ----------
    name : str
        Its name.
    value : float or str
        Expected gain over doing nothing: a number or an expression of the cases' columns.
    uses : dict of str to (float or str)
        How much of each resource one case takes.
    eligible : str or None
        An expression: only cases where it is true.
    error, shared_error : float or str or None
        Standard errors of the value: each case's own, and what all cases of the remedy have in common.
    intensity : list of two (float or str), or None
        Least and most of what may be given, where the planner is to choose how much; ``intensity`` in the formulas.
    """

    name: str
    value: float | str
    uses: dict[str, float | str] = field(default_factory=dict)
    eligible: str | None = None
    error: float | str | None = None
    shared_error: float | str | None = None
    intensity: tuple[float | str, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class PackageValueTable:
    """``[[packages.values]]``: what remedies given together are worth.

    Parameters
    ----------
    remedies : list of str
        Their names, in any order.
    value : float or str
        As the value of a remedy.
    """

    remedies: tuple[str, ...]
    value: float | str


@dataclass(frozen=True, kw_only=True)
class PackagesTable:
    """``[packages]``: remedies that one case may get together.

    Parameters
    ----------
    at_most : int, default=2
        How many of them.
    requires : dict of str to list of str
        Remedies that are given only together with others.
    excludes : list of lists of str
        Sets of remedies of which one case gets one at most.
    values : list of tables
        See ``[[packages.values]]``.
    keeps : float, default=1.0
        What is left of the sum of the remedies' values where no value is given.
    """

    at_most: int = 2
    requires: dict[str, tuple[str, ...]] = field(default_factory=dict)
    excludes: tuple[tuple[str, ...], ...] = ()
    values: tuple[PackageValueTable, ...] = ()
    keeps: float = 1.0


@dataclass(frozen=True, kw_only=True)
class FloorTable:
    """``[[limits.floors]]``: at least so many cases get a remedy.

    Parameters
    ----------
    where : str or None
        An expression: which cases are meant.
    share : float or None
        Of those cases, from 0 to 1.
    count : int or None
        Instead of a share.
    remedy : str or None
        Only this remedy counts.
    name : str or None
        What the limit is called.
    """

    where: str | None = None
    share: float | None = None
    count: int | None = None
    remedy: str | None = None
    name: str | None = None


@dataclass(frozen=True, kw_only=True)
class CapTable:
    """``[[limits.caps]]``: at most so many cases get a remedy.

    Parameters
    ----------
    remedy : str or None
        The remedy meant; None for any.
    where : str or None
        An expression: which cases are meant.
    count : int or None
        At most so many.
    share : float or None
        Instead of a count, of those cases.
    name : str or None
        What the limit is called.
    """

    remedy: str | None = None
    where: str | None = None
    count: int | None = None
    share: float | None = None
    name: str | None = None


@dataclass(frozen=True, kw_only=True)
class HoldoutTable:
    """``[limits.holdout]``: cases left without a remedy on purpose, so that the effect can be measured.

    Parameters
    ----------
    share : float
        How many of the cases, from 0 to 1.
    by : str or None
        Cases that share this column's value are held out together.
    """

    share: float
    by: str | None = None


@dataclass(frozen=True, kw_only=True)
class RatioTable:
    """``[[limits.ratios]]``: one group's share of remedies is at least so many times that of another.

    Parameters
    ----------
    where : str
        An expression: the group that must not be left behind.
    least : float
        The least ratio of the two shares.
    to : str or None
        An expression: the group it is compared with; None for all cases.
    remedy : str or None
        Only this remedy counts.
    name : str or None
        What the limit is called.
    """

    where: str
    least: float
    to: str | None = None
    remedy: str | None = None
    name: str | None = None


@dataclass(frozen=True, kw_only=True)
class FrequencyTable:
    """``[[limits.frequency]]``: at most so many contacts of one customer within so many days.

    Parameters
    ----------
    table : str
        The table of contacts, one that is read.
    most : int
        At most so many in the window, those of the table included.
    days : float
        Length of the window.
    at : str
        When the plan is carried out, with a time zone, such as ``"2011-12-10T00:00+00:00"``.
    where : str or None
        An expression: which rows of the table are contacts.
    remedies : list of str or None
        Which remedies are contacts; None for all.
    per, time : str
        Columns of the table: whom it is about, and when.
    """

    table: str
    most: int
    days: float
    at: str
    where: str | None = None
    remedies: tuple[str, ...] | None = None
    per: str = "customer_id"
    time: str = "time"


@dataclass(frozen=True, kw_only=True)
class SoftTable:
    """``[limits.soft]``: what going beyond a limit costs.

    Parameters
    ----------
    penalty : float
        For each unit, or case, in the cases' currency.
    beyond : float or None
        At most so many; None for any number.
    """

    penalty: float
    beyond: float | None = None


@dataclass(frozen=True, kw_only=True)
class LimitsTable:
    """``[limits]``: what the plan must keep to.

    Parameters
    ----------
    resources : dict of str to float
        How much there is of each.
    floors, caps, ratios : list of tables
        See ``[[limits.floors]]``, ``[[limits.caps]]`` and ``[[limits.ratios]]``.
    frequency : list of tables
        See ``[[limits.frequency]]``.
    soft : dict of str to table
        Limits by name, a resource's or one given in ``name``, that may be broken at a price: see ``[limits.soft]``.
    holdout : table or None
        See ``[limits.holdout]``.
    """

    resources: dict[str, float] = field(default_factory=dict)
    floors: tuple[FloorTable, ...] = ()
    caps: tuple[CapTable, ...] = ()
    ratios: tuple[RatioTable, ...] = ()
    frequency: tuple[FrequencyTable, ...] = ()
    soft: dict[str, SoftTable] = field(default_factory=dict)
    holdout: HoldoutTable | None = None


@dataclass(frozen=True, kw_only=True)
class PlanTable:
    """``[plan]``: which remedy each case gets.

    Parameters
    ----------
    planner : str, default="auto"
        A plugin of kind planner.
    one_per : str or None
        A column: at most one remedy for all cases that share its value, such as ``customer_id``.
    what_if : dict of str to list of float
        Resources and the amounts of each to try.
    """

    planner: str = "auto"
    one_per: str | None = None
    what_if: dict[str, tuple[float, ...]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ReportTable:
    """``[report]``: the HTML file.

    Parameters
    ----------
    title : str or None
        Its title.
    lang : {"en", "zh"}, default="en"
        The language of its own words.
    file : str, default="report.html"
        Its name in the output folder.
    """

    title: str | None = None
    lang: Literal["en", "zh"] = "en"
    file: str = "report.html"


@dataclass(frozen=True, kw_only=True)
class OutputTable:
    """``[output]``: what is written where.

    Parameters
    ----------
    folder : str or None
        The folder, relative to the configuration; what the caller says wins.
    format : {"csv", "parquet"}, default="csv"
        Of the tables. ``plan.csv`` and ``metrics.csv`` are always CSV.
    records : bool, default=false
        Also write the tables that were read, as they were understood.
    """

    folder: str | None = None
    format: Literal["csv", "parquet"] = "csv"
    records: bool = False


@dataclass(frozen=True, kw_only=True)
class Config:
    """A whole configuration; a step that is not there is not run.

    Parameters
    ----------
    read : dict of str to table
        ``[read.NAME]``: the tables to read, by the name the other steps use.
    data : str or None
        The folder of relative sources; relative to the configuration. ``$NAME`` is taken from the environment.
    seed : int, default=0
        Of everything that draws.
    quality : bool, default=false
        Also measure completeness, uniqueness, validity, consistency and timeliness of the tables.
    rfm, segments, value, text, cases, packages, limits, plan : table or None
        The steps.
    metrics, remedies : list of tables
        The figures and the remedies.
    report, output : table
        What is shown and written.
    """

    read: dict[str, ReadTable]
    data: str | None = None
    seed: int = 0
    quality: bool = False
    rfm: RfmTable | None = None
    segments: SegmentsTable | None = None
    value: ValueTable | None = None
    text: TextTable | None = None
    metrics: tuple[MetricTable, ...] = ()
    cases: CasesTable | None = None
    remedies: tuple[RemedyTable, ...] = ()
    packages: PackagesTable | None = None
    limits: LimitsTable | None = None
    plan: PlanTable | None = None
    report: ReportTable = field(default_factory=ReportTable)
    output: OutputTable = field(default_factory=OutputTable)
