"""The small changes of a module: a comparison turned round, a condition dropped, a line deleted."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from typing import TypeVar

from tests.variables import ROOT

Node = TypeVar("Node", bound=ast.AST)

COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
OPPOSITES = {"any": "all", "all": "any", "min": "max", "max": "min", "first": "last"}
# Calls of which a keyword is a condition or a change of its own.
CONDITIONS = {"Q", "exclude", "filter", "get", "replace", "update"}
# What only people read.
WORDS = {"_", "debug", "exception", "gettext", "info", "warning"}


@dataclass(frozen=True, slots=True)
class Mutant:
    path: str
    line: int
    original: str
    code: str

    def difference(self) -> str:
        lines = difflib.unified_diff(self.original.splitlines(), self.code.splitlines(), n=0)
        return "\n".join(
            line for line in lines if line[:3] not in {"---", "+++"} and line[0] != "@"
        )


def mutants_of(path: str) -> list[Mutant]:
    """Every mutant of a module, in the order of its lines."""
    source = (ROOT / path).read_bytes()
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    found = {}
    for node, text in _changes(ast.parse(source)):
        first = starts[node.lineno - 1] + node.col_offset
        last = starts[node.end_lineno - 1] + node.end_col_offset  # type: ignore[operator]
        code = (source[:first] + text.encode() + source[last:]).decode()
        found[code] = Mutant(path, node.lineno, source.decode(), code)
    return sorted(found.values(), key=lambda mutant: (mutant.line, mutant.code))


def _changes(node: ast.AST) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
    """A part of the code and what may stand in its place, for all parts below a node."""
    if isinstance(node, ast.expr):
        for other in _other_expressions(node):
            yield node, f"({ast.unparse(other)})"
    elif isinstance(node, ast.stmt):
        yield from _other_statements(node)
    for child in _meaningful(node):
        yield from _changes(child)


def _meaningful(node: ast.AST) -> Iterator[ast.AST]:
    """The parts that can be changed: no type, no docstring, no decorator, nothing said in words."""
    if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Call) and _name(node) in WORDS):
        return
    for field, value in ast.iter_fields(node):
        if field in {"annotation", "decorator_list", "returns"}:
            continue
        for child in value if isinstance(value, list) else [value]:
            is_docstring = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
            is_words = isinstance(node, ast.Raise) or (
                isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            )
            if isinstance(child, ast.AST) and not is_docstring and not is_words:
                yield child


def _other_statements(node: ast.stmt) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
    match node:
        case ast.Expr(value=ast.Call() as call) if _name(call) not in WORDS:
            yield node, "pass"
        case ast.AugAssign() | ast.Raise() | ast.Continue() | ast.Break():
            yield node, "pass"
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield node, "pass"
        case ast.Return(value=ast.expr() as value) if not _is_falsy(value):
            yield node, "return None"
        case ast.If(test=test):
            yield test, "False"
            yield test, "True"


def _other_expressions(node: ast.expr) -> Iterator[ast.expr]:
    match node:
        case ast.Compare(ops=[op, *rest]):
            for other in COMPARISONS[type(op)]:
                yield _with(node, ops=[other(), *rest])
        case ast.BoolOp(op=op, values=values):
            yield _with(node, op=ast.Or() if isinstance(op, ast.And) else ast.And())
            for number in range(len(values)):
                yield _with(node, values=values[:number] + values[number + 1 :])
        case ast.UnaryOp(operand=operand):
            yield operand
        case ast.BinOp(op=op) if type(op) in ARITHMETIC:
            yield _with(node, op=ARITHMETIC[type(op)]())
        case ast.IfExp(body=body, orelse=orelse):
            yield _with(node, body=orelse, orelse=body)
        case ast.Constant(value=value):
            yield from (ast.Constant(other) for other in _other_values(value))
        case ast.Call():
            yield from _other_calls(node)
        case ast.ListComp(generators=[only]) | ast.GeneratorExp(generators=[only]) if only.ifs:
            yield _with(node, generators=[_with(only, ifs=[])])


def _other_values(value: object) -> list[bool | float | str]:
    match value:
        case bool():
            return [not value]
        case int() | float():
            return [value + 1, value - 1]
        case str():
            return ["" if value else "changed"]
    return []


def _other_calls(call: ast.Call) -> Iterator[ast.expr]:
    name = _name(call)
    if other := OPPOSITES.get(name):
        func = copy(call.func)
        setattr(func, "id" if isinstance(func, ast.Name) else "attr", other)
        yield _with(call, func=func)
    if name in CONDITIONS:
        for number in range(len(call.keywords)):
            kept = call.keywords[:number] + call.keywords[number + 1 :]
            yield _with(call, keywords=kept)
    match call.args:
        case [first, second, *rest] if name not in WORDS:
            if not isinstance(first, ast.Starred) and not isinstance(second, ast.Starred):
                yield _with(call, args=[second, first, *rest])


def _name(call: ast.Call) -> str:
    func = call.func
    return func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")


def _is_falsy(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and not node.value


def _with(node: Node, **fields: object) -> Node:
    other = copy(node)
    vars(other).update(fields)
    return other
