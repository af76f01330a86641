-- How a person or a police station is reached. One of person_id and police_station_id is set. Minutes are of the day, where the centre is.
-- language NULL: the person's own. removed_at: no longer used; giving the same medium again replaces address and hours.
CREATE TABLE channel (
    channel_id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    person_id BIGINT UNSIGNED NULL,
    police_station_id BIGINT UNSIGNED NULL,
    medium ENUM('slack', 'telegram', 'email', 'kakao') NOT NULL,
    address VARCHAR(254) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    language ENUM('ko', 'en') NULL,
    quiet_from SMALLINT UNSIGNED NULL,
    quiet_until SMALLINT UNSIGNED NULL,
    digest_at SMALLINT UNSIGNED NULL,
    created_at DATETIME(6) NOT NULL,
    removed_at DATETIME(6) NULL,
    UNIQUE KEY channel_of_person (person_id, medium),
    UNIQUE KEY channel_of_station (police_station_id, medium),
    CONSTRAINT channel_person FOREIGN KEY (person_id) REFERENCES person (person_id),
    CONSTRAINT channel_station FOREIGN KEY (police_station_id) REFERENCES police_station (police_station_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

-- What has to be told, written in the transaction in which it came about. outbox_once: nothing is told twice.
-- message_id: what was sent together with it, fixed before it is sent; it is the key of the receipt.
CREATE TABLE outbox (
    outbox_id BINARY(16) NOT NULL PRIMARY KEY,
    about VARCHAR(80) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    occasion VARCHAR(24) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    recipient VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    medium ENUM('none', 'slack', 'telegram', 'email', 'kakao') NOT NULL,
    repetition INT UNSIGNED NOT NULL DEFAULT 0,
    incident_id BINARY(16) NULL,
    centre_id BIGINT UNSIGNED NOT NULL,
    channel_id BIGINT UNSIGNED NULL,
    subject VARCHAR(200) NOT NULL,
    body VARCHAR(2000) NOT NULL,
    state ENUM('waiting', 'queued', 'delivered', 'failed', 'overtaken') NOT NULL,
    reason VARCHAR(255) NOT NULL DEFAULT '',
    due_at DATETIME(6) NOT NULL,
    message_id BINARY(16) NULL,
    created_at DATETIME(6) NOT NULL,
    updated_at DATETIME(6) NOT NULL,
    UNIQUE KEY outbox_once (about, occasion, recipient, medium, repetition),
    KEY outbox_due (state, due_at),
    KEY outbox_message (message_id),
    KEY outbox_by_centre (centre_id, created_at),
    CONSTRAINT outbox_incident FOREIGN KEY (incident_id) REFERENCES incident (incident_id),
    CONSTRAINT outbox_centre FOREIGN KEY (centre_id) REFERENCES centre (centre_id),
    CONSTRAINT outbox_channel FOREIGN KEY (channel_id) REFERENCES channel (channel_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

-- One report an incident. police_station_id NULL: no station is in charge of the centre's region.
CREATE TABLE police_report (
    incident_id BINARY(16) NOT NULL PRIMARY KEY,
    police_station_id BIGINT UNSIGNED NULL,
    status ENUM('before_dispatch', 'dispatched', 'closed') NOT NULL DEFAULT 'before_dispatch',
    reported_at DATETIME(6) NOT NULL,
    updated_at DATETIME(6) NOT NULL,
    KEY police_report_by_time (reported_at),
    CONSTRAINT police_report_incident FOREIGN KEY (incident_id) REFERENCES incident (incident_id),
    CONSTRAINT police_report_station FOREIGN KEY (police_station_id) REFERENCES police_station (police_station_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

-- Who has taken an incident that waits for a decision, so that nobody else is paged for it.
CREATE TABLE incident_claim (
    incident_id BINARY(16) NOT NULL PRIMARY KEY,
    taken_by VARCHAR(80) NOT NULL,
    taken_at DATETIME(6) NOT NULL,
    CONSTRAINT incident_claim_incident FOREIGN KEY (incident_id) REFERENCES incident (incident_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;
