// Whether the watchers are well: agents that fell silent, the bridge, those beside it, and the dead man's switch.
function(config, lib, annotations)
  local silence = (import 'silence.libsonnet')(config, lib, annotations);
  {
    rules: silence.rules,
    alerts: silence.alerts + [
      (import 'intake.libsonnet')(config, lib, annotations),
      (import 'judge.libsonnet')(config, lib, annotations),
      (import 'scores.libsonnet')(config, lib, annotations),
      (import 'targets.libsonnet')(config, lib, annotations),
      (import 'unpriced.libsonnet')(config, lib, annotations),
      (import 'watchdog.libsonnet')(config, lib, annotations),
    ],
  }
