"""What people say when they ask for something, promise something, or are merely polite, in both languages."""

from __future__ import annotations

import re

__all__ = ["FILLERS", "is_courtesy", "is_promise", "is_question", "is_request", "is_wish"]

FILLERS = frozenset(
    {
        *(
            "ah",
            "bye",
            "come",
            "dear",
            "don",
            "dr",
            "get",
            "go",
            "goodbye",
            "great",
            "hello",
            "hey",
            "hi",
            "hmm",
            "know",
        ),
        *("let", "ll", "mm", "mr", "mrs", "ms", "oh", "ok", "okay", "please", "re", "really", "right", "see", "sir"),
        *(
            "madam",
            "sure",
            "thank",
            "thanks",
            "think",
            "uh",
            "um",
            "ve",
            "welcome",
            "well",
            "wow",
            "yeah",
            "yep",
            "yes",
        ),
        *(
            "你好",
            "您好",
            "大家好",
            "谢谢",
            "感谢",
            "客气",
            "不客气",
            "请问",
            "麻烦",
            "好的",
            "好吧",
            "好滴",
            "再见",
            "拜拜",
        ),
        *("嗯嗯", "亲亲", "亲爱", "请稍", "稍等", "抱歉", "不好意思", "对的", "是的", "没事", "可以"),
    }
)
"""Words of courtesy, which say nothing of the matter."""

# Written with gaps round the apostrophe in some transcripts.
_APOSTROPHE = re.compile(r" ?['’] ?")

_WISH = re.compile(
    r"\bi(?:'d| would) (?:like|love|prefer)|\bi (?:want|need|wish|wanna|have to|think)\b"
    r"|\b(?:can|could|would|will|won't) you\b|\b(?:can|could|may) (?:i|we)\b"
    r"|\bi(?:'m| am) (?:looking|calling|going)\b|\bdo you have\b"
    r"|\b(?:let's|how about|what about|why don't|i'll|we'll|i will|we will|need to)\b"
    r"|我?想|我要|需要|希望|能不能|可不可以|可以.{0,12}吗|能.{0,12}吗|帮我|帮您|给您|为您|建议|我会|我们会|我来|要不",
    re.IGNORECASE,
)
_REQUEST = re.compile(
    r"\bi(?:'d| would) like|\bi (?:want|need|wish)\b|\b(?:can|could|would|will) you\b|\b(?:can|could|may) (?:i|we)\b"
    r"|\bi(?:'m| am) (?:looking|calling|writing|having|trying|wondering)\b|\bhelp (?:me|us)\b|\bplease\b"
    r"|\b(?:problem|trouble|issue|broken|missing|wrong|refund|cancel|complain\w*|never arrived|not working)\b"
    r"|我?想(?:要|问|咨询|申请|取消|退|换|查|了解|投诉|办理|买)|我要|需要|希望|能不能|可不可以|可以.{0,12}吗|能.{0,12}吗|帮我|帮忙|麻烦"
    r"|请(?!稍)|怎么|为什么|申请|投诉|退款|退货|换货|取消|没有?(?:收到|到账|发货|到货)|坏了|有问题|故障",
    re.IGNORECASE,
)
_PROMISE = re.compile(
    r"\b(?:i|we|he|she|they|you|it)(?:'ll| will)\b|\b(?:i|we)(?:'m| am|'re| are) going to\b"
    r"|\b(?:i|we)(?:'ve| have) (?:\w+ )?\w+(?:ed|nt)\b|\b(?:has|have) been\b"
    r"|\b(?:done|resolved|refunded|sorted|fixed|confirmed|booked|cancell?ed|settled|arranged|deal)\b"
    r"|\bwithin \d|\bby (?:tomorrow|tonight|monday|tuesday|wednesday|thursday|friday|saturday|sunday)\b"
    r"|我(?:们)?(?:会|将|马上|这就|来|给您|帮您|为您)|马上|尽快|立即|立刻"
    r"|已经?(?:为您|给您|帮您|处理|退|安排|提交|登记|解决|办理|取消|补发|发出|申请)"
    r"|预计|工作日|小时内|天内|之内|到账|安排|解决了|处理好|办好|收到了|成功",
    re.IGNORECASE,
)
_COURTESY = re.compile(
    r"\b(?:(?:hi|hello|hey)(?: there)?|good (?:morning|afternoon|evening|night|day)|how are you(?: doing)?(?: today)?"
    r"|how do you do|(?:it's )?(?:nice|good|pleased) to (?:meet|see) you|(?:good )?bye|see you(?: \w+)?"
    r"|have a (?:nice|good|great) \w+|take care|thank(?:s| you)(?: (?:very|so) much| a lot)?(?: for [^.,!?]*)?"
    r"|you(?:'re| are) (?:very )?welcome|welcome to [^.,!?]*|(?:how|what) (?:can|may|could) (?:i|we) (?:help|do|assist)"
    r"(?: (?:for|you|with))*"
    r"|(?:can|may|could) i help you"
    r"|(?:i'm |i am )?(?:very |so |really )?sorry(?: (?:to hear|about|for) (?:that|this|it))?"
    r"|(?:is there )?anything else[^.,!?]*)\b"
    r"|您好|你好|大家好|(?:非常|很|真是?)?(?:抱歉|对不起|不好意思)|(?:非常)?(?:谢谢|感谢)(?:您|你)?(?:的[^，。！!？?]*)?"
    r"|不客气|再见|拜拜|请?稍等(?:一下)?|欢迎[^，。！!？?]*|祝您[^，。！!？?]*|很高兴(?:为您|为你|能)[^，。！!？?]*"
    r"|(?:请问)?有什么(?:可以|能)(?:帮|为|协助)[^，。！!？?]*|还有(?:什么|其他|别的)(?:可以|能|需要|问题|疑问)[^，。！!？?]*",
    re.IGNORECASE,
)
_LATIN_WORD = re.compile(r"[^\W\d_\u2e80-\U0003ffff]+|\d+")
_HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]")
_QUESTION = re.compile(r"[?？]|[吗呢么][。！!~～]*$|(?:吗|呢)[，,]")


def _plain(text: str) -> str:
    """Close the gaps round apostrophes."""
    return _APOSTROPHE.sub("'", text)


def is_wish(text: str) -> bool:
    """Say whether someone wants, offers or proposes something."""
    return bool(_WISH.search(_plain(text)))


def is_request(text: str) -> bool:
    """Say whether someone asks for help or tells of a problem."""
    return bool(_REQUEST.search(_plain(text)))


def is_promise(text: str) -> bool:
    """Say whether something is promised, agreed or done."""
    return bool(_PROMISE.search(_plain(text)))


def is_courtesy(text: str) -> bool:
    """Say whether it is nothing but a greeting, thanks, a farewell, an offer of help, or words of assent."""
    rest, met = _COURTESY.subn(" ", _plain(text))
    words = [word for word in _LATIN_WORD.findall(rest.lower()) if word not in FILLERS]
    said = len(words) + len(_HAN.findall(rest)) / 2
    return said < (3 if met else 1)


def is_question(text: str) -> bool:
    """Say whether it asks."""
    return bool(_QUESTION.search(text))
