"""The models of a recipe: parsed by the settings that their engines declare."""

from collections.abc import Mapping

from manifests.errors import EngineUnavailable
from pipeline import recipe_file
from pipeline.engines.registry import Models, is_engine, model_settings
from pipeline.settings import Section


def parse_models(models: object, problems: list[str]) -> dict[str, Section]:
    """The models by name; a line in `problems` for each value that is wrong."""
    if not isinstance(models, Mapping):
        problems.append("models: write the settings of each model under its name")
        return {}
    parsed = {}
    for name, data in models.items():
        engine = str(data.get("engine", "")) if isinstance(data, Mapping) else ""
        try:
            settings = model_settings(engine)
        except EngineUnavailable as error:
            problems.append(f"models.{name}.engine: {error}")
            continue
        if settings is None:
            problems.append(f"models.{name}.engine: no engine {engine!r} takes a model")
        elif (model := recipe_file.collect(settings, data, f"models.{name}", problems)) is not None:
            parsed[name] = model
    return parsed


def name_problems(models: Models) -> list[str]:
    """A line for each model whose name an engine has."""
    taken = sorted(filter(is_engine, models))
    return [f"models: {name} is the name of an engine; give the model another" for name in taken]
