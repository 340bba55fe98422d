"""The description of the API for people: from the OpenAPI document to what the page shows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from pinnacle_backup.web.description import EXAMPLE_TOKEN

_LIMITS: Final = (("minimum", "at least"), ("maximum", "at most"), ("maxLength", "at most {} characters"))


class Member(msgspec.Struct, frozen=True):
    """
    One parameter, or one member of an object.

    Attributes:
        name: Its name.
        kind: What it is, in words.
        text: What it means.
        needed: Whether it has to be there.
        where: ``path`` or ``query``; empty for members.
    """

    name: str
    kind: str
    text: str = ""
    needed: bool = False
    where: str = ""


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """
    One method of one path.

    Attributes:
        name: Unique; an anchor.
        method, path, summary, text: As described.
        role: Which one is enough; empty where nobody has to be logged in.
        parameters, body: What is sent.
        example: A body; empty where there is none.
        call: How a shell sends it.
        status: Of the answer that all is well.
        answer: What that answer holds; empty for what is no JSON.
        kind: The answer's shape, or media type, in words.
    """

    name: str
    method: str
    path: str
    summary: str
    text: str
    role: str
    parameters: tuple[Member, ...]
    body: tuple[Member, ...]
    example: str
    call: str
    status: str
    answer: tuple[Member, ...]
    kind: str


class Section(msgspec.Struct, frozen=True):
    """What belongs together: a name, words, and operations."""

    name: str
    text: str
    operations: tuple[Operation, ...]


class Shape(msgspec.Struct, frozen=True):
    """An object that answers hold: its name, words, and members."""

    name: str
    text: str
    members: tuple[Member, ...]


class Reference:
    """
    A description, for people.

    Args:
        document: The OpenAPI document.
        url: Of this server, for examples.
    """

    def __init__(self, document: Mapping[str, Any], url: str) -> None:
        self._document = document
        self._components: Mapping[str, Any] = document["components"]["schemas"]
        self._url = url

    def sections(self) -> list[Section]:
        """Return all operations, by what they belong to."""
        found: dict[str, list[Operation]] = {tag["name"]: [] for tag in self._document["tags"]}
        for path, methods in self._document["paths"].items():
            for method, operation in methods.items():
                found[operation["tags"][0]].append(self._operation(method.upper(), path, operation))
        words = {tag["name"]: tag["description"] for tag in self._document["tags"]}
        return [Section(name, words[name], tuple(each)) for name, each in found.items()]

    def shapes(self) -> list[Shape]:
        """Return the objects that answers hold, by name."""
        answered = self._answered()
        return [
            Shape(name, schema.get("description", ""), tuple(self._members(schema)))
            for name, schema in self._components.items()
            if name in answered
        ]

    def _answered(self) -> set[str]:
        text = json.dumps([self._document["paths"], self._components])
        sent = {
            self._body(each)[0] for methods in self._document["paths"].values() for each in methods.values()
        }
        return {name for name in self._components if f'schemas/{name}"' in text} - sent

    def _operation(self, method: str, path: str, operation: Mapping[str, Any]) -> Operation:
        name, body, example = self._body(operation)
        status, (media, answer) = self._answer(operation)
        return Operation(
            name=operation["operationId"],
            method=method,
            path=path,
            summary=operation["summary"],
            text=operation["description"].partition("\n\nFor: ")[0],
            role=operation.get("x-role", ""),
            parameters=tuple(map(self._parameter, operation.get("parameters", ()))),
            body=tuple(self._members(body)),
            example=json.dumps(example, indent=2, ensure_ascii=False) if name else "",
            call=self._call(method, path, example if name else None),
            status=status,
            answer=tuple(self._members(answer)),
            kind=self._kind(answer) if media == "application/json" else media,
        )

    def _parameter(self, given: Mapping[str, Any]) -> Member:
        text = given.get("description") or given["schema"].get("description", "")
        return Member(given["name"], self._kind(given["schema"]), text, given["required"], given["in"])

    def _body(self, operation: Mapping[str, Any]) -> tuple[str, Mapping[str, Any], Any]:
        """Return the name and the schema of what is sent, and an example."""
        content = operation.get("requestBody", {}).get("content", {})
        schema = content.get("application/json", {}).get("schema", {})
        name = schema.get("$ref", "").rpartition("/")[2]
        found = self._components.get(name, schema)
        given = found.get("examples") or [self._made_up(found)]
        return name or ("object" if schema else ""), found, given[0]

    def _made_up(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """Return the members that have to be there, with their own examples."""
        properties = schema.get("properties", {})
        return {name: _example(properties[name]) for name in schema.get("required", ())}

    def _answer(self, operation: Mapping[str, Any]) -> tuple[str, tuple[str, Mapping[str, Any]]]:
        status = min(operation["responses"])
        ((media, content),) = operation["responses"][status]["content"].items()
        return status, (media, content.get("schema", {}))

    def _members(self, schema: Mapping[str, Any]) -> Iterator[Member]:
        needed = schema.get("required", ())
        for name, member in schema.get("properties", {}).items():
            text = " ".join(member.get("description", "").replace("``", "`").split())
            yield Member(name, self._kind(member), text, name in needed)

    def _call(self, method: str, path: str, example: Any) -> str:
        words = ["curl", f'-H "Authorization: Bearer {EXAMPLE_TOKEN}"']
        words += (
            [f"-X {method}"]
            if method not in ("GET", "POST") or (method == "POST" and example is None)
            else []
        )
        if example is not None:
            words += ["--json", "'" + json.dumps(example, ensure_ascii=False).replace("'", "'\\''") + "'"]
        return " ".join([*words, self._url + path.replace("{", "").replace("}", "")])

    def _kind(self, schema: Mapping[str, Any]) -> str:
        """Return what a value is, in a few words."""
        if "$ref" in schema:
            return str(schema["$ref"]).rpartition("/")[2]
        if "allOf" in schema:
            return self._kind(schema["allOf"][0])
        if "anyOf" in schema:
            return " or ".join(dict.fromkeys(map(self._kind, schema["anyOf"])))
        if "enum" in schema:
            return " or ".join(json.dumps(value) for value in schema["enum"])
        if schema.get("type") == "array":
            return f"array of {self._kind(schema.get('items', {}))}"
        limits = [
            words.format(schema[key]) if "{}" in words else f"{words} {schema[key]}"
            for key, words in _LIMITS
            if key in schema and abs(schema[key]) < 1 << 50
        ]
        return ", ".join([str(schema.get("type", "anything")), *limits])


def _example(schema: Mapping[str, Any]) -> Any:
    if "examples" in schema:
        return schema["examples"][0]
    return schema.get("enum", [schema.get("default", "...")])[0]
