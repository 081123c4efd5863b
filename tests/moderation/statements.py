"""What the European Commission's transparency database takes in a statement of reasons, field by field."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any

_C, _K = "STATEMENT_CATEGORY_", "KEYWORD_"

Rule = Callable[[Any], bool]


def _text(longest: int) -> Rule:
    return lambda value: isinstance(value, str) and 0 < len(value) <= longest


def _among(prefix: str, words: str) -> Rule:
    allowed = {prefix + word for word in words.split()}
    return lambda value: value in allowed if isinstance(value, str) else False


def _each(rule: Rule) -> Rule:
    return lambda value: isinstance(value, list) and bool(value) and all(rule(one) for one in value)


def _day(first: date) -> Rule:
    def check(value: Any) -> bool:
        try:
            return first <= date.fromisoformat(value) <= date(2038, 1, 1)
        except (TypeError, ValueError):
            return False

    return check


def _matching(pattern: str) -> Rule:
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value) is not None


VISIBILITY = "CONTENT_REMOVED CONTENT_DISABLED CONTENT_DEMOTED CONTENT_AGE_RESTRICTED CONTENT_INTERACTION_RESTRICTED CONTENT_LABELLED OTHER"  # noqa: E501
CATEGORY = (
    "ANIMAL_WELFARE CONSUMER_INFORMATION CYBER_VIOLENCE CYBER_VIOLENCE_AGAINST_WOMEN"
    " DATA_PROTECTION_AND_PRIVACY_VIOLATIONS ILLEGAL_OR_HARMFUL_SPEECH INTELLECTUAL_PROPERTY_INFRINGEMENTS"
    " NEGATIVE_EFFECTS_ON_CIVIC_DISCOURSE_OR_ELECTIONS NOT_SPECIFIED_NOTICE OTHER_VIOLATION_TC PROTECTION_OF_MINORS"
    " RISK_FOR_PUBLIC_SECURITY SCAMS_AND_FRAUD SELF_HARM UNSAFE_AND_PROHIBITED_PRODUCTS VIOLENCE"
)
REQUIRED: dict[str, Rule] = {
    "decision_ground": _among("DECISION_GROUND_", "ILLEGAL_CONTENT INCOMPATIBLE_CONTENT"),
    "content_type": _each(
        _among("CONTENT_TYPE_", "APP AUDIO IMAGE PRODUCT SYNTHETIC_MEDIA TEXT VIDEO OTHER")
    ),
    "category": _among(_C, CATEGORY),
    "content_date": _day(date(2000, 1, 1)),
    "application_date": _day(date(2020, 1, 1)),
    "decision_facts": _text(5000),
    "source_type": _among("SOURCE_", "ARTICLE_16 TRUSTED_FLAGGER TYPE_OTHER_NOTIFICATION VOLUNTARY"),
    "automated_detection": _among("", "Yes No"),
    "automated_decision": _among("AUTOMATED_DECISION_", "FULLY PARTIALLY NOT_AUTOMATED"),
    "puid": _matching(r"[A-Za-z0-9_-]{1,500}"),
}
OPTIONAL: dict[str, Rule] = {
    "decision_visibility": _each(_among("DECISION_VISIBILITY_", VISIBILITY)),
    "decision_visibility_other": _text(500),
    "illegal_content_legal_ground": _text(500),
    "illegal_content_explanation": _text(2000),
    "incompatible_content_ground": _text(500),
    "incompatible_content_explanation": _text(2000),
    "incompatible_content_illegal": _among("", "Yes No"),
    "decision_ground_reference_url": _text(500),
    "category_specification": _each(
        _among(_K, "COPYRIGHT_INFRINGEMENT RIGHT_TO_BE_FORGOTTEN DEFAMATION OTHER")
    ),
    "category_specification_other": _text(500),
    "content_type_other": _text(500),
    "content_language": _matching("[A-Z]{2}"),
}
# What has to stand there because of something else: field, the value that asks for it, what it asks for.
DEPENDENT = (
    ("decision_ground", "DECISION_GROUND_ILLEGAL_CONTENT", "illegal_content_legal_ground"),
    ("decision_ground", "DECISION_GROUND_ILLEGAL_CONTENT", "illegal_content_explanation"),
    ("decision_ground", "DECISION_GROUND_INCOMPATIBLE_CONTENT", "incompatible_content_ground"),
    ("decision_ground", "DECISION_GROUND_INCOMPATIBLE_CONTENT", "incompatible_content_explanation"),
    ("decision_visibility", "DECISION_VISIBILITY_OTHER", "decision_visibility_other"),
    ("content_type", "CONTENT_TYPE_OTHER", "content_type_other"),
    ("category_specification", "KEYWORD_OTHER", "category_specification_other"),
)


def faults_in(told: dict[str, Any]) -> list[str]:
    """What the database would refuse in this statement, by field; empty when it would take it."""
    faults = [f"{name}: is needed" for name in REQUIRED if name not in told]
    rules = REQUIRED | OPTIONAL
    faults += [f"{name}: is not a field we know" for name in told if name not in rules]
    faults += [
        f"{name}: has no value it may have"
        for name, value in told.items()
        if name in rules and not rules[name](value)
    ]
    if not told.get("decision_visibility"):
        faults.append("decision_visibility: some restriction has to be named")
    for field, value, needed in DEPENDENT:
        given = told.get(field)
        asks = value in given if isinstance(given, list) else value == given
        if asks and needed not in told:
            faults.append(f"{needed}: is needed beside {value}")
        if not asks and needed in told and not _asked_elsewhere(told, needed):
            faults.append(f"{needed}: stands there without {value}")
    return faults


def _asked_elsewhere(told: dict[str, Any], needed: str) -> bool:
    return any(name == needed and told.get(field) == value for field, value, name in DEPENDENT)
