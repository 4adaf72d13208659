"""What operators see of the running site: log lines, metrics, error reports.

Nothing here changes what a buyer gets, except for the header X-Request-ID. No line, label or report
holds the CRM's secret, a token, a whole phone, a cookie, a posted body or a query.
"""
