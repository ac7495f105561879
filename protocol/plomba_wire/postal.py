"""Postal item numbers: UPU S10 (check digit and country)."""

_WEIGHTS = b"\x08\x06\x04\x02\x03\x05\x09\x07"
# ISO 3166-1 alpha-2.
_COUNTRIES = (
    b"ADAEAFAGAIALAMAOAQARASATAUAWAXAZBABBBDBEBFBGBHBIBJBLBMBNBOBQBRBSBTBVBWBYBZCACCCDCFCGCHCICKCLCMCNCOCR"
    b"CUCVCWCXCYCZDEDJDKDMDODZECEEEGEHERESETFIFJFKFMFOFRGAGBGDGEGFGGGHGIGLGMGNGPGQGRGSGTGUGWGYHKHMHNHRHTHU"
    b"IDIEILIMINIOIQIRISITJEJMJOJPKEKGKHKIKMKNKPKRKWKYKZLALBLCLILKLRLSLTLULVLYMAMCMDMEMFMGMHMKMLMMMNMOMPMQ"
    b"MRMSMTMUMVMWMXMYMZNANCNENFNGNINLNONPNRNUNZOMPAPEPFPGPHPKPLPMPNPRPSPTPWPYQARERORSRURWSASBSCSDSESGSHSI"
    b"SJSKSLSMSNSOSRSSSTSVSXSYSZTCTDTFTGTHTJTKTLTMTNTOTRTTTVTWTZUAUGUMUSUYUZVAVCVEVGVIVNVUWFWSYEYTZAZMZW"
)


def s10_fits(number: bytes) -> bool:
    """Whether the check digit of a number of the shape `AA999999999AA` fits (UPU S10: weights 8 6 4 2 3 5 9 7)."""
    total = 0
    for at in range(8):
        total += (number[2 + at] - 48) * _WEIGHTS[at]
    check = 11 - total % 11
    return number[10] - 48 == (0 if check == 10 else 5 if check == 11 else check)


def names_country(number: bytes) -> bool:
    """Whether its last two letters, in upper case, are a country's."""
    code = number[-2:]
    at = _COUNTRIES.find(code)
    while at > 0 and at % 2:
        at = _COUNTRIES.find(code, at + 1)
    return at >= 0
