"""The readable form of an invoice (lisible): what a person reads, in HTML and in PDF, in French or English."""
