"""The columns that several schemas share, each with the headers it goes by."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from crmkit.records._schema import Column

__all__ = [
    "AGENT",
    "AMOUNT",
    "CAMPAIGN_ID",
    "CASE_ID",
    "CHANNEL",
    "CONVERSATION_ID",
    "CURRENCY",
    "CUSTOMER_ID",
    "DIRECTION",
    "EMAIL",
    "ITEM_ID",
    "LABEL",
    "ORDER_ID",
    "OUTCOME",
    "PHONE",
    "RECORDED_TIME",
    "STAGE",
    "TEXT",
    "TIME",
    "varied",
]


def varied(column: Column, *aliases: str, **changes: Any) -> Column:
    """Give a column with further aliases in front and other fields changed."""
    return replace(column, aliases=(*aliases, *column.aliases), **changes)


CUSTOMER_ID = Column(
    name="customer_id",
    role="customer",
    dtype="id",
    required=True,
    nullable=False,
    personal="pseudonym",
    aliases=(
        *("customer", "cust id", "client id", "client number", "customer no", "customer number", "user id"),
        *("member id", "buyer id", "account id", "contact id", "shopper id"),
        *("客户编号", "客户ID", "客户号", "顾客编号", "顾客ID", "会员编号", "会员ID", "会员号", "用户编号", "用户ID"),
        *("买家ID", "买家会员名"),
    ),
    description="Whose row it is; text, however the source wrote it.",
)
TIME = Column(
    name="time",
    role="time",
    dtype="time",
    required=True,
    nullable=False,
    aliases=(
        *("datetime", "date time", "timestamp", "date", "event time", "event date", "created at", "created date"),
        *("created time", "create date", "created on", "时间", "日期", "日期时间", "发生时间", "创建时间", "创建日期"),
    ),
    description="When it happened: an instant in UTC.",
)
RECORDED_TIME = Column(
    name="recorded_time",
    role="recorded",
    dtype="time",
    aliases=(
        *("recorded at", "entered at", "loaded at", "ingested at", "logged at"),
        *("录入时间", "入库时间", "登记时间"),
    ),
    description="When it was written into the system; the lag behind time is part of data quality.",
)
AMOUNT = Column(
    name="amount",
    role="money",
    dtype="number",
    unit="currency",
    aliases=(
        *("amt", "line total", "line amount", "sales amount", "transaction amount", "dollar value", "revenue", "spend"),
        *("金额", "交易金额", "消费金额", "销售额", "实付金额", "支付金额"),
    ),
    description="Money in the table's currency; negative for money given back.",
)
CURRENCY = Column(
    name="currency",
    role="category",
    dtype="text",
    aliases=("currency code", "currency iso code", "币种", "货币", "货币代码"),
    description="One code for the whole table.",
)
ORDER_ID = Column(
    name="order_id",
    role="reference",
    dtype="id",
    aliases=(
        *("order", "order no", "order number", "invoice", "invoice no", "invoice id", "invoice number", "receipt id"),
        *("订单号", "订单编号", "订单ID", "单号", "发票号", "小票号"),
    ),
    description="Which order it belongs to.",
)
ITEM_ID = Column(
    name="item_id",
    role="reference",
    dtype="id",
    aliases=("item", "movie id", "content id", "product id", "sku", "商品编号", "商品ID", "物品编号", "内容编号"),
    description="What it is about: a product, an article, a film.",
)
CHANNEL = Column(
    name="channel",
    role="category",
    dtype="text",
    aliases=(
        *("sales channel", "contact channel", "medium", "via", "origin"),
        *("渠道", "沟通渠道", "来源渠道"),
    ),
    description="Through which channel: shop, phone, e-mail, chat.",
)
DIRECTION = Column(
    name="direction",
    role="category",
    dtype="text",
    aliases=("in or out", "方向", "呼入呼出", "来往方向"),
    description="Who began it, as the source writes it.",
)
AGENT = Column(
    name="agent",
    role="category",
    dtype="text",
    aliases=(
        *("agent id", "assignee", "owner", "owner id", "handled by", "operator", "representative", "sales rep"),
        *("客服", "坐席", "坐席工号", "负责人", "经办人", "处理人", "销售"),
    ),
    description="Who dealt with it on the company's side.",
)
TEXT = Column(
    name="text",
    role="text",
    dtype="text",
    personal="free-text",
    aliases=(
        "message",
        "content",
        "body",
        "comment",
        "transcript",
        "description",
        "内容",
        "文本",
        "消息",
        "留言",
        "正文",
    ),
    description="What was said or written.",
)
LABEL = Column(
    name="label",
    role="category",
    dtype="text",
    aliases=("category", "type", "topic", "class", "intent", "reason", "类别", "类型", "标签", "主题", "原因"),
    description="Its class, where one is known.",
)
CONVERSATION_ID = Column(
    name="conversation_id",
    role="reference",
    dtype="id",
    aliases=("conversation", "session id", "thread id", "dialogue id", "call id", "会话编号", "会话ID", "通话编号"),
    description="Which conversation it belongs to.",
)
CASE_ID = Column(
    name="case_id",
    role="reference",
    dtype="id",
    aliases=(
        *("case", "case no", "case number", "ticket", "ticket id", "ticket number", "incident id", "complaint id"),
        *("工单号", "工单编号", "工单ID", "投诉编号", "案件编号"),
    ),
    description="Which case it belongs to.",
)
CAMPAIGN_ID = Column(
    name="campaign_id",
    role="reference",
    dtype="id",
    aliases=("campaign", "campaign name", "campaign code", "活动编号", "活动ID", "营销活动", "活动名称"),
    description="Which campaign it belongs to.",
)
STAGE = Column(
    name="stage",
    role="category",
    dtype="text",
    aliases=("status", "state", "stage name", "阶段", "状态"),
    description="How far it has come.",
)
OUTCOME = Column(
    name="outcome",
    role="category",
    dtype="value",
    aliases=("result", "response", "disposition", "结果", "响应"),
    description="How it ended: a word, or a number such as 0 and 1.",
)
PHONE = Column(
    name="phone",
    role="contact",
    dtype="id",
    personal="phone",
    aliases=(
        *("phone number", "mobile", "mobile phone", "mobile number", "telephone", "cell phone", "caller number"),
        *("手机", "手机号", "手机号码", "电话", "电话号码", "联系电话", "联系手机", "主叫号码"),
    ),
    description="A telephone number as it was written; link normalises it.",
)
EMAIL = Column(
    name="email",
    role="contact",
    dtype="text",
    personal="email",
    aliases=("e-mail", "email address", "e-mail address", "mail", "邮箱", "电子邮箱", "邮箱地址", "电子邮件"),
    description="An e-mail address as it was written; link normalises it.",
)
