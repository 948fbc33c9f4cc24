"""The schemas of customers, cases and opportunities, and all nine by name."""

from __future__ import annotations

from crmkit.records import _columns as shared
from crmkit.records._schema import Column, Schema
from crmkit.records._schemas_events import CAMPAIGNS, COMMUNICATIONS, EVENTS, FEEDBACK, RATINGS, TRANSACTIONS

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
