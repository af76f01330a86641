-- Every record of a gateway's chain, whatever its type, one row per object and bytes. A record that nobody can vouch for is
-- kept with its outcome and counts for nothing. seq 1: prev is 32 zero bytes. gateway_id is no foreign key: strangers send too.
CREATE TABLE record (
    record_id BINARY(16) NOT NULL PRIMARY KEY,
    gateway_id VARCHAR(63) CHARACTER SET ascii COLLATE ascii_bin NULL,
    seq BIGINT UNSIGNED NULL,
    type ENUM('clip', 'coverage', 'drop', 'tamper') NULL,
    camera SMALLINT UNSIGNED NULL,
    ulid BINARY(16) NULL,
    object_key VARCHAR(1024) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    sha256 BINARY(32) NULL,
    prev BINARY(32) NULL,
    started_at DATETIME(6) NULL,
    ended_at DATETIME(6) NULL,
    received_at DATETIME(6) NOT NULL,
    outcome ENUM('present', 'reordered', 'forked', 'broken_link', 'bad_signature', 'missing', 'malformed') NOT NULL,
    reason VARCHAR(255) NULL,
    KEY record_by_seq (gateway_id, seq),
    KEY record_by_outcome (outcome, received_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

-- What a camera demonstrably recorded: spans that neither touch nor overlap, none across UTC's midnight, so that whoever
-- looks for an instant reads what began in the day before it and nothing else.
CREATE TABLE coverage (
    camera_id BIGINT UNSIGNED NOT NULL,
    started_at DATETIME(6) NOT NULL,
    ended_at DATETIME(6) NOT NULL,
    PRIMARY KEY (camera_id, started_at),
    CONSTRAINT coverage_camera FOREIGN KEY (camera_id) REFERENCES camera (camera_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

-- One row per gateway that a verified record came from. All its records up to chain_seq are there or missing on file
-- (sequence_gap); gap_since: records beyond it are there since then; silent_since: nothing came after that.
CREATE TABLE gateway_watch (
    gateway_id VARCHAR(63) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    last_record_at DATETIME(6) NOT NULL,
    last_seq BIGINT UNSIGNED NOT NULL DEFAULT 0,
    chain_seq BIGINT UNSIGNED NOT NULL DEFAULT 0,
    gap_since DATETIME(6) NULL,
    silent_since DATETIME(6) NULL,
    clock_offset_s DOUBLE NULL,
    clock_wrong_since DATETIME(6) NULL,
    KEY gateway_watch_silent (silent_since, last_record_at),
    KEY gateway_watch_gap (gap_since),
    CONSTRAINT gateway_watch_gateway FOREIGN KEY (gateway_id) REFERENCES gateway (gateway_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

-- One row per camera that a verified coverage record named. Coverage is expected from expected_from on; holes that began
-- before settled_until are on file; dark_since is the start of the hole that has not ended.
CREATE TABLE camera_watch (
    camera_id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
    expected_from DATETIME(6) NOT NULL,
    covered_until DATETIME(6) NOT NULL,
    settled_until DATETIME(6) NOT NULL,
    dark_since DATETIME(6) NULL,
    KEY camera_watch_dark (dark_since, covered_until),
    CONSTRAINT camera_watch_camera FOREIGN KEY (camera_id) REFERENCES camera (camera_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

-- A hole in a camera's coverage. ended_at NULL: it goes on. filled_at: records that came later show that it was none; what they
-- leave of it keeps its row, and a second part gets one of its own (split_from).
CREATE TABLE coverage_hole (
    hole_id BINARY(16) NOT NULL PRIMARY KEY,
    camera_id BIGINT UNSIGNED NOT NULL,
    began_at DATETIME(6) NOT NULL,
    ended_at DATETIME(6) NULL,
    cause ENUM('no_records', 'camera_silent', 'agent_down') NOT NULL,
    found_at DATETIME(6) NOT NULL,
    filled_at DATETIME(6) NULL,
    split_from BINARY(16) NULL,
    UNIQUE KEY coverage_hole_once (camera_id, began_at),
    KEY coverage_hole_open (filled_at, ended_at, began_at),
    CONSTRAINT coverage_hole_camera FOREIGN KEY (camera_id) REFERENCES camera (camera_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

-- Numbers of a gateway's records that did not come though later ones did.
CREATE TABLE sequence_gap (
    gateway_id VARCHAR(63) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    first_seq BIGINT UNSIGNED NOT NULL,
    last_seq BIGINT UNSIGNED NOT NULL,
    found_at DATETIME(6) NOT NULL,
    filled_at DATETIME(6) NULL,
    PRIMARY KEY (gateway_id, first_seq),
    KEY sequence_gap_open (filled_at, found_at),
    CONSTRAINT sequence_gap_gateway FOREIGN KEY (gateway_id) REFERENCES gateway (gateway_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;
