// Where a value is expected, and how far from there it is still ordinary.
//   agent:anomaly:expected{signal,agent,history}   what each of three histories says: recent, day, week
//   agent:anomaly:center{signal,agent}             what they say together
//   agent:anomaly:deviation{signal,agent}          how far the value is from there
//   agent:anomaly:spread{signal,agent,method}      how far it has been, by its median (robust) and by its standard deviation (gaussian)
//   agent:anomaly:lower, :upper{signal,agent}      the band; there is none before there is a history
//   agent:anomaly:warm{signal,agent}               1 once there is
function(config, lib, signals)
  local settings = config.anomalies;
  local by = lib.labels(['signal', 'agent']);
  local value = 'agent:anomaly:value';
  local on(scale, name) = lib.fill('%s{signal=~"%s"}', [name, signals.onScale[scale]]);
  local memory = lib.fill('agent:anomaly:deviation[%s]', [settings.memory]);
  // What is recorded at long intervals is older than Prometheus looks back for by itself.
  local remembered = lib.duration(2.5 * lib.seconds(settings.memoryInterval));

  // The same time of a day before, in the middle of as much as smooths it.
  local ago(duration) = lib.duration(lib.seconds(duration) - lib.seconds(settings.smoothing) / 2);
  // A median: what was an anomaly then does not make one expected now, unless it lasted half the range.
  local expected(history, range, offset='') = {
    record: 'agent:anomaly:expected',
    labels: { history: history },
    expr: lib.fill('quantile_over_time(0.5, %s[%s]%s)', [value, range, if offset == '' then '' else ' offset ' + offset]),
  };

  // Yesterday and last week, once there are both: what lies between them is ordinary, because nobody can tell whether today is like yesterday
  // or, as on a Monday, like a week ago. Not the last hours then: they follow an anomaly, and hide what rises slowly. In an agent's first
  // week, and where one of the two is missing, they stand in.
  local seasonal = 'agent:anomaly:expected{history=~"day|week"}';
  local between(edge) = {
    record: 'agent:anomaly_center:' + edge,
    expr: lib.fill(|||
      (%s by (%s) (%s) and count by (%s) (%s) == 2)
      or
      %s by (%s) (agent:anomaly:expected)
    |||, [edge, by, seasonal, by, seasonal, edge, by]),
  };
  local least = 'agent:anomaly_center:min';
  local most = 'agent:anomaly_center:max';

  // How far outside of min and max, on the scale of the signal.
  local distance = {
    log: [lib.fill('ln(%s / %s)', [on('log', value), most]), lib.fill('ln(%s / %s)', [least, on('log', value)])],
    root: [lib.fill('sqrt(%s) - sqrt(%s)', [on('root', value), most]), lib.fill('sqrt(%s) - sqrt(%s)', [least, on('root', value)])],
    linear: [lib.fill('%s - %s', [on('linear', value), most]), lib.fill('%s - %s', [least, on('linear', value)])],
  };
  local edge = {
    log: { lower: '%s * exp(-agent:anomaly:width)', upper: '%s * exp(agent:anomaly:width)' },
    root: { lower: 'clamp_min(sqrt(%s) - agent:anomaly:width, 0) ^ 2', upper: 'clamp_max(sqrt(%s) + agent:anomaly:width, 1) ^ 2' },
    linear: { lower: 'clamp_min(%s - agent:anomaly:width, 0)', upper: 'clamp_max(%s + agent:anomaly:width, 1)' },
  };
  local scales = std.objectFields(edge);
  local any(parts) = std.join('\nor\n', parts);

  {
    expected: [
      expected('recent', settings.recent),
      expected('day', settings.smoothing, ago('1d')),
      expected('week', settings.smoothing, ago('7d')),
    ] + [between('min'), between('max')] + [
      { record: 'agent:anomaly:center', expr: lib.fill('(%s + %s) / 2', [least, most]) },
    ],

    bands: [
      { record: 'agent:anomaly:width', expr: lib.fill('max by (%s) (last_over_time(agent:anomaly:spread[%s]))', [by, remembered]) },
      {
        record: 'agent:anomaly:warm',
        expr: lib.fill('last_over_time(agent:anomaly_deviation:count[%s]) >= bool %s\nand\n%s', [remembered, lib.seconds(settings.warmUp) / lib.seconds(settings.memoryInterval), value]),
      },
      // No band before it is warm: whoever reads one cannot be told of an anomaly too early.
      { record: 'agent:anomaly:lower', expr: lib.fill('(\n%s\n)\nand\nagent:anomaly:warm == 1', [any([lib.fill(edge[scale].lower, [on(scale, least)]) for scale in scales])]) },
      {
        record: 'agent:anomaly:upper',
        // Where no requests are expected, the first ones of the day are no anomaly: an agent begins.
        expr: lib.fill('(\n%s\n)\nand\nagent:anomaly:warm == 1\nunless\n%s{signal="requests"} * %s < %s', [
          any([lib.fill(edge[scale].upper, [on(scale, most)]) for scale in scales]),
          most,
          lib.seconds(lib.range(settings.window)),
          settings.minEvents,
        ]),
      },
      {
        record: 'agent:anomaly:distance',
        expr: lib.fill('clamp_max(\n%s\nor\n0 * (%s and %s), %s)', [
          any([lib.fill('%s > 0', [side]) for scale in scales for side in distance[scale]]),
          value,
          most,
          '%g' % settings.maxDeviation,
        ]),
      },
    ],

    // The alerts ask for a value outside of the robust band and of the gaussian one, which is a value outside of the wider. The robust one alone takes every
    // rare but regular burst for an anomaly; the gaussian one alone is too narrow where the ordinary is skewed.
    memory: [
      {
        // An anomaly is remembered as far as the edge of the band that it broke, so that it hardly widens the band for the next one.
        record: 'agent:anomaly:deviation',
        expr: |||
          agent:anomaly:distance < agent:anomaly:width
          or
          (agent:anomaly:width and agent:anomaly:distance and agent:anomaly:warm == 1)
          or
          agent:anomaly:distance
        |||,
      },
      { record: 'agent:anomaly_deviation:count', expr: lib.fill('count_over_time(%s)', [memory ])},
      {
        record: 'agent:anomaly:spread',
        labels: { method: 'robust' },
        // 1.4826 medians of the absolute deviation are one standard deviation of a normal distribution.
        expr: lib.fill('%s * quantile_over_time(0.5, %s)', ['%g' % (settings.robustFactor * 1.4826), memory]),
      },
      {
        record: 'agent:anomaly:spread',
        labels: { method: 'gaussian' },
        // About what was expected, not about their own mean: the root of the mean of the squares.
        expr: lib.fill('%s * sqrt(avg_over_time(%s) ^ 2 + stddev_over_time(%s) ^ 2)', ['%g' % settings.gaussianFactor, memory, memory]),
      },
    ],
  }
