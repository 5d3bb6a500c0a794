"""The class for pipelines that exist already."""

from __future__ import annotations

import numpy as np
import pytest
from api_server import ApiServer, error

import eyeline
from eyeline.errors import SettingsError
from eyeline.testing import tiny_png


def ask(prompt: str, api: ApiServer, **options: object) -> eyeline.AskBatch:
    return eyeline.AskBatch(prompt, engine=api.url, sight_check=False, cache=False, **options)


def test_a_batch_comes_back_with_answers(api: ApiServer) -> None:
    """Every row keeps its columns and gets its answer, in its place; a bad row gets its error."""
    images = np.array([tiny_png(8, 8), b"no image", tiny_png(9, 8)], dtype=object)
    made = ask("Is this {name}?", api)({"name": ["a", "b", "c"], "image": images})
    assert made["name"] == ["a", "b", "c"]
    assert made["text"] == ["A sign.", None, "A sign."]
    assert made["error_kind"][1] == "not_an_image"
    assert made["error"][0] is None
    asked = sorted(part["text"] for each in api.requests for part in text_parts(each.json))
    assert asked == ["Is this a?", "Is this c?"]


def test_data_comes_as_json(api: ApiServer) -> None:
    """With a schema the value is in the column `parsed`, as JSON that any table can hold."""
    api.text = '{"total": 3}'
    schema = {"type": "object", "properties": {"total": {"type": "integer"}}, "required": ["total"]}
    made = ask("Read.", api, schema=schema)({"image": [tiny_png(8, 8)]})
    assert made["parsed"] == ['{"total": 3}']


def test_a_column_that_is_not_there(api: ApiServer) -> None:
    """A wrong name is an error of the whole batch, with the names there are."""
    with pytest.raises(SettingsError, match="which has picture"):
        ask("What?", api)({"picture": [tiny_png(8, 8)]})


def test_a_refusal_stays_in_its_row(api: ApiServer) -> None:
    """What the engine says no to is that row's error."""
    api.script.append(error(400, "no", "invalid_value"))
    made = ask("What?", api)({"image": [tiny_png(8, 8)]})
    assert made["text"] == [None]
    assert "no" in made["error"][0]


def text_parts(body: dict) -> list[dict]:  # type: ignore[type-arg]
    return [part for part in body["messages"][-1]["content"] if part["type"] == "text"]
