// The budget of 30 days, in events and not in minutes: a bad hour at night costs what its requests are, and one at noon costs more.
//   tenant_agent:objective_events:increase1h           events of the last hour
//   tenant_agent:objective_bad_events:increase1h       those that missed the objective
//   tenant_agent:objective_good:ratio30d               the share of the events of 30 days that met it
//   tenant_agent:objective:error_budget_remaining      1 is untouched, 0 is spent, -1 is spent twice
//
// Thirty days are the sum of 720 recorded hours, of which the newest may be an hour old. Each was judged by the limit in force in that hour, so a new
// limit of a latency does not judge what was before it. The budget is the one in force now: a new success rate is a new measure of the same failures.
// With less than 30 days of history the share is that of the events so far, and in the first hour that of the hour.
function(config, lib)
  local hour = lib.recent;
  local own(name, objective) = lib.fill('%s{objective="%s"}', [name, objective.id]);
  local summed(name, objective) = lib.fill('sum_over_time(%s[30d:%s])', [own(name, objective), hour]);

  local hourly(objective) = [
    {
      record: lib.fill('tenant_agent:%s:increase%s', [events, hour]),
      // A whole number, as a rate that is extrapolated to the ends of its hour is not.
      expr: lib.fill('round(sum by (%s) (%s) * %s)', [lib.labels(objective.per), own(lib.fill('tenant_project_agent:%s:rate%s', [events, hour]), objective), lib.seconds(hour)]),
    }
    for events in ['objective_events', 'objective_bad_events']
  ];

  local overall(objective) = [
    {
      record: 'tenant_agent:objective_good:ratio30d',
      expr: lib.fill(|||
        1 - (
          %s
          /
          (%s > 0)
          or
          %s
        )
      |||, [
        summed('tenant_agent:objective_bad_events:increase' + hour, objective),
        summed('tenant_agent:objective_events:increase' + hour, objective),
        own('tenant_agent:objective_bad:ratio_rate' + hour, objective),
      ]),
    },
    {
      record: 'tenant_agent:objective:error_budget_remaining',
      expr: lib.fill('1 - (1 - %s) / %s', [own('tenant_agent:objective_good:ratio30d', objective), own('tenant_agent:objective:budget', objective)]),
    },
  ];

  // Bad requests above the budget of a day, spread over its hours: what the low-traffic guard of the burn rates keeps quiet, and what comes and
  // goes with their short windows. An hour's outage is not spread, and was told by a page.
  local drips(objective) = lib.fill(|||
    count_over_time((%s > 0)[1d:%s]) >= %s
    and
    %s > %s
  |||, [
    own('tenant_agent:objective_bad_events:increase' + hour, objective),
    hour,
    config.trickleHours,
    own('tenant_agent:objective_bad:ratio_rate1d', objective),
    own('tenant_agent:objective:budget', objective),
  ]);

  {
    hourly(objective):: hourly(objective),
    rules(objective):: lib.group(objective.id + '-budget', [rule { labels: { objective: objective.id } } for rule in overall(objective)], config.budgetEvaluationInterval),
    trickle(objective, view, alert):: lib.group(objective.id + '-trickle', [
      alert(
        view.trickle,
        'warning',
        drips(objective),
        {
          summary: view.trickleSummary,
          description: 'Requests of ' + lib.affected + ', ' + view.bad + ' in {{ $value }} of the last 24 hours. ' + view.description('1d'),
          value: view.value('1d'),
          cause: view.trickleCause,
        },
      ),
    ], config.budgetEvaluationInterval),
  }
