// Which windows judge an objective, and above which share of bad events.
//
// The pairs of _config.burnRates ask for a burn rate: `factor` times the budget that a target of 1 - budget leaves. A burn rate cannot exceed
// 1 / budget, where every event is bad. At 99.5 % that is 200, and 14.4 is 7.2 % bad; at 95 % it is 20, and 14.4 is 72 % bad; at 85 % it is
// 6.7, and 14.4 is never reached. So a page needs one more pair, which no target puts out of reach: `outage` asks for a part of the way from
// the budget to everything. A half of it is 50.25 % bad at 99.5 %, 52.5 % at 95 %, 57.5 % at 85 %, 70 % at 60 %: below 1 and above the
// budget whatever the target is, as a tenant's own limit may be anything and is known only when the rule is evaluated.
//
// A latency objective has its target in its quantile, the same for everyone. So the share is a number, and of two pairs over the same windows only
// the one that fires first is made into a rule: at P95 the outage, which is a burn rate of 10.5 in place of 14.4, and at P99 the 14.4.
function(config, lib)
  local cannot(objective, why) = lib.fill('cannot make burn-rate alerts for objective %s: %s', [objective.id, why]);

  // The target of a latency is in its quantile, the same for everyone; that of a ratio is its limit, of which a tenant may have its own.
  local isFixed(objective) = objective.measure.kind == 'latency';
  local profiles(objective) = std.get(objective, 'profiles', {});
  local targets(objective) =
    if isFixed(objective) then [{ target: objective.measure.quantile, profile: '' }]
    else [{ target: objective.limit, profile: '' }] + [{ target: profiles(objective)[name], profile: name } for name in std.objectFields(profiles(objective))];
  // Rounded because 1 - 0.95 is not 0.05 in a double.
  local budgets(objective) = [std.floor((1 - each.target) * 1e9 + 0.5) / 1e9 for each in targets(objective)];
  local threshold(pair, budget) = if std.objectHas(pair, 'factor') then pair.factor * budget else pair.outage + (1 - pair.outage) * budget;

  local checked(objective, pair) =
    local short = lib.range(pair.short);
    local long = lib.range(pair.long);
    assert std.objectHas(pair, 'factor') != std.objectHas(pair, 'outage') : cannot(objective, lib.fill('a pair of windows has either a factor or an outage, and not %s', [std.toString(pair)]));
    // Below 1 it would fire while the objective is met.
    assert !std.objectHas(pair, 'factor') || pair.factor >= 1 : cannot(objective, 'the factor %g of the windows %s and %s is below 1, so it would fire while the objective is met' % [pair.factor, pair.short, pair.long]);
    assert !std.objectHas(pair, 'outage') || (pair.outage > 0 && pair.outage < 1) : cannot(objective, 'the outage %g of the windows %s and %s is not between 0 and 1' % [pair.outage, pair.short, pair.long]);
    assert lib.seconds(short) < lib.seconds(long) : cannot(
      objective,
      if short == pair.short && long == pair.long then lib.fill('the short window %s is not shorter than the long one, %s', [short, long])
      else lib.fill('scraped every %s, no window is shorter than %s, so %s is no shorter than %s: scrape more often, or give longer windows in burnRates', [config.scrapeInterval, lib.duration(4 * lib.seconds(config.scrapeInterval)), pair.short, pair.long])
    );
    pair { short: short, long: long };

  // Of the pairs over the same windows, the one that fires first; and none that no share of bad events can reach.
  local reachable(pairs, budget) =
    local share(pair) = threshold(pair, budget);
    [
      pairs[at]
      for at in std.range(0, std.length(pairs) - 1)
      if share(pairs[at]) < 1 && !std.any([
        other != at && pairs[other].short == pairs[at].short && pairs[other].long == pairs[at].long
        && (share(pairs[other]) < share(pairs[at]) || (share(pairs[other]) == share(pairs[at]) && other < at))
        for other in std.range(0, std.length(pairs) - 1)
      ])
    ];

  {
    // [{ severity, pairs: [{ short, long, factor or outage, and where the target is the same for everyone `share` }] }]. What objectives.json
    // holds for worth a ticket is no page, however fast it burns.
    of(objective)::
      local severity(level) = if objective.severity == 'critical' then level.severity else objective.severity;
      local severities = std.foldl(function(all, level) if std.member(all, severity(level)) then all else all + [severity(level)], config.burnRates, []);
      [
        local asked = [checked(objective, pair) for level in config.burnRates if severity(level) == each for pair in level.pairs];
        local without = [budget for budget in budgets(objective) if reachable(asked, budget) == []];
        assert without == [] : cannot(objective, 'at a target of %g no burn rate exceeds %g, and every pair for %s asks for more; give one an outage instead of a factor' % [1 - without[0], 1 / without[0], each]);
        local budget = budgets(objective)[0];
        { severity: each, pairs: if isFixed(objective) then [pair { share: threshold(pair, budget) } for pair in reachable(asked, budget)] else asked }
        for each in severities
      ],

    targets:: targets,

    // The share of bad events that a pair asks for, as a number where it is one and else in terms of the budget.
    limit(pair, budget)::
      if std.objectHas(pair, 'share') then '%.10g' % pair.share
      else if std.objectHas(pair, 'outage') then lib.fill('%s + %s * %s', ['%g' % pair.outage, '%g' % (1 - pair.outage), budget])
      else if pair.factor == 1 then budget
      else lib.fill('%s * %s', ['%g' % pair.factor, budget]),
  }
