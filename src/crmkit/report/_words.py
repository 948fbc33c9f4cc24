"""What the report itself says, in English and Chinese; names of columns, segments and remedies stay as they are."""

from __future__ import annotations

from crmkit.core.errors import DataError

__all__ = ["LANGUAGES", "Words"]

LANGUAGES = ("en", "zh")

_WORDS: dict[str, tuple[str, str]] = {
    "title": ("Report", "报告"),
    "contents": ("Contents", "目录"),
    "written": ("Written", "生成时间"),
    "made_with": ("Made with crmkit", "由 crmkit 生成"),
    "rows": ("rows", "行"),
    "customers": ("customers", "位客户"),
    "cases": ("cases", "个个案"),
    "first_rows": ("the first {shown:,} of {total:,} rows", "共 {total:,} 行，显示前 {shown:,} 行"),
    "no_rows": ("no rows", "没有行"),
    "loaded": ("What was read", "读入的数据"),
    "set_aside": ("Rows set aside, by reason", "搁置的行（按原因）"),
    "reason": ("reason", "原因"),
    "no_set_aside": ("No row was set aside.", "没有搁置任何行。"),
    "loaded_counts": (
        "{read:,} rows were read: {kept:,} are used, {aside:,} are set aside.",
        "读入 {read:,} 行：使用 {kept:,} 行，搁置 {aside:,} 行。",
    ),
    "segments": ("Segments", "客户分群"),
    "profile": ("Profile of the segments", "分群画像"),
    "choice": ("How the number of segments was chosen", "分群数的选择"),
    "rules": ("The segments as rules", "分群规则"),
    "fidelity": (
        "A small tree tells the segments apart; it agrees with them for {share} ({low} to {high}) of unseen customers.",
        "用一棵小决策树描述分群；对未参与建树的客户，与分群一致的占比为 {share}（{low} 至 {high}）。",
    ),
    "without_rule": ("No rule says: {names}.", "没有规则描述的分群：{names}。"),
    "rule_segment": ("segment", "分群"),
    "rule_rule": ("rule", "规则"),
    "rule_customers": ("customers", "客户数"),
    "precision": ("in the segment", "属于该分群"),
    "coverage": ("of the segment", "覆盖该分群"),
    "on_others": ("of customers held back", "留出客户中属于该分群"),
    "segment_count": ("{n:,} customers in {k:,} segments.", "{n:,} 位客户，分为 {k:,} 群。"),
    "outside": ("{count:,} customers are in no segment.", "{count:,} 位客户不属于任何分群。"),
    "plan": ("Plan", "补救计划"),
    "plan_value": (
        "The plan keeps {value} of value; no plan can keep more than {bound} (gap {gap}).",
        "该计划保留的价值为 {value}；任何计划都不会超过 {bound}（差距 {gap}）。",
    ),
    "plan_value_open": (
        "The plan keeps {value} of value. How much more is possible is not known.",
        "该计划保留的价值为 {value}。上限未知。",
    ),
    "planner": ("Made by planner {planner}.", "规划算法：{planner}。"),
    "by_remedy": ("Cases by remedy", "按补救措施的个案数"),
    "by_remedy_table": ("The plan by remedy", "按补救措施汇总"),
    "remedy": ("remedy", "补救措施"),
    "count": ("cases", "个案数"),
    "value": ("value", "价值"),
    "use": ("Share of each limit that is used", "各项限制的使用比例"),
    "prices": (
        "Prices: what one unit more (price_more) or less (price_less) of a limit is worth",
        "影子价格：每项限制增加一单位（price_more）或减少一单位（price_less）的价值",
    ),
    "waterfall": ("Value kept as the limits come in one by one", "逐项加入限制后保留的价值"),
    "waterfall_table": (
        "What each limit costs (cost), alone, and what leaving out only this one would bring (last); of divided plans",
        "每项限制的代价（cost）、单独作用时的代价（alone）、仅取消该项可增加的价值（last）；按可拆分的计划计算",
    ),
    "waterfall_many": (
        "What each limit costs is shown for up to {most} limits; there are {limits:,}: plan.waterfall takes groups.",
        "限制不超过 {most} 项时显示各项代价；此处有 {limits:,} 项，可用 plan.waterfall 分组查看。",
    ),
    "waterfall_none": (
        "No plan keeps all limits, so that there is nothing to say of what each costs.",
        "没有计划能同时满足所有限制，无法计算各项限制的代价。",
    ),
    "everything": ("without any limit", "没有任何限制"),
    "whole_cases": ("the plan: whole cases", "该计划：个案不拆分"),
    "limit": ("limit", "限制"),
    "what_if": ("What if there were more or less of {limit}?", "如果 {limit} 更多或更少？"),
    "now": ("now", "当前"),
    "estimates": ("Figures with their intervals", "指标及其区间"),
    "figure": ("figure", "指标"),
    "low": ("low", "下限"),
    "high": ("high", "上限"),
    "method": ("method", "方法"),
    "level": ("level", "置信水平"),
    "counts": ("Counts", "计数"),
    "classes": ("Messages by class", "按类别的消息数"),
    "messages": ("messages", "条消息"),
    "table": ("Table", "表"),
    "class": ("class", "类别"),
    "scores": ("F1 of each class", "各类别的 F1"),
}


class Words:
    """The report's own words in one language.

    Parameters
    ----------
    lang : {"en", "zh"}
        The language; region tags such as ``zh-CN`` count as their language.

    Raises
    ------
    DataError
        If there are no words in that language.
    """

    def __init__(self, lang: str = "en") -> None:
        base = str(lang).replace("_", "-").partition("-")[0].lower()
        if base not in LANGUAGES:
            raise DataError(f"lang must be one of {', '.join(LANGUAGES)}, got {lang!r}")
        self.lang = "zh-CN" if base == "zh" else base
        self._place = LANGUAGES.index(base)

    def __call__(self, key: str, **values: object) -> str:
        """Give a sentence with its values put in."""
        return _WORDS[key][self._place].format(**values)
