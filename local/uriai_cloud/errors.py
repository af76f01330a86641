"""What can go wrong with the cloud on one machine; every message names the thing and the remedy in one sentence."""

from __future__ import annotations


class CloudError(Exception):
    """Base of all failures of the cloud on one machine that its user can act on."""


class CloudNotRunning(CloudError):  # noqa: N818 - the name says it better than CloudNotRunningError
    """Something needs the local cloud and it is not up."""


class ToolMissing(CloudError):  # noqa: N818
    """A program that the local cloud consists of is not installed."""


class PortTaken(CloudError):  # noqa: N818
    """A port that was asked for by name is in use by somebody else."""


class ServiceFailed(CloudError):  # noqa: N818
    """A service did not start or did not stop."""


class BuildFailed(CloudError):  # noqa: N818
    """`sam build` failed."""


class DeployFailed(CloudError):  # noqa: N818
    """`sam deploy` failed, or its outcome is not what the template promises."""


class ModelsBroken(CloudError):  # noqa: N818
    """models/set.json, a manifest or a model file does not fit the others."""


class FunctionUnknown(CloudError):  # noqa: N818
    """There is no function of that name."""
