"""The cloud on one machine: ministack and a private MariaDB, with template.yaml built and deployed onto them by SAM."""
