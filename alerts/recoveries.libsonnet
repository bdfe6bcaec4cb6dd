// Retries, fallbacks and escalations that come to nothing or to a person: the requests may still succeed, dearer and later, or by somebody's work.
// Compressions of a context count nowhere here: most answer no error, and a thousand that go well would hide every retry that does not.
function(config, lib, annotations)
  local who = lib.subjects(['agent']);
  local ratio = 'agent:agent_recoveries_unrecovered:ratio1h';
  local limit = '%g%%' % (config.recoveries.failingShare * 100);
  local share = '{{ $value | humanizePercentage }}';
  local met(matchers=[]) = lib.series('agent_recoveries_total', ['action!="compression"'] + matchers);
  local otherwise = 'Look at the errors of the agent that nothing made up for.';

  {
    rules: [lib.group('recoveries-long', [{
      record: ratio,
      expr: lib.fill('sum by (%s) (increase(%s[1h]))\n/\n(round(sum by (%s) (increase(%s[1h]))) >= %s)', [
        lib.labels(['agent']), met(['result!="recovered"']), lib.labels(['agent']), met(), config.recoveries.least,
      ]),
    }], config.longRangeEvaluationInterval)],
    alerts: [lib.group('recoveries', [
      annotations.alert(
        'AgentRecoveriesFailing',
        'warning',
        'agent-oncall',
        ratio + ' > ' + '%g' % config.recoveries.failingShare,
        {
          summary: 'What an agent does about errors does not help',
          description: share + ' of the errors of ' + lib.agentAffected + ' that were met with a retry or a fallback in the last hour were not made up for: the attempts were exhausted, '
                       + 'or a person or a larger model had to take over; told from ' + limit + '.',
          value: share,
          limit: limit,
          dashboard: 'errors',
          cause: annotations.top(
            lib.fill('sum by (step, name, action, result) (increase(%s[1h])) > 0', [met(['result!="recovered"', '*'])]),
            annotations.place + ': {{ .Value | printf "%.0f" }} errors {{ .Labels.result }} after a {{ .Labels.action }} in the last hour',
            'none in the last hour',
            annotations.choose('action', {
              retry: 'Stop retrying what does not come back: wait longer between the attempts, or fall back.',
              fallback: 'Look at what is fallen back to: it fails too, or it is a person.',
            }, otherwise),
            otherwise,
            ['step', 'name'],
            who,
          ),
        },
        rule={ 'for': '5m', keep_firing_for: '15m' },
        who=who,
      ),
    ])],
  }
