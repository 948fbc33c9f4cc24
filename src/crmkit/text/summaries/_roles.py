"""Says from a name or a direction whether the customer speaks or the company."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["role_of_direction", "role_of_name"]

# The company's side is asked first: "customer service" and "客户经理" begin like a customer.
_AGENT = re.compile(
    r"\b(?:agents?|assistants?|support|service|services|representative|rep|csr|operator|staff|clerk|advisors?|advisers?"
    r"|consultant|help ?desk|bot|system|seller|sales(?:man|woman|person)?|receptionist|manager|teller|specialist"
    r"|technician)\b|客服|坐席|座席|话务|专员|顾问|商家|卖家|店家|店主|机器人|工作人员|接线员|经理|客户服务|柜员|技师|助手",
    re.IGNORECASE,
)
_CUSTOMER = re.compile(
    r"\b(?:customers?|clients?|users?|callers?|guests?|buyers?|shoppers?|consumers?|passengers?|subscribers?|members?"
    r"|visitors?|patients?)\b|客户|顾客|用户|买家|消费者|来电人|旅客|乘客|会员|客人|访客|患者",
    re.IGNORECASE,
)
_IN = frozenset({"in", "inbound", "incoming", "received", "customer", "呼入", "来电", "进线", "接收", "收到", "客户"})
_OUT = frozenset({"out", "outbound", "outgoing", "sent", "agent", "呼出", "去电", "外呼", "发送", "发出", "客服"})


def role_of_name(name: str | None) -> str | None:
    """Tell the role by a speaker's name.

    Parameters
    ----------
    name : str or None
        Such as ``"Agent 7"``, ``"客户"``, ``"USER"``, ``"Anna"``.

    Returns
    -------
    {"customer", "agent"} or None
        None where the name does not tell.
    """
    if name is None:
        return None
    plain = name.replace("_", " ").strip("# ")
    if _AGENT.search(plain):
        return "agent"
    return "customer" if _CUSTOMER.search(plain) else None


def role_of_direction(value: Any) -> str | None:
    """Tell the role by the direction of a message.

    Parameters
    ----------
    value : object
        Such as ``"in"``, ``"outbound"``, ``"呼入"``.

    Returns
    -------
    {"customer", "agent"} or None
        Who sent it; None where the value does not tell.
    """
    plain = str(value).strip().lower()
    return "customer" if plain in _IN else "agent" if plain in _OUT else None
