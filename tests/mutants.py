"""Small faults put into rules one at a time; `tests.mutation` asks whether a test notices.

A mutant changes one expression of one function: a comparison, a connective, a condition, an element
of a tuple, a named argument of `replace`, a number. Text and types are left alone.
"""

import ast
import copy
import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import CodeType, FunctionType, ModuleType
from typing import TypeVar

T = TypeVar("T")

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


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """One fault: where it is, what it says, and the module's code with it."""

    module: ModuleType
    name: str
    tree: ast.Module

    def apply(self) -> None:
        """Put the fault into this process, also for those who imported the functions by name."""
        code = compile(self.tree, inspect.getfile(self.module), "exec")
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                function = vars(self.module).get(constant.co_name)
                if isinstance(function, FunctionType):
                    function.__code__ = constant


def mutants_of(module: ModuleType) -> Iterator[Mutant]:
    """Give every mutant of a module's own functions, in the order of its lines."""
    tree = ast.parse(inspect.getsource(module))
    for index, function in enumerate(tree.body):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if function.name == "_tell":
            continue  # It only writes the log.
        places = [node for part in function.body for node in ast.walk(part)]
        for place, node in enumerate(places):
            for change, (before, after) in enumerate(_changes(node)):
                changed = copy.deepcopy(tree)
                body = changed.body[index]
                assert isinstance(body, ast.FunctionDef | ast.AsyncFunctionDef)
                target = [n for part in body.body for n in ast.walk(part)][place]
                replacement = list(_changes(target))[change][1]
                _Swap(target, replacement).visit(body)
                short = module.__name__.rpartition(".")[2]
                text = f"{short}.{function.name}: {_words(before)} => {_words(after)}"
                yield Mutant(module=module, name=text, tree=ast.fix_missing_locations(changed))


def _words(node: ast.AST) -> str:
    return f"if {ast.unparse(node.test)}" if isinstance(node, ast.If) else ast.unparse(node)


class _Swap(ast.NodeTransformer):
    def __init__(self, target: ast.AST, replacement: ast.AST) -> None:
        self._target = target
        self._replacement = replacement

    def visit(self, node: ast.AST) -> ast.AST:
        return self._replacement if node is self._target else super().generic_visit(node)


def _changes(node: ast.AST) -> Iterator[tuple[ast.AST, ast.AST]]:
    for after in _replacements(node):
        yield node, ast.copy_location(after, node) if hasattr(node, "lineno") else after


def _replacements(node: ast.AST) -> Iterator[ast.AST]:
    yield from _of_conditions(node)
    yield from _of_values(node)


def _of_conditions(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Compare(left=left, ops=[op], comparators=right) if type(op) in _COMPARED:
            yield ast.Compare(left=left, ops=[_COMPARED[type(op)]()], comparators=right)
        case ast.BoolOp(op=op, values=values):
            yield ast.BoolOp(op=ast.Or() if isinstance(op, ast.And) else ast.And(), values=values)
            for kept in _without_one(values) if len(values) > 2 else ():
                yield ast.BoolOp(op=op, values=kept)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield operand
        case ast.If(body=body, orelse=orelse) | ast.IfExp(body=body, orelse=orelse):
            for verdict in (True, False):
                yield type(node)(test=ast.Constant(value=verdict), body=body, orelse=orelse)


def _of_values(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Tuple(elts=elements, ctx=ast.Load()):
            yield from (ast.Tuple(elts=kept, ctx=ast.Load()) for kept in _without_one(elements))
        case ast.Call(func=ast.Name(id="replace"), args=args, keywords=words):
            for kept in _without_one(words):
                yield ast.Call(func=node.func, args=args, keywords=kept)
        case ast.BinOp(left=left, op=ast.Sub(), right=right):
            yield ast.BinOp(left=left, op=ast.Add(), right=right)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            yield left
            yield right
        case ast.Constant(value=int() as number) if not isinstance(number, bool):
            yield ast.Constant(value=number + 1)


def _without_one(nodes: Sequence[T]) -> Iterator[list[T]]:
    for drop in range(len(nodes)):
        yield [*nodes[:drop], *nodes[drop + 1 :]]
