"""How people ask for what the reader measures: one pattern a topic, and those that ask for more."""

from __future__ import annotations

import re
from enum import StrEnum, auto


class Topic(StrEnum):
    """What can be asked for; every other question is LOOKUP if a line may answer, else BEYOND."""

    SAYS = auto()
    PRESENCE = auto()
    TOTAL = auto()
    CAMERA = auto()
    DATE = auto()
    TIME = auto()
    PHONE = auto()
    EMAIL = auto()
    LINK = auto()
    ERROR = auto()
    CODES = auto()
    GREY = auto()
    COLOURS = auto()
    SIZE = auto()
    FORMAT = auto()
    FRAMES = auto()
    ALPHA = auto()
    QUALITY = auto()
    KIND = auto()
    TITLE = auto()
    TEXT = auto()
    CURRENCY = auto()
    PRICE = auto()
    SUBJECT = auto()
    DESCRIBE = auto()
    LOOKUP = auto()
    BEYOND = auto()


def either(*parts: str) -> str:
    return f"(?:{'|'.join(parts)})"


def word(*parts: str) -> str:
    """Match any of `parts` as whole words."""
    return rf"\b{either(*parts)}\b"


def pattern(*parts: str) -> re.Pattern[str]:
    return re.compile(either(*parts), re.IGNORECASE)


PICTURE = either(
    *("image", "picture", "photo", "photograph", "pic", "screenshot", "scan", "screen"),
    *("drawing", "snapshot", "file", "frame"),
) + "s?"  # fmt: skip
CARRIER = either("page", "sign", "label", "document", "receipt", "chart", "diagram", "graph")
PAPER = either("receipts?", "invoices?", "letters?", "forms?", "menus?", "tickets?")
DRAWN = either(
    *("screenshots?", "charts?", "graphs?", "diagrams?", "drawings?", "paintings?"),
    "illustrations?",
)
THIS = either("the", "this", "that", "these", "those", "my")
THIS_PICTURE = either("it", "this", "that", "these", rf"{THIS}\s+{PICTURE}")
HERE = either(
    *("here", "there", "visible", "shown", "present"),
    rf"(?:in|on|at|of|from)\s+(?:{THIS}\s+)?{either(PICTURE, CARRIER, 'it', 'there')}",
)
IN_PICTURE = rf"(?:\s+{HERE})*"
POLITE = rf"^(?:{either('please', 'can you', 'could you', 'briefly', 'now', 'just', 'then')}\s+)*"
ORDINAL = either("first", "second", "third", "fourth", "fifth", "last", "top", "bottom")

MEASURED_NUMBERS = pattern(r"\bhow many (?:frames|(?:mega)?pixels|(?:qr |bar)?codes)\b")

BEYOND = pattern(
    word("how many", "count(?:ing)?", "number of", "how (?:often|old|far|tall|heavy|long)"),
    word("who", "whom", "whose", "why", "whether") + r"|^where\b",
    word(r"smil\w*", r"laugh\w*", r"cry\w*", "expression", "moods?", r"feel\w*", "emotions?"),
    word("happy", "sad", "angry", "tired", "scared", "beautiful", "nice", "pretty", "funny"),
    word("cute", "ugly", "delicious", "safe", "dangerous", "healthy", "famous", "celebrity"),
    word("best", "worst", "most", "least", "better", "worse", "more", "fewer", "average", "mean"),
    word("highest", "lowest", "biggest", "largest", "smallest", "cheapest", "fastest", "trend"),
    word(r"compar\w*", r"differ\w*", r"increas\w*", r"decreas\w*", r"grow\w*", "calculate"),
    word("percentage", "sum up", "brand", "manufacturer", "maker"),
    word("doing", "happening", "happens?", "happened", "holding", "wearing", "sitting"),
    word("standing", "running", "sleeping", "looking at me", "opinion", "think", "explain"),
    word("should(?! i (?:call|pay|write|scan))", r"translat\w*", "story", "poem", "joke"),
    rf"\bsummari[sz]e\s+(?!{THIS_PICTURE}\b)|\b(?:summari[sz]e|summary)\b.*{CARRIER}",
    word("imagine", "guess", "predict", "behind", "next to", "in front of", "between"),
    word("left of", "right of", "language", "weather", "season", "gender", "race", "age"),
    word("city", "country", "location"),
)
"""Counting, comparing, people, places, actions, taste: what takes a model that understands."""

STYLE = either(
    r"\s+in\s+(?:[\w-]+\s+){0,4}?"
    + either("sentences?", "words?", "details?", "lines?", "paragraphs?", "english", "short"),
    *(r"\s+briefly", r"\s+shortly", r"\s+one by one", r"\s+separately", r",\s.*"),
)
SEE = either(
    *("see", "looking at", "shown", "depicted", "pictured", "visible", "going on"),
    *("show", "depict", "contain", "about", "of"),
)
OBJECT = either(THIS_PICTURE, THIS, "what", "is", "you see", "contents?", "of", "scene")
DESCRIBE = re.compile(
    POLITE
    + either(
        rf"(?:describe|caption|summari[sz]e|explain)(?:\s+(?:to|for) me)?"
        rf"(?:\s+{OBJECT})*",
        rf"describe\s+{THIS}\s+{CARRIER}",
        rf"what(?:'s|\s+is)\s+{THIS}\s+{CARRIER}\s+about",
        rf"what(?:'s|\s+is|\s+are|\s+do|\s+does|\s+can)?(?:\s+(?:you|i|we|am i))?(?:\s+{SEE})?"
        rf"(?:\s+(?:{THIS_PICTURE}|there))?(?:\s+{SEE})?",
        rf"what\s+am\s+i\s+looking\s+at|tell\s+me\s+about\s+{THIS_PICTURE}|look\s+at\s+{THIS_PICTURE}",
        rf"(?:(?:write|give|give me|generate|make)\s+)?(?:an?\s+|the\s+)?"
        r"(?:[\w-]+\s+){0,2}?(?:alt[- ]?text|caption|description|summary)"
        rf"(?:\s+(?:of|for)\s+{THIS_PICTURE})?",
    )
    + rf"{IN_PICTURE}{STYLE}*$",
    re.IGNORECASE,
)

FIELDS: tuple[tuple[Topic, re.Pattern[str]], ...] = (
    (
        Topic.TOTAL,
        pattern(
            r"(?<!sub)(?<!sub-)(?<!sub )\btotals?\b",
            word("sum", "balance due", "amount (?:due|to pay|payable|owed)"),
            r"\b(?:to|must i|do i have to|need to|should i) pay\b",
            r"\bhow much (?:is|was) (?:it|paid|spent|due)\b|\bhow much did \w+ (?:pay|spend)\b",
        ),
    ),
    (
        Topic.CAMERA,
        pattern(
            word("exif", "date taken", "camera (?:model|make|used)", "(?:taken|shot) with"),
            r"\b(?:which|what|whose) (?:camera|phone|device)\b(?! numbers?)",
            r"\b(?:when|how|what (?:date|time|day|year))\b.*\b(?:taken|shot|photographed)\b",
            r"\bcamera\b.*\b(?:taken|shot)\b",
        ),
    ),
    (Topic.DATE, pattern(word("dates?", "dated", "(?:what|which) (?:day|year|month)"))),
    (
        Topic.TIME,
        pattern(
            word("(?:what|which) (?:time|hour)", "the time"),
            r"\btimes?\b(?= (?:is|are|and|on|of purchase|stamp)|$)",
        ),
    ),
    (
        Topic.PHONE,
        pattern(
            word("(?:tele)?phone numbers?", "mobile number", "(?:the|a|any) (?:tele)?phone"),
            r"\b(?:phone|tel|fax)\b(?=[\s,]|$)|\bnumber (?:to|can i|should i) call\b",
        ),
    ),
    (Topic.EMAIL, pattern(r"\be-?mails?\b")),
    (
        Topic.LINK,
        pattern(
            word("links?", "urls?", "web ?sites?", "web address(?:es)?", "domains?", "homepages?")
        ),
    ),
    (
        Topic.ERROR,
        pattern(
            word("errors?", "exception", "warning", "problem", "issue"),
            word("(?:went|go|is|what's) wrong"),
        ),
    ),
    (
        Topic.CODES,
        pattern(
            word("qr", "bar ?codes?", "ean", "upc", "data ?matrix", "aztec code", "pdf417", "isbn"),
            word("scan (?:it|this|the code)", "what does (?:the|this) code"),
            r"\b(?:read|decode|what(?:'s| is)?|which|is there|any)"
            r" (?:in |on |the |this |that |a |any )*codes?\b",
        ),
    ),
    (
        Topic.GREY,
        pattern(word("black[- ]and[- ]white", "gr[ea]y ?scale", "monochrome", "in colou?r")),
    ),
    (Topic.COLOURS, pattern(word("colou?rs?", "palette"))),
    (
        Topic.SIZE,
        pattern(
            word("dimensions?", "resolution", "(?:mega)?pixels?", "aspect ratio", "orientation"),
            word("portrait or", "landscape or", "(?:image|picture|photo) size"),
            rf"\b(?:width|height|size)\b(?:\s+(?:of|is|in)\s+{THIS_PICTURE})?\s*$",
            rf"\bhow (?:big|large|wide|high|tall) (?:is|are) {THIS_PICTURE}$",
        ),
    ),
    (
        Topic.FORMAT,
        pattern(
            word("(?:file|image) (?:type|format)", "what format", "media type"),
            word("png", "jpe?g", "gif", "webp", "bmp", "tiff"),
        ),
    ),
    (Topic.FRAMES, pattern(word("animated", "animation", "frames"))),
    (Topic.ALPHA, pattern(word("transparent", "transparency", "alpha channel"))),
    (
        Topic.QUALITY,
        pattern(
            word("sharp", "sharpness", "blurr?y", "blurred", "blur", "(?:in|out of) focus"),
            word("brightness", "(?:over|under)-?exposed", "exposure", "well lit"),
            rf"\b(?:{PICTURE}|technical) quality\b|\bquality of {THIS_PICTURE}\b",
            rf"\bis {THIS_PICTURE} (?:too |very |rather )?(?:dark|bright|light)\b",
        ),
    ),
    (
        Topic.KIND,
        pattern(
            rf"\b(?:what|which) (?:kind|type|sort) of (?:{PICTURE}|document)\b",
            rf"\b(?:is|are) (?:{THIS_PICTURE} (?:really |actually )?an?|these|those) (?:real )?"
            rf"{either(PICTURE, DRAWN, PAPER, 'documents?', 'page')}\b",
        ),
    ),
    (Topic.TITLE, pattern(word("title", "heading", "headline"))),
    (
        Topic.TEXT,
        pattern(
            r"\bwhat (?:does|do|did)\b.*\b(?:says?|reads?)\b",
            r"\bwhat(?:'s| is| was|s)? (?:it |there )?"
            r"(?:written|printed|typed|engraved|say|said)\b",
            rf"{POLITE}(?:read|transcript)\b",
            word("transcribe", "transcription", "ocr", f"{ORDINAL} (?:line|row)") + r"|^text\b",
            word("extract", "get", "give", "list", "copy", "output", "return", "show", "detect")
            + r".*\btext\b",
            word("recogni[sz]e", "write down", "what", "what's", "any", "all", "which", "the")
            + r".*\btext\b",
            word("visible", "readable", "is there") + r".*\btext\b",
            r"\b(?:what|which|any) words?\b|\b(?:any|some)thing (?:written|printed)\b",
            r"\b(?:what|which|any|the) (?:words|writing|lettering|wording|inscription)\b",
        ),
    ),
    (Topic.CURRENCY, pattern(word("currency"))),
    (Topic.PRICE, pattern(word("prices?", "costs?", "how much", "amounts?"))),
    (
        Topic.SUBJECT,
        pattern(
            r"\bwhat (?:(?:kind|type|sort|breed|species) of )?"
            + either(
                *("animal", "breed", "species", "dog", "cat", "bird", "fish", "insect", "flower"),
                *("plant", "tree", "object", "thing", "item", "food", "fruit", "dish", "mushroom"),
                *("vegetable", "drink", "vehicle", "car", "building", "instrument", "subject"),
            )
            + r"s?\b",
            r"\b(?:main|the) (?:subject|object)\b|^(?:identify|classify|tag|label)\b",
            word("tags", "keywords"),
        ),
    ),
)
"""Patterns in the order answers are given; a question may be after several of them."""

YIELDS = {
    Topic.TEXT: frozenset(Topic) - {Topic.TEXT, Topic.COLOURS, Topic.SUBJECT, Topic.PRICE},
    Topic.PRICE: frozenset({Topic.TOTAL, Topic.CURRENCY}),
    Topic.DATE: frozenset({Topic.CAMERA}),
    Topic.TIME: frozenset({Topic.CAMERA}),
    Topic.CODES: frozenset({Topic.LINK}),
    Topic.COLOURS: frozenset({Topic.GREY}),
    Topic.FORMAT: frozenset({Topic.KIND}),
    Topic.SUBJECT: frozenset({Topic.COLOURS, Topic.KIND, Topic.TEXT}),
}
"""Which topic is dropped beside which others: "read the total" is after the total alone."""

SAYS = re.compile(
    r".*?\b(?:does|do|did|is|are|can you see|has|have)\b.*?"
    + word(
        *("says?", "reads?", "mentions?", "contains?", "includes?", "spells?", "written"),
        *("printed", "the words?", "the phrase", "the text", "shows? the (?:words?|text)"),
    )
    + r"[\s:,]*",
    re.IGNORECASE,
)
NAMES_PHRASE = pattern(word("says?", "reads?", "mentions?", "words?", "phrase", "spells?"))
QUOTE = re.compile(r"[\"“”„«»]([^\"“”„«»]+)[\"“”„«»]|(?<!\w)['‘]([^'‘’]+)['’](?!\w)")
VAGUE = re.compile(
    r"(?:an?|any|some|the|this|anything|something|it)?\b.*"
    r"\b(?:text|words?|writing|anything|something|codes?)|",
    re.IGNORECASE,
)

PRESENCE = re.compile(
    either(
        r"(?:is|are|was|were)\s+(?:there|this|that|it|these|those)",
        r"(?:can|do|could)\s+you\s+(?:see|spot|find|detect)",
        rf"does\s+{THIS_PICTURE}\s+(?:show|contain|have|depict|include)",
        rf"(?P<bare>is|are)(?=.*\s{HERE}$)",
    )
    + r"\s+(?:really\s+|actually\s+|maybe\s+)?(?:an?|any|some|the)\s+"
    + rf"(?P<noun>[^\W\d_][\w' -]*?)(?:\s+(?:or|and)\s+not)?{IN_PICTURE}$",
    re.IGNORECASE,
)
IS_THIS = re.compile(r"(?:is|are) (?:this|that|it|these|those) ([^\W\d_]+)$", re.IGNORECASE)
"""As in "Is this coffee"; tried last, as most words here are qualities, not things."""

FIELD_NOUN = pattern(
    word("text", "writing", "words?", "errors?", "warning", "message", "problem", "qr"),
    word("(?:bar)?codes?", "dates?", "times?", "numbers?", "totals?", "prices?", "e-?mails?"),
    word("address", "link", "url", "website", "title", "headline", "transparency", "animation"),
    word("colou?rs?", "documents?", "page", "png", "jpe?g", "gif", PICTURE, DRAWN, PAPER),
)
"""Nouns that are asked for as fields, not looked for among the labels."""

SENTENCE_END = re.compile(
    r"(?<=[?!;])\s+|(?<=[.:])\s+|\n+"
    r"|,?\s+and\s+(?=(?:what|when|where|who|how|which|is|are|does)\b)",
    re.IGNORECASE,
)
ASKS = re.compile(r"\?|^(?:what|when|where|who|how|which|why)\b", re.IGNORECASE)
ASKS_FOR_LINE = re.compile(
    r"(?:what|which|when|how much|give|find|list|show|tell|get|extract)\b", re.I
)
YES_NO = re.compile(r"(?:is|are|was|were|do|does|did|can|could|has|have|will)\b", re.IGNORECASE)
