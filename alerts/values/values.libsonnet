// Objectives that are values rather than shares of good requests, and what those values rest on: quality, cost, savings, the classification of
// errors, the length of the context, the time to a root cause. Long sums change slowly and are evaluated every config.longRangeEvaluationInterval.
function(config, lib, annotations)
  local sums = (import 'sums.libsonnet')(config, lib);
  local objective = (import 'objective.libsonnet')(config, lib, annotations);
  local parts = [part(config, lib, annotations, sums, objective) for part in [
    import 'cost.libsonnet',
    import 'savings.libsonnet',
    import 'quality.libsonnet',
    import 'scores.libsonnet',
    import 'checks.libsonnet',
    import 'calibration.libsonnet',
    import 'classification.libsonnet',
    import 'context.libsonnet',
    import 'rootcause.libsonnet',
  ]];
  {
    rules: std.flatMap(function(part) part.rules, parts) + [(import 'met.libsonnet')(config, lib)],
    alerts: [lib.group('values', [
      alert
      for part in parts
      for alert in part.alerts
      if !std.objectHas(alert.labels, 'objective') || std.member(config.objectives, alert.labels.objective)
    ])],
  }
