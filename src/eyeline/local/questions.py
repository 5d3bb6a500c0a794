"""What a question is after: one of the things the reader measures, or something beyond it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum, auto


class Topic(StrEnum):
    """What can be asked for; every other question is BEYOND or, if it may be a line, LOOKUP."""

    SAYS = auto()
    PRESENCE = auto()
    TOTAL = auto()
    DATE = auto()
    TIME = auto()
    PHONE = auto()
    EMAIL = auto()
    LINK = auto()
    ERROR = auto()
    PRICE = auto()
    CURRENCY = auto()
    TITLE = auto()
    TEXT = auto()
    CODES = auto()
    GREY = auto()
    COLOURS = auto()
    SIZE = auto()
    FORMAT = auto()
    FRAMES = auto()
    ALPHA = auto()
    QUALITY = auto()
    KIND = auto()
    CAMERA = auto()
    SUBJECT = auto()
    DESCRIBE = auto()
    LOOKUP = auto()
    BEYOND = auto()


@dataclass(frozen=True, slots=True)
class Question:
    """One sentence of a prompt; `object` is the phrase or the noun that SAYS and PRESENCE ask for."""

    text: str
    topics: tuple[Topic, ...]
    object: str = ""


PICTURE = (
    r"(?:image|picture|photo|photograph|pic|screenshot|scan|screen|drawing|snapshot|file|frame)s?"
)
IN_PICTURE = rf"(?:\s+(?:here|visible|shown|present|(?:in|on|at|of|from)\s+(?:(?:the|this|that|my|these)\s+)?(?:{PICTURE}|it|page|sign|label|document|receipt|there)))*"

SAYS = re.compile(
    r"(?:^|\b)(?:does|do|did|is|are|can you see|has|have)\b.*?\b(?:says?|reads?|mentions?|contains?|includes?|"
    r"the words?|the phrase|the text|written|printed|spells?|shows? the (?:words?|text))\b[\s:,]*",
    re.IGNORECASE,
)
QUOTE = re.compile(r"[\"“”„«»]([^\"“”„«»]+)[\"“”„«»]|(?<!\w)['‘]([^'‘’]+)['’](?!\w)")

PRESENCE = re.compile(
    rf"^(?:(?:is|are|was|were)\s+(?:there|this|that|it|these|those)|(?:can|do|could)\s+you\s+(?:see|spot|find|detect)"
    rf"|does\s+(?:it|(?:the|this)\s+{PICTURE})\s+(?:show|contain|have|depict|include)|is|are)\s+"
    rf"(?:really\s+|actually\s+|maybe\s+)?(?:an?|any|some|the)\s+(?P<noun>[^\W\d_][\w' -]*?)"
    rf"(?:\s+(?:or|and)\s+not)?{IN_PICTURE}$",
    re.IGNORECASE,
)

IS_THIS = re.compile(r"(?:is|are) (?:this|that|it|these|those) ([^\W\d_]+)$", re.IGNORECASE)
"""As in "Is this coffee"; tried last, as most words here are qualities, not things."""

MEASURED_NUMBERS = re.compile(
    r"\bhow many (?:frames|(?:mega)?pixels|(?:qr |bar)?codes)\b", re.IGNORECASE
)

BEYOND = re.compile(
    r"\b(?:how many|count(?:ing)?|number of|how often|how old|how far|how tall|how heavy|how long"
    r"|who|whom|whose|why|whether"
    r"|smil\w*|happy|sad|angry|moods?|feel\w*|emotions?|expression|laugh\w*|cry\w*|tired|scared"
    r"|best|worst|most|least|highest|lowest|biggest|largest|smallest|cheapest|fastest|better|worse|more|fewer"
    r"|trend|average|mean|compar\w*|differ\w*|increas\w*|decreas\w*|grow\w*|calculate|percentage|sum up"
    r"|brand|manufacturer|maker|famous|celebrity"
    r"|doing|happening|happen(?:s|ed)?|holding|wearing|sitting|standing|running|sleeping|looking at me"
    r"|should(?! i (?:call|pay|write|scan))|opinion|think|beautiful|nice|pretty|funny|cute|ugly|delicious|safe|dangerous|healthy"
    r"|translat\w*|summari[sz]e (?!(?:this|the) (?:image|picture|photo))\w*|explain|story|poem|joke|imagine|guess|predict"
    r"|behind|next to|in front of|left of|right of|between"
    r"|language|weather|season|gender|race|age|city|country|location)\b"
    r"|^where\b|\bwhere (?:was|were) (?:this|it)\b",
    re.IGNORECASE,
)

DESCRIBE = re.compile(
    rf"^(?:(?:please|can you|could you|briefly|now|just|then)\s+)*(?:"
    rf"(?:describe|caption|summari[sz]e|explain)(?:\s+(?:to me|for me))?(?:\s+(?:what(?:'s| is| you see)|the|this|that|these|it|my|contents? of))*"
    rf"(?:\s+(?:{PICTURE}|contents?|scene|shown|you see))*"
    rf"|describe\s+(?:the|this|that|my)\s+(?:chart|diagram|document|page|receipt|sign|label|graph)"
    rf"|what(?:'s|\s+is|\s+are|\s+do|\s+can|\s+does)?\s*(?:you|i|we)?\s*(?:see|looking at|shown|depicted|pictured|visible|going on)?"
    rf"\s*(?:this|that|these|it|the\s+{PICTURE}|there)?\s*(?:show|depict|contain|about|of)?"
    rf"|what(?:'s|\s+is)\s+(?:this|that|the)\s+(?:a\s+)?{PICTURE}\s+(?:of|about)"
    rf"|what\s+am\s+i\s+looking\s+at|tell me about (?:this|the|it|my)(?:\s+{PICTURE})?"
    rf"|(?:write|give me|give|generate|make)?\s*(?:an?\s+|the\s+)?(?:alt[- ]?text|caption|description|summary)(?:\s+(?:of|for)\s+(?:this|the|it|my)(?:\s+{PICTURE})?)?"
    rf"|look at (?:this|the|it|my)(?:\s+{PICTURE})?)"
    rf"{IN_PICTURE}(?:\s+in\s+(?:[\w-]+\s+){{0,4}}?(?:sentences?|words?|details?|lines?|paragraphs?|english|short)|\s+briefly|\s+shortly)?$",
    re.IGNORECASE,
)

OF_PICTURE = (
    rf"(?:\s+(?:of|is|in)\s+(?:the|this|that|my)\s+{PICTURE}|\s+of\s+it|\s+is\s+(?:it|this))?\s*$"
)

FIELDS: tuple[tuple[Topic, str], ...] = (
    (
        Topic.TOTAL,
        r"(?<!sub)(?<!sub-)(?<!sub )\btotals?\b|\bsum\b|amount (?:due|to pay|payable|owed)|\b(?:to|must i|do i have to|need to|should i) pay\b"
        r"|balance due|how much (?:is|was) (?:it|paid|spent|due)\b",
    ),
    (Topic.CAMERA, r"\bexif\b|\b(?:which|what|with what|whose) (?:camera|phone|device)\b(?! numbers?)|\bcamera (?:model|make|used)\b"
                   r"|\b(?:when|what (?:date|time|day|year)|how)\b.*\b(?:taken|shot|photographed)\b|\bdate taken\b|\bcamera\b.*\b(?:taken|shot)\b|\b(?:taken|shot) with\b"),
    (Topic.DATE, r"\b(?:date|dates|dated)\b|\b(?:what|which) (?:day|year|month)\b"),
    (Topic.TIME, r"\b(?:what|which|at what) (?:time|hour)\b|\bthe time\b|\btimes?\b(?= (?:is|are|and|on|of purchase|stamp)|\?*$)"),
    (Topic.PHONE, r"\b(?:tele)?phone numbers?\b|\b(?:the|a|any) (?:tele)?phone\b|\b(?:phone|tel|fax)\b(?=[\s,]|$)|\bnumber (?:to|can i|should i) call\b|\bmobile number\b"),
    (Topic.EMAIL, r"\be-?mails?\b"),
    (Topic.LINK, r"\b(?:links?|urls?|web ?sites?|web address(?:es)?|domains?|homepages?)\b"),
    (Topic.ERROR, r"\b(?:error|errors|exception|went wrong|go wrong|is wrong|what's wrong|warning|problem|issue)\b"),
    (
        Topic.CODES,
        r"\b(?:qr|bar ?codes?|barcodes?|ean|upc|data ?matrix|aztec code|pdf417|isbn)\b"
        r"|\bscan (?:it|this|the code)\b|\b(?:read|decode|what(?:'s| is)?|which|is there|any) (?:in |on |the |this |that |a |any )*codes?\b"
        r"|\bwhat does (?:the|this) code\b",
    ),
    (Topic.GREY, r"\bblack[- ]and[- ]white\b|\bgr[ea]y ?scale\b|\bmonochrome\b|\bin colou?r\b"),
    (Topic.COLOURS, r"\bcolou?rs?\b|\bpalette\b"),
    (
        Topic.SIZE,
        rf"\b(?:dimensions?|resolution|(?:mega)?pixels?|aspect ratio|orientation)\b|\b(?:portrait or|landscape or)\b"
        rf"|\b(?:image|picture|photo) size\b|\b(?:width|height|size)\b{OF_PICTURE}"
        rf"|\bhow (?:big|large|wide|high|tall) (?:is|are) (?:it|this|(?:the|this) {PICTURE})\b",
    ),
    (Topic.FORMAT, r"\bfile (?:type|format)\b|\bimage (?:format|type)\b|\bwhat format\b|\bmedia type\b|\b(?:png|jpe?g|gif|webp|bmp|tiff)\b"),
    (Topic.FRAMES, r"\banimat(?:ed|ion)\b|\bframes\b"),
    (Topic.ALPHA, r"\btransparen(?:t|cy)\b|\balpha channel\b"),
    (
        Topic.QUALITY,
        rf"\b(?:sharp|sharpness|blurr?y|blurred|blur|in focus|out of focus|brightness|(?:over|under)-?exposed|exposure|well lit"
        rf"|(?:{PICTURE}|technical) quality|quality of (?:the|this) {PICTURE})\b"
        rf"|\bis (?:it|this|(?:the|this) {PICTURE}) (?:too |very |rather )?(?:dark|bright|light)\b",
    ),
    (
        Topic.KIND,
        rf"\b(?:what|which) (?:kind|type|sort) of (?:{PICTURE}|document)\b"
        rf"|\b(?:is|are) (?:(?:this|it|that|the {PICTURE}) (?:really |actually )?an?|these|those) (?:real )?(?:{PICTURE}|photographs?|documents?|chart|graph|diagram|painting"
        rf"|receipts?|invoices?|letters?|forms?|menus?|tickets?|page)\b",
    ),
    (Topic.TITLE, r"\b(?:title|heading|headline)\b"),
    (
        Topic.TEXT,
        r"\bwhat (?:does|do|did)\b.*\b(?:says?|reads?)\b|\bwhat(?:'s| is| was|s)? (?:it |there )?(?:written|printed|typed|engraved|say|said)\b"
        r"|^(?:(?:please|can you|could you|now|and)\s+)*(?:read|transcribe|ocr|transcript)\b|\b(?:transcribe|ocr|transcription)\b"
        r"|\b(?:extract|get|give|list|copy|output|return|show|recogni[sz]e|detect|write down|what(?:'s| is)?|any|all|which|the|visible|readable|is there)\b.*\btext\b"
        r"|\b(?:what|which|any|the) (?:words?|writing|lettering|wording|inscription)\b|^text\b"
        r"|\b(?:first|second|third|fourth|fifth|last|top|bottom) (?:line|row)\b",
    ),
    (Topic.CURRENCY, r"\bcurrency\b"),
    (Topic.PRICE, r"\bprices?\b|\bcosts?\b|\bhow much\b|\bamounts?\b"),
    (
        Topic.SUBJECT,
        r"\bwhat (?:(?:kind|type|sort|breed|species) of )?(?:animal|breed|species|dog|cat|bird|fish|insect|flower|plant|tree|object|thing|item|food|fruit|dish|"
        r"vegetable|drink|vehicle|car|building|instrument|subject|mushroom)s?\b|\b(?:main|the) (?:subject|object)\b|^(?:identify|classify|tag|label)\b|\b(?:tags|keywords|labels)\b",
    ),
)  # fmt: skip
"""Patterns in the order they are tried; a question may be after several of them."""

PATTERNS = tuple((topic, re.compile(pattern, re.IGNORECASE)) for topic, pattern in FIELDS)

FIELD_NOUN = re.compile(
    r"\b(?:text|writing|words?|error|errors|warning|message|problem|codes?|qr|barcodes?|dates?|times?|numbers?|totals?|prices?"
    r"|e-?mails?|address|link|url|website|title|headline|transparency|animation|colou?rs?|screenshot|photo|document|chart|diagram"
    r"|receipt|invoice|letter|form|menu|ticket|page|png|jpe?g|gif|scan|drawing|picture|image|photograph|graph|painting)\b",
    re.IGNORECASE,
)
"""Nouns that are asked for as fields, not looked for among the labels."""

YIELDS = {
    Topic.TEXT: frozenset(Topic) - {Topic.TEXT, Topic.COLOURS, Topic.SUBJECT, Topic.PRICE},
    Topic.PRICE: frozenset({Topic.TOTAL}),
    Topic.DATE: frozenset({Topic.CAMERA}),
    Topic.TIME: frozenset({Topic.CAMERA}),
    Topic.COLOURS: frozenset({Topic.GREY}),
    Topic.CODES: frozenset({Topic.LINK}),
    Topic.FORMAT: frozenset({Topic.KIND}),
    Topic.SUBJECT: frozenset({Topic.COLOURS, Topic.KIND, Topic.TEXT}),
}
"""Which topic is dropped beside which others: "read the total" is after the total alone."""


SENTENCE_END = re.compile(
    r"(?<=[?!;])\s+|(?<=[.:])\s+|\n+"
    r"|,?\s+and\s+(?=(?:what|when|where|who|how|which|is|are|does)\b)",
    re.IGNORECASE,
)
ASKS = re.compile(r"\?|^(?:what|when|where|who|how|which|why)\b", re.IGNORECASE)


def parse(prompt: str) -> tuple[Question, ...]:
    """
    Take a prompt apart into the questions it asks, at least one.

    An empty prompt asks to describe. A sentence that asks nothing ("Answer in one word.") is
    dropped where another one does.
    """
    sentences = [part.strip() for part in SENTENCE_END.split(prompt)]
    questions = [parse_sentence(sentence) for sentence in sentences if re.search(r"\w", sentence)]
    if not questions:
        return (Question(prompt.strip(), (Topic.DESCRIBE,)),)
    if not any(is_known(question) for question in questions):
        # Usually the question stands last, after who is to answer and how.
        return (next((q for q in questions if ASKS.search(q.text)), questions[-1]),)
    return tuple(q for q in questions if is_known(q) or ASKS.search(q.text))


def is_known(question: Question) -> bool:
    return question.topics[0] not in (Topic.BEYOND, Topic.LOOKUP)


def parse_sentence(sentence: str) -> Question:
    """Say what one sentence is after."""
    bare = " ".join(re.sub(r"[?!.;:]+$", "", sentence.strip()).replace("’", "'").split())
    if phrase := phrase_of(bare):
        return Question(sentence, (Topic.SAYS,), phrase)
    if noun := noun_of(bare):
        return Question(sentence, (Topic.PRESENCE,), noun)
    if DESCRIBE.match(bare):
        return Question(sentence, (Topic.DESCRIBE,))
    if BEYOND.search(bare) and not MEASURED_NUMBERS.search(bare):
        return Question(sentence, (Topic.BEYOND,))
    if found := fields_of(bare):
        return Question(sentence, found)
    if bare_noun := IS_THIS.match(bare):
        return Question(sentence, (Topic.PRESENCE,), bare_noun[1].lower())
    return Question(sentence, (open_topic(bare),))


def fields_of(bare: str) -> tuple[Topic, ...]:
    found = {topic for topic, pattern in PATTERNS if pattern.search(bare)}
    return tuple(
        topic
        for topic, _ in PATTERNS
        if topic in found and not found & YIELDS.get(topic, frozenset())
    )


def open_topic(bare: str) -> Topic:
    """Say whether a line of text may answer: not for yes or no, which takes understanding."""
    asks = re.match(
        r"(?:what|which|when|how much|give|find|list|show|tell|get|extract)\b", bare, re.I
    )
    is_name = not re.match(r"(?:is|are|was|were|do|does|did|can|could|has|have|will)\b", bare, re.I)
    return Topic.LOOKUP if asks or (is_name and len(bare.split()) <= 4) else Topic.BEYOND


def phrase_of(bare: str) -> str:
    """Give the phrase that a "does it say …" asks for, or nothing."""
    match = SAYS.match(bare)
    if not match or re.match(r"what|which|how|when|where|who", bare, re.IGNORECASE):
        return ""
    if quote := QUOTE.search(bare):
        return (quote[1] or quote[2]).strip()
    rest = re.sub(
        rf"^(?:the\s+)?(?:words?|phrase|text)\s+|{IN_PICTURE}$", "", bare[match.end() :], flags=re.I
    )
    is_vague = re.fullmatch(
        r"(?:an?|any|some|the|this|anything|something|it)?\b.*\b(?:text|words?|writing|anything|something|codes?)|",
        rest,
        re.I,
    )
    takes_phrase = re.search(
        r"\b(?:says?|reads?|mentions?|words?|phrase|spells?)\b", match[0], re.I
    )
    return "" if is_vague or not takes_phrase else rest.strip()


def noun_of(bare: str) -> str:
    """Give the thing that an "is there a …" asks for, in lower case, or nothing."""
    match = PRESENCE.match(bare)
    if not match or FIELD_NOUN.search(match["noun"]) or len(match["noun"].split()) > 2:
        return ""
    starts_bare = re.match(r"(?:is|are)\s+(?:an?|any|some|the)\s", bare, re.IGNORECASE)
    # "Is the car" needs "… in the picture" to be a question of presence at all.
    if starts_bare and not re.search(rf"{IN_PICTURE}$", bare, re.I)[0]:  # type: ignore[index]
        return ""
    return match["noun"].lower()
