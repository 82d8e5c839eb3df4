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
    const mark = element('span', { className: `dot ${check.conclusion}` });
    const head = element(
      'div',
      { className: 'head' },
      mark,
      element('strong', {}, check.name),
      ` ${check.title}`,
    );
    const details = element('details', {}, element('summary', {}, 'Check run'), markdown(check.html));
    return box(head, element('div', { className: 'markdown' }, details));
  });
  const comments = pull.comments.map(comment =>
    box(
      element('div', { className: 'head' }, element('strong', {}, comment.author), ' commented'),
      markdown(comment.html),
    ),
  );
  return element('article', { className: 'pull' }, title, state, ...comments, ...checks);
}

function canaryElement(canary) {
  const bar = element('i');
  bar.style.width = `${canary.weight}%`;
  return element(
    'div',
    { className: 'canary' },
    element('strong', {}, canary.name),
    ` ${canary.phase}`,
    element('div', { className: 'traffic' }, bar),
    element(
      'small',
      {},
      `primary ${canary.primary}, target ${canary.target}; ${canary.weight} % on the canary, iteration ${canary.iterations}, ${canary.failedChecks} failed checks`,
    ),
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
