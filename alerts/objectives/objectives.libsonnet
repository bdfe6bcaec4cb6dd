// Everything that judges an objective by the share of its events that met it: success rates and latencies. Other objectives have their limits from here.
local documented = (import '../objectives.json').objectives;

function(config, lib, annotations)
  local known = [objective.id for objective in documented];
  local unknown = [id for id in config.objectives if !std.member(known, id)];
  local objectives = [objective for objective in documented if std.member(config.objectives, objective.id)];
  local budgeted = [objective for objective in objectives if lib.hasBudget(objective)];
  local events = (import 'events.libsonnet')(config, lib);
  local burn = (import 'burn.libsonnet')(config, lib, annotations);
  assert unknown == [] : 'cannot make rules for %s: not in objectives.json, which has %s' % [std.join(', ', unknown), std.join(', ', known)];
  {
    rules: [(import 'limits.libsonnet')(config, lib)(objectives)] + std.flatMap(events, budgeted),
    alerts: [burn(objective) for objective in budgeted if std.member(['latency_p95', 'success_rate'], objective.id)],
  }
