# SPDX-License-Identifier: MIT
"""Finds the declarations of a C++ file by their words and brackets, without a compiler.

It reads what clang-format has laid out: no macro may hold half a declaration. A declaration at
the top, in a namespace or in a class is a Declaration; bodies of functions are passed over.
"""

import bisect
import dataclasses
import re

import source_tree

_DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.MULTILINE)
_WORD = re.compile(r"[A-Za-z_]\w*|\d[\w.']*|::|->|&&|==|!=|<=|>=|<<|\[\[|\]\]|\S")
_CLOSING = {"(": ")", "[": "]", "[[": "]]", "{": "}"}
_TYPES = ("class", "struct", "union")
_LABELS = ("public", "private", "protected")
# These words stand in front of a bracket and name no function.
_NO_NAMES = {"noexcept", "alignas", "decltype", "requires", "static_assert", "explicit", "asm",
             "__attribute__", "sizeof", "if", "return"}
_NO_FUNCTIONS = ("using", "typedef", "friend", "static_assert", "enum", "concept")

# clang's thread-safety analysis reads these. pool/sync/thread_annotations.h has the names.
_ANNOTATION = re.compile(r"\bBUFPOOL_(?:GUARDED_BY|REQUIRES|EXCLUDES|TRY_ACQUIRE|RELEASE|"
                         r"CAPABILITY)\([^()]*\)|"
                         r"\bBUFPOOL_(?:SCOPED_CAPABILITY|NO_THREAD_ANALYSIS)\b")


@dataclasses.dataclass
class Declaration:
    kind: str           # function, namespace, class, other
    name: str           # of a function or a class, else empty
    words: list         # up to its body, its initializer or its semicolon, without attributes
    first: int          # its first line
    last: int = 0       # its last line, of a scope its closing brace's
    body: int = 0       # of a function that is defined here: the line of its opening brace
    public: bool = True         # by the label in front of it
    outer: "Declaration" = None  # the class or namespace that it stands in
    tail: tuple = ()    # what stands between an equals sign and the semicolon: default, delete
    inner: list = dataclasses.field(default_factory=list)

    def is_visible(self):
        """Tells whether it and all that it stands in are public."""
        return self.public and (self.outer is None or self.outer.is_visible())


class _Words:
    """Holds the words of a text with their lines, and how far they are read."""

    def __init__(self, text):
        code = _DIRECTIVE.sub(lambda m: "\n" * m.group(0).count("\n"),
                              _ANNOTATION.sub("", source_tree.without_noise(text)))
        ends = [match.start() for match in re.finditer("\n", code)]
        found = list(_WORD.finditer(code))
        self.words = [match.group(0) for match in found]
        self.lines = [bisect.bisect_left(ends, match.start()) + 1 for match in found]
        self.at = 0

    def more(self):
        return self.at < len(self.words)

    def next(self):
        self.at += 1
        return self.words[self.at - 1]

    def peek(self):
        return self.words[self.at] if self.more() else ""

    def line(self):
        """Returns the line of the word that was read last."""
        return self.lines[self.at - 1]

    def skip_bracket(self, opening):
        """Returns the words up to the bracket that closes `opening`, which was read already."""
        began, depth = self.at, 1
        while self.more() and depth:
            word = self.next()
            depth += (word == opening) - (word == _CLOSING[opening])
        return self.words[began:self.at - 1]

    def skip_angles(self):
        """Reads past the angle bracket that closes the one that was read last."""
        depth = 1
        while self.more() and depth:
            word = self.next()
            if word in _CLOSING:
                self.skip_bracket(word)
            depth += (word in ("<", "<<") and len(word)) - (word == ">")


def _scope_of(words):
    """Returns (kind, name) of a head that opens a scope, or None."""
    if "(" in words:
        return None
    for at, word in enumerate(words):
        if word == "namespace" or (word == "extern" and '"' in words):
            return "namespace", "".join(words[at + 1:])
        if word in _TYPES and "enum" not in words:
            names = [w for w in words[at + 1:] if w != "final"]
            return "class", names[0] if names else ""
    return None


def _function_name(words):
    """Returns the name in front of the list of parameters, or "" if it is no function."""
    if not words or words[0] in _NO_FUNCTIONS or "concept" in words:
        return ""
    for at, word in enumerate(words):
        if word == "=":
            return ""
        if word == "operator":
            return "operator"
        if word != "(" or words[at - 1] in _NO_NAMES:
            continue
        name = words[at - 1]
        if at == 0 or not re.match(r"[A-Za-z_]", name) or words[at + 1] in ("*", "&"):
            return ""
        if at >= 2 and words[at - 2] in ("~", "::"):
            return words[at - 2] + name
        return name
    return ""


def _in_initializers(words):
    """Tells whether a constructor's initializers have begun: a colon behind the parameters."""
    return "(" in words and ":" in words[words.index("("):]


class _Reader:
    """Reads a file's declarations, scope by scope."""

    def __init__(self, text):
        self.source = _Words(text)

    def read_scope(self, outer, public):
        """Returns the declarations up to the brace that closes the scope, or to the end of the
        file."""
        found = []
        source = self.source
        while source.more() and source.peek() != "}":
            if source.peek() in _LABELS and source.words[source.at + 1] == ":":
                public = source.next() == "public"
                source.next()
            elif source.peek() == ";":
                source.next()
            else:
                found.append(self.read_one(outer, public))
        return found

    def read_one(self, outer, public):
        source = self.source
        words, first = [], source.lines[source.at]
        made = Declaration("other", "", words, first, public=public, outer=outer)
        while source.more():
            word = source.next()
            if word == ";":
                break
            if word == "[[":
                source.skip_bracket(word)
            elif word == "<" and self.opens_angles(words):
                source.skip_angles()
            elif word in ("(", "["):
                words += [word, *source.skip_bracket(word), _CLOSING[word]]
            elif word == "{":
                if self.read_brace(made):
                    break
            else:
                words.append(word)
        made.last = source.line()
        return self.classified(made)

    @staticmethod
    def opens_angles(words):
        """Tells whether a "<" opens a bracket. In a head each does. Behind an equals sign it may be
        a comparison."""
        return "=" not in words and bool(words) and words[-1] != "operator"

    def read_brace(self, made):
        """Reads what the brace opens. Returns true if the declaration ends with it."""
        source, words = self.source, made.words
        scope = _scope_of(words)
        if scope:
            made.kind, made.name = scope
            made.inner = self.read_scope(made, "class" not in words)
            source.next()
            made.last = source.line()
            if made.kind == "class":
                self.skip_to_semicolon()
            return True
        is_body = bool(_function_name(words)) and "enum" not in words
        if is_body and _in_initializers(words):
            is_body = words[-1] in (")", "}")  # else it is one of the initializers
        if is_body:
            made.body = source.line()
        source.skip_bracket("{")
        if not is_body:
            words += ["{", "}"]
        return is_body

    def skip_to_semicolon(self):
        while self.source.more() and self.source.next() != ";":
            pass

    @staticmethod
    def classified(made):
        if made.kind == "other":
            made.name = _function_name(made.words)
            made.kind = "function" if made.name else "other"
        if "=" in made.words:
            at = len(made.words) - 1 - made.words[::-1].index("=")
            made.tail = tuple(made.words[at + 1:])
        return made


def of_text(text):
    """Returns the declarations at the top of a file. Those of a scope are its `inner`."""
    return _Reader(text).read_scope(None, True)


def everything(declarations):
    """Yields each declaration and all that are in it."""
    for one in declarations:
        yield one
        yield from everything(one.inner)


def is_trivial(function):
    """Tells whether it is an operator, a destructor, deleted, or a defaulted constructor."""
    return (function.name == "operator" or function.name.startswith("~")
            or function.tail in (("delete",), ("default",)))


def is_constructor(function):
    return function.outer is not None and function.name == function.outer.name
