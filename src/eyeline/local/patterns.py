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
    HOURS = auto()
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
    word("city", "country", "location", "without", "except", "excluding", r"convert\w*", "fix"),
    word(r"solv\w*", "wrong with") + r"|^what (?:does|do|did)\b.*\bdo$",
    rf"\b(?:errors?|mistakes?|typos?)\b.* (?:in|on|with|of) {THIS} (?!{PICTURE}\b)",
)
"""Counting, comparing, people, places, actions, taste: what takes a model that understands."""

CODE_KINDS = word(
    *("qr", "bar ?codes?", "ean", "upc", "data ?matrix", "aztec", "pdf417", "isbn"),
    "scan (?:it|this|the code)",
)

ONE_THING = (
    r"colou?rs?\s+(?:is|are|was|were|has|have|of|does|do)\s+(?:the|this|that|these|his|her|their|my|its)\s+"
    r"(?!(?:image|picture|photo|screenshot|drawing|main|dominant|whole|background)s?\b)\w"
)
"""As in "colour of the car"; the colours of a picture are those of all of it."""

TITLED = either("book", "poster", "slide", "article", "report", "presentation", "table", "window")

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
            r"(?<!sub)(?<!sub-)(?<!sub )\b(?:(?:grand|final|overall) )?totals?\b",
            word("sum", "balance(?: due)?", "amount (?:due|to pay|payable|owed)"),
            r"\b(?:to|must i|do i have to|need to|should i) pay\b",
            r"\bhow much (?:is|was) (?:it|paid|spent|due)\b|\bhow much did \w+ (?:pay|spend)\b",
        ),
    ),
    (
        Topic.CAMERA,
        pattern(
            word("exif", "date taken", "camera (?:model|make|used)", "(?:taken|shot) with"),
            r"\b(?:which|what|whose) (?:camera|phone|device)\b(?! numbers?)(?: took| made)?",
            r"\b(?:when|how|what (?:date|time|day|year))\b.*\b(?:taken|shot|photographed)\b",
            r"\bcamera\b.*\b(?:taken|shot)\b",
        ),
    ),
    (Topic.DATE, pattern(word("dates?", "dated", "(?:what|which) (?:day|year|month)"))),
    (
        Topic.HOURS,
        pattern(
            word("(?:opening|business|office|store|shop) (?:hours|times?)"),
            r"\b(?:when|what (?:time|hours)|until when|how late)\b.*\b(?:opens?|closes?|closed)\b"
            r"(?: (?:on )?(?:mon|tues|wednes|thurs|fri|satur|sun)days?)?",
        ),
    ),
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
            word(
                "(?:tele)?phone numbers?",
                "mobile number",
                "(?:the|a|any) (?:tele)?phone(?: numbers?)?",
            ),
            r"\b(?:phone|tel|fax)\b(?=[\s,]|$)|\bnumber (?:to|can i|should i) call\b",
        ),
    ),
    (Topic.EMAIL, pattern(r"\be-?mails?(?: address(?:es)?)?\b")),
    (
        Topic.LINK,
        pattern(
            word("links?", "urls?", "web ?sites?", "web address(?:es)?", "domains?", "homepages?")
            + rf"(?: (?:is |are )?(?:in|of) {THIS} (?:qr ?|bar ?)?codes?\b)?"
        ),
    ),
    (
        Topic.ERROR,
        pattern(
            word("error (?:messages?|codes?)", "errors?", "exception", "warning", "went wrong"),
            r"\bwhat(?:'s| is| was) (?:wrong|the (?:problem|issue))$",
        ),
    ),
    (
        Topic.CODES,
        pattern(
            CODE_KINDS
            + r"(?: codes?)?(?: numbers?)?|\bwhat does (?:the|this) code (?:say|read|hold)",
            r"\b(?:read|decode|what(?:'s| is)?|which|is there|any)"
            r" (?:in |on |the |this |that |a |any )*codes?\b",
        ),
    ),
    (
        Topic.GREY,
        pattern(word("black[- ]and[- ]white", "gr[ea]y ?scale", "monochrome", "in colou?r")),
    ),
    (
        Topic.COLOURS,
        pattern(
            rf"\b{ONE_THING}.*", rf"\b(?:{either('main', 'dominant')} )?colou?rs?\b", r"\bpalette\b"
        ),
    ),
    (
        Topic.SIZE,
        pattern(
            word("dimensions?", "resolution", "(?:mega)?pixels?", "aspect ratio", "orientation"),
            word(
                "(?:portrait|landscape) or (?:portrait|landscape)", "(?:image|picture|photo) size"
            ),
            r"(?<!file )\b(?:width|height|size)\b(?!.*\bfile)"
            rf"(?:\s+(?:of|is|in)\s+{THIS_PICTURE})?\s*$",
            rf"\bhow (?:big|large|wide|high|tall) (?:is|are) (?!.*\bfile){THIS_PICTURE}$",
        ),
    ),
    (
        Topic.FORMAT,
        pattern(
            word("(?:file|image) (?:type|format)", "media type"),
            rf"\bwhat format(?: (?:is|does) {THIS_PICTURE})?(?: (?:in|have))?$",
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
            rf"\bis {THIS_PICTURE} (?:dark|bright|light)\b",
        ),
    ),
    (
        Topic.KIND,
        pattern(
            rf"\b(?:what|which) (?:kind|type|sort) of (?:{PICTURE}|document)\b",
            rf"\b(?:is|are) (?:{THIS_PICTURE} (?:really |actually )?an?|these|those) "
            rf"{either(PICTURE, DRAWN, PAPER, 'documents?', 'page')}\b"
            rf"(?:,? or an? {either(PICTURE, DRAWN, PAPER, 'document', 'page')}\b)*",
        ),
    ),
    (
        Topic.TITLE,
        pattern(
            rf"(?:^|\b{either('the', 'a', 'any', 'this', 'main', 'page', 'chart')} )"
            r"(?:title|heading|headline)\b"
            rf"(?: (?:of|on|in) {THIS} {either(PICTURE, CARRIER, PAPER, TITLED)}\b"
            r"|(?! (?:of|for)\b))",
        ),
    ),
    (
        Topic.TEXT,
        pattern(
            r"\bwhat (?:does|do|did)\b.*\b(?:says?|reads?)\b",
            r"\bwhat(?:'s| is| was|s)? (?:it |there )?"
            rf"(?:written|printed|typed|engraved|say|said)\b(?: (?:on|in|at) {THIS} \w+)?",
            rf"{POLITE}(?:read|transcript)\b",
            word("transcribe", "transcription", "ocr", f"{ORDINAL} (?:line|row)") + r"|^text\b",
            rf"\btext\b(?: (?:on|of|from|at) {THIS} \w+)?",
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
            r"\b(?:main|the) (?:subject|object)\b",
            rf"^(?:identify|classify|tag|label)\b(?: {THIS} \w+$)?",
            word("tags", "keywords"),
        ),
    ),
)
"""Patterns in the order answers are given; a question may be after several of them."""

YIELDS = {
    Topic.TEXT: frozenset(Topic) - {Topic.TEXT, Topic.COLOURS, Topic.SUBJECT, Topic.PRICE},
    Topic.PRICE: frozenset({Topic.TOTAL, Topic.CURRENCY}),
    Topic.DATE: frozenset({Topic.CAMERA}),
    Topic.TIME: frozenset({Topic.CAMERA, Topic.HOURS}),
    Topic.PHONE: frozenset({Topic.CAMERA}),
    Topic.CODES: frozenset({Topic.LINK}),
    Topic.COLOURS: frozenset({Topic.GREY}),
    Topic.FORMAT: frozenset({Topic.KIND}),
    Topic.SUBJECT: frozenset({Topic.COLOURS, Topic.KIND, Topic.TEXT}),
}
"""Which topic is dropped beside which others: "read the total" is after the total alone."""

ON_LINES = frozenset(
    {Topic.TOTAL, Topic.DATE, Topic.TIME, Topic.PHONE, Topic.EMAIL, Topic.LINK, Topic.ERROR}
)
"""Topics that lines of text answer: "the due date" is the date on a line that says "due"."""

QUOTING = frozenset({Topic.PRICE, Topic.HOURS})
"""Topics answered by quoting the lines that share words with the question."""

OF_TEXT = ON_LINES | QUOTING | {Topic.TEXT, Topic.TITLE, Topic.CURRENCY, Topic.CODES}

EXISTS = re.compile(
    either(
        r"(?:is|are) there",
        rf"(?:is|are)(?=.* {HERE}$)(?= any)",
        r"(?:do|can|could) (?:you|we) (?:see|spot|find|detect)",
        rf"(?:do|does) {either(THIS_PICTURE, f'{THIS} {either(CARRIER, PAPER)}')}"
        r" (?:have|show|contain|include|hold)",
    )
    + rf" (?:{either('an?', 'any', 'some', 'readable', 'legible', 'visible', 'printed')} )*"
    + rf"{either('text', 'writing', 'words?', 'letter(?:s|ing)', '(?:any|some)thing')}"
    + rf"(?: (?:written|printed))?{IN_PICTURE}(?: at all)?$",
    re.IGNORECASE,
)
"""Whether there is text at all, which the reader can settle."""

SAYS = re.compile(
    r"(?!.*\b(?:not|never|he|she|they)\b).*?\b(?:does|do|did|is|are|can you see|has|have)\b.*?"
    + word(
        *("says?", "reads?", "mentions?", "contains?", "includes?", "spells?", "written"),
        *("printed", "the words?", "the phrase", "the text", "shows? the (?:words?|text)"),
    )
    + r"[\s:,]*",
    re.IGNORECASE,
)
NAMES_PHRASE = pattern(word("says?", "reads?", "mentions?", "words?", "phrase", "spells?"))
IS_WORD = re.compile(rf"(?:is|are|was|were)\b(?!.*\bword\b.*\s{HERE}$)", re.IGNORECASE)
"""As in "Are the words spelled right": only "is the word x here" asks for a word."""
CLAUSE = re.compile(
    word("how", "what", "when", "where", "who", "why", "which", "whether", "if", "that", "about")
    + "|"
    + word("an?", "the", "any", "its", "his", "her", "their", "my", r"\w+thing", "it"),
    re.IGNORECASE,
)
"""Begins what is no phrase to look for: "says how much it costs", "mentions the owner"."""
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
