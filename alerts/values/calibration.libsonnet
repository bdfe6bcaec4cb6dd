// A judge that people no longer agree with. Agreement is Cohen's kappa, reckoned by the bridge with its 95 % interval (src/quality/calibration): a judge has
// drifted when even the upper bound is below the limit, or below what the lower bound was over the last days, so that chance alone is no explanation.
// Each bridge has the words of those who told it; the one that agrees best speaks for a judge.
function(config, lib, annotations, sums, objective)
  local limits = config.calibration;
  local by = lib.labels(['evaluator']);
  local kappa = 'evaluator:spanbridge_judge_kappa';
  // With fewer pairs an interval tells little.
  local of(bound) = lib.fill('max by (%s) (%s and %s >= %s)', [by, lib.series('spanbridge_judge_kappa_' + bound), lib.series('spanbridge_judge_pairs'), limits.minPairs]);

  local now = lib.group('calibration', [
    { record: kappa + ':upper', expr: of('upper') },
    { record: kappa + ':lower', expr: of('lower') },
  ]);
  local past = lib.group('calibration-long', [
    // The median: a bound that was high once by chance is no past.
    { record: kappa + ':limit', expr: lib.fill('clamp_min(quantile_over_time(0.5, %s:lower[%s:1h]), %s)', [kappa, limits.past, '%g' % limits.minKappa]) },
  ], config.longRangeEvaluationInterval);

  local judge = 'the judge ' + lib.name('$labels.evaluator') + lib.where;
  local marks = '{{ . | first | value | printf "%.2f" }}';
  local drifting = annotations.alert('JudgeDrifting', 'warning', 'agent-team', kappa + ':upper < ' + kappa + ':limit', {
    summary: 'A judge no longer marks as people do',
    description: 'The agreement of ' + judge + ' with people, beyond chance, is {{ $value | printf "%.2f" }} at most; the limit is '
                 + lib.query(kappa + ':limit{*}', marks, '', lib.subjects(['evaluator']))
                 + ': ' + '%g' % limits.minKappa + ', or what it was at least in the ' + lib.inWords(limits.past) + ' before.',
    value: '{{ $value | printf "%.2f" }}',
    limit: lib.query(kappa + ':limit{*}', marks, '', lib.subjects(['evaluator'])),
    dashboard: 'quality',
    cause: annotations.top(
      lib.series('spanbridge_judge_bias', ['*']),
      '{{ if gt .Value 0.05 }}the judge is milder than people, by {{ .Value | printf "%.2f" }} of 1{{ else if lt .Value -0.05 }}the judge is stricter than people, by {{ .Value | printf "%.2f" }} of 1{{ else }}the judge is neither milder nor stricter than people, and differs case by case{{ end }}',
      'people say good or bad and give no marks: by how much they differ is not known',
      '{{ if gt .Value 0.05 }}Read the cases in which they differ (spanbridge calibrate), and tell the rubric what makes an answer bad.{{ else if lt .Value -0.05 }}Read the cases in which they differ (spanbridge calibrate), and tell the rubric what does not matter.{{ else }}Read the cases in which they differ (spanbridge calibrate): what the judge does not see may not be in what it is shown.{{ end }}',
      'Read the cases in which they differ (spanbridge calibrate), and give the rubric a new version.',
      who=lib.subjects(['evaluator']),
    ) + { root_cause_name: '{{ $labels.evaluator }}' },
  }, rule={ 'for': limits['for'], keep_firing_for: lib.range(config.memory) }, who=lib.subjects([]));

  { rules: [now, past], alerts: [drifting] }
