-- A summary of the day that somebody asked for in a chat. minute: of the day, where their centres are. next_at: when the next one is due, NULL once
-- they have said stop. base_url: what links in it start with.
CREATE TABLE subscription (
    person_id BIGINT UNSIGNED NOT NULL,
    platform ENUM('kakao', 'slack', 'telegram') NOT NULL,
    platform_user VARCHAR(190) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    minute SMALLINT UNSIGNED NOT NULL,
    time_zone VARCHAR(64) NOT NULL,
    base_url VARCHAR(255) NOT NULL,
    next_at DATETIME(6) NULL,
    updated_at DATETIME(6) NOT NULL,
    PRIMARY KEY (platform, platform_user),
    KEY subscription_due (next_at),
    CONSTRAINT subscription_person FOREIGN KEY (person_id) REFERENCES person (person_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;
