"""What the models share: paths, storing and running graphs, judging probabilities, manifests and cards."""
