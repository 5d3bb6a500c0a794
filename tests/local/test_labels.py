from __future__ import annotations

import pytest
from local_samples import CAT, ESPRESSO

from eyeline.local.facts import Label
from eyeline.local.labels import (
    GROUPS,
    called,
    chance_of,
    load_names,
    plain_name,
    subjects_of,
    with_article,
)

NAMES = load_names()


def test_breeds_are_summed_to_their_kind() -> None:
    """Three unsure cats make one sure cat."""
    (cat,) = subjects_of(CAT)
    assert (cat.name, round(cat.probability, 2)) == ("a cat", 0.92)


def test_a_class_in_no_group_stands_for_itself() -> None:
    """Food is named without an article, things with one."""
    assert [s.name for s in subjects_of(ESPRESSO)] == ["espresso", "a cup or mug"]
    assert subjects_of([Label(872, "tripod", 0.9)])[0].name == "a tripod"


def test_no_class_is_in_two_groups() -> None:
    """Probabilities are never counted twice."""
    indices = [index for group in GROUPS for index in group.classes]
    assert len(indices) == len(set(indices))
    assert max(indices) < len(NAMES) == 1000


@pytest.mark.parametrize(
    ("name", "inside", "outside"),
    [
        ("a cat", "Egyptian Mau", "lynx"),
        ("a dog", "pug", "grey wolf"),
        ("a bird", "hummingbird", "bee"),
        ("a car", "limousine", "garbage truck"),
        ("a bridge", "suspension bridge", "pier"),
        ("a chair or sofa", "couch", "bookcase"),
        ("fruit", "banana", "pizza"),
        ("a boat or ship", "container ship", "space shuttle"),
        ("a mushroom", "bolete", "daisy"),
        ("a clock or watch", "wall clock", "sundial"),
    ],
)
def test_groups_hold_what_their_name_says(name: str, inside: str, outside: str) -> None:
    """The index ranges agree with the names of the classes."""
    members = {NAMES[i] for group in GROUPS if group.name == name for i in group.classes}
    assert inside in members
    assert outside not in members


def test_nouns_are_matched_with_groups_and_names() -> None:
    """A noun is a group, a wider word, or a word of a class's own name; else it is not known."""
    assert chance_of("cat", CAT) == pytest.approx(0.92)
    assert chance_of("animal", CAT) == pytest.approx(0.92)
    assert chance_of("dog", CAT) == 0
    assert chance_of("espresso", ESPRESSO) == 0.95
    assert chance_of("tea cup", ESPRESSO) == chance_of("cup", ESPRESSO) == 0.02
    assert chance_of("helicopter", CAT) is None


def test_a_kind_is_not_named_by_another_s_word() -> None:
    """A tiger cat is no tiger, and a kitten is more than the network knows."""
    assert chance_of("tiger", CAT) is None
    assert chance_of("kitten", CAT) is None
    assert (called("airplane"), called("tripod")) == ("an aircraft", "a tripod")


def test_names_are_plain() -> None:
    """Explanations in brackets are cut, and articles fit."""
    assert plain_name("drake (male duck)") == "drake"
    assert with_article("espresso machine") == "an espresso machine"
