"""What is written of the package: the page, the descriptions and the stubs."""

import ast
import inspect
import re

import minimax
from conftest import REPOSITORY
from minimax import _minimax, ops


def test_the_page_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = (REPOSITORY / "docs/python.md").read_text()
    blocks = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert len(blocks) == page.count("```python")
    names = {}
    for block in blocks:
        exec(compile(block, "docs/python.md", "exec"), names)


def test_everything_is_described():
    public = [getattr(minimax, name) for name in minimax.__all__ if not name.startswith("_")]
    public += [getattr(ops, name) for name in ops.__all__]
    assert [thing for thing in public if not thing.__doc__] == []


def test_the_stubs_are_those_of_the_module():
    stubs = ast.parse((REPOSITORY / "python/minimax/_minimax.pyi").read_text()).body
    functions = {node.name: node for node in stubs if isinstance(node, ast.FunctionDef)}
    classes = {node.name: node for node in stubs if isinstance(node, ast.ClassDef)}
    found = {name for name in dir(_minimax) if not name.startswith("_")}
    assert functions.keys() | classes.keys() == found
    for name, node in functions.items():
        assert arguments(node) == signature(getattr(_minimax, name)), name
    for name, node in classes.items():
        members = {member.name: member for member in node.body if isinstance(member, ast.FunctionDef)}
        there = getattr(_minimax, name)
        assert {member for member in dir(there) if not member.startswith("_")} - set(dir(Exception)) == {
            member for member in members if not member.startswith("_")
        }, name
        for member, stub in members.items():
            if not member.startswith("_") and not stub.decorator_list:
                assert arguments(stub) == signature(getattr(there, member)), (name, member)


def arguments(node):
    """Names and defaults, as the stub says them."""
    args, defaults = node.args.args, node.args.defaults
    padded = [None] * (len(args) - len(defaults)) + defaults
    pairs = list(zip(args, padded)) + list(zip(node.args.kwonlyargs, node.args.kw_defaults))
    return [(arg.arg, default and ast.literal_eval(default)) for arg, default in pairs]


def signature(function):
    """The same, as the function says them."""
    parameters = inspect.signature(function).parameters.values()
    return [(p.name, None if p.default is p.empty else p.default) for p in parameters]
