// Whether errors are given the right type, as far as people have said so, and how many get none.
function(config, lib, annotations, sums, objective)
  local byPair = lib.labels(['predicted', 'actual']);
  local everywhere = lib.labels([]);
  local labels = 'predicted_actual:agent_error_labels';
  // What does not look like a type is nobody's: an empty answer, a sentence, what the series limit has thrown together.
  local type = '=~"[a-z0-9][a-z0-9_]*"';
  local month = labels + ':increase30d';
  // The pairs that agree. Two labels cannot be compared, but one can be written over the other: of all pairs (p, p) that p makes, those stay that there are.
  local right = lib.fill(|||
    (
      %s
      and on (%s)
      label_replace(sum by (%s) (%s), "actual", "$1", "predicted", "(.*)")
    )
  |||, [month, byPair, lib.labels(['predicted']), month]);

  local errors = 'agent_class_step:agent_errors';
  local byAgent = lib.labels(['agent']);
  local unclassified = 'agent_step:agent_errors_unclassified';

  local rules = lib.group('classification-long', [
    // Labels are rare, so that each first one counts.
    sums.hourOfFew(labels, ['predicted', 'actual'], lib.series('agent_error_labels_total', ['predicted' + type, 'actual' + type])),
    { record: month, expr: sums.over(labels + ':increase1h', '30d', '1h') },
    {
      record: 'predicted_actual:agent_error_labels_wrong:share30d',
      expr: lib.fill('(\n%s > 0\nunless\n%s)\n/ on (%s) group_left ()\nsum by (%s) (%s)', [month, right, everywhere, everywhere, month]),
    },
    // All wrong is 0, not nothing.
    objective.value('classification_accuracy', lib.fill(|||
      (
        sum by (%(all)s) (%(right)s)
        or
        0 * sum by (%(all)s) (%(month)s)
      )
      /
      (sum by (%(all)s) (%(month)s) >= %(least)s)
    |||, { all: everywhere, right: right, month: month, least: config.minLabels })),

    sums.hourOfFew(errors, ['agent', 'class', 'step', 'name'], lib.series('agent_errors_total')),
    { record: errors + ':increase1d', expr: sums.day(errors) },
    { record: unclassified + ':increase1d', expr: lib.fill('sum by (%s) (%s:increase1d{class="unclassified"}) > 0', [lib.labels(['agent', 'step', 'name']), errors]) },
    { record: unclassified + ':share1d', expr: lib.fill('%s:increase1d\n/ on (%s) group_left ()\nsum by (%s) (%s:increase1d)', [unclassified, byAgent, byAgent, unclassified]) },
    {
      record: 'agent:agent_errors_unclassified:ratio1d',
      expr: lib.fill('sum by (%s) (%s:increase1d)\n/\n(round(sum by (%s) (%s:increase1d)) >= %s)', [byAgent, unclassified, byAgent, errors, config.minErrors]),
    },
  ], config.longRangeEvaluationInterval);

  local pair = 'people say ' + lib.name('.Labels.actual') + ' where the type was ' + lib.name('.Labels.predicted');
  local learn = 'Read traces of errors that were given the wrong type, and correct the words that decide it.';
  local inaccurate = objective.alert('ErrorClassificationInaccurate', 'classification_accuracy', objective.expr('classification_accuracy'), {
    summary: 'Errors are given the wrong type',
    description: '{{ $value | humanizePercentage }} of the errors that people labelled in the last 30 days had the right type; the objective is above '
                 + objective.limit('classification_accuracy', 'humanizePercentage', objective.cluster) + '. Root causes and remedies in pages follow the type.',
    value: '{{ $value | humanizePercentage }}',
    limit: objective.limit('classification_accuracy', 'humanizePercentage', objective.cluster),
    dashboard: 'errors',
    cause: annotations.top('predicted_actual:agent_error_labels_wrong:share30d{*}', pair + ', {{ .Value | humanizePercentage }} of all labels', 'no wrong label in the last 30 days', learn, learn, who=objective.cluster),
  }, { keep_firing_for: '1d' }, objective.cluster);

  local label = 'Read traces of these errors and label them; then extend the words that decide the type.';
  local unknown = annotations.alert('ErrorsUnclassified', 'warning', 'platform', 'agent:agent_errors_unclassified:ratio1d > %g' % config.maxUnclassified, {
    summary: 'Too many errors have no type',
    description: '{{ $value | humanizePercentage }} of the errors of ' + objective.agent + ' in the last day are unclassified; at most %g%% should be. Pages about them name no remedy.' % (config.maxUnclassified * 100),
    value: '{{ $value | humanizePercentage }}',
    limit: '%g%%' % (config.maxUnclassified * 100),
    dashboard: 'errors',
    cause: annotations.top(
      unclassified + ':share1d{*}',
      annotations.place + ': {{ .Value | humanizePercentage }} of the unclassified errors of the last day',
      'no unclassified error in the last day',
      label, label, ['step', 'name'], objective.cluster + ['agent'],
    ),
  }, rule={ keep_firing_for: '1d' }, who=objective.cluster + ['agent']);

  { rules: [rules], alerts: [inaccurate, unknown] }
