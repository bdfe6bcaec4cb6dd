// Fires always. Whoever does not hear it knows that Prometheus, Alertmanager or the way between them is broken: who watches the watchers.
function(config, lib, annotations)
  lib.group('watchdog', [
    annotations.alert(
      'Watchdog',
      'none',
      'platform',
      'vector(1)',
      {
        summary: 'Alerts arrive: this one fires always',
        description: 'Prometheus evaluates the rules and reaches Alertmanager. To be sent to a receiver that raises the alarm when it no longer comes.',
        dashboard: 'bridge',
        cause: annotations.known('none: it is meant to fire', 'Nothing, while it comes.'),
      },
      who=[],
    ),
  ])
