// Burn-rate alerts: one alert name an objective, critical when it burns fast or steadily, warning when it drips. The pairs of one severity are one
// rule, so that a fast burn that goes on is one page and not two.
local remedies = import 'remedies.json';

function(config, lib)
  local by = lib.labels(['tenant_id', 'agent']);
  local own(name, objective) = '%s{objective="%s"}' % [name, objective.id];
  local sampled(text) = '{{ with . | first }}' + text + '{{ end }}';

  // {{ if eq .Labels.type "timeout" }}…{{ else if … }}…{{ end }}
  local choose(label, table, otherwise) =
    '{{ if ' + std.join('{{ else if ', ['eq .Labels.%s "%s" }}%s' % [label, key, table[key]] for key in std.objectFields(table)])
    + '{{ else }}' + otherwise + '{{ end }}';

  // tool lookup_order
  local place = '{{ .Labels.step }}{{ if .Labels.name }} ' + lib.name('.Labels.name') + '{{ end }}';

  // The parts of the cause by themselves, for whoever lays out the page. Not labels: those are what Alertmanager knows an alert by.
  local parts(top, names) = { ['root_cause_' + name]: top('{{ .Labels.%s }}' % name, '') for name in names };

  local limit(objective, view) = lib.query('tenant_agent:objective:limit{objective="%s",*}' % objective.id, view.limitText, 'unknown');

  local failures = {
    name: 'AgentSuccessRateLow',
    summary: 'Too many requests of an agent fail',
    dashboard: 'errors',
    did(objective): 'succeeded',
    target(objective): limit(objective, self),
    value(objective, window): lib.query(
      '1 - tenant_agent:objective_bad:ratio_rate%s{objective="%s",*}' % [window, objective.id],
      '{{ . | first | value | humanizePercentage }}',
      'unknown'
    ),
    limitText: '{{ . | first | value | humanizePercentage }}',
    local top(found, nothing) = lib.query('topk(1, tenant_agent_cause:agent_root_causes:share10m{*})', sampled(found), nothing),
    root_cause: top(
      '{{ if .Labels.step }}' + place + '{{ else }}{{ .Labels.class }}{{ end }}'
      + ': {{ .Labels.type }}{{ if eq .Labels.type .Labels.class }} error{{ end }}'
      + ', {{ .Value | humanizePercentage }} of the failures of the last 10 minutes',
      'no failed request with a known cause in the last 10 minutes'
    ),
    parts: parts(top, ['class', 'type', 'step', 'name']),
    remedy: top(choose('type', { [type]: remedies.errors[type].remedy for type in std.objectFields(remedies.errors) }, remedies.unclassified), remedies.unclassified),
  };

  local slowness(name) = {
    name: name,
    summary: 'Too many requests of an agent are slow',
    dashboard: 'requests',
    did(objective): 'took at most ' + limit(objective, self),
    target(objective): '%g%%' % (objective.measure.quantile * 100),
    // Over half an hour whatever the alert's window is: a quantile reads every bucket. >= 0 drops the NaN of an empty histogram.
    value(objective, window): lib.query(
      'histogram_quantile(%g, sum by (le) (rate(%s[30m]))) >= 0' % [
        objective.measure.quantile,
        // An empty selector has no braces to put the labels into.
        objective.measure.metric + '_bucket{' + (if config.selector == '' then '' else config.selector + ',') + '*}',
      ],
      '{{ . | first | value | humanizeDuration }}',
      'unknown'
    ),
    limitText: '{{ . | first | value | humanizeDuration }}',
    // Steps have no tenant: what is slow for one tenant of an agent is looked for in all of the agent's steps.
    local top(found, nothing) = lib.query(
      'topk(1, agent_step:agent_step_duration_seconds:share10m{*})',
      sampled(found),
      nothing,
      [label for label in lib.who if label != 'tenant_id']
    ),
    root_cause: top(
      place + ': slowest step, {{ .Value | humanizePercentage }} of the time of all steps in the last 10 minutes',
      'no step of this agent ended in the last 10 minutes'
    ),
    parts: parts(top, ['step', 'name']),
    remedy: top(choose('step', remedies.slow_steps, remedies.slow_elsewhere), remedies.slow_elsewhere),
  };

  local views = { success_rate: failures, latency_p95: slowness('AgentLatencyP95High') };

  local expr(objective, pairs) =
    local over(window, factor) = '%s > clamp_max(%g * %s, %g)' % [
      own('tenant_agent:objective_bad:ratio_rate' + window, objective),
      factor,
      own('tenant_agent:objective:budget', objective),
      config.maxBadRatio,
    ];
    local atLeast(record, window, least) = 'round(sum by (objective, %s) (%s) * %d) >= %d' % [
      by,
      own('tenant_project_agent:%s:rate%s' % [record, window], objective),
      lib.seconds(window),
      least,
    ];
    std.join('\nor\n', [
      '(\n  ' + std.join('\nand\n  ', [
        over(pair.long, pair.factor),
        over(pair.short, pair.factor),
        atLeast('objective_events', pair.long, config.minEvents),
        atLeast('objective_bad_events', pair.long, config.minBadEvents),
      ]) + '\n)'
      for pair in pairs
    ]);

  // How fast the documented target can burn; below 1 the alert would be silent while the objective is missed.
  local reachable(objective, pair) =
    local budget = if objective.measure.kind == 'ratio' then 1 - objective.limit else 1 - objective.measure.quantile;
    std.min(pair.factor, config.maxBadRatio / budget) >= 1;

  function(objective)
    local view = views[objective.id];
    lib.group(objective.id + '-burn', [
      assert [pair for pair in level.pairs if !reachable(objective, pair)] == [] :
             'cannot make a burn-rate alert for objective %s: at its target no burn reaches the factors' % objective.id;
      local window = level.pairs[0].long;
      {
        alert: view.name,
        expr: expr(objective, level.pairs),
        labels: config.extraLabels { severity: level.severity, objective: objective.id, owner: objective.owner },
        annotations: {
          summary: view.summary,
          // 71% of the requests of agent support_agent, tenant acme, succeeded in the last hour; the objective is 99.5%.
          description:
            lib.query('1 - tenant_agent:objective_bad:ratio_rate%s{objective="%s",*}' % [window, objective.id], '{{ . | first | value | humanizePercentage }}', 'An unknown share')
            + ' of the requests of ' + lib.affected + ', ' + view.did(objective) + ' in the last ' + lib.inWords(window)
            + '; the objective is ' + view.target(objective) + '.',
          value: view.value(objective, window),
          limit: limit(objective, view),
          root_cause: view.root_cause,
          remedy: view.remedy,
          runbook_url: lib.runbookUrl(view.name),
          dashboard_url: lib.dashboardUrl(view.dashboard),
        } + view.parts,
      }
      for level in config.burnRates
    ])
