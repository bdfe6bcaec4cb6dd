// Checks of results and answers that fail. By check, because a single one that always fails is lost in an agent's mean. Checks have no tenant.
function(config, lib, annotations, sums, objective)
  local checks = 'agent_check:agent_quality_checks';
  local by = lib.labels(['agent', 'name', 'check']);
  local failed = checks + '_failed:ratio';

  // Those that were made: without content, or with too much of it, nothing is known.
  local ratio(range) = lib.fill(|||
    sum by (%(by)s) (%(checks)s:increase%(range)s{result="fail"}) / sum by (%(by)s) (%(checks)s:increase%(range)s)
    and
    round(sum by (%(by)s) (%(checks)s:increase%(range)s)) >= %(least)s
  |||, { by: by, checks: checks, range: range, least: config.minEvents });

  local rules = lib.group('checks-long', [
    sums.hour(checks, ['agent', 'name', 'check', 'result'], lib.series('agent_quality_checks_total', ['result=~"pass|fail"'])),
    { record: checks + ':increase1d', expr: sums.day(checks) },
    // Over the hour where that has checks enough, else over the day.
    { record: failed, expr: ratio('1h') + 'or\n' + ratio('1d') },
  ], config.longRangeEvaluationInterval);

  local who = objective.cluster + ['agent'];
  local look = 'Read the lines of the log with checks_failed, and compare with the last deployment of the tool and of the agent.';
  local failing = annotations.alert('AgentChecksFailing', 'warning', 'agent-team', lib.fill('max by (%s) (%s) > %s', [lib.labels(['agent']), failed, config.maxChecksFailing]), {
    summary: 'Results or answers are not what is expected of them',
    description: 'A check of ' + objective.agent + ' failed {{ $value | humanizePercentage }} of the times; at most %g%% should.' % (config.maxChecksFailing * 100),
    value: '{{ $value | humanizePercentage }}',
    limit: '%g%%' % (config.maxChecksFailing * 100),
    dashboard: 'quality',
    cause: annotations.top(
      failed + '{*}',
      'check ' + lib.name('.Labels.check') + ' of ' + lib.name('.Labels.name') + ': failed {{ .Value | humanizePercentage }} of the times',
      'no check that fails',
      look, look, ['name'], who,
    ),
  }, rule={ 'for': '5m', keep_firing_for: '15m' }, who=who);

  { rules: [rules], alerts: [failing] }
