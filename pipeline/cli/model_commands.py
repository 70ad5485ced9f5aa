"""Implements the commands of `parley models`: finds what is meant, works, puts the outcome into words."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from manifests.errors import RecipeError, UserError
from pipeline.cli.output import tell
from pipeline.cli.progress import counted
from pipeline.licenses.terms import Use, load_terms
from pipeline.recipes.load import load_recipe, shipped_recipes
from pipeline.serving.llama_cpp import ServerSettings, gguf_in, idle_threads, llama_cpp_server, run_beside
from pipeline.weights.archive import pack
from pipeline.weights.cache import cache_directory, file_problems, locate, model_directory
from pipeline.weights.fetch import fetch
from pipeline.weights.table import ModelEntry, load_table

_MEGABYTE = 1_000_000


def list_models(cache: str | None) -> str:
    where = cache_directory(cache)
    return "\n".join(
        f"{name}\t{entry.license}\t{entry.size / _MEGABYTE:.0f} MB\t{_state(where, name, entry)}\t{entry.about}"
        for name, entry in load_table().items()
    )


def show_model(name: str, cache: str | None) -> str:
    entry = _entry(name)
    lines = [f"about\t{entry.about}", f"license\t{entry.license}", f"origin\t{entry.origin}"]
    lines += [f"revision\t{entry.revision}", f"state\t{_state(cache_directory(cache), name, entry)}"]
    for path, file in entry.files.items():
        places = " | ".join(" + ".join(parts) for parts in entry.places_of(path))
        lines.append(f"file\t{path}\t{file.size}\t{file.sha256}\t{places}")
    return "\n".join(lines)


def fetch_models(names: Sequence[str], cache: str | None) -> str:
    where, lines = cache_directory(cache), []
    for name, entry in models_of(names).items():
        with counted(f"{name}, MB", "MB") as tell:
            directory = fetch(name, entry, where, _Megabytes(tell).at)
        lines.append(f"{name}\t{directory}")
    return "\n".join(lines)


def check_models(names: Sequence[str], use: Use, terms: str | None) -> None:
    """Raise UserError, which names each model and why, unless the licenses of all allow the use without conditions."""
    table = load_terms(None if terms is None else Path(terms))
    found = {name: table.verdict(entry.license, use) for name, entry in models_of(names).items()}
    problems = [f"{name}: {why}" for name, (verdict, why) in found.items() if verdict != "allowed"]
    if problems:
        raise UserError(f"not for {use} use as far as is known, so nothing was fetched: {'; '.join(problems)}")


def verify_models(names: Sequence[str], cache: str | None) -> tuple[str, bool]:
    """Return a line for each model, and whether all are sound."""
    where, sound = cache_directory(cache), True
    lines: list[str] = []
    chosen = models_of(names) if names else load_table()
    for name, entry in chosen.items():
        directory = model_directory(where, name, entry)
        if not directory.is_dir():
            if names:
                lines, sound = [*lines, f"{name}\tnot in the cache: `parley models fetch {name}`"], False
            continue
        with counted(f"{name} hashed, MB", "MB") as tell:
            seen = partial(_Megabytes(tell).more, total=entry.size)
            problems = file_problems(directory, entry, seen)
        lines += [f"{name}\t{problem.path}: {problem.what}" for problem in problems] or [f"{name}\tsound"]
        sound = sound and not problems
    return "\n".join(lines) or "no model is in the cache", sound


def path_of(name: str, cache: str | None) -> str:
    directory = model_directory(cache_directory(cache), name, _entry(name))
    if not directory.is_dir():
        raise UserError(f"the model {name} is not in the cache: `parley models fetch {name}`")
    return str(directory)


def pack_models(names: Sequence[str], out: str, cache: str | None) -> str:
    chosen = models_of(names)
    with counted("packed, MB", "MB") as tell:
        size = pack(chosen, cache_directory(cache), Path(out), _Megabytes(tell).at)
    return f"{', '.join(chosen)}\t{size / _MEGABYTE:.0f} MB\t{out}"


def serve_model(name: str, port: int, threads: int | None, command: Sequence[str]) -> int:
    """Serve a model, or the one language model of a recipe, while the command runs; return the exit code."""
    model = _language_model(name)
    gguf = gguf_in(Path(locate(model, "llama.cpp")), model)
    settings = ServerSettings(str(gguf), model, port, threads or idle_threads())
    with llama_cpp_server(settings) as server:
        tell(f"{model} answers at {settings.base_url}")
        return run_beside(server, command) if command else server.wait()


def _language_model(name: str) -> str:
    found = [
        model for model, entry in models_of([name]).items() if any(path.endswith(".gguf") for path in entry.files)
    ]
    if len(found) != 1:
        raise UserError(f"{name} names {len(found)} language models for llama.cpp: name one, of `parley models list`")
    return found[0]


def models_of(names: Sequence[str]) -> dict[str, ModelEntry]:
    """Return the models that names of models and recipes mean, each once. Raises RecipeError for any other name."""
    table = load_table()
    chosen: dict[str, ModelEntry] = {}
    for name in names:
        if name in table:
            chosen[name] = table[name]
        elif name in shipped_recipes() or Path(name).is_file():
            chosen |= models_of_recipe(name)
        else:
            raise RecipeError(f"no model or recipe {name!r}; models: {', '.join(table)}")
    if not chosen:
        raise UserError(f"{', '.join(names)} names no model of the table (`parley models list`)")
    return chosen


def models_of_recipe(name: str, overrides: Sequence[str] = ()) -> dict[str, ModelEntry]:
    """Return the models of the table that a recipe names."""
    table = load_table()
    named = [str(getattr(model, "model", "")) for model in load_recipe(name, overrides).models.values()]
    return {model: table[model] for model in named if model in table}


def _entry(name: str) -> ModelEntry:
    table = load_table()
    if name not in table:
        raise RecipeError(f"no model {name!r}; there are: {', '.join(table)}")
    return table[name]


def _state(cache: Path, name: str, entry: ModelEntry) -> str:
    return "in the cache" if model_directory(cache, name, entry).is_dir() else "not fetched"


class _Megabytes:
    """Tells a display the megabytes done, in all."""

    def __init__(self, tell: Callable[[int, int], None]) -> None:
        self._tell, self._done = tell, 0

    def at(self, done: int, total: int) -> None:
        self._tell(round(done / _MEGABYTE), round(total / _MEGABYTE))

    def more(self, size: int, total: int) -> None:
        self._done += size
        self.at(self._done, total)
