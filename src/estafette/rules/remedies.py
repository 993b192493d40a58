"""What to do when a rule fails, in our own words, for the identifiers that users meet most.

The identifiers: every rule that the official examples and the generated mutants break, the whole of the VAT category
families of EN 16931, the totals, the mandatory terms, the French rules of Flux 2 and the life-cycle rules. A remedy is
found by identifier, else by rule (`BR-FR-10_BT-30` → `BR-FR-10`), else by family (`BR-AE-08`).
"""

from __future__ import annotations

import re
from functools import cache

CATEGORIES = {
    "S": ("taux normal (S)", "standard rate (S)"),
    "Z": ("taux zéro (Z)", "zero rate (Z)"),
    "E": ("exonération (E)", "exemption (E)"),
    "AE": ("autoliquidation (AE)", "reverse charge (AE)"),
    "IC": ("livraison intracommunautaire (K)", "intra-Community supply (K)"),
    "G": ("exportation (G)", "export (G)"),
    "O": ("hors champ de la TVA (O)", "outside the scope of VAT (O)"),
    "AF": ("IGIC des Canaries (L)", "IGIC of the Canary Islands (L)"),
    "AG": ("IPSI de Ceuta et Melilla (M)", "IPSI of Ceuta and Melilla (M)"),
}
"""Letters in the identifiers of CEN → the VAT category, in French and English."""

FAMILY: dict[str, tuple[str, str]] = {
    "01": (
        "Ajoutez à la ventilation de TVA (BG-23) le groupe de la catégorie {0}, puisqu'une ligne, remise ou charge l'emploie.",
        "Add to the VAT breakdown (BG-23) the group of category {0}, since a line, allowance or charge uses it.",
    ),
    "02": (
        "Une ligne est en {0} : indiquez le numéro de TVA du vendeur (BT-31) ou de son représentant (BT-63)"
        " et, si la catégorie l'exige, celui de l'acheteur (BT-48) ; en catégorie O, retirez-les.",
        "A line is in {0}: give the VAT number of the seller (BT-31) or of its representative (BT-63) and, where the"
        " category needs it, of the buyer (BT-48); in category O, remove them.",
    ),
    "03": (
        "Une remise du document est en {0} : indiquez les numéros de TVA que la catégorie exige (BT-31 ou BT-63, BT-48).",
        "A document allowance is in {0}: give the VAT numbers that the category needs (BT-31 or BT-63, BT-48).",
    ),
    "04": (
        "Une charge du document est en {0} : indiquez les numéros de TVA que la catégorie exige (BT-31 ou BT-63, BT-48).",
        "A document charge is in {0}: give the VAT numbers that the category needs (BT-31 or BT-63, BT-48).",
    ),
    "05": (
        "Corrigez le taux de la ligne (BT-152) : positif en S, absent en O, zéro dans les catégories sans TVA ; ici {0}.",
        "Correct the rate of the line (BT-152): positive in S, absent in O, zero in categories without VAT; here {0}.",
    ),
    "06": (
        "Corrigez le taux de la remise (BT-96) : positif en S, absent en O, zéro dans les catégories sans TVA ; ici {0}.",
        "Correct the rate of the allowance (BT-96): positive in S, absent in O, zero without VAT; here {0}.",
    ),
    "07": (
        "Corrigez le taux de la charge (BT-103) : positif en S, absent en O, zéro dans les catégories sans TVA ; ici {0}.",
        "Correct the rate of the charge (BT-103): positive in S, absent in O, zero without VAT; here {0}.",
    ),
    "08": (
        "Recalculez la base (BT-116) en {0} : lignes (BT-131) − remises (BT-92) + charges (BT-99) de même catégorie et même taux.",
        "Compute the base (BT-116) in {0} again: lines (BT-131) − allowances (BT-92) + charges (BT-99) of that category and rate.",
    ),
    "09": (
        "Recalculez la TVA (BT-117) en {0} : base (BT-116) × taux (BT-119) ÷ 100, au centime ; zéro si la catégorie est sans TVA.",
        "Compute the VAT (BT-117) in {0} again: base (BT-116) × rate (BT-119) ÷ 100, to the cent; zero without VAT.",
    ),
    "10": (
        "Motif d'exonération (BT-120 ou BT-121) : obligatoire en E, AE, K, G et O, interdit en S et Z ; ici {0}.",
        "Exemption reason (BT-120 or BT-121): needed in E, AE, K, G and O, forbidden in S and Z; here {0}.",
    ),
    "11": (
        "En {0} : donnez la date de livraison (BT-72) ou la période (BG-14) ; en O, n'ayez qu'un seul groupe de TVA.",
        "In {0}: give the delivery date (BT-72) or the period (BG-14); in O, have one VAT group only.",
    ),
    "12": (
        "En {0} : donnez le pays de livraison (BT-80) ; en O, toutes les lignes sont de cette catégorie.",
        "In {0}: give the delivery country (BT-80); in O, every line is of that category.",
    ),
    "13": ("En {0}, toutes les remises sont de cette catégorie.", "In {0}, every allowance is of that category."),
    "14": ("En {0}, toutes les charges sont de cette catégorie.", "In {0}, every charge is of that category."),
}
"""Number of a rule of a VAT category family → remedy, {0} being the category."""

MISSING: dict[str, tuple[str, str, str]] = {
    "BR-01": ("BT-24", "l'identifiant de spécification", "the specification identifier"),
    "BR-02": ("BT-1", "le numéro de facture", "the invoice number"),
    "BR-03": ("BT-2", "la date d'émission", "the issue date"),
    "BR-04": ("BT-3", "le code de type de facture", "the invoice type code"),
    "BR-05": ("BT-5", "le code de devise", "the currency code"),
    "BR-06": ("BT-27", "le nom du vendeur", "the name of the seller"),
    "BR-07": ("BT-44", "le nom de l'acheteur", "the name of the buyer"),
    "BR-08": ("BG-5", "l'adresse postale du vendeur", "the postal address of the seller"),
    "BR-09": ("BT-40", "le code de pays du vendeur", "the country code of the seller"),
    "BR-10": ("BG-8", "l'adresse postale de l'acheteur", "the postal address of the buyer"),
    "BR-11": ("BT-55", "le code de pays de l'acheteur", "the country code of the buyer"),
    "BR-12": ("BT-106", "la somme des montants nets de ligne", "the sum of line net amounts"),
    "BR-13": ("BT-109", "le total hors TVA", "the total without VAT"),
    "BR-14": ("BT-112", "le total TVA comprise", "the total with VAT"),
    "BR-15": ("BT-115", "le montant à payer", "the amount due"),
    "BR-16": ("BG-25", "au moins une ligne de facture", "at least one invoice line"),
    "BR-17": ("BT-59", "le nom du bénéficiaire, s'il n'est pas le vendeur", "the payee name, when not the seller"),
    "BR-18": ("BT-62", "le nom du représentant fiscal", "the name of the tax representative"),
    "BR-19": ("BG-12", "l'adresse du représentant fiscal", "the address of the tax representative"),
    "BR-20": ("BT-69", "le pays du représentant fiscal", "the country of the tax representative"),
    "BR-21": ("BT-126", "l'identifiant de chaque ligne", "the identifier of each line"),
    "BR-22": ("BT-129", "la quantité facturée de chaque ligne", "the invoiced quantity of each line"),
    "BR-23": ("BT-130", "l'unité de mesure de chaque ligne", "the unit of measure of each line"),
    "BR-24": ("BT-131", "le montant net de chaque ligne", "the net amount of each line"),
    "BR-25": ("BT-153", "le nom de l'article de chaque ligne", "the item name of each line"),
    "BR-26": ("BT-146", "le prix net de l'article de chaque ligne", "the net price of each line"),
    "BR-31": ("BT-92", "le montant de la remise", "the amount of the allowance"),
    "BR-32": ("BT-95", "la catégorie de TVA de la remise", "the VAT category of the allowance"),
    "BR-33": ("BT-97", "le motif de la remise, en texte ou en code", "the reason of the allowance, text or code"),
    "BR-36": ("BT-99", "le montant de la charge", "the amount of the charge"),
    "BR-37": ("BT-102", "la catégorie de TVA de la charge", "the VAT category of the charge"),
    "BR-38": ("BT-104", "le motif de la charge, en texte ou en code", "the reason of the charge, text or code"),
    "BR-41": ("BT-136", "le montant de la remise de ligne", "the amount of the line allowance"),
    "BR-42": ("BT-139", "le motif de la remise de ligne", "the reason of the line allowance"),
    "BR-43": ("BT-141", "le montant de la charge de ligne", "the amount of the line charge"),
    "BR-44": ("BT-144", "le motif de la charge de ligne", "the reason of the line charge"),
    "BR-45": ("BT-116", "la base de chaque groupe de TVA", "the base of each VAT group"),
    "BR-46": ("BT-117", "le montant de TVA de chaque groupe", "the tax amount of each VAT group"),
    "BR-47": ("BT-118", "la catégorie de chaque groupe de TVA", "the category of each VAT group"),
    "BR-48": ("BT-119", "le taux de chaque groupe de TVA (sauf catégorie O)", "the rate of each VAT group (not in O)"),
    "BR-49": ("BT-81", "le code du moyen de paiement", "the payment means code"),
    "BR-50": ("BT-84", "l'identifiant du compte crédité", "the identifier of the credited account"),
    "BR-52": ("BT-122", "la référence de la pièce jointe", "the reference of the supporting document"),
    "BR-53": ("BT-111", "le total de TVA en devise comptable", "the VAT total in the accounting currency"),
    "BR-54": ("BT-160", "le nom et la valeur de l'attribut d'article", "the name and value of the item attribute"),
    "BR-55": ("BT-25", "le numéro de la facture antérieure", "the number of the preceding invoice"),
    "BR-56": ("BT-63", "le numéro de TVA du représentant fiscal", "the VAT number of the tax representative"),
    "BR-57": ("BT-80", "le pays de livraison", "the delivery country"),
    "BR-61": ("BT-84", "l'IBAN ou le compte crédité pour un virement", "the IBAN or account for a transfer"),
    "BR-62": ("BT-34-1", "le schéma de l'adresse électronique du vendeur", "the scheme of the seller's address"),
    "BR-63": ("BT-49-1", "le schéma de l'adresse électronique de l'acheteur", "the scheme of the buyer's address"),
    "BR-64": ("BT-157-1", "le schéma de l'identifiant standard d'article", "the scheme of the standard item id"),
    "BR-65": ("BT-158-1", "le schéma de la classification d'article", "the scheme of the item classification"),
    "BR-FR-12": ("BT-49", "l'adresse électronique de l'acheteur", "the electronic address of the buyer"),
    "BR-FR-13": ("BT-34", "l'adresse électronique du vendeur", "the electronic address of the seller"),
}
"""Rules that ask for a term: the term, and its name in French and English."""

REMEDIES: dict[str, tuple[str, str]] = {
    "BR-27": ("Le prix net (BT-146) n'est jamais négatif : rendez la quantité négative, ou émettez un avoir.",
              "A net price (BT-146) is never negative: make the quantity negative, or issue a credit note."),
    "BR-28": ("Le prix brut (BT-148) n'est jamais négatif.", "A gross price (BT-148) is never negative."),
    "BR-29": ("La fin de la période (BT-74) suit son début (BT-73).", "The end of the period (BT-74) follows its start (BT-73)."),
    "BR-30": ("La fin de la période de ligne (BT-135) suit son début (BT-134).",
              "The end of the line period (BT-135) follows its start (BT-134)."),
    "BR-51": ("Ne donnez que les 4 à 6 derniers chiffres de la carte (BT-87).", "Give only the last 4 to 6 digits of the card (BT-87)."),
    "BR-CO-03": ("Gardez la date (BT-7) ou le code (BT-8) d'exigibilité, pas les deux.", "Keep the tax point date (BT-7) or its code (BT-8), not both."),
    "BR-CO-04": ("Donnez à chaque ligne sa catégorie de TVA (BT-151).", "Give each line its VAT category (BT-151)."),
    "BR-CO-09": ("Faites précéder le numéro de TVA du code de son pays, FR pour la France (BT-31, BT-48, BT-63).",
                 "Put the country code before the VAT number, FR for France (BT-31, BT-48, BT-63)."),
    "BR-CO-10": ("BT-106 est la somme des montants nets de ligne (BT-131) : recalculez-la.", "BT-106 is the sum of the line net amounts (BT-131): compute it again."),
    "BR-CO-11": ("BT-107 est la somme des remises du document (BT-92).", "BT-107 is the sum of the document allowances (BT-92)."),
    "BR-CO-12": ("BT-108 est la somme des charges du document (BT-99).", "BT-108 is the sum of the document charges (BT-99)."),
    "BR-CO-13": ("BT-109 = BT-106 − BT-107 + BT-108 : recalculez le total hors TVA.", "BT-109 = BT-106 − BT-107 + BT-108: compute the total without VAT again."),
    "BR-CO-14": ("BT-110 est la somme des TVA par catégorie (BT-117).", "BT-110 is the sum of the VAT of each category (BT-117)."),
    "BR-CO-15": ("BT-112 = BT-109 + BT-110 : recalculez le total TVA comprise, dans la devise de la facture.",
                 "BT-112 = BT-109 + BT-110: compute the total with VAT again, in the invoice currency."),
    "BR-CO-16": ("BT-115 = BT-112 − BT-113 + BT-114 : recalculez le montant à payer.", "BT-115 = BT-112 − BT-113 + BT-114: compute the amount due again."),
    "BR-CO-17": ("BT-117 = BT-116 × BT-119 ÷ 100, arrondi au centime.", "BT-117 = BT-116 × BT-119 ÷ 100, rounded to the cent."),
    "BR-CO-18": ("Ajoutez au moins un groupe de ventilation de TVA (BG-23).", "Add at least one VAT breakdown group (BG-23)."),
    "BR-CO-19": ("Une période de facturation (BG-14) a un début, une fin, ou les deux.", "An invoicing period (BG-14) has a start, an end, or both."),
    "BR-CO-20": ("Une période de ligne (BG-26) a un début, une fin, ou les deux.", "A line period (BG-26) has a start, an end, or both."),
    "BR-CO-21": ("Motivez la remise du document : texte (BT-97) ou code (BT-98).", "Give the reason of the document allowance: text (BT-97) or code (BT-98)."),
    "BR-CO-22": ("Motivez la charge du document : texte (BT-104) ou code (BT-105).", "Give the reason of the document charge: text (BT-104) or code (BT-105)."),
    "BR-CO-23": ("Motivez la remise de ligne : texte (BT-139) ou code (BT-140).", "Give the reason of the line allowance: text (BT-139) or code (BT-140)."),
    "BR-CO-24": ("Motivez la charge de ligne : texte (BT-144) ou code (BT-145).", "Give the reason of the line charge: text (BT-144) or code (BT-145)."),
    "BR-CO-25": ("Un montant est dû : donnez l'échéance (BT-9) ou les conditions de paiement (BT-20).", "An amount is due: give the due date (BT-9) or the payment terms (BT-20)."),
    "BR-CO-26": ("Identifiez le vendeur : BT-29, numéro légal (BT-30) ou de TVA (BT-31).", "Identify the seller: BT-29, legal number (BT-30) or VAT number (BT-31)."),
    "BR-CO-27": ("Donnez l'IBAN ou le numéro de compte, pas les deux (BT-84).", "Give the IBAN or the account number, not both (BT-84)."),
    "BR-B-01": ("La catégorie B ne sert qu'entre Italiens.", "Category B is for Italian parties only."),
    "BR-B-02": ("La catégorie B ne se mêle pas à la catégorie S.", "Category B does not go with category S."),
    "BR-CL-01": ("Prenez BT-3 dans la liste des types de document (380 facture, 381 avoir…).", "Take BT-3 from the list of document types (380 invoice, 381 credit note…)."),
    "BR-CL-03": ("Un montant porte une devise ISO 4217, par exemple EUR.", "An amount carries an ISO 4217 currency, EUR for example."),
    "BR-CL-04": ("BT-5 est un code ISO 4217, par exemple EUR.", "BT-5 is an ISO 4217 code, EUR for example."),
    "BR-CL-05": ("BT-6 est un code ISO 4217.", "BT-6 is an ISO 4217 code."),
    "BR-CL-06": ("BT-8 vaut 3, 35 ou 432 en UBL (5, 29 ou 72 en CII).", "BT-8 is 3, 35 or 432 in UBL (5, 29 or 72 in CII)."),
    "BR-CL-08": ("Le sujet de note (BT-21) est un code UNTDID 4451, entre dièses en UBL : #AAB#.", "The note subject (BT-21) is a UNTDID 4451 code, between hashes in UBL: #AAB#."),
    "BR-CL-10": ("Le schéma de l'identifiant est un code ISO 6523, par exemple 0009 pour un SIRET.", "The scheme of the identifier is an ISO 6523 code, 0009 for a SIRET for example."),
    "BR-CL-11": ("Le schéma du numéro légal est un code ISO 6523, 0002 pour un SIREN.", "The scheme of the legal number is an ISO 6523 code, 0002 for a SIREN."),
    "BR-CL-13": ("La liste de classification est un code UNTDID 7143.", "The classification list is a UNTDID 7143 code."),
    "BR-CL-14": ("Le pays est un code ISO 3166 à deux lettres.", "The country is a two-letter ISO 3166 code."),
    "BR-CL-16": ("BT-81 est un code UNTDID 4461 : 30 virement, 58 SEPA, 48 carte…", "BT-81 is a UNTDID 4461 code: 30 transfer, 58 SEPA, 48 card…"),
    "BR-CL-17": ("La catégorie de TVA est S, Z, E, AE, K, G, O, L ou M.", "The VAT category is S, Z, E, AE, K, G, O, L or M."),
    "BR-CL-18": ("La catégorie de TVA de la ligne est S, Z, E, AE, K, G, O, L ou M.", "The VAT category of the line is S, Z, E, AE, K, G, O, L or M."),
    "BR-CL-19": ("Le motif de remise est un code UNTDID 5189.", "The allowance reason is a UNTDID 5189 code."),
    "BR-CL-20": ("Le motif de charge est un code UNTDID 7161.", "The charge reason is a UNTDID 7161 code."),
    "BR-CL-21": ("Le schéma de l'article est un code ISO 6523, 0160 pour un GTIN.", "The item scheme is an ISO 6523 code, 0160 for a GTIN."),
    "BR-CL-22": ("Le motif d'exonération est un code VATEX, par exemple VATEX-EU-132.", "The exemption reason is a VATEX code, VATEX-EU-132 for example."),
    "BR-CL-23": ("L'unité est un code UNECE Rec. 20 ou 21 : C62 pièce, HUR heure, DAY jour, KGM kilo.", "The unit is a UNECE Rec. 20 or 21 code: C62 piece, HUR hour, DAY day, KGM kilo."),
    "BR-CL-24": ("Le type de la pièce jointe est un type MIME admis : PDF, PNG, JPEG, CSV, XLSX, ODS.", "The attachment has an allowed MIME type: PDF, PNG, JPEG, CSV, XLSX, ODS."),
    "BR-CL-25": ("Le schéma d'adresse électronique est un code EAS, 0225 en France.", "The scheme of the electronic address is an EAS code, 0225 in France."),
    "BR-DEC": ("Écrivez ce montant avec deux décimales au plus.", "Write this amount with at most two decimals."),
    "UBL-DT-01": ("Écrivez ce montant avec deux décimales au plus.", "Write this amount with at most two decimals."),
    "UBL-SR-48": ("Une ligne a une et une seule catégorie de TVA.", "A line has one and only one VAT category."),
    "CII-SR-465": ("Gardez un seul point de contact du vendeur (BT-41) : la personne ou le service, pas les deux.", "Keep one contact point of the seller (BT-41): the person or the department, not both."),
    "CII-SR-466": ("Gardez un seul point de contact de l'acheteur (BT-56) : la personne ou le service, pas les deux.", "Keep one contact point of the buyer (BT-56): the person or the department, not both."),
    "CII-SR-470": ("Donnez l'IBAN ou le numéro de compte, pas les deux (BT-84).", "Give the IBAN or the account number, not both (BT-84)."),
    "PEPPOL-EN16931-R008": ("Retirez les éléments vides : absent et vide ne disent pas la même chose.", "Remove empty elements: absent and empty do not say the same."),
    "BR-FR-01": ("Un numéro de facture a 35 caractères au plus.", "An invoice number has at most 35 characters."),
    "BR-FR-02": ("Un numéro de facture n'a que des lettres, des chiffres et + - _ /, sans espace.", "An invoice number has only letters, digits and + - _ /, without a space."),
    "BR-FR-03": ("Écrivez une date réelle entre 2000 et 2099 : AAAA-MM-JJ en UBL, AAAAMMJJ en CII.", "Write a real date from 2000 to 2099: YYYY-MM-DD in UBL, YYYYMMDD in CII."),
    "BR-FR-04": ("En France, BT-3 vaut 380, 381, 384, 386, 389, 393, 396, 261, 262, 471-473 ou 500-503.", "In France BT-3 is 380, 381, 384, 386, 389, 393, 396, 261, 262, 471-473 or 500-503."),
    "BR-FR-05": ("Ajoutez les mentions légales en notes : PMT (frais de recouvrement), PMD (pénalités), AAB (escompte ou son absence).",
                 "Add the legal notes: PMT (recovery costs), PMD (late penalties), AAB (discount or none)."),
    "BR-FR-06": ("Chaque mention PMT, PMD, AAB ou TXD ne figure qu'une fois.", "Each of the notes PMT, PMD, AAB and TXD appears once only."),
    "BR-FR-08": ("Donnez un cadre de facturation (BT-23) de la liste : B1, S1, M1, B2, S2, M2…", "Give a billing framework (BT-23) from the list: B1, S1, M1, B2, S2, M2…"),
    "BR-FR-08_BT-151-2": ("Les catégories L et M (Canaries, Ceuta et Melilla) ne servent pas en France.", "Categories L and M (Canary Islands, Ceuta and Melilla) are not for France."),
    "BR-FR-MV": ("Facture multi-vendeurs (cadre B8, S8, M8) : chaque ligne GROUP porte vendeur, numéro (AFL), cadre (AVV) et totaux de sa sous-facture.",
                 "Multi-vendor invoice (framework B8, S8, M8): each GROUP line carries the seller, number (AFL), framework (AVV) and totals of its sub-invoice."),
    "BR-FR-BD": ("Facture bidirectionnelle (cadre B9, S9, M9) : une ligne GROUP pour chaque sens, avec vendeur et acheteur échangés.",
                 "Two-way invoice (framework B9, S9, M9): a GROUP line for each way, seller and buyer exchanged."),
    "BR-FR-09": ("Le SIRET a 14 chiffres et commence par le SIREN de la même entité.", "A SIRET has 14 digits and begins with the SIREN of the same party."),
    "BR-FR-10": ("Donnez le SIREN du vendeur (BT-30) : 9 chiffres, schéma 0002.", "Give the seller's SIREN (BT-30): 9 digits, scheme 0002."),
    "BR-FR-11": ("Entre assujettis français (B2B), donnez le SIREN de l'acheteur (BT-47) : 9 chiffres, schéma 0002.", "Between French businesses (B2B), give the buyer's SIREN (BT-47): 9 digits, scheme 0002."),
    "BR-FR-15": ("La catégorie de TVA est S, E, AE, K, G, O ou Z ; L et M ne servent pas en France.", "The VAT category is S, E, AE, K, G, O or Z; L and M are not for France."),
    "BR-FR-16": ("Prenez un taux de TVA français, écrit sans % : 20, 10, 5.5, 2.1, 0, 8.5…", "Take a French VAT rate, written without %: 20, 10, 5.5, 2.1, 0, 8.5…"),
    "BR-FR-17": ("La pièce jointe se qualifie par un mot de la liste : RIB, LISIBLE, PJA, BON_LIVRAISON…", "An attachment is qualified by a word of the list: RIB, LISIBLE, PJA, BON_LIVRAISON…"),
    "BR-FR-18": ("Une seule pièce jointe est qualifiée LISIBLE.", "Only one attachment is qualified LISIBLE."),
    "BR-FR-20": ("La note BAR vaut B2B, B2BINT, B2C, B2CINT, OUTOFSCOPE ou ARCHIVEONLY.", "The BAR note is B2B, B2BINT, B2C, B2CINT, OUTOFSCOPE or ARCHIVEONLY."),
    "BR-FR-21": ("En B2B, l'adresse de l'acheteur (BT-49) commence par son SIREN, schéma 0225.", "In B2B, the buyer's address (BT-49) begins with its SIREN, scheme 0225."),
    "BR-FR-22": ("En autofacture B2B, l'adresse du vendeur (BT-34) commence par son SIREN, schéma 0225.", "In B2B self-billing, the seller's address (BT-34) begins with its SIREN, scheme 0225."),
    "BR-FR-23": ("Une adresse 0225 n'a que des lettres, des chiffres et + - _ .", "An address of scheme 0225 has only letters, digits and + - _ ."),
    "BR-FR-24": ("Un code de routage (0224) n'a que des lettres, des chiffres et + - _ .", "A routing code (0224) has only letters, digits and + - _ ."),
    "BR-FR-25": ("Une adresse électronique a 125 caractères au plus.", "An electronic address has at most 125 characters."),
    "BR-FR-26": ("Un code de routage a 100 caractères au plus.", "A routing code has at most 100 characters."),
    "BR-FR-27": ("Un attribut d'article a un nom ou un code, non vide.", "An item attribute has a name or a code, not empty."),
    "BR-FR-28": ("Un attribut d'article a une valeur, ou une mesure avec son unité, pas les deux.", "An item attribute has a value, or a measure with its unit, not both."),
    "BR-FR-29": ("Au plus un identifiant AFL et un AVV (BT-18), non vides.", "At most one AFL and one AVV identifier (BT-18), not empty."),
    "BR-FR-30": ("Au plus un identifiant AFL et un AVV par ligne (BT-128) ; une seule note BAR en UBL.", "At most one AFL and one AVV identifier per line (BT-128); one BAR note only in UBL."),
    "BR-FR-31": ("Une seule note BAR par facture.", "One BAR note only in an invoice."),
    "BR-FR-32": ("Un SIREN (schéma 0002 ou 0231) a exactement 9 chiffres.", "A SIREN (scheme 0002 or 0231) has exactly 9 digits."),
    "BR-FR-CO-03": ("Un avoir de remise globale (262) cite le contrat (BT-12) et la période (BT-73, BT-74).", "A global allowance credit note (262) quotes the contract (BT-12) and the period (BT-73, BT-74)."),
    "BR-FR-CO-04": ("Une facture rectificative cite une seule facture antérieure (BG-3).", "A corrective invoice quotes exactly one preceding invoice (BG-3)."),
    "BR-FR-CO-05": ("Un avoir cite la facture corrigée : numéro (BT-25) et date (BT-26), en tête ou à chaque ligne.", "A credit note quotes the invoice that it corrects: number (BT-25) and date (BT-26), in the header or on each line."),
    "BR-FR-CO-07": ("L'échéance (BT-9) ne précède pas la date de facture (BT-2).", "The due date (BT-9) is not before the invoice date (BT-2)."),
    "BR-FR-CO-08": ("Les cadres B4, S4 et M4 ne vont pas avec une facture d'acompte (386, 500, 503).", "Frameworks B4, S4 and M4 do not go with a deposit invoice (386, 500, 503)."),
    "BR-FR-CO-09": ("Facture déjà payée (B2, S2, M2) : BT-113 = BT-112, BT-115 = 0, échéance à la date de paiement.", "Invoice already paid (B2, S2, M2): BT-113 = BT-112, BT-115 = 0, due date on the payment date."),
    "BR-FR-CO-10": ("Chaque identifiant d'une entité porte un schéma, et chaque schéma ne sert qu'une fois.", "Each identifier of a party carries a scheme, and each scheme is used once."),
    "BR-FR-CO-12": ("Facture en devise étrangère : donnez la TVA en euros (BT-6 = EUR et BT-111).", "Invoice in a foreign currency: give the VAT in euros (BT-6 = EUR and BT-111)."),
    "BR-FR-CO-14": ("Membre d'un groupe de TVA (0231) : ajoutez la note TXD « Membre d'un assujetti unique ».", "Member of a VAT group (0231): add the TXD note “Membre d'un assujetti unique”."),
    "BR-FR-CO-15": ("Groupe de TVA : donnez le représentant (BG-11) et son numéro de TVA (BT-63).", "VAT group: give the representative (BG-11) and its VAT number (BT-63)."),
    "BR-FR-DEC-01": ("Un montant a 19 chiffres et 2 décimales au plus, sans espace ni virgule.", "An amount has at most 19 digits and 2 decimals, no space, no comma."),
    "BR-FR-DEC-02": ("Une quantité a 19 chiffres et 4 décimales au plus.", "A quantity has at most 19 digits and 4 decimals."),
    "BR-FR-DEC-03": ("Un prix a 19 chiffres et 6 décimales au plus, et n'est pas négatif.", "A price has at most 19 digits and 6 decimals, and is not negative."),
    "BR-FR-DEC-04": ("Un taux a 4 chiffres dont 2 décimales au plus : 20.00, 5.5.", "A rate has at most 4 digits, 2 of them decimals: 20.00, 5.5."),
    "BR-FR-CDV-01": ("Ajoutez au message son identifiant de spécification (MDG-3, MDT-3).", "Add to the message its specification identifier (MDG-3, MDT-3)."),
    "BR-FR-CDV-02": ("MDT-3 vaut urn.cpro.gouv.fr:1p0:CDV:invoice ; einvoicingF2 ne va qu'au portail (0000, rôle DFH) seul destinataire.", "MDT-3 is urn.cpro.gouv.fr:1p0:CDV:invoice; einvoicingF2 is for the portal (0000, role DFH) as only recipient."),
    "BR-FR-CDV-09": ("Donnez le type de réponse (MDT-77) : 23 pour un traitement, 305 pour une transmission.", "Give the type of answer (MDT-77): 23 for a treatment, 305 for a transmission."),
    "BR-FR-CDV-14": ("Une encaissée (212) porte au moins un montant MEN avec son taux de TVA.", "A payment received (212) carries at least one MEN amount with its VAT rate."),
    "BR-FR-CDV-15": ("Ce statut exige un motif (MDT-113).", "This status needs a reason (MDT-113)."),
    "BR-FR-CDV-16": ("Numérotez chaque statut détaillé (MDT-124-2).", "Number each detailed status (MDT-124-2)."),
    "BR-FR-CDV-CL-01": ("Le processus (MDT-2) vaut REGULATED ou NON_REGULATED selon le destinataire.", "The process (MDT-2) is REGULATED or NON_REGULATED after the recipient."),
    "BR-FR-CDV-CL-05": ("Le code d'état (MDT-88) est de la liste de la phase.", "The status code (MDT-88) is from the list of the phase."),
    "BR-FR-CDV-CL-06": ("Le code de statut (MDT-105) est de la liste des statuts.", "The status code (MDT-105) is from the list of statuses."),
    "BR-FR-CDV-CL-09": ("Le motif n'est pas de ceux du statut : voyez la table des motifs du cycle de vie.", "The reason is not one of the status: see the life-cycle table of reasons."),
}  # fmt: skip
"""Identifier, rule or family → what to do, in French and English."""

FAMILY_RULE = re.compile(r"BR-(?:FREXT-|FXEXT-)?(S|Z|E|AE|IC|G|O|AF|AG)-(\d\d)")


@cache
def remedy(identifier: str) -> tuple[str, str]:
    """Return what to do in French and English, two empty texts where we have written nothing."""
    family = FAMILY_RULE.match(identifier)
    if family and family[2] in FAMILY:
        french, english = CATEGORIES[family[1]]
        texts = FAMILY[family[2]]
        return texts[0].format(french), texts[1].format(english)
    for key in _keys(identifier):
        if key in REMEDIES:
            return REMEDIES[key]
        if key in MISSING:
            term, french, english = MISSING[key]
            return f"Renseignez {french} ({term}), non vide.", f"Fill in {english} ({term}), not empty."
    return "", ""


def _keys(identifier: str) -> list[str]:
    """Return the identifier, then shorter and shorter names of its rule."""
    plain = identifier.replace("-FREXT-", "-").replace("-FXEXT-", "-").removesuffix("rev")
    keys = [identifier, plain, plain.partition("_")[0]]
    while "-" in keys[-1]:
        keys.append(keys[-1].rpartition("-")[0])
    return keys


def written() -> list[str]:
    """Return every identifier, rule or family member that has a remedy, in order."""
    members = [f"BR-{category}-{number}" for category in CATEGORIES for number in FAMILY if int(number) <= 10]
    return sorted({*REMEDIES, *MISSING, *members})
