"""YAML files of named entries, in which no key may stand twice."""

from pathlib import Path
from typing import Any

import yaml

from abaco.core import project
from abaco.core.errors import InputError


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """Reads YAML, and refuses a key that is there twice: the later one would silently replace the earlier."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"{key.value} is there twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the content of a YAML file of named entries.

    Raises
    ------
    InputError
        When there is no such file, or it holds something else, or a key twice.
    """
    shown = project.shown(path)
    if not path.is_file():
        else_ = "" if path.suffix in (".yml", ".yaml") else ", or give section.key=value"
        raise InputError(f"Parameter file not found: {shown}: check its path{else_}")
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _Loader) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{shown} is not valid YAML: {' '.join(str(error).split())}: correct it") from error
    if not isinstance(content, dict):
        raise InputError(f"{shown} holds no named entries: write `name:` and below it `  key: value`")
    return {str(name): entry for name, entry in content.items()}
