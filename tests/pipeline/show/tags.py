"""A page as a browser sees it: its tags and its words."""

from html.parser import HTMLParser

NASTY = "<script>alert(1)</script>"


class Tags(HTMLParser):
    """`found` are the tags with their attributes, `words` the texts between them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)
