"""The person detector: NanoDet, converted from a registry package."""
