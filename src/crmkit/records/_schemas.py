"""The nine schemas of customer records."""

from __future__ import annotations

from crmkit.records import _columns as shared
from crmkit.records._schema import Column, Schema

__all__ = [
    "CAMPAIGNS",
    "CASES",
    "COMMUNICATIONS",
    "CUSTOMERS",
    "EVENTS",
    "FEEDBACK",
    "OPPORTUNITIES",
    "RATINGS",
    "SCHEMAS",
    "TRANSACTIONS",
]

CUSTOMERS = Schema(
    name="CUSTOMERS",
    key="customer_id",
    description="one row a customer",
    columns=(
        shared.varied(shared.CUSTOMER_ID, "id", role="key"),
        shared.varied(
            shared.TIME,
            *("registered at", "registration date", "signup date", "sign up date", "member since", "joined"),
            *("注册时间", "注册日期", "入会时间", "开户日期"),
            required=False,
            nullable=True,
            description="When the customer was first registered: an instant in UTC.",
        ),
        Column(
            name="name",
            role="contact",
            dtype="text",
            personal="name",
            aliases=(
                *("full name", "customer name", "contact name"),
                *("姓名", "客户姓名", "客户名称", "名称", "真实姓名"),
            ),
            description="The customer's name.",
        ),
        shared.EMAIL,
        shared.PHONE,
        Column(
            name="member_id",
            role="contact",
            dtype="id",
            personal="pseudonym",
            aliases=("loyalty id", "loyalty number", "card number", "union id", "会员卡号", "会员卡", "UnionID"),
            description="The company's own key for a person across systems, such as a loyalty card.",
        ),
        Column(
            name="address",
            role="contact",
            dtype="text",
            personal="address",
            aliases=(
                *("street", "street address", "mailing address"),
                *("地址", "联系地址", "通讯地址", "收货地址", "住址"),
            ),
            description="Street address.",
        ),
        Column(
            name="postal_code",
            role="category",
            dtype="id",
            personal="address",
            aliases=("zip", "zip code", "postcode", "邮编", "邮政编码"),
            description="Postal code as text; leading zeros stay.",
        ),
        Column(name="city", role="category", dtype="text", aliases=("town", "城市", "所在城市", "市")),
        Column(
            name="region",
            role="category",
            dtype="text",
            aliases=("state", "province", "省份", "省", "地区", "所在地区"),
        ),
        Column(name="country", role="category", dtype="text", aliases=("country code", "nation", "国家", "国家地区")),
        Column(
            name="birth_date",
            role="category",
            dtype="date",
            personal="birth-date",
            aliases=("birthday", "date of birth", "dob", "生日", "出生日期", "出生年月日"),
            description="Date of birth, without a time zone.",
        ),
        Column(name="gender", role="category", dtype="text", aliases=("sex", "性别")),
        Column(
            name="company",
            role="category",
            dtype="text",
            aliases=("company name", "organization", "公司", "公司名称", "单位"),
        ),
        Column(
            name="segment",
            role="category",
            dtype="text",
            aliases=(*("customer segment",), *("客户分类", "客户类型", "客群")),
        ),
    ),
)

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

CASES = Schema(
    name="CASES",
    key="case_id",
    description="one row a complaint, ticket or claim",
    columns=(
        shared.varied(shared.CASE_ID, "id", role="key", required=True, nullable=False),
        shared.varied(shared.CUSTOMER_ID, "requester id"),
        shared.varied(shared.TIME, "opened at", "date opened", "受理时间", "提交时间", "立案时间", "投诉时间"),
        shared.RECORDED_TIME,
        Column(
            name="closed_time",
            role="measure",
            dtype="time",
            aliases=(
                "closed at",
                "closed date",
                "date closed",
                "solved at",
                "resolved at",
                "关闭时间",
                "办结时间",
                "解决时间",
            ),
            description="When it was closed: an instant in UTC.",
        ),
        shared.STAGE,
        shared.LABEL,
        Column(name="priority", role="category", dtype="text", aliases=("severity", "urgency", "优先级", "紧急程度")),
        shared.varied(shared.TEXT, "subject", "标题", "投诉内容", "问题描述"),
        shared.CHANNEL,
        shared.AGENT,
        shared.ORDER_ID,
        shared.varied(shared.AMOUNT, "claim amount", "索赔金额", "涉及金额"),
        shared.CURRENCY,
        Column(
            name="score",
            role="measure",
            dtype="number",
            aliases=("satisfaction", "csat", "满意度", "评分"),
            description="How satisfied the customer was with it.",
        ),
        Column(
            name="remedy",
            role="category",
            dtype="text",
            aliases=("resolution", "solution", "处理方案", "解决方案", "补偿"),
        ),
        shared.OUTCOME,
        shared.EMAIL,
        shared.PHONE,
    ),
)

OPPORTUNITIES = Schema(
    name="OPPORTUNITIES",
    description="one row a possible sale, or a snapshot of one",
    columns=(
        shared.CUSTOMER_ID,
        shared.TIME,
        shared.RECORDED_TIME,
        Column(
            name="opportunity_id",
            role="reference",
            dtype="id",
            aliases=("opportunity", "deal id", "record id", "id", "商机编号", "商机ID"),
            description="Which opportunity; several snapshots may share it.",
        ),
        Column(
            name="close_time",
            role="measure",
            dtype="time",
            aliases=("close date", "closing date", "expected close date", "预计成交日期", "结单日期", "关闭日期"),
            description="When it was, or is expected to be, closed.",
        ),
        shared.varied(shared.STAGE, "deal stage", "sales stage", "商机阶段", "销售阶段"),
        shared.varied(shared.AMOUNT, "deal amount", "estimated value", "商机金额", "预计金额"),
        shared.CURRENCY,
        shared.varied(shared.CHANNEL, "lead source", "线索来源", "商机来源"),
        shared.AGENT,
        shared.LABEL,
        shared.OUTCOME,
    ),
)

SCHEMAS: dict[str, Schema] = {
    schema.name: schema
    for schema in (
        *(CUSTOMERS, TRANSACTIONS, COMMUNICATIONS, FEEDBACK, RATINGS),
        *(EVENTS, CAMPAIGNS, CASES, OPPORTUNITIES),
    )
}
"""All nine by name."""
