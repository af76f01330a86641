"""The main job, end to end, on one machine: a camera, the agent, the deployed pipeline, and two people who ask."""
