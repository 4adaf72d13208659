from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from booking.observability import metrics


@never_cache
@require_safe
def figures(request: HttpRequest) -> HttpResponse:
    """Metrics for Prometheus, at METRICS_PATH. No personal data, but not public either."""
    return HttpResponse(metrics.page(), content_type=CONTENT_TYPE_LATEST)
