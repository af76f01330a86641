-- Masked copies that were asked for, one a finding. queued_at: when its job was last queued; NULL: it may not have been.
-- to_look_at: frames of a ready copy that a person should look at.
CREATE TABLE masked_copy (
    finding_id BINARY(16) NOT NULL PRIMARY KEY,
    clip_id BINARY(16) NOT NULL,
    state ENUM('waiting', 'ready', 'failed') NOT NULL,
    reason_code VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NULL,
    reason VARCHAR(500) NULL,
    to_look_at INT UNSIGNED NULL,
    queued_at DATETIME(6) NULL,
    created_at DATETIME(6) NOT NULL,
    updated_at DATETIME(6) NOT NULL,
    KEY masked_copy_by_clip (clip_id),
    KEY masked_copy_by_state (state, updated_at),
    CONSTRAINT masked_copy_finding FOREIGN KEY (finding_id) REFERENCES finding (finding_id),
    CONSTRAINT masked_copy_clip FOREIGN KEY (clip_id) REFERENCES clip (clip_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

-- Who waits to be told of one. base_url: what the link that they are sent begins with.
CREATE TABLE masked_copy_wish (
    finding_id BINARY(16) NOT NULL,
    person_id BIGINT UNSIGNED NOT NULL,
    base_url VARCHAR(255) NOT NULL,
    asked_at DATETIME(6) NOT NULL,
    told_at DATETIME(6) NULL,
    PRIMARY KEY (finding_id, person_id),
    CONSTRAINT masked_copy_wish_copy FOREIGN KEY (finding_id) REFERENCES masked_copy (finding_id),
    CONSTRAINT masked_copy_wish_person FOREIGN KEY (person_id) REFERENCES person (person_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;
