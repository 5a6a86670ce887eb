"""The job in hand-written DuckDB SQL."""

import duckdb

from benchmarks.peers.job import (
    AMOUNTS,
    CONFLICT,
    CREDITS,
    DUST_USD,
    FILLED,
    NO_TEXT,
    NULL_WORDS,
    PERSONAL,
    READ,
    TAPE,
    TEXTS,
    Job,
    outlier_limit,
)  # fmt: skip

ALL = (*READ[1:2], READ[0], *READ[2:], "collector_note")  # as the file has them


def run(job: Job) -> None:
    """Do the job."""
    db = duckdb.connect()
    db.execute(f"SET temp_directory = '{job.folder}'")
    db.execute(f"CREATE TABLE staged AS {staged(job)}")
    if job.is_parquet:
        db.execute("CREATE TABLE broken (line BIGINT, error_type VARCHAR)")
    else:
        db.execute(
            "CREATE TABLE broken AS SELECT line::BIGINT AS line, error_type::VARCHAR AS error_type FROM reject_errors"
        )
    db.execute(VERDICTS)
    db.execute(f"COPY ({quarantine(job)}) TO '{job.folder}/quarantine.parquet' (COMPRESSION zstd)")
    db.execute(ACCEPTED)
    sums, rows = {}, {}
    for date, count, *amounts in db.execute(SUMS).fetchall():
        sums[date], rows[date] = dict(zip(AMOUNTS, amounts, strict=True)), count
    db.execute("CREATE TABLE limits (measurement_date DATE, outlier_limit DECIMAL(18,2))")
    limits = [(date, outlier_limit(sums[date]["total_receivable_usd"], rows[date])) for date in sums]
    db.executemany("INSERT INTO limits VALUES (?, ?)", limits)
    db.execute(f"COPY ({tape()}) TO '{job.folder}/tape.parquet' (COMPRESSION zstd)")
    counts = db.execute(COUNTS).fetchdf().iloc[0].to_dict()
    counts["quarantined"] = db.execute(f"SELECT count(*) FROM '{job.folder}/quarantine.parquet'").fetchone()[0]
    job.finish(counts, sums)


def staged(job: Job) -> str:
    """Return every row typed, with its reasons; of a row that has some, also its values as they stood."""
    source = f"read_parquet('{job.input}')"
    if not job.is_parquet:
        types = ", ".join(f"'{c}': 'VARCHAR'" for c in ALL)
        source = (
            f"read_csv('{job.input}', columns = {{{types}}}, auto_detect = false, header = true, "
            f"nullstr = {list(NULL_WORDS)}, store_rejects = true)"
        )
    day = "TRY_CAST(raw.measurement_date AS DATE) AS measurement_date"
    amounts = ", ".join(f"TRY_CAST(raw.{c} AS DECIMAL(18,2)) AS {c}" for c in AMOUNTS)
    texts = ", ".join(f"nullif(trim(raw.{c}), '') AS {c}" for c in TEXTS)
    kept = ", ".join(f"raw.{c} AS raw_{c}" for c in READ)
    owed = ", ".join(f"CASE WHEN total_receivable_usd < 0 THEN greatest({c}, 0) ELSE {c} END AS {c}" for c in CREDITS)
    return f"""
        WITH raw AS (SELECT {", ".join(READ)} FROM {source}),
        typed AS (SELECT * REPLACE ({owed}) FROM (SELECT {day}, {texts}, {amounts}, {kept} FROM raw)),
        checked AS (SELECT *, CASE WHEN {SUSPECT} THEN nullif(concat_ws('; ', {REASONS}), '') END AS reasons FROM typed)
        SELECT {", ".join(READ)}, reasons, coalesce(measurement_date > DATE '{job.date}', false) AS is_later,
            CASE WHEN reasons IS NOT NULL THEN {packed("raw_")} END AS original
        FROM checked"""


def rules() -> tuple[str, str]:
    """Return whether a row may be bad, and every reason that it is."""
    suspect, reasons = [], []
    for c in READ:
        text = f"lower(trim(raw_{c}::VARCHAR))"
        if c in FILLED:
            suspect.append(f"{c} IS NULL")
            reasons.append(f"CASE WHEN coalesce({text}, '') = '' THEN '{c}: missing' END")
        if c == "measurement_date":
            reasons.append(f"CASE WHEN {c} IS NULL AND {text} != '' THEN '{c}: not a date' END")
        if c in AMOUNTS:
            suspect += [f"({c} IS NULL AND raw_{c} IS NOT NULL)", f"coalesce({c} < 0, false)"]
            infinite = f"regexp_full_match({text}, '[+-]?(nan|inf|infinity)')"
            reasons.append(
                f"CASE WHEN {c} IS NULL AND {text} != '' THEN "
                f"CASE WHEN {infinite} THEN '{c}: not a finite number' ELSE '{c}: not a number' END "
                f"WHEN {c} < 0 THEN '{c}: negative' END"
            )
    return " OR ".join(suspect), ", ".join(reasons)


def packed(prefix: str) -> str:
    """Return the expression for a row's values as JSON, personal ones redacted."""
    values = (
        f"{c} := CASE WHEN {prefix}{c} IS NOT NULL THEN 'redacted' END" if c in PERSONAL
        else f"{c} := {prefix}{c}::VARCHAR"
        for c in READ
    )  # fmt: skip
    return f"to_json(struct_pack({', '.join(values)}))::VARCHAR"


SUSPECT, REASONS = rules()
# Identical rows: the first is kept; rows with the same key and other values are all rejected.
VERDICTS = f"""
    CREATE TABLE repeated AS SELECT loan_id, measurement_date FROM staged
    WHERE loan_id IS NOT NULL AND measurement_date IS NOT NULL AND NOT is_later GROUP BY ALL HAVING count(*) > 1;
    CREATE TABLE verdicts AS
    WITH shared AS (
        SELECT staged.rowid AS record, loan_id, measurement_date,
            hash({", ".join(f"staged.{c}" for c in READ)}, reasons, original) AS content
        FROM staged JOIN repeated USING (loan_id, measurement_date)
    ), judged AS (
        SELECT record, min(content) OVER same != max(content) OVER same AS conflicts, min(record) OVER same AS first
        FROM shared WINDOW same AS (PARTITION BY loan_id, measurement_date)
    )
    SELECT record, CASE WHEN conflicts THEN 'conflict' ELSE 'duplicate' END AS verdict
    FROM judged WHERE conflicts OR record != first"""
ACCEPTED = """
    CREATE VIEW accepted AS FROM staged
    WHERE reasons IS NULL AND NOT is_later AND rowid NOT IN (SELECT record FROM verdicts)"""
SUMS = f"""
    SELECT measurement_date, count(*), {", ".join(f"sum({c})" for c in AMOUNTS)} FROM accepted GROUP BY 1"""
COUNTS = """
    SELECT count(*) + (SELECT count(*) FROM broken) AS rows_in, (SELECT count(*) FROM accepted) AS accepted,
        (SELECT count(*) FROM verdicts WHERE verdict = 'duplicate') AS duplicates, sum(is_later::INT) AS later
    FROM staged"""


def quarantine(job: Job) -> str:
    """Return the rejected rows and the lines that could not be split into columns."""
    line = "1 + record" if job.is_parquet else (
        "record + 2 + (SELECT count(*) FROM (SELECT line - row_number() OVER (ORDER BY line) - 1 AS after FROM broken) "
        "WHERE after <= record)"
    )  # fmt: skip
    return f"""
        WITH bad AS (
            SELECT staged.rowid AS record, total_receivable_usd AS amount_usd,
                nullif(concat_ws('; ', reasons, CASE verdict WHEN 'conflict' THEN '{CONFLICT}' END), '') AS reasons,
                coalesce(original, {packed("")}) AS original
            FROM staged LEFT JOIN verdicts ON staged.rowid = record
            WHERE NOT is_later AND (reasons IS NOT NULL OR verdict = 'conflict')
                AND verdict IS DISTINCT FROM 'duplicate'
        )
        SELECT '{job.input.name}' AS file, {line} AS line, reasons, amount_usd, original FROM bad
        UNION ALL
        SELECT '{job.input.name}', line, 'line: ' || lower(error_type), NULL, NULL FROM broken ORDER BY line"""


def tape() -> str:
    """Return the accepted rows as the tape has them."""
    own = {new: f"CASE WHEN {old} IS NOT NULL THEN 'redacted' END" for old, new in PERSONAL.items()}
    own |= dict.fromkeys(NO_TEXT, "NULL::VARCHAR") | {"days_past_due": "NULL::BIGINT", "overdue_on": "NULL::DATE"}
    own["is_outlier"] = "accepted.total_receivable_usd > outlier_limit"
    own["is_dust"] = f"accepted.total_receivable_usd > 0 AND accepted.total_receivable_usd < {DUST_USD}"
    columns = ", ".join(f"{own.get(c, f'accepted.{c}')} AS {c}" for c in TAPE)
    return f"SELECT {columns} FROM accepted JOIN limits USING (measurement_date)"


if __name__ == "__main__":
    run(Job.from_arguments())
