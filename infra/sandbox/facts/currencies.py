"""Currencies of ISO 4217, and the smallest unit in which Meta writes budgets."""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal

_CODES = """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF
    CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG
    HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA
    MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD
    RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX
    USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
"""
ISO_4217 = frozenset(_CODES.split())

# Meta's "Currencies" page: offset 1, that is budgets in whole units. All other currencies have offset 100.
META_OFFSET_ONE = frozenset({"CLP", "COP", "CRC", "HUF", "IDR", "ISK", "JPY", "KRW", "PYG", "TWD", "VND"})


def meta_minor_units(amount: Decimal, currency: str) -> str:
    """An amount as Meta writes budgets: `"1250"` for EUR 12.50 and for JPY 1250.

    What is smaller than Meta's unit cannot be said there and is cut off.
    """
    offset = 1 if currency in META_OFFSET_ONE else 100
    return str(int((amount * offset).to_integral_value(ROUND_DOWN)))
