"""Writes croissant.json: the data set for machines, after Croissant 1.1 and its vocabulary for responsible AI 1.0.

https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html. What the card says, this file says too.
"""

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from manifests.export.hf import COLUMNS
from manifests.export.hf_nested import OF_DIALOGUE, OF_TURN
from pipeline.publish.card import DATA, PROVENANCE, Files
from pipeline.publish.facts import Facts
from pipeline.publish.options import PublishOptions
from pipeline.publish.statements import Statements, citation_of, title_of

CROISSANT = "croissant.json"

_CONTEXT: Mapping[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "name": {"@container": "@language"},
    "parentField": "cr:parentField",
    "path": "cr:path",
    "prov": "http://www.w3.org/ns/prov#",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_CONFORMS_TO = ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"]
_TYPES = {"string": "sc:Text", "int64": "cr:Int64", "float64": "cr:Float64"}
_PARQUET = "application/x-parquet"  # the only name that mlcroissant 1.1.1 reads; the hub writes it too
_NO_HASH = "https://github.com/mlcommons/croissant/issues/80"
"""Stands for the hash of a repository, as the hub's own Croissant files have it: a repository has none."""
_BESIDE: Mapping[str, Any] = MappingProxyType({})


def croissant_text(
    facts: Facts,
    statements: Statements,
    options: PublishOptions,
    files: Mapping[str, Files],
    hashes: Mapping[str, str],
) -> str:
    """Return the JSON text; `hashes` are the SHA-256 of the Parquet files, by path."""
    content = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": _CONFORMS_TO,
        "name": title_of(facts, options),
        "description": _description(facts),
        "version": f"{facts.manifest.schema_version}.0.0+{facts.digest[:12]}",
        "identifier": f"sha256:{facts.digest}",
        "datePublished": options.published.isoformat(),
        "license": options.license_address,
        "inLanguage": sorted(facts.languages),
        "keywords": ["parley", "synthetic", "spoken-dialogue"],
        "isAccessibleForFree": True,
        "citeAs": citation_of(facts, options),
        **(_publisher(options) if options.name else {}),
        "rai:dataLimitations": statements.limitations,
        "rai:dataBiases": statements.biases,
        "rai:personalSensitiveInformation": statements.personal,
        "rai:dataUseCases": statements.uses,
        "rai:dataSocialImpact": " ".join(statements.impact),
        "rai:hasSyntheticData": True,
        "prov:wasDerivedFrom": [_source(name) for name in sorted(facts.datasets)],
        "prov:wasGeneratedBy": _activity(facts),
        "distribution": _distribution(options, files, hashes),
        "recordSet": [_records(options, part, part_files) for part, part_files in files.items()],
    }
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def _description(facts: Facts) -> str:
    kind = "speech" if facts.is_speech else "tones"
    return (
        f"{facts.dialogues:,} synthetic dialogues of {facts.turns:,} turns, {facts.hours:.2f} hours of {kind}, "
        f"made with Parley {facts.manifest.parley_version} by the recipe {facts.manifest.recipe.name}."
    )


def _publisher(options: PublishOptions) -> dict[str, Any]:
    organization = {"@type": "sc:Organization", "name": str(options.name).split("/")[0]}
    return {"url": options.url, "creator": organization, "publisher": organization}


def _source(name: str) -> dict[str, Any]:
    return {"@type": "prov:Entity", "prov:label": name}


def _activity(facts: Facts) -> dict[str, Any]:
    """Return what made the data set: the run of the recipe, and each program with its version."""
    agents = [
        {"@type": "prov:SoftwareAgent", "prov:label": f"{name} {version}"}
        for name, version in [("parley", facts.manifest.parley_version), *sorted(facts.manifest.engines.items())]
    ]
    label = f"recipe {facts.manifest.recipe.name}, digest {facts.manifest.recipe.digest}, seed {facts.manifest.seed}"
    return {"@type": "prov:Activity", "prov:label": label, "prov:wasAssociatedWith": agents}


def _distribution(
    options: PublishOptions, files: Mapping[str, Files], hashes: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return the files. With a name on the hub they lie in its repository; without, beside this file, with hashes."""
    if options.url is not None:
        repository = {
            "@type": "cr:FileObject",
            "@id": "repo",
            "name": "repo",
            "description": "The repository on the hub.",
            "contentUrl": options.url,
            "encodingFormat": "git+https",
            "sha256": _NO_HASH,
        }
        return [repository, *(_file_set(part, {"containedIn": {"@id": "repo"}}) for part in files)]
    objects = [
        {
            "@type": "cr:FileObject",
            "@id": path,
            "name": path,
            "contentUrl": path,
            "encodingFormat": _PARQUET,
            "sha256": hashes[path],
        }
        for part in files.values()
        for path in part.paths
    ]
    return [*objects, *(_file_set(part) for part in files)]


def _file_set(part: str, within: Mapping[str, Any] = _BESIDE) -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": f"files-of-{part}",
        "name": f"files-of-{part}",
        **within,
        "encodingFormat": _PARQUET,
        "includes": f"{DATA}/{part}-*.parquet",
    }


def _records(options: PublishOptions, part: str, files: Files) -> dict[str, Any]:
    unit = "turn" if options.layout == "flat" else "dialogue"
    return {
        "@type": "cr:RecordSet",
        "@id": part,
        "name": part,
        "description": f"{files.rows:,} rows, one for each {unit}; the recipe is in {PROVENANCE}/manifest.json.",
        "field": _flat_fields(part) if options.layout == "flat" else _nested_fields(part),
    }


def _flat_fields(part: str) -> list[dict[str, Any]]:
    plain = [_field(part, (name,), _TYPES[kind], name) for name, kind in COLUMNS.items()]
    return [*plain, _field(part, ("audio",), "sc:AudioObject", "audio", "bytes")]


def _nested_fields(part: str) -> list[dict[str, Any]]:
    inner = [
        *(_field(part, ("turns", name), _TYPES[kind], "turns", name) for name, kind in OF_TURN.items()),
        _field(part, ("turns", "audio"), "sc:AudioObject", "turns", "audio.bytes"),
    ]
    turns = {
        "@type": "cr:Field",
        "@id": f"{part}/turns",
        "name": "turns",
        "repeated": True,
        "subField": inner,
    }
    return [*(_field(part, (name,), _TYPES[kind], name) for name, kind in OF_DIALOGUE.items()), turns]


def _field(part: str, path: Sequence[str], kind: str, column: str, inside: str | None = None) -> dict[str, Any]:
    source: dict[str, Any] = {"fileSet": {"@id": f"files-of-{part}"}, "extract": {"column": column}}
    if inside is not None:
        source["transform"] = {"jsonPath": inside}
    return {
        "@type": "cr:Field",
        "@id": "/".join((part, *path)),
        "name": path[-1],
        "dataType": kind,
        "source": source,
    }
