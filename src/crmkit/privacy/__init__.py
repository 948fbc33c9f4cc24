"""Personal data in text: found, masked, never echoed."""

from __future__ import annotations

from crmkit.privacy._checksums import is_bank_card, is_id_card
from crmkit.privacy._find import Entity, find, mask
from crmkit.privacy._patterns import KINDS
from crmkit.privacy._recognizer import PersonalDataRecognizer

__all__ = ["KINDS", "Entity", "PersonalDataRecognizer", "find", "is_bank_card", "is_id_card", "mask"]
