// Settings of a channel to an integration of Alertmanager; {} where it is not configured. Everything that a stranger may have written passes through the
// templates, which escape it for whoever shows it.
local setting(channel, name) = std.get(channel, name);
// A setting that a channel cannot do without once it is on.
local needed(kind, channel, name) =
  local value = setting(channel, name);
  assert value != null : 'cannot route to %s: %s is missing' % [kind, name];
  value;
local template(name) = '{{ template "spanbridge.' + name + '" . }}';

// Many alerts in one notification are cut there, and how many is said.
local maxAlerts = 100;

local channels = {
  pager(channel)::
    if setting(channel, 'url') == null then {} else { webhook_configs: [{ url: channel.url, send_resolved: true, max_alerts: maxAlerts }] },

  webhook(channel)::
    if setting(channel, 'urlFile') == null then {} else {
      webhook_configs: [
        { url_file: channel.urlFile, send_resolved: true, max_alerts: maxAlerts }
        + (if setting(channel, 'credentialsFile') == null then {} else { http_config: { authorization: { credentials_file: channel.credentialsFile } } }),
      ],
    },

  slack(channel)::
    if setting(channel, 'apiUrlFile') == null then {} else {
      slack_configs: [
        {
          api_url_file: channel.apiUrlFile,
          send_resolved: true,
          color: template('slack.color'),
          title: template('slack.title'),
          title_link: template('link'),
          text: template('slack.text'),
          fallback: template('slack.title'),
          // No field is markdown: a name with * or ` in it is shown as it is, and cannot hide what follows.
          mrkdwn_in: ['pretext'],
        } + (if setting(channel, 'channel') == null then {} else { channel: channel.channel }),
      ],
    },

  pagerduty(channel)::
    if setting(channel, 'routingKeyFile') == null then {} else {
      pagerduty_configs: [
        {
          routing_key_file: channel.routingKeyFile,
          send_resolved: true,
          description: template('pagerduty.summary'),
          severity: template('pagerduty.severity'),
          class: template('pagerduty.class'),
          component: template('pagerduty.component'),
          group: template('pagerduty.group'),
          client: 'Spanbridge',
          client_url: template('link'),
          // Alertmanager reads each rendered detail as YAML, and renders what is in it a second time: of its defaults, which are JSON, a label
          // value with braces in it would be run as a template, and one that does not parse would lose the page.
          details: { firing: template('pagerduty.firing'), resolved: template('pagerduty.resolved') },
          links: [{ href: template('runbook'), text: 'Runbook' }, { href: template('dashboard'), text: 'Dashboard' }],
        } + (if setting(channel, 'url') == null then {} else { url: channel.url }),
      ],
    },

  email(channel)::
    if setting(channel, 'to') == null then {} else {
      email_configs: [
        {
          to: channel.to,
          from: needed('email', channel, 'from'),
          smarthost: needed('email', channel, 'smarthost'),
          require_tls: std.get(channel, 'requireTls', true),
          send_resolved: true,
          headers: { Subject: template('title') },
          html: template('email.html'),
          text: template('email.text'),
        }
        + (if setting(channel, 'username') == null then {} else {
          auth_username: channel.username,
          auth_password_file: needed('email', channel, 'passwordFile'),
        }),
      ],
    },
};

{
  // The integrations of the channels named in `to`, of all that `settings` has.
  integrations(settings, to, place):
    local known = std.objectFieldsAll(channels);
    local one(name) =
      if !std.member(known, name) then error 'cannot route %s: %s is no channel; channels are %s' % [place, name, std.join(', ', known)]
      else if std.get(settings, name) == null then {}
      else channels[name](settings[name]);
    local all = [one(name) for name in to];
    {
      [kind]: std.flattenArrays([std.get(integration, kind, []) for integration in all])
      for kind in std.set(std.flatMap(std.objectFields, all))
    },
}
