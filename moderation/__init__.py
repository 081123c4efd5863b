"""Removal notices from rights owners: taken in, decided, carried out, proved."""
