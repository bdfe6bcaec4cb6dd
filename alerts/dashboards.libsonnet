// The generated dashboards, by their file names, with the uids and the cluster label of _config.
local texts = {
  overview: importstr '../dashboards/generated/overview.json',
  requests: importstr '../dashboards/generated/requests.json',
  cost: importstr '../dashboards/generated/cost.json',
  quality: importstr '../dashboards/generated/quality.json',
  errors: importstr '../dashboards/generated/errors.json',
  tenant: importstr '../dashboards/generated/tenant.json',
  agent: importstr '../dashboards/generated/agent.json',
  bridge: importstr '../dashboards/generated/bridge.json',
};

function(config)
  // In the texts the word stands for nothing but the label and its variable, and a uid for nothing but the dashboard. They are replaced before the texts are
  // read: to go through what has been read takes jsonnet fifteen times as long.
  local cluster = if config.clusterLabel == '' then 'cluster' else config.clusterLabel;
  local renames = [['cluster', cluster]] + [['spanbridge-' + name, config.dashboardUids[name]] for name in std.objectFields(texts)];
  local inJson(text) = local quoted = std.escapeStringJson(text); std.substr(quoted, 1, std.length(quoted) - 2);
  local renamed(text) = std.foldl(function(all, pair) if pair[0] == pair[1] then all else std.strReplace(all, pair[0], inJson(pair[1])), renames, text);
  {
    ['spanbridge-' + name + '.json']: std.parseJson(renamed(texts[name]))
    for name in std.objectFields(texts)
  }
