"""Log lines, metrics and error reports of the running site.

None of them holds the CRM's secret, a token, a whole phone, a cookie, a posted body or a query.
"""
