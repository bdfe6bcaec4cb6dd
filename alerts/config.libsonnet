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
    // What the bad requests of so long have in common is told when at least so many of them have it, at least this share of them, so many times as
    // often as the good ones, and further from their share than so many standard errors: 4 is one false alarm in 30,000 comparisons.
    lift: { leastBad: 10, share: 0.5, times: 2, standardErrors: 4 },
    // Of the errors that an agent meets with a retry or a fallback, more than this share not made up for is a ticket; in an hour with at least so many.
    recoveries: { failingShare: 0.5, least: 20 },
    // null leaves it to Prometheus's own evaluation_interval, which the demo sets to 5 s.
    evaluationInterval: null,
    // Ranges of two hours and more read many samples and change slowly.
    longRangeEvaluationInterval: '1m',
    // What looks back a day and more at recorded series. Below 5m, after which Prometheus takes a sample for gone.
    budgetEvaluationInterval: '2m',

    // Objectives with rules, by their id in objectives.json. Limits are not here: the bridge publishes them as agent_objective.
    objectives: [objective.id for objective in (import 'objectives.json').objectives],

    // Multi-window burn rates of the SRE workbook: an alert fires when both windows of one pair burn the 30-day budget `factor` times too
    // fast. The long window says that it matters, the short one that it is still going on. `outage` is for targets that leave so much
    // budget that no burn reaches the factors; objectives/windows.libsonnet tells how.
    burnRates: [
      {
        severity: 'critical',
        pairs: [
          { short: '5m', long: '1h', factor: 14.4 },
          { short: '5m', long: '1h', outage: 0.5 },
          { short: '30m', long: '6h', factor: 6 },
        ],
      },
      { severity: 'warning', pairs: [{ short: '2h', long: '1d', factor: 3 }, { short: '6h', long: '3d', factor: 1 }] },
    ],
    // Fewer requests than this in the long window, or fewer bad ones, page nobody: one error at night is 100 % of that night.
    minEvents: 10,
    minBadEvents: 3,
    // What that leaves unseen: bad requests, above the budget of the last day, in this many of its hours.
    trickleHours: 4,
    // With few requests a short window is now empty, now bad; a page that comes and goes with it is told again and again.
    keepFiringFor: '5m',

    // Values: quality, cost, labels, context. A mean over fewer requests (minEvents) or scores in the hour is taken over the day, and over fewer in
    // the day not at all, so that one bad score at night tells nobody.
    minScores: 8,
    // Whose marks are the quality of an agent: the first of these layers that it has. And matchers for marks that are none, such as
    // 'evaluator!~"toxicity|latency"'. What a judge looked at because something was about it says nothing of all requests.
    qualityLayers: ['judge', 'external', 'human'],
    qualitySelector: 'evaluator!~".+:(error|low_unit_score|new_version)"',
    // This month is the last 30 days, last month the 30 before. Prometheus has to keep 60 days for it (--storage.tsdb.retention.time, by default 15d);
    // until so many days of the month before are there, nothing is compared. An agent that rests at the weekend is seen on 27.5 days.
    minDaysOfMonthBefore: 27,
    minMonthlyScores: 32,
    // What a month before has to have cost, in USD, to be compared with.
    minMonthlyUsd: 1,
    // Objectives without a documented limit, unless `objectives` in the bridge's configuration sets one: told when the cost has grown by half, or
    // when quality has fallen by a twentieth.
    costGrowth: 0.5,
    qualityFall: -0.05,
    // Savings of less than this in a week, in USD, are not worth a person's time.
    minSavingsUsd: 1,
    // An evaluator is missed when in this long it gave no score where at least minScores were to be expected.
    scoresMissingRange: '3h',
    // When people no longer agree with a judge: Cohen's kappa below this at best (0.4 is where agreement is called moderate), or below what it was in the time
    // before; of so many requests that both marked at least.
    calibration: { minKappa: 0.4, minPairs: 30, past: '30d', 'for': '1h' },
    // Labels that people gave in 30 days, and errors of an agent in a day: fewer are too few for a share.
    minLabels: 20,
    minErrors: 10,
    // The share of errors that may be unclassified.
    maxUnclassified: 0.1,
    // How often a check of results or answers may fail.
    maxChecksFailing: 0.1,
    // The share of model calls that may have more messages in their context than the objective allows.
    maxLongContext: 0.05,
    // A series that is missing this long is still taken for there: a restart of the bridge must not resolve a page.
    memory: '10m',

    // Rules over the lines of unhealthy requests that the bridges push to Loki. Numbers of requests, not of lines. With a clusterLabel, the bridges have
    // to put it on their lines: loki.labels in their configuration.
    loki: {
      // Label matchers put into every selection of lines, such as 'cluster="eu"'.
      selector: '',
      // null leaves it to the evaluation_interval of Loki's ruler.
      evaluationInterval: null,
      longRangeEvaluationInterval: '1m',
      // A kind of failure is new when none of it was in `memory` before `range`. Loki has to keep lines twice as long as that.
      newFingerprint: { range: '10m', memory: '1d', atLeast: 3 },
      // Many failures with one cause, and `factor` times as many as there were in the time before.
      burst: { range: '5m', atLeast: 20, before: '1h', factor: 5 },
      contextOverflow: { range: '10m', atLeast: 5 },
      deadlock: { range: '10m', atLeast: 1 },
      // Three times as long as a healthy tenant's successes may take to be told.
      noSuccess: { range: '15m', atLeast: 5 },
    },

    // Bands of what is ordinary for an agent (anomalies/). Each value is of the last `window`; a quality score is rarer than a request.
    anomalies: {
      window: '10m',
      scoreWindow: '30m',
      // Fewer requests or scores than this in the window are not judged.
      minEvents: 10,
      // Three histories: the median of as much as `smoothing` around the same time yesterday and a week ago, and until there are both of the last hours.
      recent: '3h',
      smoothing: '1h',
      // How long and how finely the deviations are remembered, and how much of it there has to be before an alert may fire.
      memory: '7d',
      memoryInterval: '10m',
      warmUp: '1d',
      // Half of the band: the widest of so many standard deviations by the median of the deviations, by their squares, by the number of events, ...
      robustFactor: 4,
      gaussianFactor: 2.5,
      samplingFactor: 3.5,
      // ... and of at least this: natural logarithms of a ratio (0.6 is from 0.55 to 1.8 times; a bucket of the histogram of latencies is as wide), of
      // errors a square root (0.25 is 6 % where none are expected), of quality the score itself.
      least: { requests: 0.6, errors: 0.25, latency: 0.6, cost: 0.45, tokens: 0.45, quality: 0.08 },
      // How long a value has to be outside, and how long after it an anomaly is still the same one. As long as `window`: so long an agent that stops
      // seems to get fewer and fewer requests.
      'for': '10m',
      keepFiringFor: '15m',
      // A deviation is remembered up to this until there is a band to cut it at.
      maxDeviation: 1,
    },
  },
}
