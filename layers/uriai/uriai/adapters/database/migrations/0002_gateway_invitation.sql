-- Lets a gateway enter its own key, once. Only SHA-256 of the 256-bit random token is kept; public_key is what was entered with it.
CREATE TABLE gateway_invitation (
    token_hash BINARY(32) NOT NULL PRIMARY KEY,
    gateway_id VARCHAR(63) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    created_at DATETIME(6) NOT NULL,
    expires_at DATETIME(6) NOT NULL,
    used_at DATETIME(6) NULL,
    public_key BINARY(32) NULL,
    KEY gateway_invitation_by_gateway (gateway_id),
    CONSTRAINT gateway_invitation_gateway FOREIGN KEY (gateway_id) REFERENCES gateway (gateway_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

-- How often enrolment was refused, by minute and by SHA-256 of the network address; rows of the last hour only.
CREATE TABLE enrolment_failure (
    minute DATETIME(6) NOT NULL,
    source BINARY(32) NOT NULL,
    failures INT UNSIGNED NOT NULL,
    PRIMARY KEY (minute, source)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;
