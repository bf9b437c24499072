-- What each range brought, hour by hour, so that a tier can be compared with the ledger also after its oldest hours
-- have expired: (start of the hour, requests, payment_required). Ranges of version 0.1 have none.
ALTER TABLE tollwatch.ledger ADD COLUMN IF NOT EXISTS hours Array(Tuple(DateTime('UTC'), UInt64, UInt64)) CODEC(ZSTD(1));

-- Arrival of the oldest dead letter of the range, 1970 when there is none: tells whether all of them are still kept.
ALTER TABLE tollwatch.ledger ADD COLUMN IF NOT EXISTS oldest_letter DateTime64(3, 'UTC') CODEC(ZSTD(1));

ALTER TABLE tollwatch.landing ADD COLUMN IF NOT EXISTS hours Array(Tuple(DateTime('UTC'), UInt64, UInt64));

ALTER TABLE tollwatch.landing ADD COLUMN IF NOT EXISTS oldest_letter DateTime64(3, 'UTC');

ALTER TABLE tollwatch.landing_to_ledger MODIFY QUERY
SELECT source, lane, lo, hi, requests, payment_required, late, skipped, dead_letters, gap, config_hash, min_time, max_time,
       hours, oldest_letter
FROM tollwatch.landing WHERE is_ledger = 1;

-- What `history forget` took out of a table on somebody's order: verify counts it as accounted for. It names nobody.
CREATE TABLE IF NOT EXISTS tollwatch.erasure (
  id String, erased_from LowCardinality(String) COMMENT 'the table',
  hour DateTime('UTC'), source LowCardinality(String), lane UInt32, cause LowCardinality(String),
  requests UInt64, payment_required UInt64, erased_at DateTime64(3, 'UTC') DEFAULT now64(3)
) ENGINE = MergeTree ORDER BY (erased_from, hour, id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
