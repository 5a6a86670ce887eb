"""YAML files of named entries with unique keys."""

from pathlib import Path
from typing import Any

import yaml

from abaco.core import project
from abaco.core.errors import InputError


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
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _Loader) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{name} is not valid YAML: {' '.join(str(error).split())}: correct it") from error
    if not isinstance(content, dict):
        raise InputError(f"{name} holds no named entries: write `name:` and below it `  key: value`")
    return {str(name): entry for name, entry in content.items()}
