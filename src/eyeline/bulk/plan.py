"""What a run asks, of what, with what: written down at its beginning, compared when it goes on."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from eyeline.bulk.run_errors import RunDamaged, RunDiffers
from eyeline.version import VERSION

SHOWN_CHARS = 100


@dataclass(frozen=True, slots=True)
class Plan:
    """
    `fixed` is what may not change under a run: prompt, model, schema, how images are looked at, the
    source and what is kept of it. `noted` is written down for whoever reads the answers: engine,
    time, versions. Both are plain JSON.
    """

    fixed: Mapping[str, Any]
    noted: Mapping[str, Any]

    def to_record(self) -> dict[str, Any]:
        return {"fixed": self.fixed, "noted": self.noted}

    @classmethod
    def read(cls, path: Path) -> Plan | None:
        """Read a plan; None where there is none. Raises RunDamaged for what is no plan."""
        try:
            record = json.loads(path.read_text("utf-8"))
            return cls(dict(record["fixed"]), dict(record["noted"]))
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError) as error:
            raise RunDamaged(str(path), f"no plan of a run: {error}") from None


def plan_of(fixed: Mapping[str, Any], engine: str) -> Plan:
    """Make the plan of a run that begins now."""
    noted = {
        "engine": engine,
        "begun": datetime.now(UTC).isoformat(timespec="seconds"),
        "eyeline": VERSION,
        "python": platform.python_version(),
    }
    return Plan(json.loads(json.dumps(fixed)), noted)


def refuse_other(path: Path, old: Plan, new: Plan) -> None:
    """Raise RunDiffers, with what differs, where a run cannot go on as `new`."""
    found = "\n".join(differences(old.fixed, new.fixed))
    if found:
        raise RunDiffers(str(path), found)


def differences(old: Mapping[str, Any], new: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Give a line for each value that is not the same, by its path."""
    for name in [*old, *(name for name in new if name not in old)]:
        before, after = old.get(name), new.get(name)
        if before == after:
            continue
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            yield from differences(before, after, f"{prefix}{name}.")
        else:
            yield f"  {prefix}{name}: {shown(before)} → {shown(after)}"


def shown(value: Any) -> str:
    text = "none" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]}…"
