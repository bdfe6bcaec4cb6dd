// Alertmanager's configuration: critical alerts and tickets go to the pager page, one page for each alert, tenant and agent. Nothing secret is
// written here; a receiver that needs a secret reads it from a file.
function(config) {
  local group = (if config.clusterLabel == '' then [] else [config.clusterLabel]) + ['tenant_id', 'agent'],

  route: {
    receiver: 'pager',
    group_by: ['alertname'] + group,
    group_wait: config.pager.groupWait,
    group_interval: config.pager.groupInterval,
    repeat_interval: config.pager.repeatInterval,
    routes: [
      { matchers: ['severity="critical"'], receiver: 'pager' },
      // A ticket can wait for its group to fill, and need not be told again the same day.
      { matchers: ['severity="warning"'], receiver: 'pager', group_wait: '1m', group_interval: '15m', repeat_interval: '1d' },
      { matchers: ['severity="info"'], receiver: 'nobody' },
    ],
  },

  // A page makes the ticket of the same alert silent. Two alerts that both lack a label of `equal` are equal in it: for requests without a
  // tenant or agent that is meant, and `objective` keeps alerts of other origin, which have none of these labels, out of the rule.
  inhibit_rules: [
    {
      source_matchers: ['severity="critical"', 'objective!=""'],
      target_matchers: ['severity="warning"', 'objective!=""'],
      equal: ['alertname', 'objective'] + group,
    },
  ],

  receivers: [
    {
      name: 'pager',
      webhook_configs: [{ url: config.pager.url, send_resolved: true, max_alerts: 100 }],
    },
    { name: 'nobody' },
  ],
}
