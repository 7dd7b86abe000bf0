import { ask } from './api.js';
import { byId, count, element } from './dom.js';
import { showDetails } from './details.js';
import { FlowMap } from './map.js';
import { showPolicies } from './policies.js';
import * as state from './state.js';
import { LinkTable } from './table.js';
import { stateOf, portText } from './links.js';
import { fullName } from './names.js';

const map = new FlowMap(byId('map'), select);
const table = new LinkTable(byId('links'), select);
let graph = { nodes: [], links: [], groups: [], hidden: { nodes: 0, links: 0 } };
let shownKey = '';
let shownText = '';
let sequence = -1;
let typing = 0;

/** Shows something else, as a step that the back button undoes. */
function change(what) {
  state.write(what);
  show();
}

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
  const text = [nodes.get(link.from), nodes.get(link.to)].flatMap(node => [fullName(node), node.label, node.kind, ...node.addresses])
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
  const { since, until } = state.read();
  const narrowed = since !== '' || until !== '';
  let text = '';
  if (graph.links.length === 0) {
    text = narrowed ? 'No traffic in this span.' : 'No traffic yet. Start a collector: flows collect --server ' + location.origin;
  } else if (links === 0) {
    text = 'Nothing matches the search.';
  } else if (hiddenLinks > 0) {
    text = `${count(hiddenLinks)} quieter links and ${count(hiddenNodes)} nodes are not drawn; choose a coarser level or a shorter span.`;
  }
  place.replaceChildren(text);
  if (graph.links.length === 0 && narrowed) {
    place.append(element('button', { onclick: () => change({ since: '', until: '' }) }, 'Show all there is'));
  }
  place.classList.toggle('empty', graph.links.length === 0);
  place.hidden = text === '';
}

/** Asks for the map where another is wanted, or with force; what did not change is not drawn again. */
async function load(force, quiet = false) {
  const now = state.read();
  const key = JSON.stringify([now.level, now.since, now.until]);
  if (!force && key === shownKey) {
    filter();
    showSelection();
    return;
  }
  document.body.setAttribute('aria-busy', String(!quiet));
  try {
    const answer = await ask('map', { level: now.level, since: now.since, until: now.until });
    const text = JSON.stringify([key, answer]);
    if (quiet && text === shownText) {
      return;
    }
    graph = answer;
    shownKey = key;
    shownText = text;
    map.show(graph);
    filter();
    showSelection();
  } catch (fault) {
    byId('notice').replaceChildren(fault.message);
    byId('notice').hidden = false;
  } finally {
    document.body.removeAttribute('aria-busy');
  }
}

async function health() {
  try {
    const { version, store, conservation } = await ask('health');
    const moved = sequence >= 0 && sequence !== store.sequence;
    sequence = store.sequence;
    byId('health').textContent = `${count(store.rows)} flows · ${conservation.dropped === 0 ? 'nothing dropped' : `${count(conservation.dropped)} dropped`}`
      + `${conservation.holds ? '' : ' · books do not balance'} · ${version}`;
    byId('health').classList.toggle('bad', !conservation.holds);
    return moved;
  } catch (fault) {
    byId('health').textContent = fault.message;
    byId('health').classList.add('bad');
    return false;
  }
}

/** While somebody looks: the store's number is cheap to ask for; the map is asked again when it moved, or when the span moves with the clock. */
async function refresh() {
  if (document.visibilityState !== 'visible') {
    return;
  }
  const moved = await health();
  const { tab, since } = state.read();
  if (tab === 'map' && (moved || /^\d+[a-z]$/.test(since))) {
    load(true, true);
  }
}

function show(force = false) {
  const now = state.read();
  document.body.dataset.view = now.tab;
  for (const tab of document.querySelectorAll('[data-tab]')) {
    const current = tab.dataset.tab === now.tab;
    tab.setAttribute('aria-selected', String(current));
    tab.tabIndex = current ? 0 : -1;
    byId(`view-${tab.dataset.tab}`).hidden = !current;
  }
  for (const name of ['level', 'since', 'state', 'plevel', 'target']) {
    byId(name).value = now[name];
  }
  if (document.activeElement !== byId('search')) {
    byId('search').value = now.q;
  }
  if (now.tab === 'policies') {
    showPolicies(now, change, force);
  } else {
    map.resize();
    load(force);
  }
}

for (const tab of document.querySelectorAll('[role=tab]')) {
  tab.addEventListener('click', () => change(tab.dataset.tab ? { tab: tab.dataset.tab } : { part: tab.dataset.part, offset: '' }));
  tab.addEventListener('keydown', event => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step) {
      const tabs = [...tab.parentElement.querySelectorAll('[role=tab]')];
      const other = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
      other.click();
      other.focus();
    }
  });
}
for (const name of ['plevel', 'target', 'cluster']) {
  byId(name).addEventListener('change', event => change({ [name]: event.target.value, policy: '', offset: '' }));
}
byId('level').addEventListener('change', event => change({ level: event.target.value, select: '' }));
for (const name of ['since', 'state']) {
  byId(name).addEventListener('change', event => change({ [name]: event.target.value, ...(name === 'since' ? { until: '', offset: '' } : {}) }));
}
byId('search').addEventListener('input', event => {
  state.write({ q: event.target.value, offset: '' }, true);
  if (state.read().tab === 'map') {
    filter();
  } else {
    clearTimeout(typing);
    typing = setTimeout(show, 250);
  }
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
    if (state.read().tab === 'map') {
      select('');
    }
  }
});
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => map.restyle());

show();
health();
setInterval(refresh, 10_000);
