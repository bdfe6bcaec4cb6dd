// Who is told what and how: _config.alertmanager and _config.routing. A secret is never written here, only the file that it is read from, by its whole
// path: Alertmanager looks for a relative one where it was started, and notices when it has somebody to tell.
{
  alertmanager: {
    // The texts of Slack, PagerDuty and e-mail. Relative to the configuration file.
    templates: ['templates/*.tmpl'],

    // Ways to tell people. Each is off until it knows its secret or its address.
    channels: {
      // The bridge's own page; it needs no secret. `url: null` turns it off.
      pager: { url: 'http://127.0.0.1:9464/pager/webhook' },
      // The file holds the incoming webhook's URL. Without a channel it is the webhook's own.
      slack: { apiUrlFile: null, channel: null },
      // The file holds an integration key of the Events API v2. `url` is for PagerDuty's European service, and for proxies.
      pagerduty: { routingKeyFile: null, url: null },
      // `smarthost` is host:port, `to` one or more addresses. The file holds the password of `username`.
      email: { to: null, from: null, smarthost: null, username: null, passwordFile: null, requireTls: true },
      // Alertmanager's own JSON. The file holds the URL; `credentialsFile` a bearer token.
      webhook: { urlFile: null, credentialsFile: null },
    },

    // By the severity of an alert: `to`, the channels; `muteTimes`, names of timeIntervals in which nobody is told; the rest as in Alertmanager's
    // routes. `by` are the labels of a notification besides the cluster.
    severities: {
      critical: {
        to: ['pager', 'pagerduty', 'slack', 'webhook'],
        by: ['alertname', 'tenant_id', 'agent'],
        // Short, because a page is one alert of one tenant and agent: there is little to wait for.
        groupWait: '5s',
        groupInterval: '1m',
        repeatInterval: '4h',
      },
      // A ticket can wait for its group to fill, and need not be told again the same day.
      warning: {
        to: ['pager', 'slack', 'email', 'webhook'],
        by: ['alertname', 'tenant_id', 'agent'],
        groupWait: '1m',
        groupInterval: '15m',
        repeatInterval: '1d',
        muteTimes: [],
      },
      // Told to nobody. With `to: ['email']` it is a digest for each owner.
      info: {
        to: [],
        by: ['owner'],
        groupWait: '10m',
        groupInterval: '1d',
        repeatInterval: '7d',
        muteTimes: [],
      },
    },

    // For muteTimes, as in Alertmanager's time_intervals. Without a location it is UTC.
    timeIntervals: {
      nights: [{ times: [{ start_time: '20:00', end_time: '24:00' }, { start_time: '00:00', end_time: '07:00' }] }],
      weekends: [{ weekdays: ['saturday', 'sunday'] }],
    },

    // The dead man's switch: somebody elsewhere who is told this often that alerts get through, and pages when that stops. The file holds the URL;
    // without it the Watchdog alert goes nowhere.
    watchdog: { urlFile: null, interval: '1m' },

    // Alerts that say the same thing: while one of `says` fires, the alerts of `silent` with the same labels of `by` tell nobody. That a page makes the
    // ticket of the same alert silent goes without saying, and that a ticket makes no page silent.
    inhibitions: [
      // Series that end with the bridge look like agents that are silent, and like anything that is unlike before.
      {
        says: ['SpanbridgeDown', 'SpanbridgeMissing', 'SpanbridgeReceivingNothing'],
        silent: [
          'AgentSilent', 'AgentRequestRateAnomalous', 'AgentErrorRateAnomalous', 'AgentLatencyAnomalous', 'AgentCostAnomalous', 'AgentTokensAnomalous',
          'AgentQualityAnomalous', 'QualityScoresMissing',
        ],
        by: [],
      },
      // What a Collector cannot deliver it drops. That it does is what to look at where the bridge is there and receives nothing.
      { says: ['SpanbridgeDown', 'SpanbridgeMissing'], silent: ['CollectorDroppingSpans'], by: [] },
      // What breaks an objective is unlike before as well: a drip, a burst, an anomaly. Of the same owner each, for one team's page tells no other.
      { says: ['AgentSuccessRateLow'], silent: ['AgentFailuresTrickle', 'AgentRootCauseBurst'], by: ['tenant_id', 'agent'] },
      { says: ['AgentSuccessRateLow'], silent: ['AgentErrorRateAnomalous'], by: ['agent'] },
      { says: ['AgentLatencyP95High', 'AgentLatencyP99High'], silent: ['AgentSlownessTrickle'], by: ['tenant_id', 'agent'] },
      { says: ['AgentLatencyP95High', 'AgentLatencyP99High'], silent: ['AgentLatencyAnomalous'], by: ['agent'] },
      { says: ['AgentQualityLow'], silent: ['AgentQualityAnomalous'], by: ['agent'] },
      { says: ['AgentCostPerRequestHigh'], silent: ['AgentCostAnomalous'], by: ['agent'] },
      // When a tenant has nothing left that works, it is told so once.
      { says: ['TenantWithoutSuccess'], silent: ['AgentSuccessRateLow', 'AgentRootCauseBurst'], by: ['tenant_id'] },
      // Where five in a hundred are slow, so is one.
      { says: ['AgentLatencyP95High'], silent: ['AgentLatencyP99High'], by: ['tenant_id', 'agent'] },
      { says: ['PipelineLatencyP95High'], silent: ['PipelineLatencyP99High'], by: [] },
      // An agent without requests has an unusual rate of them, and nothing to judge.
      { says: ['AgentSilent'], silent: ['AgentRequestRateAnomalous', 'QualityScoresMissing'], by: ['agent'] },
    ],
  },

  // Whoever has ways of their own. A table is laid over alertmanager.channels, and `null` turns a channel off:
  //   teams: { 'agent-oncall': { slack: { channel: '#agents' }, pagerduty: { routingKeyFile: '/run/secrets/agents' } } }
  // A tenant's table goes before that of the team.
  routing: {
    // By the `owner` of an alert.
    teams: {
      // Requests fail or are slow.
      'agent-oncall': {},
      // Quality and errors that get worse over days.
      'agent-team': {},
      // The bridge itself, and what agents cost.
      platform: {},
    },
    // By the tenant_id of an alert.
    tenants: {},
  },
}
