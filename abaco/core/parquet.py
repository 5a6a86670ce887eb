"""Arrow schemas of tables."""

from collections.abc import Iterable

import pyarrow as pa

from abaco.core.tables import COUNT, DATE, FLAG, TEXT, Table

TYPES = {DATE: pa.date32(), TEXT: pa.string(), COUNT: pa.int64(), FLAG: pa.bool_()}


def arrow_schema(table: Table) -> pa.Schema:
    """Return names and Arrow types of a table's columns."""
    return pa.schema([(field.name, _arrow_type(field.type)) for field in table.fields])


def _arrow_type(name: str) -> pa.DataType:
    if name in TYPES:
        return TYPES[name]
    digits, decimals = map(int, name.removeprefix("decimal(").removesuffix(")").split(","))
    return pa.decimal128(digits, decimals)


def is_common(schema: pa.Schema, columns: Iterable[str]) -> bool:
    """Return whether every engine writes the values of these columns as the same text."""
    common = (pa.types.is_signed_integer, pa.types.is_string, pa.types.is_date32, pa.types.is_decimal128)
    return all(any(is_one(schema.field(name).type) for is_one in common) for name in columns)
