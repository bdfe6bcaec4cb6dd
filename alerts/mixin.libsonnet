// The monitoring mixin. Recording rules in prometheusRules, alerts in prometheusAlerts, their routing in
// alertmanagerConfig, settings in _config.
local documented = (import 'objectives.json').objectives;

(import 'config.libsonnet') + {
  local config = self._config,
  local lib = (import 'lib.libsonnet')(config),
  local objectives = [objective for objective in documented if std.member(config.objectives, objective.id)],
  local events = (import 'events.libsonnet')(config, lib),
  local burn = (import 'burn.libsonnet')(config, lib),

  prometheusRules+:: {
    groups+: [(import 'limits.libsonnet')(config, lib)(objectives)]
             + std.flattenArrays([events(objective) for objective in objectives])
             + [(import 'causes.libsonnet')(config, lib)],
  },

  prometheusAlerts+:: {
    groups+: [burn(objective) for objective in objectives],
  },

  alertmanagerConfig:: (import 'alertmanager/alertmanager.libsonnet')(config),
}
