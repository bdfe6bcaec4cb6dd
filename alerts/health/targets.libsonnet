// Whether those who watch are there and do their work: the bridge, Prometheus, Loki, Alertmanager, the Collector.
function(config, lib, annotations)
  local health = config.health;
  local window = lib.range(health.window);
  local recently = lib.inWords(window);
  local at = lib.name('$labels.instance') + lib.where;
  local count = '{{ $value | humanize }}';
  local steady = { 'for': health['for'], keep_firing_for: window };
  local known = annotations.known;
  local top(expr, found, nothing, remedy, otherwise, who=lib.what) = annotations.top(expr, found, nothing, remedy, otherwise, who=who);

  local alert(name, expr, says, rule=steady, severity='warning', who=lib.what) =
    annotations.alert(name, severity, 'platform', expr, { dashboard: 'bridge' } + says, rule=rule, who=who);

  local increase(metric, program, labels, matchers=[]) = 'sum by (' + labels + ') (increase(' + lib.target(metric, program, matchers) + '[' + window + ']))';
  local slow = lib.seconds(health.slowScrape);

  // absent() knows of no clusters: one whose bridges have vanished within a day is missed by what it had.
  local missing =
    local by = 'group by (' + config.clusterLabel + ') (';
    'absent(' + lib.target('up', 'bridge') + ')'
    + (
      if config.clusterLabel == '' then ''
      else '\nor\n' + by + 'last_over_time(' + lib.target('up', 'bridge', [config.clusterLabel + '!=""']) + '[1d]))\nunless\n' + by + lib.target('up', 'bridge') + ')'
    );

  // The Collector writes these names with or without a suffix, and a counter of failures only once there is one.
  local failed(what) =
    local metric = 'otelcol_exporter_' + what + '_failed_spans';
    local increased(name) = 'increase(' + lib.target(name, 'collector') + '[' + window + '])';
    'sum by (' + lib.labels(['instance', 'exporter']) + ') (\n  ' + increased(metric) + '\n  or\n  ' + increased(metric + '_total') + '\n) > 0';

  lib.group('targets', [
    alert('SpanbridgeDown', lib.target('up', 'bridge') + ' == 0', {
      summary: 'A bridge does not answer',
      description: 'The bridge ' + at + ' has not answered Prometheus for ' + lib.inWords(health.downFor) + ': what its agents send is not counted, and no alert about them can fire.',
      cause: top(
        lib.target('scrape_duration_seconds', 'bridge', ['*']) + ' >= ' + slow,
        'it does not answer in time: {{ .Value | humanizeDuration }} and no reply',
        'it refuses or fails at once: the process is gone, or the address of the target is wrong',
        'See whether it has a core to run on, then restart it.',
        'Start it, and read the end of its log.',
      ),
    }, { 'for': health.downFor, keep_firing_for: health.keepDownFor }, 'critical'),

    alert('SpanbridgeMissing', missing, {
      summary: 'Prometheus has no bridge to scrape',
      description: 'Prometheus has had no target for a bridge' + lib.where + ' for ' + lib.inWords(health.missingFor) + ': nothing is counted, and no alert about agents can fire.',
      cause: known(
        'no target matches ' + std.strReplace(config.targets.bridge, '"', "'") + ': the job is missing from the configuration, or service discovery finds none',
        'Compare scrape_configs and /service-discovery of Prometheus with the address of the bridge.'
      ),
    }, { 'for': health.missingFor }, 'critical', lib.subjects([])),

    alert('SpanbridgeRestarting', 'changes(' + lib.target('process_start_time_seconds', 'bridge') + '[1h]) > ' + health.restarts, {
      summary: 'A bridge starts again and again',
      description: 'The bridge ' + at + ' was started ' + count + ' times in the last hour; the limit is ' + health.restarts + '. Each time the requests in hand end early, and the agents wait.',
      value: count,
      limit: std.toString(health.restarts),
      cause: known('it ends by itself, or is killed: out of memory, a failing health check, a bad configuration', 'Read the end of its log, and why its supervisor says it ended.'),
    }, { keep_firing_for: window }),

    alert('SpanbridgeScrapeSlow', 'avg_over_time(' + lib.target('scrape_duration_seconds', 'bridge') + '[' + window + ']) > ' + slow, {
      summary: 'A scrape of a bridge is close to its timeout',
      description: 'Prometheus took {{ $value | humanizeDuration }} for a scrape of the bridge ' + at + ' on average of the last ' + recently + '; the limit is ' + health.slowScrape + '. Past the timeout nothing is counted.',
      value: '{{ $value | humanizeDuration }}',
      limit: health.slowScrape,
      cause: top(
        lib.series('spanbridge_series', ['*']),
        'the largest metric is {{ .Labels.metric }} with {{ .Value | humanize }} series',
        'the bridge does not say how many series it has',
        'Lower seriesLimit or seriesExpiry, or raise scrape_timeout.',
        'See whether the bridge has a core to run on.',
      ),
    }),

    alert('SpanbridgeRulesFailing', increase('prometheus_rule_evaluation_failures_total', 'prometheus', lib.labels(['instance', 'rule_group']), ['rule_group=~".*;spanbridge-.+"']) + ' > 0', {
      summary: 'Rules of Spanbridge cannot be evaluated',
      description: 'Prometheus ' + at + ' failed ' + count + ' times in the last ' + recently + ' to evaluate a rule of {{ $labels.rule_group }}: what it records and alerts on stands still.',
      value: count,
      limit: '0',
      cause: known('rule group {{ $labels.rule_group }}', 'Read the error of the rule on /rules of Prometheus; a many-to-many match means two bridges that tell the same series.'),
    }),

    alert('SpanbridgeRulesLate', increase('prometheus_rule_group_iterations_missed_total', 'prometheus', lib.labels(['instance', 'rule_group']), ['rule_group=~".*;spanbridge-.+"']) + ' > 0', {
      summary: 'Rules of Spanbridge take longer than their interval',
      description: 'Prometheus ' + at + ' left out ' + count + ' evaluations of {{ $labels.rule_group }} in the last ' + recently + ': alerts come late.',
      value: count,
      limit: '0',
      cause: known('rule group {{ $labels.rule_group }}', 'Give Prometheus more CPU, or raise evaluationInterval and longRangeEvaluationInterval of the mixin.'),
    }),

    alert('SpanbridgeLogRulesFailing', increase('loki_prometheus_rule_evaluation_failures_total', 'loki', lib.labels(['instance', 'rule_group']), ['rule_group=~".*;spanbridge-.+"']) + ' > 0', {
      summary: 'Rules over the log of requests cannot be evaluated',
      description: 'Loki ' + at + ' failed ' + count + ' times in the last ' + recently + ' to evaluate a rule of {{ $labels.rule_group }}: its alerts do not fire.',
      value: count,
      limit: '0',
      cause: known('rule group {{ $labels.rule_group }}', 'Read the error of the rule on /prometheus/api/v1/rules of Loki; mostly the query reads more than its limits allow.'),
    }),

    alert('SpanbridgePagesFailing', increase('alertmanager_notifications_failed_total', 'alertmanager', lib.labels(['instance', 'integration'])) + ' > 0', {
      summary: 'Pages do not reach anybody',
      description: 'Alertmanager ' + at + ' failed to deliver ' + count + ' notifications by {{ $labels.integration }} in the last ' + recently + '.',
      value: count,
      limit: '0',
      cause: top(
        increase('alertmanager_notifications_failed_total', 'alertmanager', 'reason', ['*']) + ' > 0',
        '{{ $labels.integration }}: {{ .Labels.reason }}',
        '{{ $labels.integration }}',
        annotations.choose('reason', {
          clientError: 'Check the address and the secret of the receiver.',
          serverError: 'See whether the receiver is up.',
          contextDeadlineExceeded: 'See whether the receiver is reachable from Alertmanager.',
        }, 'Read the log of Alertmanager.'),
        'Read the log of Alertmanager.',
        who=lib.what + ['integration'],
      ),
    }),

    alert('CollectorDroppingSpans', failed('send') + '\nor\n' + failed('enqueue'), {
      summary: 'An OpenTelemetry Collector drops spans',
      description: 'The Collector ' + at + ' dropped ' + count + ' spans of its exporter {{ $labels.exporter }} in the last ' + recently + ': requests are missing, or lack spans.',
      value: count,
      limit: '0',
      cause: top(
        lib.target('otelcol_exporter_queue_size', 'collector', ['*']) + ' >= 1',
        'what it sends to does not keep up or does not answer: {{ .Value | humanize }} batches are waiting',
        'what it sends to refuses them: nothing is waiting',
        'See whether the bridge is up; give it a core of its own, then raise sending_queue.queue_size.',
        'Read the log of the Collector: it holds the answer of the bridge.',
        who=lib.what + ['exporter'],
      ),
    }),
  ])
