"""Tools for detectors of one's own: frames, labels, rotation, films, training on labelled clips, evaluation.

``python -m models.tools --help`` lists the commands; ``docs/own-detectors.md`` shows one worked example of each.
"""
