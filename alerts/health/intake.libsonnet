// What a bridge cannot take, or cannot keep whole: one alert each, for the bridge that it happens to.
function(config, lib, annotations)
  local health = config.health;
  local window = lib.range(health.window);
  local recently = lib.inWords(window);
  local by = lib.labels(['instance']);
  local bridge = 'The bridge ' + lib.name('$labels.instance') + lib.where;
  local increase(metric, labels=by, matchers=[]) = 'sum by (' + labels + ') (increase(' + lib.series(metric, matchers) + '[' + window + ']))';
  local own(metric, label, matchers=[]) = increase(metric, label, matchers + ['*']) + ' > 0';
  local count = '{{ $value | humanize }}';
  local share = '{{ $value | humanizePercentage }}';
  local percent(ratio) = std.format('%g%%', ratio * 100);

  // `cause` for a known one; or `found` and `remedy` as templates of the top sample of `ask`, with `cause` where there is none.
  local causeOf(says) =
    if std.objectHas(says, 'ask')
    then annotations.top(says.ask, says.found, says.cause, says.remedy, says.otherwise, who=lib.what)
    else annotations.known(says.cause, says.remedy);

  local alert(name, expr, says) = annotations.alert(
    name,
    'warning',
    'platform',
    expr,
    { dashboard: 'bridge', value: count, limit: '0' } + says { cause: causeOf(says) },
    rule={ 'for': health['for'], keep_firing_for: window },
    who=lib.what,
  );

  // Reasons of src/otlp/refusal.ts.
  local refusals = {
    too_large: 'Send smaller batches, or raise bodyLimit and inflatedLimit.',
    malformed: 'Read the log of the sender: the answer says what could not be read. Look for a proxy that changes bodies.',
    overloaded: 'Give the bridge a core of its own, or run more bridges behind a balancer that keeps a trace together.',
    stopping: 'See what stops the bridge again and again.',
    unsupported_type: 'Have the exporter send protobuf or JSON: OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf.',
    unsupported_encoding: 'Have the exporter send gzip, or send uncompressed.',
    not_found: 'Correct the endpoint of the exporter: the paths are /v1/traces and /v1/logs.',
    method: 'Correct the endpoint of the sender: an exporter sends POST.',
    too_slow: 'Look at the network between the sender and the bridge.',
    internal: 'Read the log of the bridge, and report its error.',
  };
  // Errors of src/logs/counts.ts.
  local pushErrors = {
    '429': 'Raise the limits of Loki: ingestion_rate_mb, per_stream_rate_limit.',
    '4xx': 'Read the answer in the log of Loki: a tenant, a credential or a label that it does not take.',
    '5xx': 'See whether Loki is up and has room on its disk.',
    blocked: 'Loki was told to take nothing: see block_ingestion_until in its limits.',
    network: 'See whether Loki is up and reachable from the bridge.',
    timeout: 'See whether Loki has CPU and disk to keep up.',
  };
  local reasoned = '{{ .Labels.reason }}: {{ .Value | humanize }} in the last ' + recently;

  lib.group('intake', [
    alert(
      'SpanbridgeRejectingSpans',
      increase('spanbridge_spans_rejected_total') + '\n/\n(' + increase('spanbridge_spans_rejected_total') + ' + ' + increase('spanbridge_spans_accepted_total') + std.format(')\n> %g', health.rejectedShare),
      {
        summary: 'A bridge cannot read some of the spans it is sent',
        description: bridge + ' could not read ' + share + ' of the spans of the last ' + recently + ', and did not count them; the limit is ' + percent(health.rejectedShare) + '.',
        value: share,
        limit: percent(health.rejectedShare),
        ask: own('spanbridge_spans_rejected_total', 'reason'),
        found: reasoned,
        cause: 'none rejected in the last ' + recently,
        remedy: 'Read the log of the sender: the answer says which span and why.',
        otherwise: self.remedy,
      },
    ),
    alert(
      'SpanbridgeRefusingPushes',
      increase('spanbridge_requests_refused_total') + ' > ' + health.refusedPushes,
      {
        summary: 'A bridge answers pushes with errors',
        description: bridge + ' refused ' + count + ' pushes in the last ' + recently + '; the limit is ' + health.refusedPushes + '.',
        limit: std.toString(health.refusedPushes),
        ask: own('spanbridge_requests_refused_total', 'reason'),
        found: reasoned,
        cause: 'none refused in the last ' + recently,
        remedy: annotations.choose('reason', refusals, 'Read the log of the sender: the answer says why.'),
        otherwise: 'Nothing: it has stopped.',
      },
    ),
    alert(
      'SpanbridgeSpansLate',
      increase('spanbridge_spans_late_total') + '\n/\n' + increase('spanbridge_spans_accepted_total') + std.format('\n> %g', health.lateShare),
      {
        summary: 'Many spans come after their request has been settled',
        description: bridge + ' got ' + share + ' of the spans of the last ' + recently + ' after their request was settled: they count, but not towards its root cause; the limit is ' + percent(health.lateShare) + '.',
        value: share,
        limit: percent(health.lateShare),
        cause: 'Children are exported more than settleGrace after their root: by another process, or by an exporter with a long schedule.',
        remedy: 'Raise settleGrace above the longest schedule delay of the exporters.',
      },
    ),
    alert(
      'SpanbridgeSpansCrowded',
      increase('spanbridge_spans_crowded_total') + ' > 0',
      {
        summary: 'Requests have more spans than the bridge keeps together',
        description: bridge + ' counted ' + count + ' spans of the last ' + recently + ' without their place in their request, because it had too many.',
        ask: own('agent_steps_per_request_sum', lib.labels(['agent'])),
        found: 'agent {{ if .Labels.agent }}' + lib.name('.Labels.agent') + '{{ else }}without a name{{ end }} took the most steps, {{ .Value | humanize }} in the last ' + recently,
        cause: 'no agent took steps: many small spans of another kind, or one trace for many requests',
        remedy: 'Limit the steps of the agent, or raise maxSpansPerRequest.',
        otherwise: 'Begin a trace for each request, or raise maxSpansPerRequest.',
      },
    ),
    alert(
      'SpanbridgeSeriesOverflowing',
      increase('spanbridge_series_overflow_total') + ' + ' + increase('spanbridge_strings_overflow_total') + ' > 0',
      {
        summary: 'A bridge has no room for more series',
        description: bridge + ' counted ' + count + ' times under __overflow__ in the last ' + recently + ': sums by tenant are right, names are lost.',
        ask: own('spanbridge_series_overflow_total', 'metric'),
        found: '{{ .Labels.metric }} is full: {{ .Value | humanize }} times in the last ' + recently,
        cause: 'the table of strings is full: too many different names',
        remedy: 'Find the name that never repeats, such as an id in the name of a tool or an agent; or raise seriesLimit.',
        otherwise: 'Find the name that never repeats, such as an id in the name of a span.',
      },
    ),
    alert(
      'SpanbridgeRequestsEvicted',
      increase('spanbridge_open_requests_evicted_total') + ' > 0',
      {
        summary: 'A bridge settles requests early to make room',
        description: bridge + ' settled ' + count + ' requests of the last ' + recently + ' before they were whole: those without a root count as unfinished, and burn the budget of their agent.',
        ask: own('agent_requests_total', lib.labels(['agent']), ['outcome="unfinished"']),
        found: 'agent {{ if .Labels.agent }}' + lib.name('.Labels.agent') + '{{ else }}without a name{{ end }}: {{ .Value | humanize }} requests without a root in the last ' + recently,
        cause: 'every request has its root: there are more at once than maxOpenRequests',
        remedy: 'Have the agent export its root spans, or lower idleTimeout.',
        otherwise: 'Raise maxOpenRequests, or run more bridges.',
      },
    ),
    alert(
      'SpanbridgeExporterDropping',
      // What rate_limit leaves out is told by the next line of its kind, and a stop cannot wait for ever.
      increase('spanbridge_log_lines_dropped_total', matchers=['reason!~"rate_limit|shutdown"']) + ' > 0',
      {
        summary: 'A bridge drops log lines about unhealthy requests',
        description: bridge + ' dropped ' + count + ' lines for Loki in the last ' + recently + ': alerts that read them, such as of new kinds of errors, see too little. Metrics are not concerned.',
        ask: own('spanbridge_log_push_errors_total', 'error'),
        found: 'Loki does not take them: {{ .Labels.error }}, {{ .Value | humanize }} pushes in the last ' + recently,
        cause: 'Loki takes every push: there are more lines than the queue holds',
        remedy: annotations.choose('error', pushErrors, 'Read the log of Loki.'),
        otherwise: 'See which failures write so many lines; or give Loki more room to take them.',
      },
    ),
  ])
