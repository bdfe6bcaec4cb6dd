// Shares of the last ten minutes, for the root cause in a page: which error failed the requests, which step took the time.
// They are recorded, because an annotation's query runs again for every alert at every evaluation.
function(config, lib, annotations)
  local causes = lib.series('agent_root_causes_total');
  local byCause = lib.labels(['tenant_id', 'agent', 'class', 'type', 'step', 'name']);
  local byStep = lib.labels(['agent', 'step', 'name']);
  // A step of kind agent contains the steps of that agent, and would always be the slowest.
  local steps = lib.series('agent_step_duration_seconds_sum', ['step!="agent"']);

  local group = lib.group('causes', [
    {
      // A series that begins with its first failure has no increase yet, and the first failures are the ones that page: a series without
      // a sample in the hour before counts with its whole value.
      record: 'tenant_agent_cause:agent_root_causes:increase10m',
      expr: |||
        sum by (%s) (
          (%s unless present_over_time(%s[1h] offset 10m))
          or
          increase(%s[10m])
        ) > 0
      ||| % [byCause, causes, causes, causes],
    },
    {
      record: 'tenant_agent_cause:agent_root_causes:share10m',
      expr: |||
        tenant_agent_cause:agent_root_causes:increase10m
        / on (%s) group_left ()
        sum by (%s) (tenant_agent_cause:agent_root_causes:increase10m)
      ||| % [lib.labels(['tenant_id', 'agent']), lib.labels(['tenant_id', 'agent'])],
    },
    {
      record: 'agent_step:agent_step_duration_seconds:share10m',
      expr: |||
        (sum by (%s) (rate(%s[10m])) > 0)
        / on (%s) group_left ()
        sum by (%s) (rate(%s[10m]))
      ||| % [byStep, steps, lib.labels(['agent']), lib.labels(['agent']), steps],
    },
  ]);

  { rules: [group], alerts: [] }
