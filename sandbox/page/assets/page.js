import mermaid from './mermaid/mermaid.esm.min.mjs';

const dark = matchMedia('(prefers-color-scheme: dark)').matches;
mermaid.initialize({ startOnLoad: false, theme: dark ? 'dark' : 'default', securityLevel: 'strict' });

const EVERY_MS = 700;
let shown = '';

/** An element with text; what comes from the sandbox is never markup here, except where GitHub renders markdown. */
function element(tag, options = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(options)) made[name] = value;
  made.append(...children);
  return made;
}

function markdown(html) {
  const made = element('div', { className: 'markdown' });
  made.innerHTML = html;
  return made;
}

function box(head, body) {
  return element('div', { className: 'box' }, head, body);
}

function pullElement(pull) {
  const title = element(
    'h2',
    { className: 'title' },
    `${pull.title} `,
    element('small', {}, `#${pull.number} of ${pull.repository}`),
  );
  const state = element('span', { className: `state ${pull.state}` }, pull.state);
  const checks = pull.checks.map(check => {
    const head = element(
      'div',
      { className: 'head' },
      element('span', { className: `dot ${check.conclusion}` }),
      element('strong', {}, check.name),
      element('span', { className: 'words' }, check.title),
    );
    const details = element('details', {}, element('summary', {}, 'Check run'), markdown(check.html));
    return box(head, element('div', { className: 'folded' }, details));
  });
  const comments = pull.comments.map(comment =>
    box(
      element(
        'div',
        { className: 'head' },
        element('span', { className: 'avatar' }, comment.author.slice(0, 1)),
        element('strong', {}, comment.author),
        ' commented',
      ),
      markdown(comment.html),
    ),
  );
  return element('article', { className: 'pull' }, title, state, ...comments, ...checks);
}

function canaryElement(canary) {
  const traffic = element('div', { className: 'traffic', title: `${canary.weight} % on the canary` });
  const share = element('i');
  share.style.width = `${canary.weight}%`;
  traffic.append(share);
  const facts = [
    `${canary.weight} % of traffic`,
    ...(canary.iterations > 0 ? [`iteration ${canary.iterations}`] : []),
    ...(canary.failedChecks > 0 ? [`${canary.failedChecks} failed checks`] : []),
  ];
  return element(
    'div',
    { className: 'canary' },
    element('strong', {}, canary.name),
    element('span', { className: `phase ${canary.phase}` }, canary.phase || '–'),
    traffic,
    row('old', 'primary, serves the users', canary.primary),
    row('new', `canary: ${facts.join(', ')}`, canary.target),
  );
}

function row(className, words, version) {
  const label = element('span', {}, element('b', { className: `key ${className}` }), words);
  return element(
    'div',
    { className: 'row' },
    label,
    element('span', { className: 'version' }, version || '–'),
  );
}

function deploymentElement(deployment) {
  const conclusion = deployment.state === 'in_progress' ? '' : deployment.state;
  return element(
    'li',
    {},
    element('span', { className: `dot ${conclusion}` }),
    deployment.environment,
    element('br'),
    element('small', {}, deployment.words),
  );
}

function commitElement(commit) {
  const facts = [
    commit.sha.slice(0, 7),
    commit.verified ? 'verified' : '',
    commit.applied ? 'applied by Flux' : '',
  ];
  return element(
    'li',
    {},
    commit.title,
    element('br'),
    element('small', {}, facts.filter(Boolean).join(' · ')),
  );
}

/** Folded parts stay as the reader left them. */
function openParts() {
  return new Set([...document.querySelectorAll('details[open]')].map(keyOf));
}

function keyOf(details) {
  return `${details.closest('.pull')?.querySelector('h2')?.textContent}${details.closest('.box')?.querySelector('.head strong')?.textContent}${details.querySelector('summary')?.textContent}`;
}

async function draw(root) {
  const blocks = [...root.querySelectorAll('code.language-mermaid')];
  for (const [index, block] of blocks.entries()) {
    const { svg } = await mermaid.render(`drawing-${index}-${Date.now()}`, block.textContent ?? '');
    const drawing = element('div', { className: 'drawing' });
    drawing.innerHTML = svg;
    block.closest('pre')?.replaceWith(drawing);
  }
}

async function show(state) {
  const open = openParts();
  const pulls = element('div', {}, ...state.pulls.map(pullElement));
  for (const details of pulls.querySelectorAll('details')) {
    const key = keyOf(details);
    if (open.has(key)) details.open = true;
  }
  await draw(pulls);
  document.querySelector('#pulls')?.replaceChildren(pulls);
  document.querySelector('#canaries')?.replaceChildren(...state.canaries.map(canaryElement));
  document.querySelector('#deployments')?.replaceChildren(...state.deployments.map(deploymentElement));
  document.querySelector('#environments')?.toggleAttribute('hidden', state.deployments.length === 0);
  document.querySelector('#commits')?.replaceChildren(...state.commits.map(commitElement));
  document.body.dataset.shown = 'true';
}

async function look() {
  try {
    const answer = await fetch('state');
    const text = await answer.text();
    if (text !== shown) await show(JSON.parse(text));
    shown = text;
  } catch {
    document.title = 'The sandbox has ended';
  } finally {
    setTimeout(look, EVERY_MS);
  }
}

await look();
