"""What people type into the search box, as words: with tone marks, without them, phrases, an unfinished last word."""

import re
import unicodedata
from dataclasses import dataclass

MAX_WORDS = 20
_WORD = re.compile(r"[^\W_]+")
_PHRASE = re.compile(r'"([^"]*)"')


class _Plain(dict[int, str]):
    """A letter without its marks, worked out when it is met for the first time."""

    def __missing__(self, code: int) -> str:
        taken_apart = unicodedata.normalize("NFD", chr(code).replace("đ", "d"))
        plain = "".join(letter for letter in taken_apart if unicodedata.category(letter) != "Mn")
        self[code] = plain
        return plain


_PLAIN = _Plain()


def fold(text: str) -> str:
    """Lower case without tone marks, đ as d: how Vietnamese is typed in a hurry."""
    return text.lower().translate(_PLAIN)


def words(text: str) -> list[str]:
    """Words in NFC and lower case, as the index holds them."""
    return _WORD.findall(unicodedata.normalize("NFC", text).lower())


@dataclass(frozen=True, slots=True)
class Wish:
    """`words` must all be there, `phrases` in their order; `beginning` is the start of a word still being typed."""

    words: tuple[str, ...] = ()
    phrases: tuple[tuple[str, ...], ...] = ()
    beginning: str | None = None

    @property
    def marked(self) -> bool:
        """Was anything typed with tone marks: then what has the same marks comes first."""
        typed = [*self.words, *(word for phrase in self.phrases for word in phrase)]
        return any(fold(word) != word for word in typed)

    @property
    def empty(self) -> bool:
        return not self.words and not self.phrases and self.beginning is None


def wish_of(text: str) -> Wish:
    """Read a search text. Its last word is a beginning unless a space or a quotation mark ends it."""
    text = unicodedata.normalize("NFC", text)
    phrases = [tuple(words(inside)) for inside in _PHRASE.findall(text)]
    # A quotation mark that is never closed is one more space.
    rest = _PHRASE.sub(" ", text).replace('"', " ")
    found = words(rest)
    beginning = None
    if found and text[-1:].isalnum():
        beginning = found.pop()
    longer = [phrase for phrase in phrases if len(phrase) > 1]
    found += [phrase[0] for phrase in phrases if len(phrase) == 1]
    return Wish(tuple(found[:MAX_WORDS]), tuple(longer[:MAX_WORDS]), beginning)
