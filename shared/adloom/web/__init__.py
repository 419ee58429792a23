"""What makes a Flask app a function of the house."""

from adloom.identity.principal import Principal
from adloom.web.delivery import Delivery
from adloom.web.function import Function, create_function
from adloom.web.guards import Guard
from adloom.web.models import ForeignQuery, Id, RequestModel
from adloom.web.openfaas import openfaas

__all__ = [
    "Delivery",
    "ForeignQuery",
    "Function",
    "Guard",
    "Id",
    "Principal",
    "RequestModel",
    "create_function",
    "openfaas",
]
