// What the bad requests of the last minutes have in common that the good ones lack: a tenant, a version, a model, a tool. Shares among the bad are
// compared with shares among the good of the same agent and the same minutes, so what all requests have says nothing, however often it is there.
// The shares compared are those of Agresti and Caffo, with one more request that has the value and one that has not: few requests then prove little.
function(config, lib, increase)
  local part(name) = 'agent_feature:agent_request_features:' + name;
  local requests = 'agent_verdict:agent_request_features:requests';
  local bad(name) = part(name) + '{verdict!="good"}';
  local good(name) = part(name) + '{verdict="good"}';
  local byVerdict = lib.labels(['agent', 'verdict']);
  local ofAll(expr, operator, of) = lib.fill('%s %s on (%s) group_left () %s', [expr, operator, byVerdict, of]);
  local besideGood(name, operator) = lib.fill('%s %s on (%s) group_left () %s', [bad(name), operator, lib.labels(['agent', 'feature', 'value']), good(name)]);

  lib.group('lift', [
    { record: part('seen'), expr: increase(lib.labels(['agent', 'feature', 'value', 'verdict']), lib.series('agent_request_features_total')) },
    {
      record: part('increase'),
      // 0 good ones beside what only bad ones have.
      expr: lib.fill('%s\nor\nlabel_replace(0 * sum by (%s) (%s), "verdict", "good", "agent", ".*")', [part('seen'), lib.labels(['agent', 'feature', 'value']), bad('seen')]),
    },
    // Each request has one tenant, if only the empty one.
    { record: requests, expr: lib.fill('sum by (%s) (%s{feature="tenant_id"})', [byVerdict, part('increase')]) },
    { record: part('ratio'), expr: ofAll(part('increase'), '/', lib.fill('(%s > 0)', [requests])) },
    { record: part('estimate'), expr: ofAll(lib.fill('(%s + 1)', [part('increase')]), '/', lib.fill('(%s + 2)', [requests])) },
    { record: part('variance'), expr: ofAll(lib.fill('(%s * (1 - %s))', [part('estimate'), part('estimate')]), '/', lib.fill('(%s + 2)', [requests])) },
    // How much larger the share of the bad is than that of the good: the larger, the more of the bad it explains.
    { record: part('excess'), expr: besideGood('estimate', '-') },
    {
      // How many times as often as in a good request, where that is beyond chance and beyond doubt.
      record: part('lift'),
      expr: lib.fill(|||
        %s >= %s
        and
        %s / sqrt(%s) >= %s
        and
        %s >= %s
        and
        round(%s) >= %s
      |||, [
        besideGood('estimate', '/'), config.lift.times,
        part('excess'), besideGood('variance', '+'), config.lift.standardErrors,
        bad('ratio'), config.lift.share,
        bad('increase'), config.lift.leastBad,
      ]),
    },
  ])
