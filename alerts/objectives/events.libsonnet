// What an objective counts, in one shape for all kinds: events and bad events per second, and their ratios, by window.
//   tenant_project_agent:objective_events:rate5m       events a second
//   tenant_project_agent:objective_bad_events:rate5m   those that missed the objective
//   tenant_project_agent:objective_good:ratio_rate5m   the share that met it, of the shortest window
//   tenant_agent:objective_bad:ratio_rate5m            what the alerts judge
//   tenant_agent:objective:value                       the success rate or the latency now, in the unit of its limit
// An objective that is measured of the bridge as a whole has none of these labels in them, and one series for each cluster.
function(config, lib, hourly)
  local byProject(objective) = lib.labels((if objective.per == [] then [] else ['tenant_id', 'project_id', 'agent']));
  local byAgent(objective) = lib.labels(objective.per);
  local rate(objective, series, window) = lib.fill('sum by (%s) (rate(%s[%s]))', [byProject(objective), series, window]);
  local own(name, objective) = lib.fill('%s{objective="%s"}', [name, objective.id]);

  // An outcome that never happened has no series; without the second half, neither would the ratio.
  local ratioKind(objective) = {
    local bad = lib.fill('%s=~"%s"', [objective.measure.label, std.join('|', objective.measure.bad)]),
    sources: [],
    value: '1 - ' + own('tenant_agent:objective_bad:ratio_rate' + lib.recent, objective),
    events(window): rate(objective, lib.series(objective.measure.metric), window),
    badEvents(window): lib.fill('%s\nor\n0 * sum by (%s) (%s)', [
      rate(objective, lib.series(objective.measure.metric, [bad]), window),
      byProject(objective),
      own('tenant_project_agent:objective_events:rate' + window, objective),
    ]),
  };

  // A latency objective counts requests slower than the limit, which is exact where the limit is a bucket boundary. The limit becomes a
  // label by count_values, and by that label picks its bucket. Picked are counters, not rates: the range queries then read one series
  // where the histogram has 23, and a request stays judged by the limit in force when it was counted. `le` stays on both counters
  // so that both begin anew when a limit changes; otherwise the requests of the new bucket would be set against those of the whole window.
  local latencyKind(objective) = {
    local limits = own('tenant_agent:objective:le', objective),
    local all = own('objective:requests:total', objective),
    local fast = own('objective:fast_requests:total', objective),
    sources: [
      {
        record: 'tenant_agent:objective:le',
        expr: lib.fill('count_values by (%s) ("le", %s)', [byAgent(objective), own('tenant_agent:objective:limit', objective)]),
      },
      {
        record: 'objective:requests:total',
        expr: lib.fill('%s * on (%s) group_left (le) %s', [lib.series(objective.measure.metric + '_count'), byAgent(objective), limits]),
      },
      {
        record: 'objective:fast_requests:total',
        // Prometheus 3 writes le="1.0" where count_values and Prometheus 2 write le="1".
        expr: lib.fill(|||
          %s * on (%s) group_left () (
            %s
            or
            label_replace(%s, "le", "$1.0", "le", "([0-9]+)")
          )
        |||, [lib.series(objective.measure.metric + '_bucket'), lib.labels(objective.per + ['le']), limits, limits]),
      },
    ],
    events(window): rate(objective, all, window),
    // >= 0 drops the NaN of an hour without requests.
    value: lib.fill('histogram_quantile(%s, sum by (%s) (rate(%s[%s]))) >= 0', [
      '%g' % objective.measure.quantile,
      lib.labels(objective.per + ['le']),
      lib.series(objective.measure.metric + '_bucket'),
      lib.recent,
    ]),
    // The two are extrapolated each by itself, which can leave a difference just below 0.
    badEvents(window): lib.fill('clamp_min(%s - %s, 0)', [rate(objective, all, window), rate(objective, fast, window)]),
  };

  local kinds = { ratio: ratioKind, latency: latencyKind };

  local ofWindow(objective, kind, window) = [
    { record: 'tenant_project_agent:objective_events:rate' + window, expr: kind.events(window) },
    { record: 'tenant_project_agent:objective_bad_events:rate' + window, expr: kind.badEvents(window) },
    {
      record: 'tenant_agent:objective_bad:ratio_rate' + window,
      expr: lib.fill('sum by (%s) (%s)\n/\n(sum by (%s) (%s) > 0)', [
        byAgent(objective),
        own('tenant_project_agent:objective_bad_events:rate' + window, objective),
        byAgent(objective),
        own('tenant_project_agent:objective_events:rate' + window, objective),
      ]),
    },
  ];

  // By project, for whoever looks where it comes from; the alerts do not read it.
  local good(objective) =
    local window = lib.windows[0];
    {
      record: 'tenant_project_agent:objective_good:ratio_rate' + window,
      expr: lib.fill('1 - %s / (%s > 0)', [
        own('tenant_project_agent:objective_bad_events:rate' + window, objective),
        own('tenant_project_agent:objective_events:rate' + window, objective),
      ]),
    };

  function(objective)
    local kind = kinds[objective.measure.kind](objective);
    local labelled(rules) = [rule { labels: { objective: objective.id } } for rule in rules];
    local ranges(windows) = std.flattenArrays([ofWindow(objective, kind, window) for window in windows]);
    [
      lib.group(objective.id, labelled(kind.sources + ranges([w for w in lib.windows if !lib.isLong(w)]) + [good(objective)])),
      lib.group(objective.id + '-long', labelled(ranges([w for w in lib.windows if lib.isLong(w)]) + [{ record: 'tenant_agent:objective:value', expr: kind.value }] + hourly(objective)), config.longRangeEvaluationInterval),
    ]
