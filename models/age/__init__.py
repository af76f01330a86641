"""The age model: a dlib network, taken from a registry package."""
