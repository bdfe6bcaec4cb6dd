// What a request costs, what costs it, and how the cost grows.
function(config, lib, annotations, sums, objective)
  local byAgent = lib.labels(['tenant_id', 'agent']);
  local requests = 'tenant_agent:agent_request_cost_usd';
  local steps = 'tenant_agent_step:agent_cost_usd';
  local total = 'tenant_agent:agent_cost_usd';

  local mean(range) = lib.fill('%s_sum:%s / %s_count:%s\nand\nround(%s_count:%s) >= %s', [requests, range, requests, range, requests, range, config.minEvents]);

  local rules = lib.group('cost-long', [
    sums.hour(requests + part, ['tenant_id', 'agent'], lib.series('agent_request_cost_usd' + part))
    for part in ['_sum', '_count']
  ] + [
    { record: requests + part + ':increase1d', expr: sums.day(requests + part) }
    for part in ['_sum', '_count']
  ] + [
    // Over the hour where that has requests enough, else over the day.
    objective.value('cost_per_request', mean('increase1h') + '\nor\n' + mean('increase1d')),

    sums.hour(steps, ['tenant_id', 'agent', 'step', 'name'], lib.series('agent_cost_usd_total')),
    { record: total + ':increase1h', expr: lib.fill('sum by (%s) (%s:increase1h)', [byAgent, steps]) },
    {
      record: steps + ':share1h',
      expr: lib.fill('(%s:increase1h > 0)\n/ on (%s) group_left ()\n%s:increase1h', [steps, byAgent, total]),
    },
    { record: total + ':increase1d', expr: sums.day(total) },
    { record: total + ':increase30d', expr: sums.month(total + ':increase1d') },
    objective.value('cost_growth', lib.fill(|||
      %s:increase30d
      /
      (%s >= %s)
      - 1
      and
      %s >= %s
    |||, [
      total,
      sums.month(total + ':increase1d', sums.before),
      '%g' % config.minMonthlyUsd,
      sums.daysOf(total + ':increase1d', sums.before),
      config.minDaysOfMonthBefore,
    ])),
  ], config.longRangeEvaluationInterval);

  local usd = 'printf "$%.4f"';
  local cheaper = {
    model: 'Use a cheaper model or a shorter prompt, and cache the beginning of the prompt.',
    embedding: 'Batch the embedding calls and cache their results.',
    retrieval: 'Fetch fewer documents, and cache what is fetched again.',
    tool: 'Cache the answers of the tool, and call it only when they are needed.',
    guardrail: 'Run the guardrail on a smaller model.',
    evaluation: 'Evaluate a sample of the requests.',
  };
  local otherwise = 'Look at the trace of a dear request: what costs it is not a step.';
  local dearest = annotations.top(
    steps + ':share1h{*}',
    annotations.place + ': {{ .Value | humanizePercentage }} of the cost of the last hour',
    'no step with a cost in the last hour',
    annotations.choose('step', cheaper, otherwise),
    otherwise,
    ['step', 'name'],
  );

  local high = objective.alert('AgentCostPerRequestHigh', 'cost_per_request', objective.expr('cost_per_request'), {
    summary: 'The requests of an agent cost more than they may',
    description: 'A request of ' + lib.affected + ', costs {{ $value | ' + usd + ' }} on average; the objective is below ' + objective.limit('cost_per_request', usd) + '.',
    value: '{{ $value | ' + usd + ' }}',
    limit: objective.limit('cost_per_request', usd),
    dashboard: 'cost',
    cause: annotations.problem('expensive', 'what dear requests spent beyond their usual on', annotations.choose('step', cheaper, otherwise), dearest)
           + annotations.inCommon('expensive'),
  }, { 'for': '5m', keep_firing_for: '15m' });

  local growing = objective.alert('AgentCostGrowing', 'cost_growth', objective.exprOr('cost_growth', config.costGrowth), {
    summary: 'The cost of an agent grows from month to month',
    description: 'The last 30 days of ' + lib.affected + ', cost {{ $value | humanizePercentage }} more than the 30 days before'
                 + lib.query(total + ':increase30d{*}', ': {{ . | first | value | printf "$%.2f" }} in all') + '; told from '
                 + objective.limitOr('cost_growth', config.costGrowth, 'humanizePercentage') + '.',
    value: '{{ $value | humanizePercentage }}',
    limit: objective.limitOr('cost_growth', config.costGrowth, 'humanizePercentage'),
    dashboard: 'cost',
    cause: dearest,
  }, { keep_firing_for: '1d' });

  { rules: [rules], alerts: [high, growing] }
