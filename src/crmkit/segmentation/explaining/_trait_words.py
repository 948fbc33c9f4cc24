"""The words of English and Chinese for what sets a segment apart, by the columns that customer tables have."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LANGUAGES", "STRONG", "Words"]

STRONG = 0.66

_UNIT = re.compile(r"_(?:days?|weeks?|months?|years?|hours?|minutes?)$")

# What a column is, by its header without unit. "recency" alone is not here: to some it is the days since the last
# purchase, to others the age at it, and a name that says the opposite is worse than none.
_MEANING = {
    "recency_": "recency_days days_since_last_purchase days_since_last_order days_since_purchase 距上次购买天数 "
    "最近消费天数 最近一次消费天数 最近购买天数 未购天数",
    "frequency": "frequency orders n_orders num_orders order_count purchases n_purchases num_purchases purchase_count "
    "transactions n_transactions transaction_count purchase_days 购买次数 消费次数 购买频次 消费频次 消费频率 订单数 "
    "下单次数",
    "monetary": "monetary spend total_spend total_spent total_amount revenue total_revenue 消费金额 消费总额 "
    "累计消费 累计消费金额 总消费 消费额",
    "order_value": "repeat_spend monetary_value avg_order_value average_order_value order_value aov basket_value "
    "avg_basket 客单价 平均客单价 笔单价",
    "repeats": "repeats n_repeats repeat_purchases 复购次数",
    "gap": "avg_days_between average_days_between avg_days_between_purchases avg_days_between_orders "
    "average_days_between_purchases average_days_between_orders days_between_purchases mean_gap_days avg_gap_days "
    "购买间隔 平均购买间隔 平均购买间隔天数",
    "span": "last_purchase_days last_purchase_weeks last_purchase_months",
    "tenure": "tenure age_days age_weeks age_months customer_age months_as_customer days_as_customer 会龄 客龄 "
    "注册天数 入会天数",
    "age": "age age_years 年龄",
    "p_alive": "p_alive probability_alive 活跃概率",
    "expected": "expected_purchases predicted_purchases 预期购买次数",
    "value": "lifetime_value customer_lifetime_value clv cltv ltv 终身价值 客户终身价值 生命周期价值",
    "churn": "churn_risk churn_probability churn_score p_churn 流失概率 流失风险",
    "tickets": "tickets n_tickets ticket_count service_tickets 工单数 工单量",
    "complaints": "complaints n_complaints complaint_count 投诉次数 投诉数 投诉量",
    "calls": "calls n_calls call_count contacts n_contacts 来电次数 联系次数",
    "returns": "returns n_returns return_count refunds n_refunds refund_count 退货次数 退款次数 退单数",
    "discount": "discount_share discount_rate coupon_share coupon_rate 折扣占比 优惠券使用率",
    "items": "quantity total_quantity items n_items units 件数 购买件数 商品件数",
    "satisfaction": "satisfaction csat satisfaction_score 满意度 满意度评分",
}
_KNOWN = {header: meaning for meaning, headers in _MEANING.items() for header in headers.split()}

_LONGER = {
    "avg": "average", "num": "number of", "nb": "number of", "n": "number of", "cnt": "count", "pct": "percent",
    "amt": "amount", "qty": "quantity", "max": "largest", "min": "smallest", "std": "spread of",
}  # fmt: skip


def meaning_of(column: str) -> str | None:
    """Say what a column is by its header, None where nobody can know."""
    header = re.sub(r"[\s\-]+", "_", column.strip()).lower()
    if header in _KNOWN:
        return _KNOWN[header]
    without = _UNIT.sub("", header)
    if without == header:
        return None
    return "recency_" if without == "recency" else _KNOWN.get(without)


def readable(column: str) -> str:
    """Write a header as words: ``avg_days_open`` is "average days open"."""
    header = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", column.strip())
    parts = re.sub(r"[\s_]+", " ", header).strip().split(" ")
    if len(parts) > 1:
        parts = [_LONGER.get(part.lower(), part) if place == 0 else part for place, part in enumerate(parts)]
    # The ends of an interval would else be "high low".
    return {"low": "lower end", "high": "upper end"}.get(" ".join(parts).lower(), " ".join(parts))


@dataclass(frozen=True)
class Words:
    """The vocabulary of one language.

    Parameters
    ----------
    nobody : str
        The name of being in no segment.
    everybody : str
        The name of the only segment.
    ordinary, near : str
        The name and the description of a segment that nothing sets apart.
    joiner : str
        What stands between traits.
    columns : mapping of str to tuple of four str
        Words for very low, low, high and very high values, by what a column is.
    other : tuple of four str
        The same for any other column, with its name in place of ``{}``.
    category : tuple of two str
        Words for few and for many customers of a category, in place of ``{}``.
    detail : str
        How a trait is backed by figures: trait, the segment's median, everybody's median.
    """

    nobody: str
    everybody: str
    ordinary: str
    near: str
    joiner: str
    columns: Mapping[str, tuple[str, str, str, str]]
    other: tuple[str, str, str, str]
    category: tuple[str, str]
    detail: str

    def trait(self, column: str, effect: float, *, graded: bool, share: bool = False) -> str:
        """Give the word for a column that differs by this effect; ``share`` where it holds 0 and 1."""
        grade = 0 if graded and abs(effect) >= STRONG else 1
        step = 3 - grade if effect > 0 else grade
        if "=" in column or share:
            # A category is had by more or fewer, not more or less.
            name, _, value = column.partition("=")
            name = re.sub(r"^(?:is|has)_", "", name)
            return self.category[int(effect > 0)].format(readable(name) if value in {"", "True"} else value)
        known = self.columns.get(meaning_of(column) or "")
        return known[step] if known else self.other[step].format(readable(column))


def _graded(word: str) -> tuple[str, str, str, str]:
    """Grade an English noun by height."""
    return f"very low {word}", f"low {word}", f"high {word}", f"very high {word}"


def _counted(word: str) -> tuple[str, str, str, str]:
    """Grade an English noun by number."""
    return f"very few {word}", f"few {word}", f"many {word}", f"very many {word}"


def _zh(word: str, low: str = "低", high: str = "高") -> tuple[str, str, str, str]:
    """Grade a Chinese noun."""
    return f"{word}很{low}", f"{word}{low}", f"{word}{high}", f"{word}很{high}"


LANGUAGES = {
    "en": Words(
        nobody="in no segment",
        everybody="everybody",
        ordinary="average",
        near="much like everybody in every column",
        joiner=", ",
        columns={
            "recency_": ("very recent", "recent", "lapsed", "long lapsed"),
            "frequency": ("very infrequent", "infrequent", "frequent", "very frequent"),
            "monetary": _graded("spend"),
            "order_value": ("very small orders", "small orders", "large orders", "very large orders"),
            "repeats": _counted("repeats"),
            "gap": ("very short gaps", "short gaps", "long gaps", "very long gaps"),
            "span": ("very short buying span", "short buying span", "long buying span", "very long buying span"),
            "tenure": ("very new", "new", "long-standing", "very long-standing"),
            "age": ("very young", "young", "older", "very old"),
            "p_alive": (
                "much less likely active", "less likely active", "more likely active", "much more likely active",
            ),
            "expected": _counted("purchases ahead"),
            "value": _graded("value"),
            "churn": _graded("churn risk"),
            "tickets": _counted("tickets"),
            "complaints": _counted("complaints"),
            "calls": _counted("contacts"),
            "returns": _counted("returns"),
            "discount": ("hardly on discount", "seldom on discount", "often on discount", "mostly on discount"),
            "items": _counted("items"),
            "satisfaction": ("much less satisfied", "less satisfied", "more satisfied", "much more satisfied"),
        },
        other=_graded("{}"),
        category=("seldom {}", "often {}"),
        detail="{} ({} vs {})",
    ),
    "zh": Words(
        nobody="未归入任何分群",
        everybody="全部客户",
        ordinary="一般",
        near="各项均接近全体",
        joiner="、",
        columns={
            "recency_": ("最近刚买", "近期购买", "久未购买", "长期未购"),
            "frequency": ("极少购买", "少购", "常购", "频繁购买"),
            "monetary": _zh("消费"),
            "order_value": _zh("客单价"),
            "repeats": _zh("复购", "少", "多"),
            "gap": _zh("购买间隔", "短", "长"),
            "span": _zh("购买跨度", "短", "长"),
            "tenure": ("新客", "较新客户", "老客", "资深老客"),
            "age": ("非常年轻", "年轻", "年长", "很年长"),
            "p_alive": _zh("活跃可能"),
            "expected": _zh("预期购买", "少", "多"),
            "value": _zh("价值"),
            "churn": _zh("流失风险"),
            "tickets": _zh("工单", "少", "多"),
            "complaints": _zh("投诉", "少", "多"),
            "calls": _zh("联系", "少", "多"),
            "returns": _zh("退货", "少", "多"),
            "discount": ("极少用优惠", "少用优惠", "常用优惠", "多用优惠"),
            "items": _zh("件数", "少", "多"),
            "satisfaction": _zh("满意度"),
        },
        other=_zh("{}"),
        category=("少{}", "多{}"),
        detail="{}（{}，全体 {}）",
    ),
}  # fmt: skip
