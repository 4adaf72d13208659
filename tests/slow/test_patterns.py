"""Every pattern of the code takes a time that grows with the length of a text, not its square.

A quadratic one holds the interpreter, and so every page, for as long as a stranger likes.
"""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from booking import mangled_links
from booking.crm.masking import masker
from booking.query import ANSWERS, SOURCES
from tests.costs import is_linear
from tests.variables import ROOT

CODE = sorted([*ROOT.glob("booking/**/*.py"), *ROOT.glob("config/*.py")])
METHODS = {"sub", "subn", "findall", "finditer", "search", "match", "fullmatch", "split"}
# Made while the site runs, for one call of the CRM or for the names that are known: what uses them.
MADE: dict[str, list[Callable[[str], object]]] = {
    "booking.crm.masking": [masker(secret="example-secret", phone="+79001234567")],
    "booking.mangled_links": [lambda text: mangled_links.readings(text, (*ANSWERS, *SOURCES))],
}
# Of the classes of characters that patterns speak of.
USUAL = " \t\n01789aZя.,:;-+()[]<>\"'&?=/#%_\u2011\ufeff"
LENGTH = 2_000


@dataclass(frozen=True, slots=True)
class Use:
    """A pattern, and how it is applied: what is quadratic to search for may be cheap to match."""

    place: str
    pattern: re.Pattern[str]
    method: str

    def __call__(self, text: str) -> object:
        apply = getattr(self.pattern, self.method)
        found = apply("x", text) if self.method.startswith("sub") else apply(text)
        return list(found) if self.method == "finditer" else found


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def calls(tree: ast.AST) -> Iterator[tuple[ast.Attribute, ast.Call]]:
    """Each call of what may be a method of a pattern or a function of the module `re`."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr=name) as method) if name in METHODS:
                yield method, node


def value_of(node: ast.expr, module: Any) -> Any:
    """What an expression means at the top of its module; None where it is known later."""
    try:
        return eval(compile(ast.Expression(node), "", "eval"), vars(module))  # our own source
    except (NameError, AttributeError):
        return None


def uses() -> Iterator[Use]:
    for path in CODE:
        name, tree = name_of(path), ast.parse(path.read_text("utf-8"))
        module = importlib.import_module(name)
        for method, call in calls(tree):
            of_re = ast.unparse(method.value) == "re"
            pattern = value_of(call.args[0] if of_re else method.value, module)
            flags = [word.value for word in call.keywords if word.arg == "flags"]
            if isinstance(pattern, str) and of_re:
                pattern = re.compile(pattern, value_of(flags[0], module) if flags else 0)
            if isinstance(pattern, re.Pattern):
                yield Use(f"{name}:{call.lineno}", pattern, method.attr)


def unknown() -> Iterator[str]:
    """Where a pattern is made of what only a call knows."""
    for path in CODE:
        name, tree = name_of(path), ast.parse(path.read_text("utf-8"))
        for node in ast.walk(tree):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id="re"), attr=method), args=[made, *_]
                ):
                    if method != "escape" and value_of(made, importlib.import_module(name)) is None:
                        yield name


USES = list(uses())


def fillings(pattern: str) -> Iterator[Callable[[int], str]]:
    """Runs of what the pattern speaks of, behind a beginning, before an end that does not fit."""
    letters = sorted({*USUAL, *re.sub(r"\\.", "", pattern)})
    words = [*letters, *map("".join, product(sorted(set(pattern) & set(USUAL)), repeat=2))]
    for word in words:
        for start, end in (("", ""), ("", "1"), ("", "\0"), ("7", "\0"), ("<", "\0")):
            yield (
                lambda n, word=word, start=start, end=end: (  # type: ignore[misc]
                    start + (word * n)[:n] + end
                )
            )


@pytest.mark.parametrize("use", USES, ids=[use.place for use in USES])
def test_a_pattern_takes_a_time_that_grows_with_the_text(use: Use) -> None:
    slow = [
        filling(20)
        for filling in fillings(use.pattern.pattern)
        if not is_linear(use, filling, LENGTH)
    ]

    assert slow == []


@pytest.mark.parametrize("name", MADE)
def test_so_do_patterns_that_are_made_for_a_call(name: str) -> None:
    for made in MADE[name]:
        texts = fillings(r"+78(-) 9001234567 abcdef &amp;?flat=%26%3D%25;")
        assert [text(20) for text in texts if not is_linear(made, text, LENGTH)] == []


def test_all_patterns_are_looked_at() -> None:
    assert len(USES) > 40
    assert set(unknown()) == set(MADE)


def test_patterns_in_scripts_repeat_one_kind_of_character_at_the_most() -> None:
    for path in ROOT.glob("static/**/*.js"):
        patterns = re.findall(r"/((?:[^/\\\n*]|\\.)+)/[gimsuy]+", path.read_text("utf-8"))
        assert patterns
        plain = [re.sub(r"\\p\{\w+\}", "L", pattern) for pattern in patterns]
        assert not [pattern for pattern in plain if re.search(r"[*{(|]|\+.", pattern)]


def test_a_quadratic_pattern_is_found() -> None:
    quadratic = Use("here", re.compile(r"\D+$"), "sub")

    assert not all(is_linear(quadratic, each, LENGTH) for each in fillings(r"\D+$"))
