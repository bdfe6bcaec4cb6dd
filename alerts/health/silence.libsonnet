// Who has stopped sending, learned from what they sent before. Expected now is
//   who sent enough in each hour of a whole day, until that is a day ago; and
//   who sent enough in this same hour a week ago and on most of the last seven days.
// A nightly batch is expected at night alone, an agent of working days is not expected on a Saturday, and whoever was retired is forgotten
// within three days. An hour is judged by its number of requests, for a few requests are sometimes none by chance.
//
// While nothing comes from anyone it is not the agents that are silent: that is SpanbridgeReceivingNothing, and while no bridge is up,
// SpanbridgeDown. Both ask for the whole window, so that after an outage everybody has had the time to send again.
function(config, lib, annotations)
  local silence = config.silence;
  local day = 86400;

  // Not silent, but expected. `sent` is the recorded number by window.
  local missed(sent, least, window, by, steady) =
    local labels = lib.labels(by);
    local enough = lib.fill('%s >= %s', [sent, least]);
    local slots = day / lib.seconds(window);
    local before(days) = lib.fill('%s offset %sd >= %s', [sent, days, least]);
    lib.fill(|||
      (
        max_over_time(%(steady)s[1d:%(window)s]) >= %(slots)s
      or
        (%(weekAgo)s)
        and
        count by (%(labels)s) (
          %(eachDay)s
        ) >= %(days)s
      )
      unless on (%(labels)s)
      %(sent)s > 0
    |||, {
      steady: steady,
      window: window,
      slots: slots,
      weekAgo: before(7),
      labels: labels,
      eachDay: std.join('\n    or\n    ', [lib.fill('label_replace(%s, "reason", "%s", "reason", "")', [before(d), d]) for d in std.range(1, 7)]),
      days: silence.days,
      sent: sent,
    });

  // The number of windows of a day in which enough was sent.
  local steadyRule(record, sent, least, window) = { record: record, expr: lib.fill('count_over_time((%s >= %s)[1d:%s])', [sent, least, window]) };

  local who = lib.labels(silence.by);
  local requests = {
    sent: 'agent:agent_requests:increase1h',
    steady: 'agent:agent_requests:steady_hours',
  };
  local spans = {
    sent: 'spanbridge:spans_accepted:increase30m',
    steady: 'spanbridge:spans_accepted:steady_halfhours',
  };
  local everyone = lib.labels([]);

  local agent = 'Agent {{ if $labels.agent }}' + lib.name('$labels.agent') + '{{ else }}without a name{{ end }}'
                + (if std.member(silence.by, 'tenant_id') then ', tenant ' + lib.name('$labels.tenant_id') else '') + lib.where;
  local names = lib.subjects(silence.by);
  local most(sent, what, names) = lib.query(lib.fill('max_over_time(%s{*}[1d])', [sent]), 'in the day before at most {{ . | first | value | humanize }} ' + what, 'nothing in the day before', names);

  {
    rules: [lib.group('silence-long', [
      { record: requests.sent, expr: lib.fill('sum by (%s) (increase(%s[1h]))', [who, lib.series('agent_requests_total')]) },
      steadyRule(requests.steady, requests.sent, silence.requests, '1h'),
      { record: spans.sent, expr: lib.fill('sum by (%s) (increase(%s[30m]))', [everyone, lib.series('spanbridge_spans_accepted_total')]) },
      steadyRule(spans.steady, spans.sent, silence.spans, '30m'),
    ], config.longRangeEvaluationInterval)],

    alerts: [lib.group('silence', [
      annotations.alert(
        'AgentSilent',
        'warning',
        'agent-oncall',
        missed(requests.sent, silence.requests, '1h', silence.by, requests.steady)
        + lib.fill('and on (%(everyone)s)\n  sum by (%(everyone)s) (increase(%(accepted)s[30m])) > 0\nand on (%(everyone)s)\n  sum by (%(everyone)s) (increase(%(accepted)s[30m] offset 30m)) > 0', {
          everyone: everyone,
          accepted: lib.series('spanbridge_spans_accepted_total'),
        }),
        {
          summary: 'An agent has stopped sending',
          description: agent + ' has sent no request for an hour, though it always did at this time; ' + most(requests.sent, 'requests an hour', names) + '.',
          value: '0',
          dashboard: 'agent',
          cause: annotations.top(
            lib.fill('sum by (reason) (increase(%s[1h])) > %s', [lib.series('spanbridge_requests_refused_total', ['*']), config.health.refusedPushes]),
            'perhaps refused: {{ .Value | humanize }} pushes of the last hour were, most for {{ .Labels.reason }}',
            'nothing is refused: it has stopped, or its spans get lost on their way',
            'See the runbook of SpanbridgeRefusingPushes.',
            'See whether its process runs and reaches the bridge. If it was retired, silence this alert; within three days it ends by itself.',
            who=lib.subjects([]),
          ),
        },
        rule={ 'for': silence['for'] },
        who=names,
      ),
      annotations.alert(
        'SpanbridgeReceivingNothing',
        'critical',
        'platform',
        missed(spans.sent, silence.spans, '30m', [], spans.steady)
        + lib.fill('and on (%s)\n  max by (%s) (min_over_time(%s[30m])) == 1', [everyone, everyone, lib.target('up', 'bridge')]),
        {
          summary: 'No agent sends anything',
          description: 'No bridge' + lib.where + ' has accepted a span for half an hour, though they always did at this time; ' + most(spans.sent, 'spans in half an hour', lib.subjects([])) + '. No alert about agents can fire.',
          value: '0',
          dashboard: 'bridge',
          cause: annotations.top(
            lib.fill('sum by (reason) (increase(%s[30m])) > 0', [lib.series('spanbridge_requests_refused_total', ['*'])]),
            'refused: {{ .Labels.reason }}, {{ .Value | humanize }} pushes in the last half hour',
            'nothing arrives: the Collector, the balancer or the network before the bridge',
            'See the runbook of SpanbridgeRefusingPushes.',
            'Follow the way from one agent: its exporter, the Collector, the balancer, the port of the bridge.',
            who=lib.subjects([]),
          ),
        },
        rule={ 'for': '5m' },
        who=lib.subjects([]),
      ),
    ])],
  }
