// Burn-rate alerts: one alert name an objective, critical when it burns fast or steadily, warning when it drips. The pairs of one severity are one
// rule, so that a fast burn that goes on is one page and not two.
function(config, lib, windows)
  local own(name, objective) = lib.fill('%s{objective="%s"}', [name, objective.id]);

  local over(objective, window, limit) = lib.fill('%s > %s', [own('tenant_agent:objective_bad:ratio_rate' + window, objective), limit]);

  local atLeast(objective, record, window, least) = lib.fill('round(sum by (%s) (%s) * %s) >= %s', [
    std.join(', ', ['objective'] + lib.whoOf(objective)),
    own(lib.fill('tenant_project_agent:%s:rate%s', [record, window]), objective),
    lib.seconds(window),
    least,
  ]);

  // Pairs over the same windows, in the order they came.
  local byWindows(pairs) =
    local windowsOf(pair) = pair.short + ' ' + pair.long;
    [
      [other for other in pairs if windowsOf(other) == windowsOf(pairs[at])]
      for at in std.range(0, std.length(pairs) - 1)
      if !std.any([windowsOf(pairs[before]) == windowsOf(pairs[at]) for before in std.range(0, at - 1)])
    ];

  // Each long window has a low-traffic guard of its own: three bad requests are much in an hour and nothing in three days. Where the share of so
  // many events is more than so few bad ones, the second half of the guard says nothing and is left out.
  local fires(objective, pairs) =
    local long = pairs[0].long;
    local burning = [
      local limit = windows.limit(pair, own('tenant_agent:objective:budget', objective));
      lib.fill('%s and %s', [over(objective, long, limit), over(objective, pair.short, limit)])
      for pair in pairs
    ];
    local few = std.any([std.get(pair, 'share', 0) * config.minEvents < config.minBadEvents for pair in pairs]);
    std.join('\nand\n', [
      if std.length(burning) == 1 then burning[0] else '(\n  ' + std.join('\n  or\n  ', burning) + '\n)',
      atLeast(objective, 'objective_events', long, config.minEvents),
    ] + (if few then [atLeast(objective, 'objective_bad_events', long, config.minBadEvents)] else []));

  function(objective, view, alert)
    lib.group(objective.id + '-burn', [
      alert(
        view.name,
        level.severity,
        std.join('\nor\n', [fires(objective, pairs) for pairs in byWindows(level.pairs)]),
        // Told of the first pair's long window, the shortest one that matters.
        { description: view.description(level.pairs[0].long), value: view.value(level.pairs[0].long) },
        { keep_firing_for: config.keepFiringFor },
      )
      for level in windows.of(objective)
    ])
