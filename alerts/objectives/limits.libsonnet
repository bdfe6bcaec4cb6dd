// The limit in force of every objective, from the agent_objective series: for each tenant and agent that has requests, for each agent that has
// model calls, or for the bridge as a whole, as the objective is measured.
function(config, lib)
  local memory = lib.range(config.memory);

  // Two bridges that disagree, as in a rollout, are held to the stricter limit.
  local stricter(objective) = if objective.comparison == '>' then 'max' else 'min';

  local published(objective, labels, matchers) =
    lib.fill('%s by (%s) (last_over_time(%s[%s]))', [
      stricter(objective),
      lib.labels(labels),
      lib.series('agent_objective', [lib.fill('objective="%s"', [objective.id])] + matchers),
      memory,
    ]);

  // The most specific limit wins: of the tenant and the agent, of the tenant, of the agent, of everyone. The result of each branch has the
  // same labels, so `or` takes a later one only where no earlier one spoke. A request without a tenant has an empty tenant_id, which
  // the first branch matches with the rows for everyone's agent, as it should.
  local inForce(objective) =
    local from(present, labels, matchers) = lib.fill('%s * on (%s) group_left () %s', [present, lib.labels(labels), published(objective, labels, matchers)]);
    local tenants = [
      from('tenant_agent:agent_requests:present', ['tenant_id', 'agent'], []),
      from('tenant_agent:agent_requests:present', ['tenant_id'], ['agent=""', 'tenant_id!=""']),
      from('tenant_agent:agent_requests:present', ['agent'], ['agent!=""', 'tenant_id=""']),
      from('tenant_agent:agent_requests:present', [], ['agent=""', 'tenant_id=""']),
    ];
    local agents = [
      from('agent:agent_context_messages:present', ['agent'], ['tenant_id=""']),
      from('agent:agent_context_messages:present', [], ['agent=""', 'tenant_id=""']),
    ];
    local everyone = [published(objective, [], ['agent=""', 'tenant_id=""'])];
    std.join('\nor\n', if std.member(objective.per, 'tenant_id') then tenants else if std.member(objective.per, 'agent') then agents else everyone);

  local present(record, labels, metric) = {
    record: record,
    expr: lib.fill('group by (%s) (last_over_time(%s[%s]))', [lib.labels(labels), lib.series(metric), memory]),
  };

  // The share of events that may be bad: what a burn rate is measured against.
  local budget(objective) =
    local limit = lib.fill('tenant_agent:objective:limit{objective="%s"}', [objective.id]);
    if objective.measure.kind == 'ratio' then '1 - ' + limit
    // 0 * limit keeps the labels of the limit; written out because 1 - 0.95 is not 0.05 in a double.
    else lib.fill('0 * %s + %s', [limit, '%.10g' % ((1000 - objective.measure.quantile * 1000) / 1000)]);

  function(objectives) lib.group('limits', [
    present('tenant_agent:agent_requests:present', ['tenant_id', 'agent'], 'agent_requests_total'),
    present('agent:agent_context_messages:present', ['agent'], 'agent_context_messages_count'),
  ] + [
    { record: 'tenant_agent:objective:limit', labels: { objective: objective.id }, expr: inForce(objective) }
    for objective in objectives
    // One without a documented limit has none until somebody sets it.
    if objective.measure.kind != 'drill'
  ] + [
    { record: 'tenant_agent:objective:budget', labels: { objective: objective.id }, expr: budget(objective) }
    for objective in objectives
    if lib.hasBudget(objective)
  ])
