"""What a JSON document may look like: members by name, each with its kind and range.

Strict as section 3 of docs/protocol.md asks: integers alone, every member once, none unknown.
"""

import json
import re

from note import Refused

INTEGER_MAX = 2**63 - 1


def read_json(text):
    """One JSON value with integers alone and no member twice."""
    try:
        return json.loads(
            text, object_pairs_hook=once, parse_float=no_fraction, parse_constant=no_fraction
        )
    except (ValueError, RecursionError) as error:
        raise Refused(f"this is no JSON: {error}") from None


def once(pairs):
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Refused("a member is there twice")
    return members


def no_fraction(text):
    raise Refused(f"{text} is no integer")


def integer(low=0, high=INTEGER_MAX):
    def check(value, name):
        if type(value) is not int or not low <= value <= high:
            raise Refused(f"`{name}` is no integer in {low}..={high}")
        return value

    return check


def boolean(value, name):
    if type(value) is not bool:
        raise Refused(f"`{name}` is neither true nor false")
    return value


def text(pattern, length_max):
    compiled = re.compile(pattern)

    def check(value, name):
        if type(value) is not str or len(value) > length_max or not compiled.fullmatch(value):
            raise Refused(f"`{name}` has not the form of its kind")
        return value

    return check


def one_of(*words):
    def check(value, name):
        if type(value) is not str or value not in words:
            raise Refused(f"`{name}` is none of {', '.join(words)}")
        return value

    return check


def parsed(function):
    """A text that `function` reads; `ValueError` and `Refused` of it mean that it is none."""

    def check(value, name):
        if type(value) is not str:
            raise Refused(f"`{name}` is no text")
        try:
            return function(value)
        except ValueError as error:
            raise Refused(f"`{name}`: {error}") from None

    return check


def listing(item, length_max=None, length_min=0):
    def check(value, name):
        if type(value) is not list or len(value) < length_min:
            raise Refused(f"`{name}` is no list, or a shorter one than allowed")
        if length_max is not None and len(value) > length_max:
            raise Refused(f"`{name}` has {len(value)} entries, more than {length_max}")
        return [item(entry, name) for entry in value]

    return check


def record(left_out=None, **members):
    """An object with exactly these members; those of `left_out` only where they are there."""
    maybe = left_out or {}

    def check(value, name):
        if type(value) is not dict:
            raise Refused(f"`{name}` is no object")
        missing = members.keys() - value.keys()
        strange = value.keys() - members.keys() - maybe.keys()
        if missing:
            raise Refused(f"`{name}`: `{sorted(missing)[0]}` is missing")
        if strange:
            raise Refused(f"`{name}`: `{sorted(strange)[0]}` is unknown")
        known = {**members, **{member: kind for member, kind in maybe.items() if member in value}}
        return {member: kind(value[member], member) for member, kind in known.items()}

    return check


def choice(tag, **records):
    """An object whose member `tag` says which of `records` it is."""

    def check(value, name):
        word = value.get(tag) if type(value) is dict else None
        if type(word) is not str or word not in records:
            raise Refused(f"`{name}` has no known `{tag}`")
        rest = {member: inner for member, inner in value.items() if member != tag}
        return {tag: word, **records[word](rest, name)}

    return check
