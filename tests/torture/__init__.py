"""Whole bookings under every fault at once: real processes, real sockets, and a killer.

The site is gunicorn, the CRM is the stand-in in a process of its own, buyers speak HTTP, and
workers die by SIGKILL in the middle of it. Judged afterwards by what is durable: the stand-in's
ledger and log against the site's journal.
"""
