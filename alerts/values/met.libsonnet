// Whether each objective is met now: its value against its limit, 1 or 0.
local documented = (import '../objectives.json').objectives;

function(config, lib)
  local compared(comparison) = lib.fill('tenant_agent:objective:value{objective=~"%s"} %s bool tenant_agent:objective:limit', [
    std.join('|', [objective.id for objective in documented if objective.comparison == comparison]),
    comparison,
  ]);
  lib.group('met', [{
    record: 'tenant_agent:objective:met',
    expr: std.join('\nor\n', [compared(comparison) for comparison in std.set([objective.comparison for objective in documented])]),
  }])
