-- Common subset of MariaDB 10.11 and MySQL 8.0. Instants are DATETIME(6) in UTC, ULIDs and SHA-256 are bytes.

CREATE TABLE region (
    region_id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    province VARCHAR(40) NOT NULL,
    district VARCHAR(40) NOT NULL,
    neighbourhood VARCHAR(60) NOT NULL DEFAULT '',
    UNIQUE KEY region_name (province, district, neighbourhood)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

CREATE TABLE police_station (
    police_station_id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    region_id BIGINT UNSIGNED NOT NULL,
    name VARCHAR(80) NOT NULL,
    phone VARCHAR(40) NOT NULL DEFAULT '',
    UNIQUE KEY police_station_name (region_id, name),
    CONSTRAINT police_station_region FOREIGN KEY (region_id) REFERENCES region (region_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

-- last_incident_number is the counter behind incident.number: per centre, rising, never reused.
CREATE TABLE centre (
    centre_id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    region_id BIGINT UNSIGNED NOT NULL,
    name VARCHAR(120) NOT NULL,
    address VARCHAR(255) NOT NULL DEFAULT '',
    phone VARCHAR(40) NOT NULL DEFAULT '',
    time_zone VARCHAR(64) NOT NULL DEFAULT 'Asia/Seoul',
    auto_report ENUM('on', 'confirm') NOT NULL DEFAULT 'confirm',
    last_incident_number INT UNSIGNED NOT NULL DEFAULT 0,
    created_at DATETIME(6) NOT NULL,
    UNIQUE KEY centre_name (region_id, name, address),
    KEY centre_by_name (name),
    CONSTRAINT centre_region FOREIGN KEY (region_id) REFERENCES region (region_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

CREATE TABLE gateway (
    gateway_id VARCHAR(63) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    centre_id BIGINT UNSIGNED NOT NULL,
    created_at DATETIME(6) NOT NULL,
    revoked_at DATETIME(6) NULL,
    KEY gateway_by_centre (centre_id),
    CONSTRAINT gateway_centre FOREIGN KEY (centre_id) REFERENCES centre (centre_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

CREATE TABLE gateway_key (
    gateway_id VARCHAR(63) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    public_key BINARY(32) NOT NULL,
    valid_from DATETIME(6) NOT NULL,
    revoked_at DATETIME(6) NULL,
    PRIMARY KEY (gateway_id, public_key),
    CONSTRAINT gateway_key_gateway FOREIGN KEY (gateway_id) REFERENCES gateway (gateway_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

-- registered = 0: a number that a known gateway sent and nobody entered; its clips are analysed and flagged, never dropped.
CREATE TABLE camera (
    camera_id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    centre_id BIGINT UNSIGNED NOT NULL,
    gateway_id VARCHAR(63) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    number SMALLINT UNSIGNED NOT NULL,
    name VARCHAR(80) NOT NULL DEFAULT '',
    registered BOOLEAN NOT NULL DEFAULT TRUE,
    created_at DATETIME(6) NOT NULL,
    UNIQUE KEY camera_number (gateway_id, number),
    KEY camera_by_centre (centre_id, number),
    CONSTRAINT camera_centre FOREIGN KEY (centre_id) REFERENCES centre (centre_id),
    CONSTRAINT camera_gateway FOREIGN KEY (gateway_id) REFERENCES gateway (gateway_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

CREATE TABLE person (
    person_id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    name VARCHAR(80) NOT NULL,
    role ENUM('director', 'policy_officer', 'expert', 'police_liaison', 'operator') NOT NULL,
    language ENUM('ko', 'en') NOT NULL DEFAULT 'ko',
    created_at DATETIME(6) NOT NULL,
    disabled_at DATETIME(6) NULL,
    UNIQUE KEY person_name (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

CREATE TABLE person_centre (
    person_id BIGINT UNSIGNED NOT NULL,
    centre_id BIGINT UNSIGNED NOT NULL,
    PRIMARY KEY (person_id, centre_id),
    CONSTRAINT person_centre_person FOREIGN KEY (person_id) REFERENCES person (person_id),
    CONSTRAINT person_centre_centre FOREIGN KEY (centre_id) REFERENCES centre (centre_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

CREATE TABLE person_region (
    person_id BIGINT UNSIGNED NOT NULL,
    region_id BIGINT UNSIGNED NOT NULL,
    PRIMARY KEY (person_id, region_id),
    CONSTRAINT person_region_person FOREIGN KEY (person_id) REFERENCES person (person_id),
    CONSTRAINT person_region_region FOREIGN KEY (region_id) REFERENCES region (region_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

-- Only SHA-256 of the 256-bit random token is kept.
CREATE TABLE person_token (
    token_hash BINARY(32) NOT NULL PRIMARY KEY,
    person_id BIGINT UNSIGNED NOT NULL,
    created_at DATETIME(6) NOT NULL,
    revoked_at DATETIME(6) NULL,
    KEY person_token_by_person (person_id),
    CONSTRAINT person_token_person FOREIGN KEY (person_id) REFERENCES person (person_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

CREATE TABLE enrolment_code (
    code_hash BINARY(32) NOT NULL PRIMARY KEY,
    person_id BIGINT UNSIGNED NOT NULL,
    expires_at DATETIME(6) NOT NULL,
    used_at DATETIME(6) NULL,
    CONSTRAINT enrolment_code_person FOREIGN KEY (person_id) REFERENCES person (person_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

CREATE TABLE chat_identity (
    platform ENUM('kakao', 'slack', 'telegram') NOT NULL,
    platform_user VARCHAR(190) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    person_id BIGINT UNSIGNED NOT NULL,
    created_at DATETIME(6) NOT NULL,
    PRIMARY KEY (platform, platform_user),
    CONSTRAINT chat_identity_person FOREIGN KEY (person_id) REFERENCES person (person_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

-- clip_id is the ULID of the key, or the first 16 bytes of SHA-256(object_key) for a key of another form.
-- object_key takes every key that S3 takes: 1024 bytes of UTF-8 are at most as many characters. It is in no index.
CREATE TABLE clip (
    clip_id BINARY(16) NOT NULL PRIMARY KEY,
    object_key VARCHAR(1024) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    gateway_id VARCHAR(63) CHARACTER SET ascii COLLATE ascii_bin NULL,
    camera_id BIGINT UNSIGNED NULL,
    seq BIGINT UNSIGNED NULL,
    sha256 BINARY(32) NULL,
    size_bytes BIGINT UNSIGNED NULL,
    started_at DATETIME(6) NULL,
    ended_at DATETIME(6) NULL,
    manifest_status ENUM('verified', 'missing', 'malformed', 'bad_signature', 'unknown_key', 'mismatch') NULL,
    manifest_reason VARCHAR(255) NULL,
    received_at DATETIME(6) NOT NULL,
    KEY clip_by_camera (camera_id, started_at),
    KEY clip_by_gateway (gateway_id, seq),
    CONSTRAINT clip_camera FOREIGN KEY (camera_id) REFERENCES camera (camera_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

-- current_of is clip_id for the current analysis and NULL for older ones: the unique key allows one current analysis a clip.
CREATE TABLE analysis (
    analysis_id BINARY(16) NOT NULL PRIMARY KEY,
    clip_id BINARY(16) NOT NULL,
    model_set BINARY(32) NOT NULL,
    current_of BINARY(16) NULL,
    state ENUM('done', 'failed') NOT NULL,
    reason_code VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NULL,
    reason VARCHAR(500) NULL,
    verdict ENUM('clear', 'review', 'report') NULL,
    duration_s DOUBLE NULL,
    violence_probability DOUBLE NULL,
    models JSON NOT NULL,
    observations JSON NULL,
    timing_ms JSON NULL,
    analysed_at DATETIME(6) NOT NULL,
    UNIQUE KEY analysis_once (clip_id, model_set),
    UNIQUE KEY analysis_current (current_of),
    KEY analysis_failed (state, analysed_at),
    CONSTRAINT analysis_clip FOREIGN KEY (clip_id) REFERENCES clip (clip_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

CREATE TABLE finding (
    finding_id BINARY(16) NOT NULL PRIMARY KEY,
    analysis_id BINARY(16) NOT NULL,
    camera_id BIGINT UNSIGNED NOT NULL,
    kind ENUM('physical', 'emotional', 'neglect', 'tamper') NOT NULL,
    start_ms INT UNSIGNED NOT NULL,
    end_ms INT UNSIGNED NOT NULL,
    started_at DATETIME(6) NOT NULL,
    ended_at DATETIME(6) NOT NULL,
    confidence DOUBLE NOT NULL,
    verdict ENUM('clear', 'review', 'report') NOT NULL,
    thresholds JSON NOT NULL,
    basis JSON NOT NULL,
    UNIQUE KEY finding_once (analysis_id, kind, start_ms, end_ms),
    KEY finding_by_camera (camera_id, kind, started_at),
    CONSTRAINT finding_analysis FOREIGN KEY (analysis_id) REFERENCES analysis (analysis_id),
    CONSTRAINT finding_camera FOREIGN KEY (camera_id) REFERENCES camera (camera_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

CREATE TABLE incident (
    incident_id BINARY(16) NOT NULL PRIMARY KEY,
    centre_id BIGINT UNSIGNED NOT NULL,
    camera_id BIGINT UNSIGNED NOT NULL,
    number INT UNSIGNED NOT NULL,
    kind ENUM('physical', 'emotional', 'neglect', 'tamper') NOT NULL,
    verdict ENUM('review', 'report') NOT NULL,
    status ENUM('pending_review', 'reported', 'dismissed', 'dispatched', 'closed', 'open', 'resolved') NOT NULL,
    started_at DATETIME(6) NOT NULL,
    ended_at DATETIME(6) NOT NULL,
    confidence DOUBLE NOT NULL,
    unverified BOOLEAN NOT NULL DEFAULT FALSE,
    withhold_from_director BOOLEAN NOT NULL DEFAULT FALSE,
    linked_to BINARY(16) NULL,
    merged_into BINARY(16) NULL,
    created_at DATETIME(6) NOT NULL,
    updated_at DATETIME(6) NOT NULL,
    UNIQUE KEY incident_number (centre_id, number),
    KEY incident_by_centre (centre_id, started_at),
    KEY incident_by_camera (camera_id, kind, started_at),
    KEY incident_by_status (status, started_at),
    CONSTRAINT incident_centre FOREIGN KEY (centre_id) REFERENCES centre (centre_id),
    CONSTRAINT incident_camera FOREIGN KEY (camera_id) REFERENCES camera (camera_id),
    CONSTRAINT incident_merged FOREIGN KEY (merged_into) REFERENCES incident (incident_id),
    CONSTRAINT incident_linked FOREIGN KEY (linked_to) REFERENCES incident (incident_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

CREATE TABLE incident_finding (
    incident_id BINARY(16) NOT NULL,
    finding_id BINARY(16) NOT NULL,
    PRIMARY KEY (incident_id, finding_id),
    UNIQUE KEY incident_of_finding (finding_id),
    CONSTRAINT incident_finding_incident FOREIGN KEY (incident_id) REFERENCES incident (incident_id),
    CONSTRAINT incident_finding_finding FOREIGN KEY (finding_id) REFERENCES finding (finding_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

CREATE TABLE evidence (
    evidence_id BINARY(16) NOT NULL PRIMARY KEY,
    finding_id BINARY(16) NOT NULL,
    clip_id BINARY(16) NOT NULL,
    role ENUM('original', 'key_frame', 'key_frame_masked', 'masked_copy') NOT NULL,
    object_key VARCHAR(1024) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    sha256 BINARY(32) NOT NULL,
    shown_at DATETIME(6) NOT NULL,
    created_at DATETIME(6) NOT NULL,
    UNIQUE KEY evidence_once (finding_id, role),
    KEY evidence_by_clip (clip_id),
    CONSTRAINT evidence_finding FOREIGN KEY (finding_id) REFERENCES finding (finding_id),
    CONSTRAINT evidence_clip FOREIGN KEY (clip_id) REFERENCES clip (clip_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

-- One use: the row that sets used_at wins; token_hash is SHA-256 of the token in the link.
CREATE TABLE evidence_link (
    token_hash BINARY(32) NOT NULL PRIMARY KEY,
    evidence_id BINARY(16) NOT NULL,
    person_id BIGINT UNSIGNED NOT NULL,
    created_at DATETIME(6) NOT NULL,
    expires_at DATETIME(6) NOT NULL,
    used_at DATETIME(6) NULL,
    KEY evidence_link_expiry (expires_at),
    CONSTRAINT evidence_link_evidence FOREIGN KEY (evidence_id) REFERENCES evidence (evidence_id),
    CONSTRAINT evidence_link_person FOREIGN KEY (person_id) REFERENCES person (person_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

CREATE TABLE audit (
    audit_id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    at DATETIME(6) NOT NULL,
    person_id BIGINT UNSIGNED NULL,
    actor VARCHAR(80) NOT NULL,
    action VARCHAR(60) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    subject VARCHAR(120) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    detail JSON NOT NULL,
    KEY audit_by_time (at),
    KEY audit_by_subject (subject, at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;
