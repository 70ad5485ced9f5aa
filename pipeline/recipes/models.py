"""Parses the models of a recipe with the settings that their engines declare."""

from collections.abc import Mapping

from manifests.credentials import secret_places
from manifests.errors import EngineUnavailable
from pipeline import recipe_file
from pipeline.engines.registry import Models, is_engine, model_settings
from pipeline.settings import Section

_NO_SECRETS = (
    "it looks like a key or a password, and recipes stand in job.json and manifests: put it into an environment "
    "variable, and the variable's name into serving.api_key_env"
)


def parse_models(models: object, problems: list[str]) -> dict[str, Section]:
    """Return the models by name; add a line to `problems` for each wrong value."""
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
        elif secrets := _secrets(data):
            problems += [f"models.{name}.{where}: {_NO_SECRETS}" for where in secrets]
        elif (model := recipe_file.collect(settings, data, f"models.{name}", problems)) is not None:
            parsed[name] = model
    return parsed


def _secrets(data: Mapping[str, object]) -> list[str]:
    """Return the names of entries that would take a key or a password into manifests; `serving` never gets there."""
    return list(secret_places({key: value for key, value in data.items() if key != "serving"}))


def name_problems(models: Models) -> list[str]:
    """Return a line for each model that has the name of an engine."""
    taken = sorted(filter(is_engine, models))
    return [f"models: {name} is the name of an engine; give the model another" for name in taken]
