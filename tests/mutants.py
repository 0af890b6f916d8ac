"""Small faults put into rules one at a time; `tests.mutation` asks whether a test notices.

A mutant changes one expression of a function, a method or a table in capitals: a comparison, a
connective, a condition, a filter, an element of a tuple, a set or a mapping, a named argument of
`replace`, `min` for `max`, a number. Text, types and what is only logged are left alone.
"""

import ast
import inspect
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import CodeType, FunctionType, ModuleType
from typing import Any, TypeVar

T = TypeVar("T")
Part = ast.FunctionDef | ast.AsyncFunctionDef | ast.Assign | ast.AnnAssign

_COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
}
_EXTREMES = {"min": "max", "max": "min"}
_TABLE = re.compile(r"_?[A-Z][A-Z0-9_]+")
_TYPES = ("annotation", "returns", "decorator_list", "type_comment")


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """One fault: the change of that number at that place of a part of a module."""

    module: ModuleType
    part: str
    place: int
    change: int
    name: str

    def apply(self) -> bool:
        """Put the fault into this process, also for those who imported the part by name.

        Tell whether anything became different; a table that cannot be made raises.
        """
        tree = self._changed()
        if _TABLE.fullmatch(self.part):
            return self._tabulate(tree)
        code = compile(tree, inspect.getfile(self.module), "exec")
        (changed,) = (c for c in _codes(code) if c.co_qualname == self.part)
        function = _function(self.module, self.part)
        before, function.__code__ = function.__code__, changed
        return before != changed

    def _changed(self) -> ast.Module:
        tree = ast.parse(inspect.getsource(self.module))
        target = list(_expressions(dict(_parts(tree))[self.part]))[self.place]
        _Swap(target, list(_changes(target))[self.change][1]).visit(tree)
        return ast.fix_missing_locations(tree)

    def _tabulate(self, tree: ast.Module) -> bool:
        old, new = vars(self.module), dict(vars(self.module))
        parts = dict(_parts(tree))
        for part in list(parts)[list(parts).index(self.part) :]:
            if _TABLE.fullmatch(part):  # Tables further down may be made of this one.
                body = ast.Module(body=[parts[part]], type_ignores=[])
                exec(compile(body, inspect.getfile(self.module), "exec"), new)  # noqa: S102  # Ours.
        changed = {n: (v, new[n]) for n, v in old.items() if _TABLE.fullmatch(n) and v != new[n]}
        for module in list(sys.modules.values()):
            for table, (before, after) in changed.items():
                if vars(module).get(table) is before:
                    setattr(module, table, after)
        return bool(changed)


def mutants_of(module: ModuleType) -> Iterator[Mutant]:
    """Give every mutant of a module's own rules, in the order of its lines."""
    seen: Counter[str] = Counter()
    short = ".".join(module.__name__.split(".")[-2:])
    for part, body in _parts(ast.parse(inspect.getsource(module))):
        for place, node in enumerate(_expressions(body)):
            for change, (before, after) in enumerate(_changes(node)):
                name = f"{short}.{part}: {_words(before)} => {_words(after)}"
                seen[name] += 1
                yield Mutant(
                    module=module,
                    part=part,
                    place=place,
                    change=change,
                    name=name if seen[name] == 1 else f"{name} ({seen[name]})",
                )


def _parts(tree: ast.Module) -> list[tuple[str, Part]]:
    """List functions, methods and tables by name."""
    found: list[tuple[str, Part]] = []
    for node in tree.body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                found.append((node.name, node))
            case ast.ClassDef(name=owner, body=body):
                methods = [n for n in body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
                found += [(f"{owner}.{method.name}", method) for method in methods]
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                if _TABLE.fullmatch(name):
                    found.append((name, node))
    return found


def _expressions(node: ast.AST) -> Iterator[ast.AST]:
    for field, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and field not in _TYPES and not _is_logging(child):
                yield child
                yield from _expressions(child)


def _is_logging(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="log"))):
            return True
        case ast.Expr(value=value):
            return _is_logging(value)
        case ast.If(body=body, orelse=[]):
            return all(map(_is_logging, body))
    return False


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)


def _function(module: ModuleType, part: str) -> FunctionType:
    owner, _, name = part.rpartition(".")
    found: Any = vars(vars(module)[owner] if owner else module)[name]
    found = getattr(found, "fget", None) or getattr(found, "__func__", found)
    assert isinstance(found, FunctionType), part
    return found


def _words(node: ast.AST) -> str:
    if isinstance(node, ast.If):
        return f"if {ast.unparse(node.test)}"
    return " ".join(ast.unparse(node).split())


class _Swap(ast.NodeTransformer):
    def __init__(self, target: ast.AST, replacement: ast.AST) -> None:
        self._target = target
        self._replacement = replacement

    def visit(self, node: ast.AST) -> ast.AST:
        return self._replacement if node is self._target else super().generic_visit(node)


def _changes(node: ast.AST) -> Iterator[tuple[ast.AST, ast.AST]]:
    kinds = (_of_conditions, _of_branches, _of_groups, _of_values)
    for after in (after for kind in kinds for after in kind(node)):
        yield node, ast.copy_location(after, node) if hasattr(node, "lineno") else after


def _of_conditions(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Compare(left=left, ops=ops, comparators=right):
            for at, op in enumerate(ops):
                other = [*ops[:at], _COMPARED[type(op)](), *ops[at + 1 :]]
                yield ast.Compare(left=left, ops=other, comparators=right)
        case ast.BoolOp(op=op, values=values):
            yield ast.BoolOp(op=ast.Or() if isinstance(op, ast.And) else ast.And(), values=values)
            for kept in _without_one(values) if len(values) > 2 else ():
                yield ast.BoolOp(op=op, values=kept)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield operand


def _of_branches(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.If(body=statements, orelse=others):
            for verdict in (True, False):
                yield ast.If(test=ast.Constant(value=verdict), body=statements, orelse=others)
        case ast.IfExp(body=value, orelse=other):
            for verdict in (True, False):
                yield ast.IfExp(test=ast.Constant(value=verdict), body=value, orelse=other)
        case ast.comprehension(target=target, iter=source, ifs=ifs, is_async=is_async):
            for kept in _without_one(ifs):
                yield ast.comprehension(target=target, iter=source, ifs=kept, is_async=is_async)


def _of_groups(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Tuple(elts=elements, ctx=ast.Load()):
            yield from (ast.Tuple(elts=kept, ctx=ast.Load()) for kept in _without_one(elements))
        case ast.Set(elts=elements) if len(elements) > 1:
            yield from (ast.Set(elts=kept) for kept in _without_one(elements))
        case ast.Dict(keys=keys, values=values):
            items = [*zip(keys, values, strict=True)]
            for kept in _without_one(items):
                yield ast.Dict(keys=[k for k, _ in kept], values=[v for _, v in kept])
        case ast.Call(func=ast.Name(id="replace"), args=args, keywords=words):
            for named in _without_one(words):
                yield ast.Call(func=node.func, args=args, keywords=named)


def _of_values(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.BinOp(left=left, op=ast.Sub(), right=right):
            yield ast.BinOp(left=left, op=ast.Add(), right=right)
        case ast.BinOp(left=left, op=ast.Add() | ast.BitOr() | ast.BitAnd(), right=right):
            yield left
            yield right
        case ast.Call(func=ast.Name(id="min" | "max" as extreme), args=args, keywords=words):
            other = ast.Name(id=_EXTREMES[extreme], ctx=ast.Load())
            yield ast.Call(func=other, args=args, keywords=words)
        case ast.Constant(value=int() as number) if not isinstance(number, bool):
            yield ast.Constant(value=number + 1)


def _without_one(nodes: Sequence[T]) -> Iterator[list[T]]:
    for drop in range(len(nodes)):
        yield [*nodes[:drop], *nodes[drop + 1 :]]
