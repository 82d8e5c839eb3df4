/** Without these few programs run: where things are, whose they are, and how text is written. */
const BASICS = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'LANG',
  'TZ',
  'TMPDIR',
  'TMP',
  'TEMP',
  'XDG_CONFIG_HOME',
  'XDG_CACHE_HOME',
  'XDG_DATA_HOME',
  // Windows
  'PATHEXT',
  'SYSTEMROOT',
  'SYSTEMDRIVE',
  'WINDIR',
  'COMSPEC',
  'USERPROFILE',
  'HOMEDRIVE',
  'HOMEPATH',
  'APPDATA',
  'LOCALAPPDATA',
  'PROGRAMDATA',
  'PROGRAMFILES',
  'PROGRAMFILES(X86)',
];

/** The way to the network. */
const NETWORK = [
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'ALL_PROXY',
  'NO_PROXY',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'REQUESTS_CA_BUNDLE',
  'CURL_CA_BUNDLE',
];

/** What steps that log in to a cloud leave for those after them. */
const CLOUD =
  /^(?:AWS|AZURE|ARM|AAD|GOOGLE|CLOUDSDK|GCLOUD|GCE|USE_GKE|ALIBABA_CLOUD|ALICLOUD|OCI|DIGITALOCEAN|IBMCLOUD|TENCENTCLOUD)_/;

/**
 * Lets a program log in as this job at any cloud that trusts it, so it is given to the only plugin that asks for it:
 * kubelogin, with `--login workloadidentity`.
 */
const ID_TOKEN = /^ACTIONS_ID_TOKEN_REQUEST_(?:URL|TOKEN)$/;

/**
 * What a credential plugin of a kubeconfig is given of our environment; a list of what is let through, so that inputs,
 * tokens and the App's key never are. What the kubeconfig itself says under `env` comes on top.
 */
export function pluginEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  plugin: string,
): Readonly<Record<string, string>> {
  const passed = Object.entries(env).filter(([name]) => {
    const upper = name.toUpperCase();
    if (BASICS.includes(upper) || NETWORK.includes(upper) || upper.startsWith('LC_')) return true;
    return CLOUD.test(upper) || (plugin === 'kubelogin' && ID_TOKEN.test(upper));
  });
  return Object.fromEntries(passed.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}
