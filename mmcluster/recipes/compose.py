"""A stage from its parts: merged left to right, facts filled in, hooks and metrics made lists.

A **part** is a text config that says one thing, and may stand on other ``parts``. **Facts** are decisions that several
parts need, each stated once: ``'{num_clusters}'`` as a whole string becomes the fact of that name, with its type, and
``'{per_cluster} * {num_clusters}'`` the product of two. Facts under ``network`` belong to the network: they travel with
it, and go before facts of the same name that parts state. **on** names the stage whose network this one goes on from:
``'{on.network}'`` is its model without initialisers and preprocessor, with its checkpoint; ``'{on.model}'`` is the same
with the preprocessor of its evaluation views; ``'{moco.model}'`` is that of the earlier stage ``moco``. Composing is a
function of nested dicts; a ``PartReader`` reads files.
"""
from __future__ import annotations

import re
from copy import deepcopy
from typing import Any, Callable, Mapping, NamedTuple, Optional

from mmcluster.checks import near, resembling

from .facts import check_kinds, fill, reachable, references
from .merging import merge, merge_parts, without_marks

NETWORK = re.compile(r'(\w+)\.(model|network)')
_INITIALISERS = ('init_cfg', 'init')


class Composed(NamedTuple):
    """A stage.

    Attributes:
        config: Without facts.
        network: Facts of its network, which travel to a stage on it.
        facts: Those that the config uses.
    """
    config: dict[str, Any]
    network: dict[str, Any]
    facts: dict[str, Any]


def compose(stages: Mapping[str, Mapping], name: str, read: Callable[[str], dict],
            shared: Optional[Mapping[str, Any]] = None) -> dict[str, Any]:
    """The complete config of one stage.

    Args:
        stages: All stages of the recipe: ``parts``, ``on``, ``facts`` and ``options`` of each.
        name: The one to compose.
        read: Part name -> nested dict of its own, see :class:`mmcluster.recipes.parts.PartReader`.
        shared: Settings of the recipe for all its stages, ``facts`` among them.

    Returns:
        An ordinary config: no facts, named hooks or metrics are left. ``{stage}`` placeholders stay.

    Raises:
        ValueError: If a fact is used and not stated or stated and not used, if a hook or metric has no type, or if
            ``on`` names no other stage, or stages go on from each other.
    """
    return _composed(stages, name, read, shared or {}).config


def facts_used(stages: Mapping[str, Mapping], name: str, read: Callable[[str], dict],
               shared: Optional[Mapping[str, Any]] = None) -> dict[str, Any]:
    """The facts that the config of a stage is made with, by name; see :func:`compose`."""
    return _composed(stages, name, read, shared or {}).facts


def facts_of(stages: Mapping[str, Mapping], name: str, read: Callable[[str], dict]) -> set[str]:
    """Names of the facts that a stage's parts state, those of the networks that it stands on among them."""
    return _facts_of(stages, name, read, ())


def _facts_of(stages: Mapping[str, Mapping], name: str, read: Callable[[str], dict],
              trail: tuple[str, ...]) -> set[str]:
    """The same; ``trail`` are the stages that led here."""
    merged, on = merge_parts(stages[name]['parts'], read), stages[name].get('on')
    found = {*merged.get('facts', {}), *merged.get('network', {})}
    return found if on is None else found | _facts_of(stages, _other(stages, name, on, trail), read, (*trail, name))


def _composed(stages: Mapping[str, Mapping], name: str, read: Callable[[str], dict],
              shared: Mapping[str, Any], trail: tuple[str, ...] = ()) -> Composed:
    """The same, with its facts."""
    def before(other: str) -> Composed:
        """An earlier stage."""
        return _composed(stages, _other(stages, name, other, trail), read, shared, (*trail, name))

    stage, where, names = stages[name], f'stage {name!r}', set(stages)
    on, merged = stage.get('on'), merge_parts(stage['parts'], read)
    given = {} if on is None else before(on).network
    travelling = {**given, **merged.pop('network', {})}
    # what a network fixes, such as its image size, goes before what a data set says, and the recipe before both
    merged['facts'] = {**merged.get('facts', {}), **travelling}
    stated = set(merged['facts'])
    parts = {key: value for key, value in merged.items() if key != 'facts'}
    wanted = reachable(parts, merged['facts'])      # an option may take the place where one of them was used
    shared, own = dict(shared), merge(dict(facts=stage.get('facts') or {}), stage.get('options') or {})
    for said in (shared, own):      # facts of the network that the recipe states
        network = said.pop('network', None) or {}
        said['facts'], travelling = {**(said.get('facts') or {}), **network}, {**travelling, **network}
        check_kinds(said['facts'], merged['facts'], where)
    merged = merge(merge(merged, shared), own)
    facts = merged.pop('facts')
    for found in filter(None, map(NETWORK.fullmatch, references([merged, facts]))):
        other = on if found[1] == 'on' else found[1]
        if other is None:
            raise ValueError(f'{where} needs the network of another stage: give it on=..., or model.base of its own')
        facts[found[0]] = network_of(before(other).config['model'], other, found[2] == 'model')
    used: set[str] = set()
    filled = fill(merged, facts, used, where, names)
    # a part may state what nothing uses here; but the stage itself hardly, unless it travels on with the network, nor a
    # part beside a fact of nearly the same name that is used
    idle = set(own['facts']) - used - wanted - set(travelling)
    idle |= {fact for fact in set(facts) - used if _slip(fact, used)}
    if idle:
        choices = stated & used - {min(idle)}
        raise ValueError(f'{where}: nothing uses the fact {min(idle)!r}{near(min(idle), choices)}; used are '
                         f'{sorted(choices)}')
    values = {key: fill(facts[key], facts, set(), where, names) for key in {**travelling, **dict.fromkeys(used)}}
    return Composed(_with_lists(without_marks(filled), where), {key: values[key] for key in travelling},
                    {key: values[key] for key in sorted(used) if not NETWORK.fullmatch(key)})


def _slip(fact: str, used: set[str]) -> bool:
    """Whether a fact is likely meant for one that is used; a word with a prefix, as (un)labelled, is another word."""
    meant = resembling(fact, used, 0.85)
    return meant is not None and not (abs(len(fact) - len(meant)) > 1 and (fact in meant or meant in fact))


def _other(stages: Mapping[str, Mapping], name: str, other: str, trail: tuple[str, ...]) -> str:
    """The name of a stage whose network another one uses, once it is found to be one that can come before it."""
    others = [key for key in stages if key != name]
    if other not in others:
        raise ValueError(f'stage {name!r} goes on from {other!r}, which is no other stage{near(other, others)}; others '
                         f'are {others}')
    if other in trail:
        raise ValueError(f'stages go on from each other: {" -> ".join((*trail, name, other))}')
    if not stages[other].get('parts'):
        raise ValueError(f'stage {name!r} goes on from {other!r}, which has no parts: a config of one piece does not '
                         f'tell its network; write it into the options of {name!r}')
    return other


def network_of(model: Mapping[str, Any], stage: str, asked: bool) -> dict[str, Any]:
    """The model of a trained stage as another stage names it.

    Args:
        model: Its config.
        stage: Its name, for the placeholder of its checkpoint.
        asked: Keep the preprocessor, for evaluation views: it is asked for outputs. Else only its parts are taken.

    Returns:
        The config without initialisers, and with the parts that it took from a base of its own.
    """
    kept = strip_initialisers(dict(model))
    base = kept.pop('base', None) or {}
    taken = {part: base[part] for part in ('backbone', 'neck', 'head')
             if base.get(part) is not None and kept.get(part) is None}
    if 'head' in taken:     # of several heads the chosen one has gone on
        taken['head'] = taken['head'].get('head', taken['head'])
    kept.update(taken)
    preprocessor = kept.pop('data_preprocessor', None)
    if asked and preprocessor is not None:
        kept['data_preprocessor'] = {key: value for key, value in preprocessor.items() if key != 'views'}
    return dict(kept, init_cfg=dict(type='Pretrained', checkpoint=f'{{{stage}}}'))


def strip_initialisers(value: Any) -> Any:
    """A network without its initialisers: weights are loaded, and draws for nothing would shift random streams."""
    if isinstance(value, dict):
        return {key: strip_initialisers(item) for key, item in value.items() if key not in _INITIALISERS}
    if isinstance(value, (list, tuple)):
        return type(value)(strip_initialisers(item) for item in value)
    return value


def _with_lists(config: dict[str, Any], where: str) -> dict[str, Any]:
    """Make ``hooks`` and ``metrics`` the lists that a Runner reads, in the order in which parts first name them."""
    for kind, names in dict(custom_hooks='hooks', val_evaluator='metrics', test_evaluator='metrics').items():
        given = config.get(kind)
        if isinstance(given, Mapping) and any(str(key).isdecimal() for key in given):
            raise ValueError(f'{where}: {kind} has no numbered entries before it is composed; name one instead, as '
                             f'{names}.NAME; here are {list(config.get(names, {}))}')
    hooks = _listed(config.pop('hooks', None) or {}, f'{where}, hooks')
    metrics = _listed(config.pop('metrics', None) or {}, f'{where}, metrics')
    if hooks:
        config['custom_hooks'] = [*config.get('custom_hooks', []), *hooks]
    if metrics:
        config['val_evaluator'] = metrics if len(metrics) > 1 else metrics[0]
    for kind in ('dataloader', 'evaluator', 'cfg'):     # what is tested is what is evaluated, unless said otherwise
        if f'val_{kind}' in config:
            config.setdefault(f'test_{kind}', deepcopy(config[f'val_{kind}']))
    return config


def _listed(named: Mapping[str, Any], where: str) -> list[dict]:
    """Entries of named hooks or metrics; ``None`` leaves one out."""
    for name, entry in named.items():
        if entry is not None and not (isinstance(entry, Mapping) and 'type' in entry):
            others = [key for key in named if key != name]
            raise ValueError(f'{where}.{name} has no type{near(name, others)}: {entry!r}')
    return [dict(entry) for entry in named.values() if entry is not None]
