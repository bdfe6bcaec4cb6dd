// What a user may tune of the health of the bridge and those around it, and of silence.
{
  local whole = self,

  // Matchers that tell whose series these are, for what Prometheus writes of its targets (up) and for what other programs tell of themselves.
  // Where one of them is not scraped, its alerts have nothing to judge.
  targets: {
    bridge: if whole.selector == '' then 'job="spanbridge"' else whole.selector,
    prometheus: 'job="prometheus"',
    alertmanager: 'job="alertmanager"',
    collector: 'job="otel-collector"',
    loki: 'job="loki"',
  },

  // The bridge itself, and those around it.
  health: {
    // What is counted over a while is counted over `window`; `for` is longer, so that a burst is over before it is a ticket.
    window: '10m',
    'for': '15m',
    // A bridge that does not answer for this long is down; one that Prometheus has no target for this long is missing.
    downFor: '2m',
    missingFor: '5m',
    // One more outage within this long is the same.
    keepDownFor: '5m',
    // So many starts of a bridge within an hour are a restart for a reason; more are a loop.
    restarts: 2,
    // A scrape gives up after 10 s, unless scrape_timeout says otherwise, and never later than the scrape interval.
    slowScrape: '4s',
    // Of the spans, the share that cannot be read, and that comes after its request was settled.
    rejectedShare: 0.01,
    lateShare: 0.05,
    // Pushes answered with an error within `window`. Somebody who tries the port is no ticket; an exporter sends every few seconds.
    refusedPushes: 10,
    // Of the model calls of an hour, the share whose cost is unknown, when there are at least so many of these.
    unpricedShare: 0.05,
    unpricedCalls: 10,
    // Of the requests of an hour that a judge is asked about, the share that gets no mark, when there are at least so many of these.
    judgeFailedShare: 0.25,
    judgeRequests: 8,
    // A source of scores is asked every minute, and after errors every ten.
    scorePollAge: '30m',
    // Of the scores of an hour, the share that is not counted or for no tenant, when there are at least so many of these.
    scoresLostShare: 0.125,
    scoresLost: 8,
  },

  // Silence is learned from who has sent before. Fewer requests than `requests` within an hour, or spans within half an hour, are too few to miss.
  silence: {
    // Who falls silent: 'agent' is a program that stops. A tenant's silence is mostly the tenant's own business, a night or an end, and with hundreds
    // of them some are always silent longer than ever before; ['tenant_id', 'agent'] is for those who run an agent of its own for each tenant.
    by: ['agent'],
    requests: 5,
    spans: 50,
    // Sent in each hour of a day: expected at any hour, until a day has passed without.
    // Sent at this hour a week ago and on this many of the last seven days: expected at this hour. With 5, an agent of working days is not
    // expected on a Saturday, and one that was retired on a Wednesday is not expected after Thursday.
    days: 5,
    'for': '15m',
  },
}
