"""The schemas of what customers did, said and answered."""

from __future__ import annotations

from crmkit.records import _columns as shared
from crmkit.records._schema import Column, Schema

__all__ = ["CAMPAIGNS", "COMMUNICATIONS", "EVENTS", "FEEDBACK", "RATINGS", "TRANSACTIONS"]

TRANSACTIONS = Schema(
    name="TRANSACTIONS",
    description="one row a purchase, invoice line or refund",
    columns=(
        shared.CUSTOMER_ID,
        shared.varied(
            shared.TIME,
            *("transaction date", "transaction time", "purchase date", "purchase time", "order date", "order time"),
            *(
                "invoice date",
                "paid at",
                "交易时间",
                "交易日期",
                "下单时间",
                "订单时间",
                "购买时间",
                "支付时间",
                "付款时间",
            ),
            "订单创建时间",
        ),
        shared.RECORDED_TIME,
        shared.ORDER_ID,
        Column(
            name="product_id",
            role="reference",
            dtype="id",
            aliases=(
                *("product", "product code", "stock code", "sku", "item code", "item id", "article number"),
                *("商品编号", "商品ID", "商品编码", "商家编码", "货号", "产品编号"),
            ),
            description="What was bought.",
        ),
        Column(
            name="quantity",
            role="measure",
            dtype="number",
            aliases=("qty", "units", "number of items", "数量", "购买数量", "件数", "商品数量"),
            description="How many; negative for goods given back.",
        ),
        Column(
            name="unit_price",
            role="money",
            dtype="number",
            unit="currency",
            aliases=("price", "price each", "item price", "单价", "价格", "商品单价"),
            description="Price of one; zero and negative prices (gifts, corrections) are valid.",
        ),
        shared.varied(
            shared.AMOUNT,
            required=True,
            nullable=False,
            product_of=("quantity", "unit_price"),
            description="Money of the row; quantity x unit_price where absent; negative for refunds.",
        ),
        shared.CURRENCY,
        shared.CHANNEL,
        shared.EMAIL,
        shared.PHONE,
    ),
)

COMMUNICATIONS = Schema(
    name="COMMUNICATIONS",
    description="one row a contact, call or message",
    columns=(
        shared.CUSTOMER_ID,
        shared.varied(
            shared.TIME,
            *("sent at", "received at", "call time", "contact time", "发送时间", "通话时间", "联系时间", "沟通时间"),
        ),
        shared.RECORDED_TIME,
        shared.CHANNEL,
        shared.DIRECTION,
        shared.AGENT,
        Column(
            name="duration",
            role="measure",
            dtype="number",
            unit="seconds",
            low=0.0,
            aliases=(
                "duration seconds",
                "call duration",
                "talk time",
                "handle time",
                "时长",
                "通话时长",
                "沟通时长",
                "时长秒",
            ),
            description="How long it took, in seconds.",
        ),
        shared.CONVERSATION_ID,
        Column(
            name="turn",
            role="measure",
            dtype="integer",
            low=0.0,
            aliases=("turn number", "turn id", "sequence", "message number", "轮次", "序号", "消息序号"),
            description="Position within its conversation.",
        ),
        shared.TEXT,
        shared.LABEL,
        shared.CASE_ID,
        shared.EMAIL,
        shared.PHONE,
    ),
)

FEEDBACK = Schema(
    name="FEEDBACK",
    description="one row an answer with a score",
    columns=(
        shared.CUSTOMER_ID,
        shared.varied(
            shared.TIME,
            *("answered at", "response date", "review date", "review creation date", "submitted at", "survey date"),
            *("评价时间", "评论时间", "提交时间", "答题时间", "填写时间"),
            required=False,
            nullable=True,
        ),
        shared.RECORDED_TIME,
        Column(
            name="question",
            role="category",
            dtype="text",
            aliases=("question id", "survey question", "问题", "题目", "题号"),
            description="What was asked.",
        ),
        Column(
            name="score",
            role="measure",
            dtype="number",
            required=True,
            nullable=False,
            aliases=(
                "review score",
                "satisfaction",
                "satisfaction score",
                "answer",
                "points",
                "评分",
                "得分",
                "满意度",
                "分数",
            ),
            description="The answer on its scale.",
        ),
        Column(
            name="scale_low",
            role="measure",
            dtype="number",
            aliases=("scale min", "最低分"),
            description="Lowest answer.",
        ),
        Column(
            name="scale_high",
            role="measure",
            dtype="number",
            aliases=("scale max", "最高分"),
            description="Highest answer.",
        ),
        shared.varied(
            shared.TEXT, "review comment message", "review", "review text", "评论", "评价内容", "意见", "建议"
        ),
        shared.CHANNEL,
        shared.ORDER_ID,
        shared.CASE_ID,
        shared.LABEL,
    ),
)

RATINGS = Schema(
    name="RATINGS",
    description="one row a customer's rating of an item",
    columns=(
        shared.CUSTOMER_ID,
        shared.varied(shared.TIME, "rated at", "评分时间", required=False, nullable=True),
        shared.varied(shared.ITEM_ID, required=True, nullable=False),
        Column(
            name="rating",
            role="measure",
            dtype="number",
            required=True,
            nullable=False,
            aliases=("stars", "score", "评分", "星级", "打分"),
            description="How much it was liked, on the source's scale.",
        ),
    ),
)

EVENTS = Schema(
    name="EVENTS",
    description="one row a thing a customer did",
    columns=(
        shared.CUSTOMER_ID,
        shared.TIME,
        shared.RECORDED_TIME,
        Column(
            name="event",
            role="category",
            dtype="text",
            aliases=("event name", "event type", "action", "activity", "事件", "事件名称", "行为", "行为类型"),
            description="What happened.",
        ),
        shared.ITEM_ID,
        shared.CHANNEL,
        shared.CONVERSATION_ID,
        shared.CAMPAIGN_ID,
        shared.AMOUNT,
        shared.CURRENCY,
    ),
)

CAMPAIGNS = Schema(
    name="CAMPAIGNS",
    description="one row a customer reached by a campaign",
    columns=(
        shared.CUSTOMER_ID,
        shared.varied(shared.TIME, *("sent at", "send date", "contacted at", "delivered at", "发送时间", "触达时间")),
        shared.RECORDED_TIME,
        shared.varied(shared.CAMPAIGN_ID, required=True, nullable=False),
        Column(
            name="arm",
            role="category",
            dtype="text",
            aliases=("treatment", "variant", "group", "test group", "实验组", "分组", "组别"),
            description="What the customer was given; the control group has its own name.",
        ),
        shared.CHANNEL,
        shared.OUTCOME,
        Column(
            name="cost",
            role="money",
            dtype="number",
            unit="currency",
            low=0.0,
            aliases=("contact cost", "费用", "成本", "触达成本"),
            description="What reaching the customer cost.",
        ),
        shared.CURRENCY,
    ),
)
