"""Why a request did not bring an answer, in words an editor understands."""

from __future__ import annotations


class OutgoingError(Exception):
    """A request that brought no usable answer; its text is fit to show at the desk."""


class BadAddress(OutgoingError):
    """The address cannot be read as a web address."""


class ForbiddenAddress(OutgoingError):
    """The address leads to a place this site must not reach."""


class Unreachable(OutgoingError):
    """No conversation came about, or it broke off."""


class TooSlow(OutgoingError):
    """The time given ran out."""


class TooLarge(OutgoingError):
    """The answer is larger than accepted."""


class TooManyRedirects(OutgoingError):
    """The address was passed on too often."""


class BadEncoding(OutgoingError):
    """The answer's compression cannot be undone."""
