import { ask } from './api.js';
import { byId, count } from './dom.js';
import { showDetails } from './details.js';
import { FlowMap } from './map.js';
import { showPolicies } from './policies.js';
import * as state from './state.js';
import { LinkTable } from './table.js';
import { stateOf, portText } from './links.js';

const map = new FlowMap(byId('map'), select);
const table = new LinkTable(byId('links'), select);
let graph = { nodes: [], links: [], groups: [], hidden: { nodes: 0, links: 0 } };
let shownKey = '';

function select(id) {
  state.write({ select: id });
  showSelection();
}

function showSelection() {
  const { select: id } = state.read();
  map.select(id);
  table.select(id);
  showDetails(byId('details'), graph, id, select);
}

/** Search matches names, groups and ports; a node stays while one of its links does, or when it matches itself. */
function visible(link, nodes, words, wanted) {
  if (wanted && stateOf(link) !== wanted) {
    return false;
  }
  const text = [nodes.get(link.from), nodes.get(link.to)].flatMap(node => [node.label, node.kind, ...node.addresses])
    .concat(link.ports.map(portText), link.services, link.backends).join(' ').toLowerCase();
  return words.every(word => text.includes(word));
}

function filter() {
  const { q, state: wanted } = state.read();
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  const nodes = new Map(graph.nodes.map(node => [node.id, node]));
  const links = graph.links.filter(link => visible(link, nodes, words, wanted));
  map.dim(new Set(links.map(link => link.id)), words.length > 0 || wanted !== '');
  table.show(links, nodes);
  notice(links.length);
}

function notice(links) {
  const place = byId('notice');
  const { nodes: hiddenNodes, links: hiddenLinks } = graph.hidden;
  let text = '';
  if (graph.links.length === 0) {
    text = 'No traffic in this span yet. Choose a longer span, or start a collector: flows collect --server ' + location.origin;
  } else if (links === 0) {
    text = 'Nothing matches the search.';
  } else if (hiddenLinks > 0) {
    text = `${count(hiddenLinks)} quieter links and ${count(hiddenNodes)} nodes are not drawn; choose a coarser level or a shorter span.`;
  }
  place.textContent = text;
  place.classList.toggle('empty', graph.links.length === 0);
  place.hidden = text === '';
}

async function load(force) {
  const now = state.read();
  const key = JSON.stringify([now.level, now.since, now.until]);
  if (!force && key === shownKey) {
    filter();
    showSelection();
    return;
  }
  document.body.setAttribute('aria-busy', 'true');
  try {
    graph = await ask('map', { level: now.level, since: now.since, until: now.until });
    shownKey = key;
    map.show(graph);
    filter();
    showSelection();
  } catch (fault) {
    byId('notice').textContent = fault.message;
    byId('notice').hidden = false;
  } finally {
    document.body.removeAttribute('aria-busy');
  }
}

async function health() {
  try {
    const { version, store, conservation } = await ask('health');
    byId('health').textContent = `${count(store.rows)} flows · ${conservation.dropped === 0 ? 'nothing dropped' : `${count(conservation.dropped)} dropped`}`
      + `${conservation.holds ? '' : ' · books do not balance'} · ${version}`;
    byId('health').classList.toggle('bad', !conservation.holds);
  } catch (fault) {
    byId('health').textContent = fault.message;
    byId('health').classList.add('bad');
  }
}

function show(force = false) {
  const now = state.read();
  for (const tab of document.querySelectorAll('[data-tab]')) {
    const current = tab.dataset.tab === now.tab;
    tab.setAttribute('aria-selected', String(current));
    tab.tabIndex = current ? 0 : -1;
    byId(`view-${tab.dataset.tab}`).hidden = !current;
  }
  for (const name of ['level', 'since', 'state']) {
    byId(name).value = now[name];
  }
  if (document.activeElement !== byId('search')) {
    byId('search').value = now.q;
  }
  if (now.tab === 'policies') {
    showPolicies(byId('policy-list'), byId('policy'), now, policy => {
      state.write({ policy });
      show();
    }, force);
  } else {
    map.resize();
    load(force);
  }
}

for (const tab of document.querySelectorAll('[data-tab]')) {
  tab.addEventListener('click', () => {
    state.write({ tab: tab.dataset.tab });
    show();
  });
  tab.addEventListener('keydown', event => {
    if (event.key === 'ArrowRight' || event.key === 'ArrowLeft') {
      const other = document.querySelector('[data-tab]:not([aria-selected="true"])');
      other.click();
      other.focus();
    }
  });
}
byId('level').addEventListener('change', event => {
  state.write({ level: event.target.value, select: '' });
  show();
});
for (const name of ['since', 'state']) {
  byId(name).addEventListener('change', event => {
    state.write({ [name]: event.target.value });
    show();
  });
}
byId('search').addEventListener('input', event => {
  state.write({ q: event.target.value }, true);
  filter();
});
byId('reload').addEventListener('click', () => {
  show(true);
  health();
});
byId('zoom-in').addEventListener('click', () => map.zoom(1.3));
byId('zoom-out').addEventListener('click', () => map.zoom(1 / 1.3));
byId('fit').addEventListener('click', () => map.fit());
addEventListener('popstate', () => show());
addEventListener('hashchange', () => show());
addEventListener('keydown', event => {
  if (event.key === '/' && !/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName)) {
    event.preventDefault();
    byId('search').focus();
  } else if (event.key === 'Escape') {
    byId('search').blur();
    select('');
  }
});
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => map.restyle());

show();
health();
