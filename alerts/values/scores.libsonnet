// An evaluator that stopped scoring while requests go on: the quality objective would be silent, and look met. How many scores there should be is
// learnt from the last week, a day of it at least, as scores by request; of people nothing regular is expected, nor of an evaluator that is still
// for most of the day.
function(config, lib, annotations, sums, objective)
  local scores = 'agent_evaluator:agent_quality_score';
  local by = lib.labels(['agent', 'layer', 'evaluator']);
  local byAgent = lib.labels(['agent']);
  local recently = config.scoresMissingRange;
  // Recorded where agents are watched for silence.
  local requests = 'agent:agent_requests:increase1h';
  local hour = scores + '_count:increase1h';

  local rules = lib.group('scores-long', [
    { record: hour, expr: lib.fill('sum by (%s) (tenant_agent_evaluator:agent_quality_score_count:increase1h{layer!="human"})', [by ])},
    {
      record: scores + ':per_request7d',
      expr: lib.fill(|||
        (
          %s
          and
          quantile_over_time(0.75, %s[7d:30m]) > 0
          and
          count_over_time(%s[7d:30m]) >= 48
        )
        / on (%s) group_left ()
        (%s > 0)
      |||, [sums.over(hour, '7d', '30m'), hour, hour, byAgent, sums.over(requests, '7d', '30m')]),
    },
    {
      // How many scores should have come in the meantime; nothing where one came, of it or of another version of its rubric (judge/answer@2).
      record: scores + ':missing',
      local rubric(expr) = lib.fill('label_replace(label_replace(%s, "rubric", "$1", "evaluator", "(.*)"), "rubric", "$1", "evaluator", "(.+)@[^@]+")', [expr]),
      expr: lib.fill(|||
        max without (rubric) (
          %s
          unless on (%s)
          %s
        )
      |||, [
        rubric(lib.fill('%s:per_request7d * on (%s) group_left () %s', [scores, byAgent, lib.fill('(%s)', [sums.over(requests, recently, '30m')])])),
        lib.labels(['agent', 'layer', 'rubric']),
        rubric(lib.fill('max_over_time(%s[%s:30m]) > 0', [hour, recently])),
      ]),
    },
  ], config.longRangeEvaluationInterval);

  local evaluator = 'evaluator ' + lib.name('$labels.evaluator') + ' ({{ $labels.layer }})';
  local missing = annotations.alert('QualityScoresMissing', 'warning', 'agent-team', lib.fill('%s:missing >= %s', [scores, config.minScores]), {
    summary: 'An evaluator stopped scoring while requests go on',
    description: evaluator + ' gave no score to ' + objective.agent + ' in the last ' + lib.inWords(recently) + '; {{ $value | printf "%.0f" }} were to be expected. Its quality is not known.',
    value: '0',
    limit: '{{ $value | printf "%.0f" }} expected',
    dashboard: 'quality',
    cause: {
      root_cause: evaluator + ': no score in the last ' + lib.inWords(recently),
      root_cause_name: '{{ $labels.evaluator }}',
      remedy: '{{ if eq $labels.layer "judge" }}Check the key, the budget and the errors of the judge.{{ else }}See whether the evaluator runs, and whether its scores carry the id of the trace.{{ end }}',
    },
  }, who=objective.cluster + ['agent']);

  { rules: [rules], alerts: [missing] }
