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
  // In the texts the word stands for nothing but the label and its variable, and a uid for nothing but the dashboard.
  local cluster = if config.clusterLabel == '' then 'cluster' else config.clusterLabel;
  local renames = [['cluster', cluster]] + [['spanbridge-' + name, config.dashboardUids[name]] for name in std.objectFields(texts)];
  // Of the language's implementations some take half a minute for it, so spanbridge generate does it by itself.
  local needed = if std.objectHasAll(config, 'renamedElsewhere') then [] else [pair for pair in renames if pair[0] != pair[1]];
  local renamed(value) =
    if std.isString(value) then std.foldl(function(text, pair) std.strReplace(text, pair[0], pair[1]), needed, value)
    else if std.isArray(value) then [renamed(one) for one in value]
    else if std.isObject(value) then { [renamed(key)]: renamed(value[key]) for key in std.objectFields(value) }
    else value;
  {
    ['spanbridge-' + name + '.json']:
      local parsed = std.parseJson(texts[name]);
      if needed == [] then parsed else renamed(parsed)
    for name in std.objectFields(texts)
  }
