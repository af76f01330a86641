"""The face detector: CenterFace, converted from a registry package."""
