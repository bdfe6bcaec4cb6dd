// Quality below its limit, and falling from month to month.
//
// Marks of different evaluators are never averaged with each other: a judge's mark, a pass rate and a person's opinion have scales of their
// own, and an evaluator with many events would hide one with few. Each has a mean of its own, weighted by its events; of those, the objective takes
// the lowest within the layer that is preferred (config.qualityLayers). That is the judge, whose mark the objective documents; scores made elsewhere
// where there is no judge; people's last, because they look at what seems bad. Unit checks are not marks and have a metric of their own.
function(config, lib, annotations, sums, objective)
  local scores = 'tenant_agent_evaluator:agent_quality_score';
  local bands = 'agent_messages:agent_quality_by_context';
  local byEvaluator = ['tenant_id', 'agent', 'layer', 'evaluator'];
  local byAgent = lib.labels(['tenant_id', 'agent']);
  local byBand = ['agent', 'messages'];
  local matchers = if config.qualitySelector == '' then [] else [config.qualitySelector];

  // of(layer) for the most preferred layer that an agent has.
  local preferred(of) = std.join(lib.fill('\nor on (%s)\n', [byAgent]), [of(lib.fill('{layer="%s"}', [layer])) for layer in config.qualityLayers]);

  // Over the hour where that has events enough, else over the day: a judge that looks at one request in a hundred gives few agents ten marks an hour.
  local mean(layer) = lib.fill(|||
    (
      %(scores)s_sum:increase1h%(layer)s / %(scores)s_count:increase1h%(layer)s
      and
      round(%(scores)s_count:increase1h%(layer)s) >= %(least)s
    or
      %(scores)s_sum:increase1d%(layer)s / %(scores)s_count:increase1d%(layer)s
      and
      round(%(scores)s_count:increase1d%(layer)s) >= %(least)s
    )
  |||, { scores: scores, layer: layer, least: config.minScores });

  local month(part, layer, offset='') = sums.month(scores + part + ':increase1d' + layer, offset);
  local monthMean(layer, offset='') = lib.fill('(%s)\n/\n(%s >= %s)', [month('_sum', layer, offset), month('_count', layer, offset), config.minMonthlyScores]);
  local change(layer) = lib.fill(|||
    (
      (
        %(now)s
      )
      /
      (
        %(before)s > 0
      )
      - 1
    and
      %(days)s >= %(least)s
    )
  |||, {
    now: monthMean(layer),
    before: monthMean(layer, sums.before),
    days: sums.daysOf(scores + '_count:increase1d' + layer, sums.before),
    least: config.minDaysOfMonthBefore,
  });

  local rules = lib.group('quality-long', [
    sums.hour(scores + part, byEvaluator, lib.series('agent_quality_score' + part, matchers))
    for part in ['_sum', '_count']
  ] + [
    { record: scores + part + ':increase1d', expr: sums.day(scores + part) }
    for part in ['_sum', '_count']
  ] + [
    { record: scores + ':mean', expr: preferred(mean) },
    objective.value('quality_score', lib.fill('min by (%s) (%s:mean)', [byAgent, scores])),
    { record: scores + ':change30d', expr: preferred(change) },
    objective.value('quality_change', lib.fill('min by (%s) (%s:change30d)', [byAgent, scores])),
  ] + [
    sums.hour(bands + part, byBand, lib.series('agent_quality_by_context' + part))
    for part in ['_sum', '_count']
  ] + [
    { record: bands + ':mean1d', expr: lib.fill('%s\n/\n(%s > 0)', [sums.day(bands + '_sum'), sums.day(bands + '_count')]) },
  ], config.longRangeEvaluationInterval);

  local mark = 'printf "%.3g"';
  local evaluator = 'evaluator ' + lib.name('.Labels.evaluator') + ' ({{ .Labels.layer }})';
  // Scores by context have no tenant.
  local worstBand(found, nothing) = lib.query(lib.fill('bottomk(1, %s:mean1d{*})', [bands]), '{{ with . | first }}' + found + '{{ end }}', nothing, [label for label in lib.who if label != 'tenant_id']);
  local lowest(found, nothing) = lib.query(lib.fill('bottomk(1, %s:mean{*})', [scores]), '{{ with . | first }}' + found + '{{ end }}', nothing);
  local compress = 'Compress the context past 50 messages.';
  local compare = 'Read the requests with the lowest scores, and compare them with those before the last deployment.';
  local remedy = worstBand(lib.fill('{{ if match "^(51-100|101\\\\+)$" .Labels.messages }}%s{{ else }}%s{{ end }}', [compress, compare]), compare);

  local low = objective.alert('AgentQualityLow', 'quality_score', objective.expr('quality_score'), {
    summary: 'The answers of an agent are not good enough',
    description: 'The quality of ' + lib.affected + ', is {{ $value | ' + mark + ' }}; the objective is above ' + objective.limit('quality_score', mark) + '.',
    value: '{{ $value | ' + mark + ' }}',
    limit: objective.limit('quality_score', mark),
    dashboard: 'quality',
    cause: {
      root_cause:
        lowest(evaluator + ' gives {{ .Value | ' + mark + ' }} on average', 'no evaluator has scores enough')
        + worstBand('; lowest with {{ .Labels.messages }} messages in the context: {{ .Value | ' + mark + ' }}', '')
        + annotations.badAnswers(),
      remedy: remedy,
    } + annotations.parts(lowest, annotations.evaluator) + annotations.inCommon('bad_answer'),
  }, { 'for': '5m', keep_firing_for: '15m' });

  local falling = objective.alert('AgentQualityFalling', 'quality_change', objective.exprOr('quality_change', config.qualityFall), {
    summary: 'The answers of an agent become worse from month to month',
    description: 'The quality of ' + lib.affected + ', of the last 30 days is {{ $value | humanizePercentage }} against that of the 30 days before; told from '
                 + objective.limitOr('quality_change', config.qualityFall, 'humanizePercentage') + '.',
    value: '{{ $value | humanizePercentage }}',
    limit: objective.limitOr('quality_change', config.qualityFall, 'humanizePercentage'),
    dashboard: 'quality',
    cause: annotations.top(
      lib.fill('-1 * %s:change30d{*}', [scores]),
      evaluator + ': its mean fell by {{ .Value | humanizePercentage }}',
      'no evaluator has scores enough',
      compare, compare,
      annotations.evaluator,
    ) + { remedy: remedy },
  }, { keep_firing_for: '1d' });

  { rules: [rules], alerts: [low, falling] }
