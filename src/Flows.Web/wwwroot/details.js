import { ago, bytes, count, element, time } from './dom.js';
import { flagText, portText, portsLabel, stateOf, stateText } from './links.js';
import { candidates, fullName } from './names.js';

// A scanner tries thousands; nobody reads them one by one.
const portsMost = 40;

/** Fills the side panel with what is known of a node or link; with how to begin when nothing is selected. */
export function showDetails(panel, graph, id, select) {
  const node = graph.nodes.find(one => one.id === id);
  const link = graph.links.find(one => one.id === id);
  const parts = node ? ofNode(node, graph, select) : link ? ofLink(link, graph, select) : ofMap(graph);
  panel.replaceChildren(...parts.filter(Boolean));
  panel.scrollTop = 0;
}

function ofMap(graph) {
  const states = graph.links.reduce((sum, link) => ({ ...sum, [stateOf(link)]: (sum[stateOf(link)] ?? 0) + 1 }), {});
  return [
    element('h2', {}, 'This map'),
    facts([
      ['Nodes', count(graph.nodes.length)],
      ['Links', count(graph.links.length)],
      ...Object.entries(stateText).filter(([name]) => states[name]).map(([name, text]) => [`· ${text}`, count(states[name])]),
      ['Connections', count(graph.links.reduce((sum, link) => sum + link.connections, 0))],
    ]),
    element('p', { class: 'hint' }, 'Choose a node, a link or a row to see its peers, ports, times and witnesses. Press / to search, Escape to clear.'),
  ];
}

function ofNode(node, graph, select) {
  const nodes = new Map(graph.nodes.map(one => [one.id, one]));
  const incoming = graph.links.filter(link => link.to === node.id);
  const outgoing = graph.links.filter(link => link.from === node.id);
  return [
    element('p', { class: 'kind' }, node.kind.replace('_', ' ')),
    element('h2', {}, fullName(node)),
    flags(node),
    facts([
      ...candidates(node).map(one => ['Perhaps', `${one.kind} ${one.name}`]),
      ['Namespace', node.namespace],
      ['Cluster', node.cluster],
      ['Stands for', node.entities > 1 ? `${count(node.entities)} ${node.kind === 'workload' && node.namespace ? 'pods' : 'entities'}` : ''],
      ...span([...incoming, ...outgoing]),
      ['Seen by', [...new Set([...incoming, ...outgoing].flatMap(link => link.witnesses))].sort().join(', ')],
      ['Sent', bytes(volume(outgoing, incoming))],
      ['Received', bytes(volume(incoming, outgoing))],
      ['Addresses', node.addresses.join(', ') + (node.address_count > node.addresses.length ? `, and ${count(node.address_count - node.addresses.length)} more` : '')],
    ]),
    ...peers('Reached by', incoming, link => nodes.get(link.from), select),
    ...peers('Reaches', outgoing, link => nodes.get(link.to), select),
  ];
}

function ofLink(link, graph, select) {
  const [from, to] = [link.from, link.to].map(id => graph.nodes.find(node => node.id === id));
  return [
    element('p', { class: 'kind' }, 'link'),
    element('h2', {}, end(from, select), ' → ', end(to, select)),
    flags(link),
    facts([
      ['State', badge(stateOf(link))],
      ['Dialled as', link.services.join(', ')],
      ['Answered by', link.backends.join(', ')],
      ...span([link]),
      ['Seen by', link.witnesses.join(', ')],
      ['Connections', count(link.connections)],
      ['· answered', count(link.answered)],
      ['· refused', link.refused ? count(link.refused) : ''],
      ['· unanswered', link.unanswered ? count(link.unanswered) : ''],
      ['· direction certain', count(link.direction_trusted)],
      ['Sent', bytes(link.fwd_bytes)],
      ['Received', bytes(link.rev_bytes)],
    ]),
    element('h3', {}, `Ports (${link.ports.length})`),
    element('ul', { class: 'peers' }, ...[...link.ports].sort((a, b) => b.connections - a.connections || a.port - b.port).slice(0, portsMost).map(port =>
      element('li', {}, element('span', {}, portText(port)), element('span', { class: 'number' }, count(port.connections))))),
    link.ports.length > portsMost ? element('p', { class: 'hint' }, `and ${count(link.ports.length - portsMost)} more`) : null,
  ];
}

function peers(title, links, other, select) {
  if (links.length === 0) {
    return [];
  }
  return [
    element('h3', {}, `${title} (${links.length})`),
    element('ul', { class: 'peers' }, ...[...links].sort((a, b) => b.connections - a.connections).map(link =>
      element('li', {},
        element('button', { class: 'row', onclick: () => select(link.id), title: 'Show this link' },
          element('i', { class: `line ${stateOf(link)}`, title: stateText[stateOf(link)] }),
          element('span', { class: 'peer' }, fullName(other(link))),
          element('span', { class: 'ports' }, portsLabel(link)),
          element('span', { class: 'number' }, count(link.connections)))))),
  ];
}

const end = (node, select) => element('button', { class: 'plain', onclick: () => select(node.id) }, fullName(node));

/** When the first and the last of these links were seen: roughly for the eye, exactly below. */
function span(links) {
  const first = links.map(link => link.first_seen).sort()[0];
  const last = links.map(link => link.last_seen).sort().at(-1);
  return first === undefined ? [] : [['First seen', moment(first)], ['Last seen', moment(last)]];
}

const moment = text => element('time', { datetime: text, title: text }, ago(text), element('small', {}, `${time(text)} UTC`));

const volume = (forward, back) => forward.reduce((sum, link) => sum + link.fwd_bytes, 0) + back.reduce((sum, link) => sum + link.rev_bytes, 0);

const badge = state => element('span', { class: `badge ${state}` }, stateText[state]);

const flags = ({ flags: set }) => set.length === 0 ? null
  : element('ul', { class: 'flags' }, ...set.map(flag => element('li', {}, flagText[flag] ?? flag)));

function facts(pairs) {
  return element('dl', {}, ...pairs.filter(([, value]) => value !== '' && value !== undefined)
    .flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value)]));
}
