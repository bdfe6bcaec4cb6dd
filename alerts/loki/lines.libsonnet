// LogQL over the lines of the bridge: selections, and how many requests they tell of. Lines are named by labels, which are few; whoever
// they are about is structured metadata.
function(config, lib) {
  local settings = config.loki,

  local selection(event, matchers) =
    '{' + std.join(', ', ['service_name="spanbridge"', 'event="' + event + '"'] + matchers + (if settings.selector == '' then [] else [settings.selector])) + '}',

  requests: selection('request', []),
  failures: selection('request', ['outcome=~"error|unfinished"']),
  // One a minute of each tenant, agent and cause: few lines that have every kind.
  firstFailures: selection('request', ['outcome=~"error|unfinished"', 'first="true"']),
  tallies: selection('tally', []),
  bridges: selection('bridge', []),

  // A line stands for the requests that sampling and the rate limit left out, so lines are added up and not counted.
  sum(labels, lines, field, range)::
    'sum by (' + labels + ') (sum_over_time(' + lines + ' | unwrap ' + field + ' | __error__="" [' + range + ']))',

  // Whether there was any line.
  count(labels, lines, range, offset)::
    'sum by (' + labels + ') (count_over_time(' + lines + ' [' + range + '] offset ' + offset + '))',
}
