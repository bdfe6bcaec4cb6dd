// Shares of the last minutes, for the root cause in a page: which error failed the requests, which step took the time, and which was why they
// broke a limit.
// They are recorded, because an annotation's query runs again for every alert at every evaluation. Their names do not tell the range, which
// is configuration, so that dashboards need not know it.
function(config, lib, annotations)
  local causes = lib.series('agent_root_causes_total');
  local byCause = lib.labels(['tenant_id', 'agent', 'class', 'type', 'step', 'name']);
  local byStep = lib.labels(['agent', 'step', 'name']);
  // A step of kind agent contains the steps of that agent, and would always be the slowest.
  local steps = lib.series('agent_step_duration_seconds_sum', ['step!="agent"']);

  local range = lib.causeRange;

  // A series that begins with its first failure has no increase yet, and the first failures are the ones that page: a series without a sample in
  // the hour before counts with its whole value.
  local increase(by, series) = lib.fill(|||
    sum by (%s) (
      (%s unless present_over_time(%s[1h] offset %s))
      or
      increase(%s[%s])
    ) > 0
  |||, [by, series, series, range, series, range]);
  local byProblem = lib.labels(['tenant_id', 'agent', 'problem', 'step', 'name']);

  local group = lib.group('causes', [
    { record: 'tenant_agent_cause:agent_root_causes:increase', expr: increase(byCause, causes) },
    {
      record: 'tenant_agent_cause:agent_root_causes:share',
      expr: lib.fill(|||
        tenant_agent_cause:agent_root_causes:increase
        / on (%s) group_left ()
        sum by (%s) (tenant_agent_cause:agent_root_causes:increase)
      |||, [lib.labels(['tenant_id', 'agent']), lib.labels(['tenant_id', 'agent'])]),
    },
    {
      record: 'agent_step:agent_step_duration_seconds:share',
      expr: lib.fill(|||
        (sum by (%s) (rate(%s[%s])) > 0)
        / on (%s) group_left ()
        sum by (%s) (rate(%s[%s]))
      |||, [byStep, steps, range, lib.labels(['agent']), lib.labels(['agent']), steps, range]),
    },
    { record: 'tenant_agent_problem:agent_problem_causes:increase', expr: increase(byProblem, lib.series('agent_problem_causes_total')) },
  ]);

  { rules: [group, (import 'lift.libsonnet')(config, lib, increase)], alerts: [] }
