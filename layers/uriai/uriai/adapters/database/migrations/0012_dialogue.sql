-- Where a dialogue stands, for half an hour: what the last answer asked back and offered. conversation: a platform, or api:NAME.
CREATE TABLE dialogue (
    person_id BIGINT UNSIGNED NOT NULL,
    conversation VARCHAR(80) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    state JSON NOT NULL,
    updated_at DATETIME(6) NOT NULL,
    PRIMARY KEY (person_id, conversation),
    KEY dialogue_by_time (updated_at),
    CONSTRAINT dialogue_person FOREIGN KEY (person_id) REFERENCES person (person_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

-- Deliveries of messengers, which may come several times. delivery_key: SHA-256 of the platform and its own id of the delivery.
CREATE TABLE delivery (
    delivery_key BINARY(32) NOT NULL PRIMARY KEY,
    received_at DATETIME(6) NOT NULL,
    settled BOOLEAN NOT NULL DEFAULT FALSE,
    KEY delivery_by_time (received_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;
