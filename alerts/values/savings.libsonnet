// The part of the cost that need not have been, over a week, by reason.
local remedies = import '../remedies.json';

function(config, lib, annotations, sums, objective)
  local byAgent = lib.labels(['tenant_id', 'agent']);
  local avoidable = 'tenant_agent_reason:agent_avoidable_cost_usd';
  local total = 'tenant_agent:agent_cost_usd';
  local week(record) = { record: record + ':increase7d', expr: sums.over(record + ':increase1h', '7d', '30m') };

  local rules = lib.group('savings-long', [
    sums.hour(avoidable, ['tenant_id', 'agent', 'reason'], lib.series('agent_avoidable_cost_usd_total')),
    week(avoidable),
    week(total),
    // Of all cost, so that the reasons add up to the objective.
    { record: avoidable + ':share7d', expr: lib.fill('%s:increase7d\n/ on (%s) group_left ()\n(%s:increase7d > 0)', [avoidable, byAgent, total]) },
    // Increases are estimates: where all is avoidable they may say a little more than all.
    objective.value('cost_optimisation', lib.fill('clamp_max(sum by (%s) (%s:share7d), 1)', [byAgent, avoidable])),
  ], config.longRangeEvaluationInterval);

  local otherwise = 'See the reasons on the Cost dashboard, dearest first.';

  local waiting = objective.alert('AgentSavingsWaiting', 'cost_optimisation', objective.expr('cost_optimisation') + lib.fill(|||

    and on (%s)
    sum by (%s) (%s:increase7d) >= %s
  |||, [byAgent, byAgent, avoidable, '%g' % config.minSavingsUsd]), {
    summary: 'An agent spends money that it could save',
    description: '{{ $value | humanizePercentage }} of the cost of ' + lib.affected + ', in the last 7 days need not have been'
                 + lib.query(lib.fill('sum(%s:increase7d{*})', [avoidable]), ': {{ . | first | value | printf "$%.2f" }}') + '; told above '
                 + objective.limit('cost_optimisation', 'humanizePercentage') + '.',
    value: '{{ $value | humanizePercentage }}',
    limit: objective.limit('cost_optimisation', 'humanizePercentage'),
    dashboard: 'cost',
    cause: annotations.top(
      avoidable + ':share7d{*}',
      lib.name('.Labels.reason') + ': {{ .Value | humanizePercentage }} of the cost of the last 7 days',
      'no reason is known',
      annotations.choose('reason', remedies.savings, otherwise),
      otherwise,
    ),
  }, { keep_firing_for: '1d' });

  { rules: [rules], alerts: [waiting] }
