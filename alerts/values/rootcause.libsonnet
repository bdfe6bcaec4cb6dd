// How long it takes until a page names the root cause of an incident: P95 of the last 30 days. People who confirm or correct it are slower, and another figure.
function(config, lib, annotations, sums, objective)
  local buckets = 'spanbridge_time_to_root_cause_seconds_bucket';
  {
    rules: [lib.group('rootcause-long', [
      // Incidents are rare, so that each first one counts.
      sums.hourOfFew('le:' + buckets, ['le'], lib.series(buckets, ['by="page"'])),
      // A month without an incident has no P95.
      objective.value('time_to_root_cause', lib.fill('histogram_quantile(0.95, %s) >= 0', [sums.over('le:' + buckets + ':increase1h', '30d', '1h')])),
    ], config.longRangeEvaluationInterval)],
    alerts: [],
  }
