-- What the rules compare with where a centre or one camera of it (camera_id) differs from the defaults: from valid_from up to valid_to.
-- A clip is judged by what was in force when it started. valid_to = valid_from: set anew before it came into force.
CREATE TABLE threshold (
    threshold_id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    centre_id BIGINT UNSIGNED NOT NULL,
    camera_id BIGINT UNSIGNED NULL,
    name VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    value DOUBLE NOT NULL,
    valid_from DATETIME(6) NOT NULL,
    valid_to DATETIME(6) NULL,
    set_by BIGINT UNSIGNED NOT NULL,
    reason VARCHAR(500) NOT NULL,
    created_at DATETIME(6) NOT NULL,
    KEY threshold_by_centre (centre_id, valid_from),
    CONSTRAINT threshold_centre FOREIGN KEY (centre_id) REFERENCES centre (centre_id),
    CONSTRAINT threshold_camera FOREIGN KEY (camera_id) REFERENCES camera (camera_id),
    CONSTRAINT threshold_set_by FOREIGN KEY (set_by) REFERENCES person (person_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;
