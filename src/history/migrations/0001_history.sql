-- One INSERT into `landing` feeds the ledger and every tier; dedup by token lives in each target, so repeating the same
-- INSERT after a crash completes whatever is missing and adds nothing twice.
-- Row kinds: cause = '' carries the requests of a series; a row with a cause carries only its refusals, so
-- sum(payment_required) / sum(requests) is right at any grouping. One row with is_ledger = 1 describes the range.
CREATE TABLE IF NOT EXISTS tollwatch.landing (
  source String, lane UInt32, lo UInt64, hi UInt64, is_ledger UInt8,
  bucket DateTime('UTC'), tenant String, api String, cause LowCardinality(String),
  requests UInt64, payment_required UInt64, n2xx UInt64, n4xx UInt64, n5xx UInt64, late UInt64,
  skipped UInt64, dead_letters UInt64, gap UInt8, config_hash LowCardinality(String),
  min_time DateTime64(3, 'UTC'), max_time DateTime64(3, 'UTC')
) ENGINE = Null;

CREATE TABLE IF NOT EXISTS tollwatch.rollup_10s (
  bucket DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
  source LowCardinality(String), lane UInt32 CODEC(ZSTD(1)),
  tenant LowCardinality(String), api LowCardinality(String), cause LowCardinality(String),
  requests SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  payment_required SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  n2xx SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  n4xx SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  n5xx SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  late SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1))
) ENGINE = AggregatingMergeTree
PARTITION BY toDate(bucket) ORDER BY (tenant, api, cause, source, lane, bucket)
TTL bucket + INTERVAL 3 DAY
SETTINGS non_replicated_deduplication_window = 10000, ttl_only_drop_parts = 1,
         fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS tollwatch.rollup_1m (
  bucket DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
  tenant LowCardinality(String), api LowCardinality(String), cause LowCardinality(String),
  requests SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  payment_required SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  n2xx SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  n4xx SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  n5xx SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  late SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1))
) ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(bucket) ORDER BY (tenant, api, cause, bucket)
TTL bucket + INTERVAL 90 DAY
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS tollwatch.rollup_1h AS tollwatch.rollup_1m
ENGINE = AggregatingMergeTree
PARTITION BY toYear(bucket) ORDER BY (tenant, api, cause, bucket)
TTL bucket + INTERVAL 730 DAY
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;

-- Which offsets of which lane are in history: the proof that nothing is missing and nothing is there twice.
CREATE TABLE IF NOT EXISTS tollwatch.ledger (
  source LowCardinality(String), lane UInt32,
  lo UInt64 CODEC(Delta, ZSTD(1)), hi UInt64 CODEC(Delta, ZSTD(1)),
  requests UInt64, payment_required UInt64, late UInt64, skipped UInt64, dead_letters UInt64,
  gap UInt8 COMMENT '1: the range was lost before it could be read',
  config_hash LowCardinality(String),
  min_time DateTime64(3, 'UTC'), max_time DateTime64(3, 'UTC'),
  landed_at DateTime64(3, 'UTC') DEFAULT now64(3)
) ENGINE = ReplacingMergeTree(landed_at)
PARTITION BY toYYYYMM(landed_at) ORDER BY (source, lane, lo, hi)
TTL toDateTime(landed_at) + INTERVAL 730 DAY
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;

-- Every refused call under its true names, also where its series was folded.
CREATE TABLE IF NOT EXISTS tollwatch.events_402 (
  ts DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
  tenant LowCardinality(String), api LowCardinality(String), cause LowCardinality(String),
  cause_code String CODEC(ZSTD(1)), cause_source LowCardinality(String),
  kind LowCardinality(String) COMMENT 'payment_required; equivalent, upstream_402 and challenge are kept apart from the rates',
  status UInt16, upstream_status UInt16,
  method LowCardinality(String), consumer String CODEC(ZSTD(1)), plan LowCardinality(String),
  request_id String CODEC(ZSTD(1)), latency_ms Nullable(Float64), format LowCardinality(String),
  source LowCardinality(String), lane UInt32, offset UInt64 CODEC(Delta, ZSTD(1)), entry UInt32,
  INDEX by_request request_id TYPE bloom_filter(0.01) GRANULARITY 4
) ENGINE = ReplacingMergeTree
PARTITION BY toDate(ts) ORDER BY (tenant, api, ts, source, lane, offset, entry)
TTL toDateTime(ts) + INTERVAL 30 DAY
SETTINGS non_replicated_deduplication_window = 10000, ttl_only_drop_parts = 1,
         fsync_after_insert = 1, fsync_part_directory = 1;

-- Where to find what could not be read; never the bytes themselves, only a masked sketch of their shape.
CREATE TABLE IF NOT EXISTS tollwatch.dead_letter (
  at DateTime64(3, 'UTC'), reason LowCardinality(String),
  source LowCardinality(String), lane UInt32, offset UInt64, entry UInt32,
  bytes UInt64, message String CODEC(ZSTD(1)), sketch String CODEC(ZSTD(3)), raw String CODEC(ZSTD(3))
) ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(at) ORDER BY (source, lane, offset, entry)
TTL toDateTime(at) + INTERVAL 14 DAY
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS tollwatch.alert_log (
  at DateTime64(3, 'UTC'), fingerprint String, episode String, rule LowCardinality(String),
  state LowCardinality(String), severity LowCardinality(String),
  tenant LowCardinality(String), api LowCardinality(String), cause LowCardinality(String),
  labels Map(String, String), value Float64, observed UInt64, requests UInt64, expected Nullable(Float64),
  summary String
) ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(at) ORDER BY (rule, fingerprint, at, state)
TTL toDateTime(at) + INTERVAL 365 DAY;

-- Small durable state, last write wins: alert states, baselines, silences, outbox, positions in the making.
CREATE TABLE IF NOT EXISTS tollwatch.state (
  kind LowCardinality(String), key String, version UInt64, value String CODEC(ZSTD(1)), deleted UInt8
) ENGINE = ReplacingMergeTree(version) ORDER BY (kind, key)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS tollwatch.landing_to_10s TO tollwatch.rollup_10s AS
SELECT bucket, source, lane, tenant, api, cause, requests, payment_required, n2xx, n4xx, n5xx, late
FROM tollwatch.landing WHERE is_ledger = 0;

CREATE MATERIALIZED VIEW IF NOT EXISTS tollwatch.landing_to_1m TO tollwatch.rollup_1m AS
SELECT toStartOfMinute(r.bucket) AS bucket, r.tenant AS tenant, r.api AS api, r.cause AS cause,
       sum(r.requests) AS requests, sum(r.payment_required) AS payment_required, sum(r.n2xx) AS n2xx,
       sum(r.n4xx) AS n4xx, sum(r.n5xx) AS n5xx, sum(r.late) AS late
FROM tollwatch.landing AS r WHERE r.is_ledger = 0
GROUP BY toStartOfMinute(r.bucket) AS bucket, r.tenant, r.api, r.cause;

CREATE MATERIALIZED VIEW IF NOT EXISTS tollwatch.landing_to_1h TO tollwatch.rollup_1h AS
SELECT toStartOfHour(r.bucket) AS bucket, r.tenant AS tenant, r.api AS api, r.cause AS cause,
       sum(r.requests) AS requests, sum(r.payment_required) AS payment_required, sum(r.n2xx) AS n2xx,
       sum(r.n4xx) AS n4xx, sum(r.n5xx) AS n5xx, sum(r.late) AS late
FROM tollwatch.landing AS r WHERE r.is_ledger = 0
GROUP BY toStartOfHour(r.bucket) AS bucket, r.tenant, r.api, r.cause;

CREATE MATERIALIZED VIEW IF NOT EXISTS tollwatch.landing_to_ledger TO tollwatch.ledger AS
SELECT source, lane, lo, hi, requests, payment_required, late, skipped, dead_letters, gap, config_hash, min_time, max_time
FROM tollwatch.landing WHERE is_ledger = 1;
