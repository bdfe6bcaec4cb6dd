// Everything that judges an objective by the share of its events that met it: success rates and latencies. Other objectives have their limits from here.
local documented = (import '../objectives.json').objectives;

function(config, lib, annotations)
  local known = [objective.id for objective in documented];
  local unknown = [id for id in config.objectives if !std.member(known, id)];
  local objectives = [objective for objective in documented if std.member(config.objectives, objective.id)];
  local budgeted = [objective for objective in objectives if lib.hasBudget(objective)];

  local windows = (import 'windows.libsonnet')(config, lib);
  local views = (import 'views.libsonnet')(config, lib, annotations);
  local budget = (import 'budget.libsonnet')(config, lib);
  local events = (import 'events.libsonnet')(config, lib, budget.hourly);
  local burn = (import 'burn.libsonnet')(config, lib, windows);

  // An alert about an objective, for burn and trickle.
  local alert(objective, view) = function(name, severity, expr, says, rule={}) annotations.alert(
    name,
    severity,
    objective.owner,
    expr,
    view + says,
    { objective: objective.id },
    rule,
    lib.whoOf(objective),
  );

  assert unknown == [] : lib.fill('cannot make rules for %s: not in objectives.json, which has %s', [std.join(', ', unknown), std.join(', ', known)]);
  {
    rules: [(import 'limits.libsonnet')(config, lib)(objectives)] + std.flatMap(events, budgeted) + [budget.rules(objective) for objective in budgeted],
    alerts: std.flatMap(
      function(objective)
        local view = views(objective);
        [burn(objective, view, alert(objective, view))]
        + (if view.trickle == null then [] else [budget.trickle(objective, view, alert(objective, view))]),
      budgeted,
    ),
    // For whoever works out when an alert fires: the pairs of each severity and the documented targets, by alert.
    burn: [
      {
        objective: objective.id,
        alert: views(objective).name,
        trickle: views(objective).trickle,
        levels: windows.of(objective),
        targets: windows.targets(objective),
        // Whether a tenant or an agent may have a target of its own.
        ownTargets: objective.measure.kind == 'ratio',
      }
      for objective in budgeted
    ],
  }
