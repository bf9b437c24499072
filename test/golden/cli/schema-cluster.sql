CREATE DATABASE IF NOT EXISTS tollwatch ON CLUSTER 'main' ENGINE = Atomic;

CREATE DATABASE IF NOT EXISTS local_tollwatch ON CLUSTER 'main' ENGINE = Atomic;

CREATE TABLE IF NOT EXISTS local_tollwatch.migration ON CLUSTER 'main' (name String, applied_at DateTime DEFAULT now()) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/local_tollwatch/migration', '{replica}') ORDER BY name;

CREATE TABLE IF NOT EXISTS tollwatch.migration ON CLUSTER 'main' AS local_tollwatch.migration ENGINE = Distributed('main', 'local_tollwatch', 'migration');

CREATE TABLE IF NOT EXISTS local_tollwatch.landing ON CLUSTER 'main' (
  source String, lane UInt32, lo UInt64, hi UInt64, is_ledger UInt8,
  bucket DateTime('UTC'), tenant String, api String, cause LowCardinality(String),
  requests UInt64, payment_required UInt64, n2xx UInt64, n4xx UInt64, n5xx UInt64, late UInt64,
  skipped UInt64, dead_letters UInt64, gap UInt8, config_hash LowCardinality(String),
  min_time DateTime64(3, 'UTC'), max_time DateTime64(3, 'UTC')
) ENGINE = Null;

CREATE TABLE IF NOT EXISTS local_tollwatch.rollup_10s ON CLUSTER 'main' (
  bucket DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
  source LowCardinality(String), lane UInt32 CODEC(ZSTD(1)),
  tenant LowCardinality(String), api LowCardinality(String), cause LowCardinality(String),
  requests SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  payment_required SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  n2xx SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  n4xx SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  n5xx SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  late SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1))
) ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/tables/{shard}/local_tollwatch/rollup_10s', '{replica}')
PARTITION BY toDate(bucket) ORDER BY (tenant, api, cause, source, lane, bucket)
TTL bucket + INTERVAL 3 DAY
SETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800, ttl_only_drop_parts = 1,
         fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS tollwatch.rollup_10s ON CLUSTER 'main' AS local_tollwatch.rollup_10s ENGINE = Distributed('main', 'local_tollwatch', 'rollup_10s');

CREATE TABLE IF NOT EXISTS local_tollwatch.rollup_1m ON CLUSTER 'main' (
  bucket DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
  tenant LowCardinality(String), api LowCardinality(String), cause LowCardinality(String),
  requests SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  payment_required SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  n2xx SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  n4xx SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  n5xx SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  late SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1))
) ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/tables/{shard}/local_tollwatch/rollup_1m', '{replica}')
PARTITION BY toYYYYMM(bucket) ORDER BY (tenant, api, cause, bucket)
TTL bucket + INTERVAL 90 DAY
SETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS tollwatch.rollup_1m ON CLUSTER 'main' AS local_tollwatch.rollup_1m ENGINE = Distributed('main', 'local_tollwatch', 'rollup_1m');

CREATE TABLE IF NOT EXISTS local_tollwatch.rollup_1h ON CLUSTER 'main' AS local_tollwatch.rollup_1m
ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/tables/{shard}/local_tollwatch/rollup_1h', '{replica}')
PARTITION BY toYear(bucket) ORDER BY (tenant, api, cause, bucket)
TTL bucket + INTERVAL 730 DAY
SETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS tollwatch.rollup_1h ON CLUSTER 'main' AS local_tollwatch.rollup_1h ENGINE = Distributed('main', 'local_tollwatch', 'rollup_1h');

CREATE TABLE IF NOT EXISTS local_tollwatch.ledger ON CLUSTER 'main' (
  source LowCardinality(String), lane UInt32,
  lo UInt64 CODEC(Delta, ZSTD(1)), hi UInt64 CODEC(Delta, ZSTD(1)),
  requests UInt64, payment_required UInt64, late UInt64, skipped UInt64, dead_letters UInt64,
  gap UInt8 COMMENT '1: the range was lost before it could be read',
  config_hash LowCardinality(String),
  min_time DateTime64(3, 'UTC'), max_time DateTime64(3, 'UTC'),
  landed_at DateTime64(3, 'UTC') DEFAULT now64(3)
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/local_tollwatch/ledger', '{replica}', landed_at)
PARTITION BY toYYYYMM(landed_at) ORDER BY (source, lane, lo, hi)
TTL toDateTime(landed_at) + INTERVAL 730 DAY
SETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS tollwatch.ledger ON CLUSTER 'main' AS local_tollwatch.ledger ENGINE = Distributed('main', 'local_tollwatch', 'ledger');

CREATE TABLE IF NOT EXISTS local_tollwatch.events_402 ON CLUSTER 'main' (
  ts DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
  tenant LowCardinality(String), api LowCardinality(String), cause LowCardinality(String),
  cause_code String CODEC(ZSTD(1)), cause_source LowCardinality(String),
  kind LowCardinality(String) COMMENT 'payment_required; equivalent, upstream_402 and challenge are kept apart from the rates',
  status UInt16, upstream_status UInt16,
  method LowCardinality(String), consumer String CODEC(ZSTD(1)), plan LowCardinality(String),
  request_id String CODEC(ZSTD(1)), latency_ms Nullable(Float64), format LowCardinality(String),
  source LowCardinality(String), lane UInt32, offset UInt64 CODEC(Delta, ZSTD(1)), entry UInt32,
  INDEX by_request request_id TYPE bloom_filter(0.01) GRANULARITY 4
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/local_tollwatch/events_402', '{replica}')
PARTITION BY toDate(ts) ORDER BY (tenant, api, ts, source, lane, offset, entry)
TTL toDateTime(ts) + INTERVAL 30 DAY
SETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800, ttl_only_drop_parts = 1,
         fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS tollwatch.events_402 ON CLUSTER 'main' AS local_tollwatch.events_402 ENGINE = Distributed('main', 'local_tollwatch', 'events_402');

CREATE TABLE IF NOT EXISTS local_tollwatch.dead_letter ON CLUSTER 'main' (
  at DateTime64(3, 'UTC'), reason LowCardinality(String),
  source LowCardinality(String), lane UInt32, offset UInt64, entry UInt32,
  bytes UInt64, message String CODEC(ZSTD(1)), sketch String CODEC(ZSTD(3)), raw String CODEC(ZSTD(3))
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/local_tollwatch/dead_letter', '{replica}')
PARTITION BY toYYYYMM(at) ORDER BY (source, lane, offset, entry)
TTL toDateTime(at) + INTERVAL 14 DAY
SETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS tollwatch.dead_letter ON CLUSTER 'main' AS local_tollwatch.dead_letter ENGINE = Distributed('main', 'local_tollwatch', 'dead_letter');

CREATE TABLE IF NOT EXISTS local_tollwatch.alert_log ON CLUSTER 'main' (
  at DateTime64(3, 'UTC'), fingerprint String, episode String, rule LowCardinality(String),
  state LowCardinality(String), severity LowCardinality(String),
  tenant LowCardinality(String), api LowCardinality(String), cause LowCardinality(String),
  labels Map(String, String), value Float64, observed UInt64, requests UInt64, expected Nullable(Float64),
  summary String
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/local_tollwatch/alert_log', '{replica}')
PARTITION BY toYYYYMM(at) ORDER BY (rule, fingerprint, at, state)
TTL toDateTime(at) + INTERVAL 365 DAY;

CREATE TABLE IF NOT EXISTS tollwatch.alert_log ON CLUSTER 'main' AS local_tollwatch.alert_log ENGINE = Distributed('main', 'local_tollwatch', 'alert_log');

CREATE TABLE IF NOT EXISTS local_tollwatch.state ON CLUSTER 'main' (
  kind LowCardinality(String), key String, version UInt64, value String CODEC(ZSTD(1)), deleted UInt8
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/local_tollwatch/state', '{replica}', version) ORDER BY (kind, key)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS tollwatch.state ON CLUSTER 'main' AS local_tollwatch.state ENGINE = Distributed('main', 'local_tollwatch', 'state');

CREATE MATERIALIZED VIEW IF NOT EXISTS local_tollwatch.landing_to_10s ON CLUSTER 'main' TO local_tollwatch.rollup_10s AS
SELECT bucket, source, lane, tenant, api, cause, requests, payment_required, n2xx, n4xx, n5xx, late
FROM local_tollwatch.landing WHERE is_ledger = 0;

CREATE MATERIALIZED VIEW IF NOT EXISTS local_tollwatch.landing_to_1m ON CLUSTER 'main' TO local_tollwatch.rollup_1m AS
SELECT toStartOfMinute(r.bucket) AS bucket, r.tenant AS tenant, r.api AS api, r.cause AS cause,
       sum(r.requests) AS requests, sum(r.payment_required) AS payment_required, sum(r.n2xx) AS n2xx,
       sum(r.n4xx) AS n4xx, sum(r.n5xx) AS n5xx, sum(r.late) AS late
FROM local_tollwatch.landing AS r WHERE r.is_ledger = 0
GROUP BY toStartOfMinute(r.bucket) AS bucket, r.tenant, r.api, r.cause;

CREATE MATERIALIZED VIEW IF NOT EXISTS local_tollwatch.landing_to_1h ON CLUSTER 'main' TO local_tollwatch.rollup_1h AS
SELECT toStartOfHour(r.bucket) AS bucket, r.tenant AS tenant, r.api AS api, r.cause AS cause,
       sum(r.requests) AS requests, sum(r.payment_required) AS payment_required, sum(r.n2xx) AS n2xx,
       sum(r.n4xx) AS n4xx, sum(r.n5xx) AS n5xx, sum(r.late) AS late
FROM local_tollwatch.landing AS r WHERE r.is_ledger = 0
GROUP BY toStartOfHour(r.bucket) AS bucket, r.tenant, r.api, r.cause;

CREATE MATERIALIZED VIEW IF NOT EXISTS local_tollwatch.landing_to_ledger ON CLUSTER 'main' TO local_tollwatch.ledger AS
SELECT source, lane, lo, hi, requests, payment_required, late, skipped, dead_letters, gap, config_hash, min_time, max_time
FROM local_tollwatch.landing WHERE is_ledger = 1;

ALTER TABLE local_tollwatch.ledger ON CLUSTER 'main' ADD COLUMN IF NOT EXISTS hours Array(Tuple(DateTime('UTC'), UInt64, UInt64)) CODEC(ZSTD(1));

ALTER TABLE tollwatch.ledger ON CLUSTER 'main' ADD COLUMN IF NOT EXISTS hours Array(Tuple(DateTime('UTC'), UInt64, UInt64));

ALTER TABLE local_tollwatch.ledger ON CLUSTER 'main' ADD COLUMN IF NOT EXISTS oldest_letter DateTime64(3, 'UTC') CODEC(ZSTD(1));

ALTER TABLE tollwatch.ledger ON CLUSTER 'main' ADD COLUMN IF NOT EXISTS oldest_letter DateTime64(3, 'UTC');

ALTER TABLE local_tollwatch.landing ON CLUSTER 'main' ADD COLUMN IF NOT EXISTS hours Array(Tuple(DateTime('UTC'), UInt64, UInt64));

ALTER TABLE local_tollwatch.landing ON CLUSTER 'main' ADD COLUMN IF NOT EXISTS oldest_letter DateTime64(3, 'UTC');

ALTER TABLE local_tollwatch.landing_to_ledger ON CLUSTER 'main' MODIFY QUERY
SELECT source, lane, lo, hi, requests, payment_required, late, skipped, dead_letters, gap, config_hash, min_time, max_time,
       hours, oldest_letter
FROM local_tollwatch.landing WHERE is_ledger = 1;

CREATE TABLE IF NOT EXISTS local_tollwatch.erasure ON CLUSTER 'main' (
  id String, erased_from LowCardinality(String) COMMENT 'the table',
  hour DateTime('UTC'), source LowCardinality(String), lane UInt32, cause LowCardinality(String),
  requests UInt64, payment_required UInt64, erased_at DateTime64(3, 'UTC') DEFAULT now64(3)
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/local_tollwatch/erasure', '{replica}') ORDER BY (erased_from, hour, id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS tollwatch.erasure ON CLUSTER 'main' AS local_tollwatch.erasure ENGINE = Distributed('main', 'local_tollwatch', 'erasure');

ALTER TABLE local_tollwatch.rollup_10s ON CLUSTER 'main' MODIFY TTL bucket + INTERVAL 259200 SECOND SETTINGS materialize_ttl_after_modify = 0;

ALTER TABLE local_tollwatch.rollup_1m ON CLUSTER 'main' MODIFY TTL bucket + INTERVAL 7776000 SECOND SETTINGS materialize_ttl_after_modify = 0;

ALTER TABLE local_tollwatch.rollup_1h ON CLUSTER 'main' MODIFY TTL bucket + INTERVAL 63072000 SECOND SETTINGS materialize_ttl_after_modify = 0;

ALTER TABLE local_tollwatch.events_402 ON CLUSTER 'main' MODIFY TTL toDateTime(ts) + INTERVAL 2592000 SECOND SETTINGS materialize_ttl_after_modify = 0;

ALTER TABLE local_tollwatch.dead_letter ON CLUSTER 'main' MODIFY TTL toDateTime(at) + INTERVAL 1209600 SECOND SETTINGS materialize_ttl_after_modify = 0;

INSERT INTO local_tollwatch.migration (name) VALUES ('0001_history.sql'), ('0002_proof.sql');
