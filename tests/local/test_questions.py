from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyeline.local.patterns import Topic
from eyeline.local.questions import parse


@pytest.mark.parametrize(
    ("prompt", "topics"),
    [
        ("What does the sign say?", (Topic.TEXT,)),
        ("Read the receipt.", (Topic.TEXT,)),
        ("OCR", (Topic.TEXT,)),
        ("What is the total?", (Topic.TOTAL,)),
        ("How much do I have to pay?", (Topic.TOTAL,)),
        ("How much was the olive oil?", (Topic.PRICE,)),
        ("Extract the date and the total", (Topic.TOTAL, Topic.DATE)),
        ("When was this photo taken?", (Topic.CAMERA,)),
        ("When must invoices be paid?", (Topic.LOOKUP,)),
        ("What phone number should I call?", (Topic.PHONE,)),
        ("Is there an error message?", (Topic.ERROR,)),
        ("What link is in the QR code?", (Topic.LINK,)),
        ("What does the code say?", (Topic.CODES,)),
        ("What are the main colours?", (Topic.COLOURS,)),
        ("Is it black and white?", (Topic.GREY,)),
        ("How big is the image?", (Topic.SIZE,)),
        ("Is this photo blurry?", (Topic.QUALITY,)),
        ("Is this a photo or a screenshot?", (Topic.KIND,)),
        ("What kind of animal is this?", (Topic.SUBJECT,)),
        ("What is in this picture?", (Topic.DESCRIBE,)),
        ("Describe it in two short sentences.", (Topic.DESCRIBE,)),
        ("Describe the chart", (Topic.DESCRIBE,)),
        ("Describe this image: what it shows, and any text in it.", (Topic.DESCRIBE,)),
        ("Describe these images one by one: what each shows, and any text.", (Topic.DESCRIBE,)),
        ("", (Topic.DESCRIBE,)),
        ("What is in the box?", (Topic.LOOKUP,)),
        ("How many frames does it have?", (Topic.FRAMES,)),
    ],
)
def test_measured_things_are_recognised(prompt: str, topics: tuple[Topic, ...]) -> None:
    """A question for what is measured is taken as such, in the order answers are given."""
    assert parse(prompt)[0].topics == topics


@pytest.mark.parametrize(
    "prompt",
    [
        "How many people are there?",
        "Is she smiling?",
        "Which quarter was best?",
        "What brand is the car?",
        "How tall is the tower?",
        "Who is this?",
        "What is the man holding?",
        "Is the coffee hot?",
        "Is there a cat on the sofa?",
        "Translate the text into French",
        "Summarize this document",
        "Where was this taken?",
        "Should I buy it?",
    ],
)
def test_what_takes_understanding_is_beyond(prompt: str) -> None:
    """Counts, feelings, judgements, people and places are never taken for a measured thing."""
    assert parse(prompt)[0].topics == (Topic.BEYOND,)


@pytest.mark.parametrize(
    ("prompt", "phrase"),
    [
        ('Does it say "Rye bread"?', "Rye bread"),
        ("Does the sign say EXIT?", "EXIT"),
        ("Is the word cheese on it?", "cheese"),
        ("Does the receipt mention olive oil in the picture?", "olive oil"),
        ("Can you see the words “Old Harbour”?", "Old Harbour"),
    ],
)
def test_a_phrase_asked_for_is_taken_out(prompt: str, phrase: str) -> None:
    """A question whether the text holds a phrase names that phrase, quoted or not."""
    (question,) = parse(prompt)
    assert (question.topics, question.object) == ((Topic.SAYS,), phrase)


@pytest.mark.parametrize(
    ("prompt", "noun"),
    [
        ("Is there a cat?", "cat"),
        ("Can you see any dogs in the picture?", "dogs"),
        ("Is this coffee?", "coffee"),
        ("Is a traffic light visible?", "traffic light"),
        ("Does the image show a car?", "car"),
    ],
)
def test_a_thing_asked_for_is_taken_out(prompt: str, noun: str) -> None:
    """A question whether something is there names that thing."""
    (question,) = parse(prompt)
    assert (question.topics, question.object) == ((Topic.PRESENCE,), noun)


def test_instructions_around_a_question_are_dropped() -> None:
    """Of a prompt with a preamble only what asks is answered."""
    prompt = "You are a careful assistant. What is the total? Answer in one word."
    assert [question.text for question in parse(prompt)] == ["What is the total?"]


def test_two_questions_in_one_sentence_are_two() -> None:
    """Joined by "and", each is answered or refused by itself."""
    topics = [question.topics for question in parse("Who sold it, and what is the total?")]
    assert topics == [(Topic.BEYOND,), (Topic.TOTAL,)]


@pytest.mark.parametrize("word", ["the ", "what is the ", "please ", "a. ", "and what ", " ", "\n"])
def test_a_pasted_book_is_taken_apart_at_once(word: str) -> None:
    """The work grows with the length of a prompt, not with its square."""
    assert len(parse(word * 30_000 + "What is the total?")) <= 40


@given(st.text(max_size=200))
def test_any_prompt_is_at_least_one_question(prompt: str) -> None:
    """Whatever is typed, there is something to answer or refuse."""
    questions = parse(prompt)
    assert questions
    assert all(question.topics for question in questions)
