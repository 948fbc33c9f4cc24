"""The phrases from which customers' messages are put together, in Chinese and English, written for this library.

A message is ``opener + subject + predicate + tail + closing``. Subjects, tails and closings are shared between topics
on purpose: no single word gives a topic away, and some predicates stand under two topics.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["PHRASES", "SENTIMENTS", "TOPICS", "Phrases"]

TOPICS = ("delay", "quality", "attitude", "billing", "refund", "product", "account", "praise")
"""What a message is about; the first four are causes of complaints."""

SENTIMENTS = ("negative", "neutral", "positive")
"""How it is said."""


@dataclass(frozen=True)
class Phrases:
    """The phrases of one language.

    Parameters
    ----------
    openers, tails : tuple of tuple of str
        By sentiment.
    closings : tuple of str
        Shared by all.
    cores : mapping of str to (subjects, predicates)
        By topic; ``{n}`` stands for a small number.
    vague : tuple of str
        Said about anything.
    replies : tuple of str
        What agents answer.
    link, comma : str
        What stands between subject and predicate, and between parts.
    order, call, write : str
        How an order, a phone number and an e-mail address are mentioned.
    swaps : tuple of (str, str)
        Slips of the pen: what is meant, what is written.
    comments : tuple of tuple of str
        What is written under a questionnaire, by sentiment.
    borrowed : tuple of str
        What the speakers of the other language borrow.
    """

    openers: tuple[tuple[str, ...], ...]
    tails: tuple[tuple[str, ...], ...]
    closings: tuple[str, ...]
    cores: dict[str, tuple[tuple[str, ...], tuple[str, ...]]]
    vague: tuple[str, ...]
    replies: tuple[str, ...]
    link: str
    comma: str
    order: str
    call: str
    write: str
    swaps: tuple[tuple[str, str], ...]
    comments: tuple[tuple[str, ...], ...]
    borrowed: tuple[str, ...]


_ZH_ORDER = ("我的订单", "上周下的单", "这次的包裹", "在你们APP上买的东西", "我买的货", "这个快递", "前几天拍的那件")
_ZH_GOODS = (
    "平板电脑",
    "手机",
    "电脑",
    "耳机",
    "电饭锅",
    "外套",
    "这套书",
    "玩具",
    "收到的东西",
    "我的订单",
    "这次的包裹",
)
_ZH_STAFF = ("客服", "你们的客服", "电话里的那位", "门店的店员", "送货的师傅", "在线客服", "处理订单的人")

_ZH = Phrases(
    openers=(
        ("太失望了", "真的很生气", "我要投诉", "你好，有个问题", "第{n}次联系你们了", "说实话很不满意", "怎么回事"),
        ("你好", "您好", "请问一下", "在吗", "麻烦问下", "想咨询一下", "帮我看看"),
        ("你好", "真不错", "谢谢你们", "特意来说一声", "很满意", "买了好几次了"),
    ),
    tails=(
        (
            "请尽快处理",
            "再不解决我就退款",
            "要求给个说法",
            "太影响使用了",
            "以后不敢买了",
            "打电话也没人接",
            "到现在没人管",
            "等了很久",
            "钱都付了",
        ),
        ("谢谢", "麻烦尽快回复", "什么时候能处理", "需要我做什么", "急用", "钱已经付了", "可以打电话给我", "在线等"),
        ("以后还会再来", "推荐给朋友了", "继续保持", "比想象的快", "客服也耐心", "好评", "价格也合适"),
    ),
    closings=("", "", "", "谢谢", "麻烦了", "请回复", "辛苦了", "thanks", "OK"),
    cores={
        "delay": (
            _ZH_ORDER,
            (
                "还没到",
                "三天没有更新物流",
                "一直显示在途",
                "晚了{n}天",
                "说好昨天送到现在也没见",
                "到底什么时候发货",
                "卡在中转站不动",
                "超过承诺时间了",
                "催了几次都没送",
                "还没有发出来",
                "迟迟没有处理",
            ),
        ),
        "quality": (
            _ZH_GOODS,
            (
                "用了{n}天就坏了",
                "有明显的划痕",
                "打开就是坏的",
                "和描述的不一样",
                "质量太差",
                "充不进电",
                "少了一个配件",
                "味道很重",
                "像是用过的",
                "做工粗糙",
                "送到的时候已经破了",
                "有问题",
            ),
        ),
        "attitude": (
            _ZH_STAFF,
            (
                "态度很差",
                "说话很不耐烦",
                "直接挂了电话",
                "一直推来推去",
                "爱理不理",
                "根本不听我说完",
                "没有一句道歉",
                "把责任推给我",
                "让我等了{n}个小时没人管",
                "答应回电话也没有回",
                "迟迟没有处理",
            ),
        ),
        "billing": (
            ("账单", "这个月的扣款", "发票", "我的订单", "付款的时候", "优惠券", "会员费", "上周下的单"),
            (
                "多扣了{n}十块",
                "被重复扣款了",
                "金额对不上",
                "优惠没有减",
                "价格和页面不一样",
                "取消了还在扣钱",
                "显示支付失败但是钱没了",
                "开错了抬头",
                "运费算了两次",
                "有问题",
            ),
        ),
        "refund": (
            ("退款", "退货", "我的订单", "退回去的包裹", "上周申请的退款", "换货"),
            (
                "怎么申请",
                "还没到账",
                "要多久到账",
                "已经寄回{n}天了",
                "能不能退到原来的卡",
                "运费谁出",
                "审核一直不通过",
                "可以只退一件吗",
                "还没有处理",
            ),
        ),
        "product": (
            _ZH_GOODS,
            (
                "有没有现货",
                "支持快充吗",
                "保修多久",
                "和上一款有什么区别",
                "有别的颜色吗",
                "什么时候打折",
                "可以送货上门吗",
                "能用{n}年吗",
                "适合老人用吗",
                "怎么用",
                "有没有发票",
            ),
        ),
        "account": (
            ("我的账号", "会员", "登录", "密码", "手机号", "收货地址", "积分", "APP"),
            (
                "登不上去",
                "怎么修改",
                "收不到验证码",
                "忘记了",
                "被锁住了",
                "显示异常",
                "怎么注销",
                "过期了吗",
                "少了{n}百分",
                "要怎么绑定",
                "有问题",
            ),
        ),
        "praise": (
            (*_ZH_STAFF[:4], "物流", "包装", "平板电脑", "手机", "这套书", "我的订单"),
            (
                "非常好",
                "很耐心",
                "速度很快",
                "解决得很及时",
                "比我想的好",
                "值得推荐",
                "质量不错",
                "用了{n}天很满意",
                "态度很好",
                "没有想到这么快",
            ),
        ),
    },
    vague=(
        "有人在吗",
        "上次说的那个事情怎么样了",
        "还是那个问题",
        "请回复一下",
        "帮我处理一下",
        "这个怎么弄",
        "?",
        "在不在",
        "你们看着办吧",
    ),
    replies=(
        "您好，已经为您登记，请耐心等待",
        "非常抱歉给您带来不便，我们马上核实",
        "您好，请提供一下订单号",
        "这边帮您查询了，预计{n}天内处理",
        "感谢您的反馈，祝您生活愉快",
        "已经转给专人跟进，会尽快给您回电话",
    ),
    link="",
    comma="，",
    order="订单号{order}",
    call="电话{phone}",
    write="邮箱{email}",
    swaps=(
        ("的", "得"),
        ("在", "再"),
        ("账", "帐"),
        ("没有", "没由"),
        ("怎么", "咋么"),
        ("客服", "客户"),
        ("已经", "以经"),
        ("一直", "一只"),
        ("还没", "还每"),
    ),
    comments=(
        ("太慢了", "不满意", "东西有问题", "不会再来了", "客服没解决", "差", "一言难尽"),
        ("一般", "还行吧", "没什么特别的", "凑合", "物流可以再快点", "还可以"),
        ("很好", "满意", "速度快，服务好", "不错，下次还来", "客服很耐心", "五星", "喜欢"),
    ),
    borrowed=("谢谢", "快递", "退款", "客服", "订单", "平板电脑"),
)

_EN_ORDER = (
    "my order",
    "the parcel",
    "the package from last week",
    "what I bought",
    "the delivery",
    "the item I ordered",
    "my last order",
)
_EN_GOODS = (
    "the tablet",
    "the phone",
    "the computer",
    "the headphones",
    "the rice cooker",
    "the jacket",
    "the book set",
    "the toy",
    "the item I ordered",
    "my order",
    "the parcel",
)
_EN_STAFF = (
    "the agent",
    "your support team",
    "the person on the phone",
    "the shop assistant",
    "the driver",
    "customer service",
    "whoever handled my order",
)

_EN = Phrases(
    openers=(
        (
            "this is disappointing",
            "I am really upset",
            "I want to complain",
            "hello, there is a problem",
            "this is the {n}th time I write",
            "not happy at all",
            "what is going on",
        ),
        (
            "hello",
            "hi there",
            "quick question",
            "hi, could you check something",
            "good morning",
            "just wondering",
            "can someone help me",
        ),
        ("hello", "great work", "thank you all", "just wanted to say", "very happy", "long time customer here"),
    ),
    tails=(
        (
            "please sort this out",
            "I want a refund otherwise",
            "I expect an explanation",
            "this is not acceptable",
            "I will not buy again",
            "nobody picks up the phone",
            "still no answer",
            "I have waited long enough",
            "and I already paid",
        ),
        (
            "thanks",
            "please get back to me",
            "when can this be done",
            "do you need anything from me",
            "it is urgent",
            "I already paid",
            "you can call me",
            "waiting for your answer",
        ),
        (
            "will order again",
            "told my friends about it",
            "keep it up",
            "faster than expected",
            "support was patient too",
            "five stars",
            "and a fair price",
        ),
    ),
    closings=("", "", "", "thanks", "regards", "please reply", "cheers", "thank you", "asap"),
    cores={
        "delay": (
            _EN_ORDER,
            (
                "has not arrived yet",
                "has had no tracking update for days",
                "is still in transit",
                "is {n} days late",
                "was promised for yesterday and is not here",
                "has not even been shipped",
                "is stuck at the depot",
                "is past the promised date",
                "never came although I asked twice",
                "is taking forever",
                "was not dealt with",
            ),
        ),
        "quality": (
            _EN_GOODS,
            (
                "broke after {n} days",
                "has scratches all over",
                "was broken when I opened it",
                "is not as described",
                "feels very cheap",
                "does not charge",
                "is missing a part",
                "smells awful",
                "looks used",
                "fell apart",
                "arrived damaged",
                "has a problem",
            ),
        ),
        "attitude": (
            _EN_STAFF,
            (
                "was rude to me",
                "kept interrupting",
                "hung up on me",
                "sent me from one desk to another",
                "did not care at all",
                "would not listen",
                "never apologised",
                "blamed me for it",
                "let me wait {n} hours",
                "promised to call back and did not",
                "was not helpful",
            ),
        ),
        "billing": (
            (
                "the bill",
                "the charge this month",
                "the invoice",
                "my order",
                "the payment",
                "the coupon",
                "the membership fee",
                "my last order",
            ),
            (
                "was charged twice",
                "is {n}0 too high",
                "does not match",
                "came without the discount",
                "shows another price than the page",
                "was taken although I cancelled",
                "failed but the money is gone",
                "has the wrong name on it",
                "includes shipping twice",
                "has a problem",
            ),
        ),
        "refund": (
            (
                "the refund",
                "the return",
                "my order",
                "the parcel I sent back",
                "the refund I asked for last week",
                "the exchange",
            ),
            (
                "how do I request it",
                "is not on my account yet",
                "how long does it take",
                "went back {n} days ago",
                "can it go to the same card",
                "who pays for shipping",
                "keeps being rejected",
                "can I return only one piece",
                "was not dealt with",
            ),
        ),
        "product": (
            _EN_GOODS,
            (
                "is it in stock",
                "does it support fast charging",
                "how long is the warranty",
                "how is it different from the old one",
                "does it come in another colour",
                "when will it be on sale",
                "can it be delivered to my door",
                "will it last {n} years",
                "is it good for older people",
                "how do I use it",
                "does it come with an invoice",
            ),
        ),
        "account": (
            (
                "my account",
                "my membership",
                "the login",
                "my password",
                "my phone number",
                "the delivery address",
                "my points",
                "the app",
            ),
            (
                "does not let me in",
                "how do I change it",
                "sends no code",
                "is forgotten",
                "is locked",
                "shows an error",
                "how do I delete it",
                "has it expired",
                "is {n}00 short",
                "how do I link it",
                "has a problem",
            ),
        ),
        "praise": (
            (*_EN_STAFF[:4], "the delivery", "the packaging", "the tablet", "the phone", "the book set", "my order"),
            (
                "was excellent",
                "was very patient",
                "was really fast",
                "solved it right away",
                "is better than I thought",
                "is worth recommending",
                "is good quality",
                "still makes me happy after {n} days",
                "was friendly",
                "came sooner than I hoped",
            ),
        ),
    },
    vague=(
        "anyone there",
        "what about the thing from last time",
        "same problem again",
        "please reply",
        "can you take care of it",
        "how does this work",
        "?",
        "hello??",
        "do what you think is right",
    ),
    replies=(
        "hello, we have noted it, please be patient",
        "we are very sorry for the trouble and will check at once",
        "hello, could you give me the order number",
        "I looked into it, it should be done within {n} days",
        "thank you for your feedback, have a nice day",
        "a colleague will follow up and call you back",
    ),
    link=" ",
    comma=", ",
    order="order {order}",
    call="my number is {phone}",
    write="write to {email}",
    swaps=(
        ("received", "recieved"),
        ("the ", "teh "),
        ("really", "realy"),
        ("because", "becuase"),
        ("delivery", "delivry"),
        ("refund", "refudn"),
        ("order", "oder"),
        ("does not", "doesnt"),
        ("problem", "probelm"),
        ("parcel", "parcle"),
        ("please", "pls"),
    ),
    comments=(
        (
            "too slow",
            "not satisfied",
            "something was wrong with it",
            "never again",
            "support did not solve it",
            "bad",
            "no comment",
        ),
        ("average", "it is ok", "nothing special", "could be faster", "fine I guess", "so so"),
        (
            "great",
            "satisfied",
            "fast and friendly",
            "good, will come again",
            "patient support",
            "five stars",
            "love it",
        ),
    ),
    borrowed=("asap", "refund", "please", "order", "app", "bug"),
)

PHRASES = {"zh": _ZH, "en": _EN}
"""By language."""
