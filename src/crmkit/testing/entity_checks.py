"""What every entity recogniser must do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmkit.testing.tables import texts

if TYPE_CHECKING:
    from crmkit.testing.plugin import Plugin

__all__ = ["CHECKS"]


def check_gives_one_list_a_text(plugin: Plugin) -> None:
    """``predict`` gives one list of entities for each text, also for empty ones."""
    sample = [*texts()[0], ""]
    found = plugin.make().predict(sample)
    assert len(found) == len(sample), f"expected {len(sample)} lists, got {len(found)}"
    assert len(found[-1]) == 0, "an empty text has no entities"


def check_offsets_are_half_open_and_inside(plugin: Plugin) -> None:
    """Each entity covers at least one character of its own text."""
    sample = [*texts()[0], "call 13800138000 or write to someone@example.com, 邮箱someone@example.com"]
    for text, entities in zip(sample, plugin.make().predict(sample), strict=True):
        for entity in entities:
            assert 0 <= entity.start < entity.end <= len(text), (
                f"offsets {entity.start}:{entity.end} of {len(text)} characters"
            )
            assert isinstance(entity.label, str), "an entity's label is text"


CHECKS = (check_gives_one_list_a_text, check_offsets_are_half_open_and_inside)
