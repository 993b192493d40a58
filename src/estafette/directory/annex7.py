"""The table of the rules of annex 7 on the updates of the directory: identifier → check → reason code.

In the order they are told. `docs/directory.md` shows it with the test of each, and what annex 7 says of the directory
that is not here, with the reason.

Source: external specifications v3.2, annex 7 (V1.9), annex 3 (V1.8, F13): « A3 » is a value that the format itself
limits; « REJ_HAB » the authorisation, which no rule numbers.
"""

from collections.abc import Callable
from typing import Any

from estafette.directory import code_checks as code
from estafette.directory import line_checks as line
from estafette.directory.rules import Rule, Stage

VALUE, OBJECT, COHERENCE, RIGHTS = "REJ_VAL_INC", "REJ_RG", "REJ_COH", "REJ_HAB"

Words = tuple[str, str, str, str]
"""What was expected, what to do: each in French and English."""


def _expected(fr: str, en: str = "") -> Words:
    return fr, en or fr, "Corrigez la valeur et renvoyez.", "Correct the value and send again."


_ROUTING = _expected("lettres, chiffres, - et _, 100 au plus", "letters, digits, - and _, 100 at most")
_SUFFIX = _expected("lettres, chiffres, -, _ et ., 100 au plus", "letters, digits, -, _ and ., 100 at most")
_PLACE = _expected("255 caractères au plus, 10 pour CP", "255 characters at most, 10 for CP")
_DIGITS_9, _DIGITS_14 = _expected("9 chiffres", "9 digits"), _expected("14 chiffres", "14 digits")
_DAY, _COUNTRY = _expected("un jour, AAAAMMJJ", "a day, YYYYMMDD"), _expected("ISO 3166-1 alpha-2")
_NAME = _expected("1 à 100 caractères", "1 to 100 characters")
_LENGTH = _expected("125 caractères au plus", "125 characters at most")
_OF_SIREN = _expected("un SIRET de ce SIREN", "a SIRET of that SIREN")
_NOT_RESERVED = _expected("ni 9997, ni 9998, ni 9999", "none of 9997, 9998, 9999")
_REGISTERED = _expected(
    "une plateforme dont l'immatriculation est en vigueur", "a platform whose registration is in force"
)
_ACTIVE = (
    "dans l'annuaire et actif",
    "in the directory and active",
    "Vérifiez l'identifiant ; s'il vient d'être créé, renvoyez demain.",
    "Check the identifier; if it was just created, send again tomorrow.",
)
_PRIVATE = (
    "une entité privée : Chorus Pro tient celles des entités publiques",
    "a private entity: Chorus Pro keeps those of public entities",
    "Adressez-vous à l'entité publique.",
    "Ask the public entity.",
)
_AFTER_START = (
    "une fin après le début",
    "an end after the start",
    "Choisissez une autre date et renvoyez.",
    "Choose another date and send again.",
)
_WITH_SIRET = (
    "un SIRET avec le code routage",
    "a SIRET with the routing code",
    "Ajoutez le SIRET, ou employez un suffixe.",
    "Add the SIRET, or use a suffix.",
)
_WITHOUT_SIRET = (
    "un suffixe sans SIRET",
    "a suffix without a SIRET",
    "Retirez le suffixe ou le SIRET.",
    "Remove the suffix or the SIRET.",
)
_ACTIVE_CODE = (
    "un code routage actif de ce SIRET",
    "an active routing code of that SIRET",
    "Créez d'abord le code routage.",
    "Create the routing code first.",
)
_REPEATED = (
    "la répétition à l'identique d'une ligne de définition",
    "the repetition to the letter of a line of definition",
    "Relisez la ligne dans l'annuaire et répétez-la.",
    "Read the line in the directory and repeat it.",
)
_TO_COME = (
    "une ligne à venir",
    "a line to come",
    "Fermez une ligne en vigueur par sa date de fin.",
    "Close a line in force by its end.",
)
_TOMORROW = (
    "demain au plus tôt, ou la même ligne en vigueur",
    "tomorrow at the earliest, or the same line in force",
    "D'une ligne en vigueur, seule la fin change : fermez-la, puis créez la suivante.",
    "Of a line in force only the end changes: close it, then create the next one.",
)
_LATER_END = (
    "demain au plus tôt",
    "tomorrow at the earliest",
    "Choisissez une autre date et renvoyez.",
    "Choose another date and send again.",
)
_FREE = (
    "aucun jour commun avec une autre ligne de l'adresse",
    "no day in common with another line of the address",
    "Fermez-la d'abord, puis commencez le jour de sa fin.",
    "Close it first, then start on the day it ends.",
)
_UNSERVED = (
    "un code où aucune autre plateforme ne reçoit",
    "a code at which no other platform receives",
    "Attendez que ses lignes prennent fin.",
    "Wait until its lines end.",
)
_EMITTER = (
    "un émetteur dont l'immatriculation est en vigueur",
    "an emitter whose registration is in force",
    "Seules vos propres lignes peuvent encore prendre fin.",
    "Only your own lines can still be ended.",
)
_OWN = (
    "votre matricule, ou la fin, jamais plus tard, d'une ligne en vigueur",
    "your own number, or the end, never later, of a line in force",
    "Faites écrire la ligne par sa plateforme.",
    "Have its platform write the line.",
)


def _rule(  # noqa: PLR0917 — a row of the table
    stage: Stage, identifier: str, reason: str, place: str, check: Callable[[Any], str | None], words: Words
) -> Rule:
    tag, term = place.split(" ")
    return Rule(identifier, stage, reason, tag, term, check, *words)


_A, _B, _C, _D = Stage.CODE_FORM, Stage.CODE_HELD, Stage.LINE_FORM, Stage.LINE_HELD

RULES = (
    # routing codes
    _rule(_A, "A3", VALUE, "Statut DT-5-2", code.status, _expected("A, I")),
    _rule(_A, "A3", VALUE, "IdSIRET/@qualifiant DT-5-3-1", code.siret_scheme, _expected("0009")),
    _rule(_A, "G2.07", VALUE, "IdSIRET DT-5-3", code.siret, _DIGITS_14),
    _rule(_A, "G1.83", VALUE, "IdRoutage/@qualifiant DT-5-4-1", code.scheme, _expected("0224")),
    _rule(_A, "G1.95", VALUE, "IdRoutage DT-5-4", code.characters, _ROUTING),
    _rule(_A, "A3", VALUE, "Nom DT-5-5", code.name, _NAME),
    _rule(_A, "A3", VALUE, "LigneAdresse DT-5-6", code.place, _PLACE),
    _rule(_A, "G2.01", VALUE, "CodePays DT-5-12", code.country, _COUNTRY),
    _rule(_B, "G1.96", COHERENCE, "IdSIRET DT-5-3", code.known_unit, _ACTIVE),
    _rule(_B, "G1.97", COHERENCE, "IdSIRET DT-5-3", code.known_establishment, _ACTIVE),
    _rule(_B, "REJ_HAB", RIGHTS, "IdSIRET DT-5-3", code.private_unit, _PRIVATE),
    _rule(_B, "REJ_HAB", RIGHTS, "Statut DT-5-2", code.served_by_another, _UNSERVED),
    _rule(_B, "REJ_HAB", RIGHTS, "CodeRoutage DG-5", code.registered_emitter, _EMITTER),
    # the values of a line
    _rule(_C, "G1.84", VALUE, "Nature DT-7-2", line.nature, _expected("D, M")),
    _rule(_C, "G1.09", VALUE, "DateEffet DT-7-3", line.days, _DAY),
    _rule(_C, "G1.36", VALUE, "DateEffet DT-7-3", line.years, _expected("2000–2099")),
    _rule(_C, "G1.113", OBJECT, "DateFin DT-7-3-2", line.order, _AFTER_START),
    _rule(_C, "G1.89", VALUE, "IdLinSIREN DT-7-5-1-1", line.siren, _DIGITS_9),
    _rule(_C, "A3", VALUE, "IdLinSIREN/@qualifiant DT-7-5-1-1-1", line.siren_scheme, _expected("0002")),
    _rule(_C, "G2.07", VALUE, "IdLinSIRET DT-7-5-1-2", line.siret, _DIGITS_14),
    _rule(_C, "A3", VALUE, "IdLinSIRET/@qualifiant DT-7-5-1-2-1", line.siret_scheme, _expected("0009")),
    _rule(_C, "G1.80", OBJECT, "IdLinSIRET DT-7-5-1-2", line.siret_of_siren, _OF_SIREN),
    _rule(_C, "G1.91", OBJECT, "IdLinRoutage DT-7-5-1-3", line.routing_needs_siret, _WITH_SIRET),
    _rule(_C, "G1.83", VALUE, "IdLinRoutage/@qualifiant DT-7-5-1-3-1", line.routing_scheme, _expected("0224")),
    _rule(_C, "G1.95", VALUE, "IdLinRoutage DT-7-5-1-3", line.routing_characters, _ROUTING),
    _rule(_C, "G1.93", OBJECT, "Suffixe DT-7-5-1-4", line.suffix_alone, _WITHOUT_SIRET),
    _rule(_C, "G1.115", VALUE, "Suffixe DT-7-5-1-4", line.suffix_characters, _SUFFIX),
    _rule(_C, "A3", VALUE, "Identifiant DT-7-5-1", line.address_length, _LENGTH),
    _rule(_C, "G1.112", VALUE, "IdPlateforme DT-7-6", line.reserved, _NOT_RESERVED),
    # a line against what the directory holds
    _rule(_D, "G1.96", COHERENCE, "IdLinSIREN DT-7-5-1-1", line.known_unit, _ACTIVE),
    _rule(_D, "G1.97", COHERENCE, "IdLinSIRET DT-7-5-1-2", line.known_establishment, _ACTIVE),
    _rule(_D, "G1.92", COHERENCE, "IdLinRoutage DT-7-5-1-3", line.known_code, _ACTIVE_CODE),
    _rule(_D, "G1.94", COHERENCE, "IdPlateforme DT-7-6", line.registered, _REGISTERED),
    _rule(_D, "G1.84", COHERENCE, "Nature DT-7-2", line.masks_a_line, _REPEATED),
    _rule(_D, "G1.85", OBJECT, "DateDebut DT-7-3-1", line.masks_what_is_to_come, _TO_COME),
    _rule(_D, "G1.87", OBJECT, "DateDebut DT-7-3-1", line.starts_tomorrow, _TOMORROW),
    _rule(_D, "G1.88", OBJECT, "DateFin DT-7-3-2", line.ends_tomorrow, _LATER_END),
    _rule(_D, "G1.86", COHERENCE, "DateEffet DT-7-3", line.free_period, _FREE),
    _rule(_D, "REJ_HAB", RIGHTS, "IdLinSIREN DT-7-5-1-1", line.private_unit, _PRIVATE),
    _rule(_D, "REJ_HAB", RIGHTS, "IdPlateforme DT-7-6", line.own_line, _OWN),
    _rule(_D, "REJ_HAB", RIGHTS, "LigneAnnuaire DG-7", line.registered_emitter, _EMITTER),
)
"""Every rule, those of the form before the others."""
