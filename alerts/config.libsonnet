// Everything a user of the mixin may want to rename or tune:
//   (import 'mixin.libsonnet') + { _config+:: { selector: 'job="spanbridge"' } }
{
  _config:: (import 'alertmanager/settings.libsonnet') + (import 'health/settings.libsonnet') + {
    // Label matchers put into every selector of a bridge's metric, such as 'job="spanbridge"'.
    selector: '',
    // Labels put on every alert.
    extraLabels: {},
    // A label that tells bridges of different places apart, such as 'cluster'; '' is none. Limits, ratios and alerts are then per cluster.
    clusterLabel: '',

    // %s is the name of the alert.
    runbookUrlPattern: 'http://127.0.0.1:9464/runbooks/%s',
    dashboardUrlPrefix: 'http://127.0.0.1:3000',
    dashboardUids: {
      [name]: 'spanbridge-' + name
      for name in ['overview', 'requests', 'cost', 'quality', 'errors', 'tenant', 'agent', 'bridge']
    },

    // How often the bridges are scraped. No range is shorter than four scrapes, so with long intervals short ranges grow.
    scrapeInterval: '30s',
    // The root cause in a page is the most frequent one of this long.
    causeRange: '10m',
    // null leaves it to Prometheus's own evaluation_interval, which the demo sets to 5 s.
    evaluationInterval: null,
    // Ranges of two hours and more read many samples and change slowly.
    longRangeEvaluationInterval: '1m',

    // Objectives with rules, by their id in objectives.json. Limits are not here: the bridge publishes them as agent_objective.
    objectives: [objective.id for objective in (import 'objectives.json').objectives],

    // Multi-window burn rates of the SRE workbook: an alert fires when both windows of one pair burn the 30-day budget `factor`
    // times too fast. The long window says that it matters, the short one that it is still going on.
    burnRates: [
      { severity: 'critical', pairs: [{ short: '5m', long: '1h', factor: 14.4 }, { short: '30m', long: '6h', factor: 6 }] },
      { severity: 'warning', pairs: [{ short: '2h', long: '1d', factor: 3 }] },
    ],
    // A burn rate cannot exceed 1 / (1 - target): at 95 % a factor of 14.4 needs 72 % bad, at 85 % it is never reached. When this share
    // of all requests is bad somebody has to know whatever the target is, so no threshold lies above it.
    maxBadRatio: 0.5,
    // Fewer requests than this in the long window, or fewer bad ones, page nobody: one error at night is 100 % of that night.
    minEvents: 10,
    minBadEvents: 3,
    // A series that is missing this long is still taken for there: a restart of the bridge must not resolve a page.
    memory: '10m',
  },
}
