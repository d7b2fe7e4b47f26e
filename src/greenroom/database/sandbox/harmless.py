"""Words and functions that may stand before a parenthesis in a statement that only reads."""

from __future__ import annotations

_WORDS = """
    select from where and or not in exists any all some values over filter as on using join by
    having when then else case end between like ilike similar union intersect except lateral row
    array is distinct limit offset within group partition with recursive order rows range cast
    interval varchar char character numeric decimal timestamp timestamptz time float double bit
    integer count sum avg min max total coalesce nullif ifnull iif if lower upper initcap length
    char_length octet_length substr substring left right trim ltrim rtrim btrim replace reverse
    repeat position instr concat concat_ws lpad rpad split_part abs round ceil ceiling floor mod
    power sqrt sign greatest least now date datetime julianday strftime unixepoch date_trunc
    date_part extract to_char to_date to_timestamp to_number age date_format date_add date_sub
    datediff timestampdiff year month day hour minute second string_agg array_agg json_agg jsonb_agg
    json_object_agg jsonb_object_agg json_build_object jsonb_build_object json_object json_array
    json_extract json_group_array json_unquote json_array_length jsonb_array_length
    jsonb_array_elements jsonb_array_elements_text json_each group_concat row_number rank dense_rank
    percent_rank lag lead first_value last_value ntile unnest generate_series array_length
    cardinality bool_and bool_or every stddev variance md5 hex typeof printf format quote version
    current_schema current_database database schema to_regclass format_type to_tsvector to_tsquery
    plainto_tsquery websearch_to_tsquery ts_rank similarity regexp_replace regexp_matches match
    against row_to_json to_json to_jsonb
"""
HARMLESS = frozenset(_WORDS.split())
#: The beginnings of PostgreSQL's functions that look into its catalogue.
HARMLESS_PREFIXES = (
    "pg_get_",
    "pg_table_is_",
    "pg_type_is_",
    "has_",
    "col_description",
    "obj_desc",
)
