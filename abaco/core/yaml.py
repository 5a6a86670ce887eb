"""YAML files of named entries with unique keys."""

import re
from pathlib import Path
from typing import Any

import yaml

from abaco.core import project
from abaco.core.errors import InputError

MAX_BYTES = 1 << 20
MAX_DEPTH = 20


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """Reads YAML and rejects duplicate keys, where the later would silently replace the earlier."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        names = set()
        for key, _ in node.value:
            if key.value in names:
                text = f"{key.value} is there twice"
                raise yaml.constructor.ConstructorError(None, None, text, key.start_mark)
            names.add(key.value)
        return super().construct_mapping(node, deep)


def parse(text: str) -> Any:
    """Return the content of a YAML document.

    Raises
    ------
    yaml.YAMLError
        When it is not YAML, has a key twice or an alias, which could multiply its content, or is nested too deeply.
    """
    depth = 0
    for event in yaml.parse(text, _Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.AliasEvent):
            raise yaml.YAMLError(f"*{event.anchor} is an alias, in line {event.start_mark.line + 1}: write it out")
        if depth > MAX_DEPTH:
            raise yaml.YAMLError(f"more than {MAX_DEPTH} levels, in line {event.start_mark.line + 1}")
    return yaml.load(text, _Loader)


def _fault(error: yaml.YAMLError) -> str:
    """Return what is wrong in which line; PyYAML calls text a "<unicode string>" in each."""
    return re.sub(r' in "<[a-z ]+string>",', " in", " ".join(str(error).split()))


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the content of a YAML file of named entries.

    Raises
    ------
    InputError
        When the file does not exist, or is not a mapping with unique keys.
    """
    name = project.display_path(path)
    if not path.is_file():
        else_ = "" if path.suffix in (".yml", ".yaml") else ", or give section.key=value"
        raise InputError(f"Parameter file not found: {name}: check its path{else_}")
    if path.stat().st_size > MAX_BYTES:
        raise InputError(f"{name} is larger than {MAX_BYTES >> 20} MiB: give a file of settings")
    try:
        content = parse(path.read_text(encoding="utf-8")) or {}
    except UnicodeDecodeError as error:
        raise InputError(f"{name} is not UTF-8 text: save it as UTF-8") from error
    except yaml.YAMLError as error:
        raise InputError(f"{name} is not valid YAML: {_fault(error)}: correct it") from error
    if not isinstance(content, dict):
        raise InputError(f"{name} holds no named entries: write `name:` and below it `  key: value`")
    return {str(name): entry for name, entry in content.items()}


def flow(value: Any) -> str:
    """Return a value as YAML on one line.

    Examples
    --------
    >>> flow({"heading": "No", "as": "percent"}), flow("Loan ID"), flow({"": 0})
    ("{heading: 'No', as: percent}", 'Loan ID', "{'': 0}")
    """
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10**9)
    return text.removesuffix("...\n").strip().replace("? '' :", "'':")
