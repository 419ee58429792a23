"""The Google Ads Query Language: words, grammar, and a query as it was meant.

https://developers.google.com/google-ads/api/docs/query/grammar
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from infra.sandbox.google.errors import query as fault

Value = str | Decimal

_WORD = re.compile(
    r"""\s*(?:(?P<name>[A-Za-z_][A-Za-z0-9_.]*)
    |(?P<number>-?\d+(?:\.\d+)?)
    |(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    |(?P<sign>>=|<=|!=|[=<>(),]))""",
    re.VERBOSE,
)
_COMPARING = frozenset({"=", "!=", ">", ">=", "<", "<="})
_CLAUSES = frozenset({"FROM", "WHERE", "ORDER", "LIMIT", "PARAMETERS"})
_ESCAPE = re.compile(r"\\(.)")


class _Token(NamedTuple):
    kind: str
    text: str

    def is_word(self, *words: str) -> bool:
        return self.kind == "name" and self.text.upper() in words


class Condition(NamedTuple):
    """`field operator values`: BETWEEN has two values, DURING one, IS NULL none."""

    field: str
    operator: str
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Query:
    """A query that is well formed. `order` has a field and whether it is descending; `has_names` is whether resource
    names come unasked.
    """

    fields: tuple[str, ...]
    resource: str
    conditions: tuple[Condition, ...]
    order: tuple[tuple[str, bool], ...]
    limit: int | None
    has_names: bool = True

    @property
    def named(self) -> tuple[str, ...]:
        """Every field that the query speaks of."""
        return (*self.fields, *(c.field for c in self.conditions), *(name for name, _ in self.order))

    def has(self, prefix: str) -> bool:
        """Whether a field below `prefix.` is selected."""
        return any(field.startswith(f"{prefix}.") for field in self.fields)


def parse(text: str) -> Query:
    """GoogleError with Google's own code for what is not GAQL."""
    return _Parser(_tokens(text)).query()


def _tokens(text: str) -> list[_Token]:
    found, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = _WORD.match(text, at)
        if match is None:
            rest = text[at:].lstrip()
            if rest[0] in "'\"":
                raise fault("STRING_NOT_TERMINATED", f"Error in query: string is not terminated: {rest[:40]}")
            raise fault("BAD_SYMBOL", f"Error in query: unexpected input {rest[0]}.")
        kind = match.lastgroup or ""
        found.append(_Token(kind, match[kind]))
        at = match.end()
    return found


class _Parser:
    """Reads the words from the left to the right, once."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def query(self) -> Query:
        if not self._takes("SELECT"):
            raise fault("EXPECTED_SELECT", "Error in query: expected SELECT.")
        fields = tuple(dict.fromkeys(self._list(self._field)))
        if not self._takes("FROM"):
            raise fault("EXPECTED_FROM", "Error in query: expected FROM.")
        resource = self._name("BAD_RESOURCE_TYPE_IN_FROM_CLAUSE")
        conditions = self._conditions() if self._takes("WHERE") else ()
        order = self._order() if self._takes("ORDER") else ()
        limit = self._limit() if self._takes("LIMIT") else None
        parameters = self._list(self._parameter) if self._takes("PARAMETERS") else []
        if self._at < len(self._tokens):
            raise fault("UNEXPECTED_INPUT", f"Error in query: unexpected input {self._tokens[self._at].text}.")
        has_names = "omit_unselected_resource_names=true" not in parameters
        return Query(fields, resource, conditions, order, limit, has_names)

    def _next(self) -> _Token:
        if self._at >= len(self._tokens):
            raise fault("UNEXPECTED_END_OF_QUERY", "Error in query: unexpected end of query.")
        self._at += 1
        return self._tokens[self._at - 1]

    def _takes(self, word: str) -> bool:
        """Step over a word or sign if it comes next."""
        if self._at >= len(self._tokens):
            return False
        token = self._tokens[self._at]
        if token.is_word(word) or (token.kind == "sign" and token.text == word):
            self._at += 1
            return True
        return False

    def _name(self, code: str) -> str:
        token = self._next()
        if token.kind != "name" or token.is_word(*_CLAUSES):
            raise fault(code, f"Error in query: unexpected input {token.text}.")
        return token.text

    def _field(self) -> str:
        return self._name("BAD_FIELD_NAME")

    def _list(self, read: Callable[[], str]) -> list[str]:
        found = [read()]
        while self._takes(","):
            found.append(read())
        return found

    def _conditions(self) -> tuple[Condition, ...]:
        found = [self._condition()]
        while self._takes("AND"):
            found.append(self._condition())
        if self._at < len(self._tokens) and not self._tokens[self._at].is_word(*_CLAUSES):
            raise fault("EXPECTED_AND", f"Error in query: expected AND, found {self._tokens[self._at].text}.")
        return tuple(found)

    def _condition(self) -> Condition:
        field = self._field()
        token = self._next()
        operator = token.text.upper()
        if token.kind == "sign" and operator in _COMPARING:
            return Condition(field, operator, (self._value(),))
        if operator == "BETWEEN":
            first = self._value()
            if not self._takes("AND"):
                raise fault("EXPECTED_VALUE_WITH_BETWEEN_OPERATOR", "Error in query: BETWEEN needs two values.")
            return Condition(field, operator, (first, self._value()))
        if operator == "DURING":
            return Condition(field, operator, (self._name("INVALID_VALUE_WITH_DURING_OPERATOR").upper(),))
        if operator == "IS":
            negated = self._takes("NOT")
            if not self._takes("NULL"):
                raise fault("BAD_OPERATOR", "Error in query: expected NULL after IS.")
            return Condition(field, "IS NOT NULL" if negated else "IS NULL", ())
        return self._of_many(field, operator)

    def _of_many(self, field: str, operator: str) -> Condition:
        """IN, NOT IN, LIKE, NOT LIKE, CONTAINS ANY, ALL and NONE."""
        if operator in {"NOT", "CONTAINS"}:
            operator = f"{operator} {self._next().text.upper()}"
        if operator in {"LIKE", "NOT LIKE"}:
            return Condition(field, operator, (self._value(),))
        if operator not in {"IN", "NOT IN", "CONTAINS ANY", "CONTAINS ALL", "CONTAINS NONE"}:
            raise fault("BAD_OPERATOR", f"Error in query: {operator} is no operator.")
        if not self._takes("("):
            raise fault("EXPECTED_LIST", f"Error in query: {operator} needs a list.")
        if self._takes(")"):
            raise fault("PROHIBITED_EMPTY_LIST_IN_CONDITION", "Error in query: the list is empty.")
        values = [self._value()]
        while self._takes(","):
            values.append(self._value())
        if not self._takes(")"):
            raise fault("EXPECTED_LIST", "Error in query: the list does not end.")
        return Condition(field, operator, tuple(values))

    def _value(self) -> Value:
        """A text, a number, or a bare word such as ENABLED or TRUE."""
        token = self._next()
        if token.kind == "text":
            return _ESCAPE.sub(r"\1", token.text[1:-1])
        if token.kind == "number":
            return Decimal(token.text)
        if token.kind == "sign" or token.is_word(*_CLAUSES, "AND"):
            raise fault("BAD_VALUE", f"Error in query: {token.text} is no value.")
        return token.text

    def _order(self) -> tuple[tuple[str, bool], ...]:
        if not self._takes("BY"):
            raise fault("EXPECTED_BY", "Error in query: expected BY after ORDER.")
        found = []
        while True:
            field = self._field()
            descending = self._takes("DESC")
            if not descending:
                self._takes("ASC")
            found.append((field, descending))
            if not self._takes(","):
                return tuple(found)

    def _limit(self) -> int:
        token = self._next()
        if token.kind != "number" or not token.text.isdigit():
            raise fault("BAD_LIMIT_VALUE", f"Error in query: {token.text} is no limit.")
        if int(token.text) < 1:
            raise fault("LIMIT_VALUE_TOO_LOW", "Error in query: the limit must be 1 or more.")
        return int(token.text)

    def _parameter(self) -> str:
        name = self._name("BAD_PARAMETER_NAME")
        if name not in {"include_drafts", "omit_unselected_resource_names"} or not self._takes("="):
            raise fault("BAD_PARAMETER_NAME", f"Error in query: {name} is no parameter.")
        value = str(self._value()).lower()
        if value not in {"true", "false"}:
            raise fault("BAD_PARAMETER_VALUE", f"Error in query: {name} is true or false.")
        return f"{name}={value}"
