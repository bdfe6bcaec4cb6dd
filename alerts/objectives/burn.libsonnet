// Burn-rate alerts: one alert name an objective, critical when it burns fast or steadily, warning when it drips. The pairs of one severity are one
// rule, so that a fast burn that goes on is one page and not two.
function(config, lib, annotations)
  local by = lib.labels(['tenant_id', 'agent']);
  local own(name, objective) = '%s{objective="%s"}' % [name, objective.id];
  local limit(objective, view) = lib.query('tenant_agent:objective:limit{objective="%s",*}' % objective.id, view.limitText, 'unknown');

  local failures = {
    name: 'AgentSuccessRateLow',
    summary: 'Too many requests of an agent fail',
    dashboard: 'errors',
    did(objective): 'succeeded',
    target(objective): limit(objective, self),
    found(objective, window): lib.query(
      '1 - tenant_agent:objective_bad:ratio_rate%s{objective="%s",*}' % [window, objective.id],
      '{{ . | first | value | humanizePercentage }}',
      'unknown'
    ),
    limitText: '{{ . | first | value | humanizePercentage }}',
    cause: annotations.failures(),
  };

  local slowness(name) = {
    name: name,
    summary: 'Too many requests of an agent are slow',
    dashboard: 'requests',
    did(objective): 'took at most ' + limit(objective, self),
    target(objective): '%g%%' % (objective.measure.quantile * 100),
    // Over half an hour whatever the alert's window is: a quantile reads every bucket. >= 0 drops the NaN of an empty histogram.
    found(objective, window): lib.query(
      'histogram_quantile(%g, sum by (le) (rate(%s[30m]))) >= 0' % [
        objective.measure.quantile,
        // An empty selector has no braces to put the labels into.
        objective.measure.metric + '_bucket{' + (if config.selector == '' then '' else config.selector + ',') + '*}',
      ],
      '{{ . | first | value | humanizeDuration }}',
      'unknown'
    ),
    limitText: '{{ . | first | value | humanizeDuration }}',
    cause: annotations.slowness(),
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
      for pair in [pair { short: lib.range(pair.short), long: lib.range(pair.long) } for pair in pairs]
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
      local window = lib.range(level.pairs[0].long);
      annotations.alert(view.name, level.severity, objective.owner, expr(objective, level.pairs), view {
        // 71% of the requests of agent support_agent, tenant acme, succeeded in the last hour; the objective is 99.5%.
        description:
          lib.query('1 - tenant_agent:objective_bad:ratio_rate%s{objective="%s",*}' % [window, objective.id], '{{ . | first | value | humanizePercentage }}', 'An unknown share')
          + ' of the requests of ' + lib.affected + ', ' + view.did(objective) + ' in the last ' + lib.inWords(window)
          + '; the objective is ' + view.target(objective) + '.',
        value: view.found(objective, window),
        limit: limit(objective, view),
      }, { objective: objective.id })
      for level in config.burnRates
    ])
