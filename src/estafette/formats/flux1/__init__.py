"""Flow 1: the regulatory data of an invoice, built by the sender's platform, read and controlled by the portal.

- `profile`: the two trajectories (BASE, then FULL), their dates, file names, and the portal's limit on numbers;
- `units`: a document of several sellers taken apart, one invoice for each;
- `build`: the data made from an invoice, never by filtering its file, with the mappings BR-FR-MAP;
- `facts`: what the administration reads in a file, and what makes a file no Flow 1 at all;
- `controls`: the functional controls of the portal, one function a rule.

Which terms a profile holds is a column of the table of terms. Deliberately absent: what needs the directory or the
store, that is uniqueness (G1.45) and the existence of SIRENs (G1.63, G1.101): the portal's own business.
Source: external specifications v3.2, annexes 1 and 7; XP Z12-012 §4.5.2 for the mappings.
"""

from estafette.formats.flux1.build import build, regulated
from estafette.formats.flux1.controls import Anomaly, Examined, control, examine
from estafette.formats.flux1.facts import Flux1, read, structure_fault
from estafette.formats.flux1.profile import Profile, file_name, portal_number, profile_on
from estafette.formats.flux1.units import units

__all__ = [
    "Anomaly",
    "Examined",
    "Flux1",
    "Profile",
    "build",
    "control",
    "examine",
    "file_name",
    "portal_number",
    "profile_on",
    "read",
    "regulated",
    "structure_fault",
    "units",
]
