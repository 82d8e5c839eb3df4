/** GitHub's opaque ids, made the way its old ones were. */
export function nodeId(type, id) {
  return Buffer.from(`0${type.length}:${type}${id}`).toString('base64');
}
/** The schema `simple-user`. */
export function simpleUser(state, login) {
  const { id, type } = state.account(login);
  const { api, server } = state.urls;
  const url = `${api}/users/${encodeURIComponent(login)}`;
  return {
    login,
    id,
    node_id: nodeId(type, id),
    avatar_url: `${server}/avatars/u/${id}?v=4`,
    gravatar_id: '',
    url,
    html_url: `${server}/${login.endsWith('[bot]') ? `apps/${login.slice(0, -5)}` : login}`,
    followers_url: `${url}/followers`,
    following_url: `${url}/following{/other_user}`,
    gists_url: `${url}/gists{/gist_id}`,
    starred_url: `${url}/starred{/owner}{/repo}`,
    subscriptions_url: `${url}/subscriptions`,
    organizations_url: `${url}/orgs`,
    repos_url: `${url}/repos`,
    events_url: `${url}/events{/privacy}`,
    received_events_url: `${url}/received_events`,
    type,
    user_view_type: 'public',
    site_admin: false,
  };
}
/** The schema `private-user`, of the person who asks. */
export function privateUser(state, login) {
  const { name } = state.account(login);
  const counts = {
    public_repos: 0,
    public_gists: 0,
    followers: 0,
    following: 0,
    private_gists: 0,
    total_private_repos: 0,
    owned_private_repos: 0,
    disk_usage: 0,
    collaborators: 0,
  };
  return {
    ...simpleUser(state, login),
    user_view_type: 'private',
    name,
    company: null,
    blog: null,
    location: null,
    email: null,
    notification_email: null,
    hireable: null,
    bio: null,
    twitter_username: null,
    ...counts,
    two_factor_authentication: true,
    created_at: '2020-01-01T00:00:00Z',
    updated_at: '2020-01-01T00:00:00Z',
  };
}
/** The schema `integration`. */
export function appJson(state, app) {
  const { server } = state.urls;
  return {
    id: app.id,
    ...(app.clientId === undefined ? {} : { client_id: app.clientId }),
    slug: app.slug,
    node_id: nodeId('App', app.id),
    owner: simpleUser(state, app.owner),
    name: app.slug,
    description: '',
    external_url: `${server}/${app.owner}`,
    html_url: `${server}/apps/${app.slug}`,
    created_at: app.createdAt,
    updated_at: app.createdAt,
    permissions: app.permissions,
    events: [],
  };
}
/** The schema `nullable-integration`: the App of this id. */
export function appById(state, id) {
  const app = id === undefined ? undefined : state.app(id);
  return app === undefined ? null : appJson(state, app);
}
/** The schema `installation`. */
export function installationJson(state, installation) {
  const { api, server } = state.urls;
  const { id, account, appId } = installation;
  return {
    id,
    account: simpleUser(state, account),
    repository_selection: installation.repositories === undefined ? 'all' : 'selected',
    access_tokens_url: `${api}/app/installations/${id}/access_tokens`,
    repositories_url: `${api}/installation/repositories`,
    html_url: `${server}/organizations/${account}/settings/installations/${id}`,
    app_id: appId,
    app_slug: state.app(appId)?.slug ?? '',
    target_id: state.account(account).id,
    target_type: 'Organization',
    permissions: installation.permissions,
    events: [],
    single_file_name: null,
    suspended_by: null,
    suspended_at: null,
    created_at: installation.createdAt,
    updated_at: installation.createdAt,
  };
}
