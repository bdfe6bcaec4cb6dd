// Anomalies: what is unlike an agent's own past, whatever the documented limits are. signals.libsonnet says what is watched, bands.libsonnet what is
// expected of it, pages.libsonnet when somebody is told, growth.libsonnet what they are told of its cause.
function(config, lib, annotations)
  local signals = (import 'signals.libsonnet')(config, lib);
  local bands = (import 'bands.libsonnet')(config, lib, signals);
  local growth = (import 'growth.libsonnet')(config, lib);
  local pages = (import 'pages.libsonnet')(config, lib, annotations);
  {
    rules: [
      // Each reads what the one before has recorded at this evaluation.
      lib.group('anomalies-long', signals.values + bands.expected + signals.spreads + bands.bands, config.longRangeEvaluationInterval),
      lib.group('anomalies-memory', bands.memory, config.anomalies.memoryInterval),
      lib.group('anomalies-growth-long', growth, config.longRangeEvaluationInterval),
    ],
    alerts: [lib.group('anomalies', pages)],
  }
