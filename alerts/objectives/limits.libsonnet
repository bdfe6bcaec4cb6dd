// The limit in force for each tenant and agent that has requests, from the agent_objective series.
function(config, lib)
  local by = lib.labels(['tenant_id', 'agent']);
  local present = 'tenant_agent:agent_requests:present';

  // Two bridges that disagree, as in a rollout, are held to the stricter limit.
  local stricter(objective) = if objective.comparison == '>' then 'max' else 'min';

  local published(objective, labels, matchers) =
    '%s by (%s) (last_over_time(%s[%s]))' % [
      stricter(objective),
      lib.labels(labels),
      lib.series('agent_objective', ['objective="%s"' % objective.id] + matchers),
      lib.range(config.memory),
    ];

  // The most specific limit wins: of the tenant and the agent, of the tenant, of the agent, of everyone. The result of each branch has the
  // same labels, so `or` takes a later one only where no earlier one spoke. A request without a tenant has an empty tenant_id, which
  // the first branch matches with the rows for everyone's agent, as it should.
  local inForce(objective) =
    local from(labels, matchers) = '%s * on (%s) group_left () %s' % [present, lib.labels(labels), published(objective, labels, matchers)];
    std.join('\nor\n', [
      from(['tenant_id', 'agent'], []),
      from(['tenant_id'], ['agent=""', 'tenant_id!=""']),
      from(['agent'], ['agent!=""', 'tenant_id=""']),
      from([], ['agent=""', 'tenant_id=""']),
    ]);

  // The share of events that may be bad: what a burn rate is measured against.
  local budget(objective) =
    local limit = 'tenant_agent:objective:limit{objective="%s"}' % objective.id;
    if objective.measure.kind == 'ratio' then '1 - ' + limit
    // 0 * limit keeps the labels of the limit; written out because 1 - 0.95 is not 0.05 in a double.
    else '0 * %s + %.10g' % [limit, (1000 - objective.measure.quantile * 1000) / 1000];

  function(objectives) lib.group('limits', [
    { record: present, expr: 'group by (%s) (last_over_time(%s[%s]))' % [by, lib.series('agent_requests_total'), lib.range(config.memory)] },
  ] + std.flattenArrays([
    [
      { record: 'tenant_agent:objective:limit', labels: { objective: objective.id }, expr: inForce(objective) },
      { record: 'tenant_agent:objective:budget', labels: { objective: objective.id }, expr: budget(objective) },
    ]
    for objective in objectives
  ]))
