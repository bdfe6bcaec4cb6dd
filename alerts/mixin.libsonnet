// The monitoring mixin. Recording rules in prometheusRules, alerts in prometheusAlerts, those of Loki's ruler in lokiAlerts, their routing in
// alertmanagerConfig, settings in _config. A room is a file that gives { rules, alerts }: groups of Prometheus.
(import 'config.libsonnet') + {
  local config = self._config,
  local lib = (import 'lib.libsonnet')(config),
  local annotations = (import 'annotations.libsonnet')(config, lib),
  local rooms = [room(config, lib, annotations) for room in [
    import 'objectives/objectives.libsonnet',
    import 'values/values.libsonnet',
    import 'causes.libsonnet',
    import 'recoveries.libsonnet',
    import 'health/health.libsonnet',
    import 'anomalies/anomalies.libsonnet',
  ]],

  prometheusRules+:: {
    groups+: std.flatMap(function(room) room.rules, rooms),
  },

  prometheusAlerts+:: {
    groups+: std.flatMap(function(room) room.alerts, rooms),
  },

  // Which windows judge which alert, for working out how long each takes to fire.
  burnRates:: rooms[0].burn,

  lokiAlerts+:: {
    groups+: (import 'loki/loki.libsonnet')(config, lib, annotations).alerts,
  },

  grafanaDashboards+:: (import 'dashboards.libsonnet')(config),

  alertmanagerConfig:: (import 'alertmanager/alertmanager.libsonnet')(config, self.prometheusAlerts.groups + self.lokiAlerts.groups),

  // Texts of its notifications, by the name of their file.
  alertmanagerTemplates:: {
    'text.tmpl': importstr 'alertmanager/templates/text.tmpl',
    'slack.tmpl': importstr 'alertmanager/templates/slack.tmpl',
    'pagerduty.tmpl': importstr 'alertmanager/templates/pagerduty.tmpl',
    'email.tmpl': importstr 'alertmanager/templates/email.tmpl',
  },
}
