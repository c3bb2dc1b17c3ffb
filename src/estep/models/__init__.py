"""Models: pure functions of their hyper-parameters. One file = one latent structure."""

from estep.models.alone import Alone
from estep.models.chain import Chain
from estep.models.custom import Custom
from estep.models.normal import Normal
from estep.models.ppca import PPCA

__all__ = ["PPCA", "Alone", "Chain", "Custom", "Normal"]
