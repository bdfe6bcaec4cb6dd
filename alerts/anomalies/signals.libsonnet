// What is watched of each agent, as series that are alike but for their label `signal`:
//   agent:anomaly:value{signal,agent}                            the value now
//   agent:anomaly:spread{signal,agent,method="sampling|least"}   how far it may be from what is expected by chance alone, and in any case
// Cost and tokens are per request, and errors a ratio, so that more traffic is one anomaly and not four.
function(config, lib)
  local settings = config.anomalies;
  local by = lib.labels(['agent']);
  local window = lib.range(settings.window);
  local scoreWindow = lib.range(settings.scoreWindow);
  local sum(series, range) = lib.fill('sum by (%s) (rate(%s[%s]))', [by, series, range]);
  local own(name, signal) = lib.fill('%s{signal="%s"}', [name, signal]);

  local requests = lib.fill('sum by (%s) (%s)', [by, own('agent:anomaly:value', 'requests')]);
  local inWindow = lib.fill('%s * %s', [requests, lib.seconds(window)]);
  // A ratio or a quantile of a handful of requests is chance.
  local ofEnough(expr) = lib.fill('(%s)\nand on (%s)\n(%s >= %s)', [expr, by, inWindow, settings.minEvents]);

  // How a signal is measured: the scale that its noise is even on, and of that scale the noise of a single event.
  //   log     what grows and shrinks by factors. A mean or a quantile of n skewed values has a noise of about 1/√n of itself; a count has exactly that.
  //   root    a share. Its square root has the noise 1/(2√n) whatever the share is, and 0 is no special case.
  //   linear  a mean of scores, which differ by about a quarter.
  local noise = { log: 1, root: 0.5, linear: 0.25 };

  // `least`: half of the narrowest band. A history without any noise would make everything an anomaly, and nobody gets up for 5 %.
  local signals = [
    {
      signal: 'requests',
      scale: 'log',
      value: sum(lib.series('agent_requests_total'), window),
      // Of the requests that are expected, not of those that came: none at all is a surprise where a hundred were due.
      events: lib.fill('clamp_min(sum by (%s) (%s) * %s, 1)', [by, own('agent:anomaly:center', 'requests'), lib.seconds(window)]),
    },
    {
      signal: 'errors',
      scale: 'root',
      local bad = lib.series('agent_requests_total', ['outcome!="success"']),
      // An outcome that never happened has no series.
      value: ofEnough(lib.fill('(%s or 0 * %s)\n/\n%s', [sum(bad, window), requests, requests])),
    },
    {
      signal: 'latency',
      scale: 'log',
      // Of the 95 of a hundred that people feel; unlike a mean it does not care whether one request hung for a minute or an hour.
      value: ofEnough(lib.fill('histogram_quantile(0.95, sum by (%s, le) (rate(%s[%s]))) > 0', [by, lib.series('agent_request_duration_seconds_bucket'), window])),
    },
    {
      signal: 'cost',
      scale: 'log',
      value: ofEnough(lib.fill('%s\n/\n%s > 0', [sum(lib.series('agent_request_cost_usd_sum'), window), sum(lib.series('agent_request_cost_usd_count'), window)])),
    },
    {
      signal: 'tokens',
      scale: 'log',
      value: ofEnough(lib.fill('%s\n/\n%s > 0', [sum(lib.series('agent_tokens_total', ['type=~"input|output"']), window), requests])),
    },
    {
      signal: 'quality',
      scale: 'linear',
      local matchers = if config.qualitySelector == '' then [] else [config.qualitySelector],
      local count = sum(lib.series('agent_quality_score_count', matchers), scoreWindow),
      value: lib.fill('%s\n/\n(%s * %s >= %s)\n* %s', [sum(lib.series('agent_quality_score_sum', matchers), scoreWindow), count, lib.seconds(scoreWindow), settings.minEvents, lib.seconds(scoreWindow)]),
      events: lib.fill('%s * %s', [count, lib.seconds(scoreWindow)]),
    },
  ];

  local named(names) = lib.fill('agent:anomaly:value{signal=~"%s"}', [std.join('|', names)]);
  local onScale(scale) = [signal.signal for signal in signals if signal.scale == scale];
  // A chance of so many events, on each signal whose value is of them.
  local sampling(scale, events, names) = lib.fill('0 * %s + on (%s) group_left () %s / sqrt(%s)', [named(names), by, '%g' % (settings.samplingFactor * noise[scale]), events]);
  {
    onScale: { [scale]: std.join('|', onScale(scale)) for scale in std.objectFields(noise) },
    values: [{ record: 'agent:anomaly:value', labels: { signal: signal.signal }, expr: signal.value } for signal in signals],
    spreads: [
      {
        record: 'agent:anomaly:spread',
        labels: { method: 'sampling' },
        expr: std.join('\nor\n', [sampling(signal.scale, signal.events, [signal.signal]) for signal in signals if std.objectHas(signal, 'events')] + [
          sampling(scale, inWindow, [signal.signal for signal in signals if signal.scale == scale && !std.objectHas(signal, 'events')])
          for scale in ['log', 'root']
        ]),
      },
      {
        record: 'agent:anomaly:spread',
        labels: { method: 'least' },
        expr: std.join('\nor\n', [lib.fill('0 * %s + %s', [own('agent:anomaly:value', signal.signal), '%g' % settings.least[signal.signal]]) for signal in signals]),
      },
    ],
  }
