"""Facts in the strings of a config: ``'{num_clusters}'``, and products such as ``'{per_cluster} * {num_clusters}'``."""
from __future__ import annotations

import re
from typing import Any, Mapping, Sequence

from mmcluster.checks import near

from .merging import CHANGED, FACT, merge

PRODUCT = re.compile(r'(\{\w+\}) \* (\{\w+\})')


class MissingFactError(ValueError):
    """A fact that is used and that nothing states."""


def references(value: Any) -> set[str]:
    """Names of all facts in a nested value."""
    value = list(value.values()) if isinstance(value, Mapping) else value
    if isinstance(value, (list, tuple)):
        return set().union(*map(references, value))
    match = FACT.fullmatch(value) if isinstance(value, str) else None
    return {match[1]} if match else set()


def reachable(value: Any, facts: Mapping[str, Any]) -> set[str]:
    """Names of the facts that a nested value is made with, those that other facts are made of among them."""
    found: set[str] = set()
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, (Mapping, list, tuple)):
            waiting += value.values() if isinstance(value, Mapping) else value
        elif isinstance(value, str) and (FACT.fullmatch(value) or PRODUCT.fullmatch(value)):
            new = set(FACT.findall(value)) - found
            found |= new
            waiting += [facts[name] for name in new if name in facts]
    return found


def fill(value: Any, facts: Mapping[str, Any], used: set[str], where: str, leave: Sequence[str] | set[str] = ()) -> Any:
    """Replace every string that is ``'{fact}'`` as a whole by the fact, and a product of two by the product.

    Args:
        value: Nested dicts, lists and tuples.
        facts: Name -> value of any type.
        used: Names that were found are added.
        where: Place, for the error.
        leave: Names that stay as they are: those of stages.

    Raises:
        MissingFactError: If a name is neither a fact nor to be left.
        ValueError: If a factor is no number.
    """
    if isinstance(value, dict):
        filled = {key: fill(item, facts, used, where, leave) for key, item in value.items()}
        base = filled.pop(CHANGED, None)
        # what is no dict has no entries to change
        return merge(base, filled) if isinstance(base, dict) else filled
    if isinstance(value, (list, tuple)):
        return type(value)(fill(item, facts, used, where, leave) for item in value)
    match = FACT.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        product = PRODUCT.fullmatch(value) if isinstance(value, str) else None
        return value if product is None else _product(product.groups(), facts, used, where)
    name = match[1]
    if name in facts:
        used.add(name)
        # a fact may be made of other facts, but not of itself
        return fill(facts[name], {key: item for key, item in facts.items() if key != name}, used, where, leave)
    if name in leave:
        return value
    raise MissingFactError(f'{where} needs the fact {name!r}{near(name, facts)}, which no part states; '
                           f'facts are {sorted(facts)}')


def _product(factors: Sequence[str], facts: Mapping[str, Any], used: set[str], where: str) -> Any:
    """Product of two facts, given as ``'{name}'``."""
    first, second = (fill(factor, facts, used, where) for factor in factors)
    if not all(isinstance(number, (int, float)) for number in (first, second)):
        raise ValueError(f'{where}: {" * ".join(factors)} is {first!r} * {second!r}; both facts must be numbers')
    return first * second


def check_kinds(given: Mapping[str, Any], stated: Mapping[str, Any], where: str) -> None:
    """Refuse a text where parts state a number; it would end in an error of some library once its stage begins.

    Args:
        given: Facts of the recipe or the command line.
        stated: Those of its parts.
        where: Place, for the error.

    Raises:
        ValueError: If there is one that is no fact itself.
    """
    for fact, value in given.items():
        number = isinstance(stated.get(fact), (int, float)) and not isinstance(stated[fact], bool)
        if number and isinstance(value, str) and not (FACT.fullmatch(value) or PRODUCT.fullmatch(value)):
            raise ValueError(f'{where}: facts.{fact} must be a number, such as {stated[fact]!r}, got {value!r}')
