// Everything that judges an objective of objectives.json.
local documented = (import '../objectives.json').objectives;

function(config, lib, annotations)
  local objectives = [objective for objective in documented if std.member(config.objectives, objective.id)];
  local events = (import 'events.libsonnet')(config, lib);
  local burn = (import 'burn.libsonnet')(config, lib, annotations);
  {
    rules: [(import 'limits.libsonnet')(config, lib)(objectives)] + std.flatMap(events, objectives),
    alerts: [burn(objective) for objective in objectives],
  }
