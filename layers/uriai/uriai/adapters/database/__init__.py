"""SQL, one module per table group: the common subset of MariaDB 10.11 and MySQL 8.0, through pymysql."""
