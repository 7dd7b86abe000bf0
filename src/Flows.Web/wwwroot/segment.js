import { ago, count, element, shortTime, time } from './dom.js';
import { estimate } from './share.js';
import { plain, plural, resolvedText, stateText } from './words.js';
import { shortWeek } from './week.js';

/** One policy: whom it governs, how far that is known, its rules with what they rest on, what to decide, and its text. */
export function policyPage(policy, target) {
  return [
    element('p', { class: 'kind' }, policy.segment === policy.id ? 'policy' : `policy for ${policy.segment}`),
    element('h2', {}, policy.id),
    element('p', { class: 'hint' }, `Governs ${policy.governs || 'everybody'}.`),
    ...readiness(policy.readiness),
    ...list('Decide before applying', policy.detail.review, policy.review, reviewLine, 'review'),
    ...rules(policy),
    ...list(`What ${target} cannot say`, policy.detail.losses, policy.losses, loss => [element('b', {}, loss.effect), ` ${loss.place} ${loss.what}`], 'review'),
    ...policy.detail.files.flatMap(file),
  ];
}

function readiness(ready) {
  return ready === null ? [] : [
    element('h3', {}, 'How far it is known'),
    element('p', {}, badge(ready.state), ` ${ready.why}.`),
    element('dl', { class: 'facts' }, ...[
      ['New edge in the next hour', estimate(ready.unseen_next_hour), `${plural(ready.unseen_next_hour.once, 'edge')} seen in one hour only, of ${ready.unseen_next_hour.sightings} sightings (edge and hour); 95 % interval`],
      ['New edge in the next connection', estimate(ready.unseen_next_connection), `${plural(ready.unseen_next_connection.once, 'edge')} seen once, of ${ready.unseen_next_connection.sightings} connections; 95 % interval`],
      ['Edges', count(ready.edges), 'distinct peers and ports in either direction'],
      ['Last new edge', ago(ready.last_new), `${time(ready.last_new)} UTC`],
      ['Not seen yet', ready.periods_not_seen.join(', ') || 'every period was watched', 'periods of which less than twelve hours were watched'],
      ['Losses', ready.losses.join('; ') || 'none', 'observation that was lost on nodes that vouch for it'],
    ].flatMap(([name, value, hint]) => [element('dt', { title: hint }, name), element('dd', { title: hint }, value)])),
  ];
}

function rules(policy) {
  const { detail } = policy;
  return [
    element('h3', {}, `Rules (${count(detail.rule_count)})`),
    ...[['ingress', 'who may come in'], ['egress', 'where it may go']].flatMap(([direction, meaning]) => [
      element('h4', {}, `${direction}: ${meaning}`),
      ...policy[`${direction}_rules`] === null ? [element('p', { class: 'hint' }, 'Stays open: the policy does not speak of it.')]
        : policy[`${direction}_rules`] === 0 ? [element('p', { class: 'hint' }, 'Closed: no rule lets anything through.')] : [],
      ...detail.rules.filter(rule => rule.direction === direction).map(card),
    ]),
    detail.rules.length < detail.rule_count ? element('p', { class: 'hint' }, `and ${count(detail.rule_count - detail.rules.length)} more, which are in the text below`) : null,
  ];
}

function card(rule) {
  const inward = rule.direction === 'ingress';
  return element('section', { class: 'rule' },
    element('p', { class: 'says' },
      element('span', {}, inward ? 'from ' : 'to ', rule.peers.join(' or ') || 'everybody'), ' on ',
      element('b', {}, rule.ports.join(', ') || 'every port'),
      ...rule.purpose === 'baseline' ? [' ', element('span', { class: 'badge' }, 'baseline')] : []),
    rule.reason ? element('p', { class: 'hint' }, rule.reason) : null,
    rule.widened ? element('p', { class: 'wider' }, 'Wider than seen: ', rule.widened) : null,
    rule.first_seen === null ? element('p', { class: 'hint' }, 'Rests on nothing seen.') : element('p', { class: 'evidence' },
      fact(`${count(rule.connections)} ${rule.connections === 1 ? 'connection' : 'connections'}`),
      fact(`${plural(rule.distinct_sources, 'source')} → ${plural(rule.distinct_destinations, 'destination')}`),
      fact(span(rule.first_seen, rule.last_seen), `${rule.first_seen} to ${rule.last_seen}`),
      fact(shortWeek(rule.hours_of_week), `hours of the week, UTC: ${rule.hours_of_week}`),
      fact(rule.nodes.length ? `vouched by ${rule.nodes.join(', ')}` : 'nobody vouched'),
      fact(`ends named ${rule.resolved_by.map(by => resolvedText[by] ?? plain(by)).join(', ')}`)),
    rule.edges.length === 0 ? null : element('details', {},
      element('summary', {}, plural(rule.edges_in_all, 'edge')),
      element('ul', { class: 'edges' }, ...rule.edges.map(edgeLine),
        rule.edges.length < rule.edges_in_all ? element('li', { class: 'hint' }, `and ${count(rule.edges_in_all - rule.edges.length)} more`) : null)));
}

/** The day once where both are of the same. */
function span(first, last) {
  const [from, to] = [shortTime(first), shortTime(last)];
  return from === to ? from : `${from} to ${first.slice(0, 10) === last.slice(0, 10) ? to.split(' ').at(-1) : to}`;
}

const fact = (text, title) => text === '' ? null : element('span', { title }, text);

const edgeLine = edge => element('li', {},
  `${edge.src} → ${edge.dst} on ${edge.protocol}/${edge.dst_port}`, edge.service ? ` (dialled ${edge.service}${edge.service_port ? `:${edge.service_port}` : ''})` : '',
  element('span', { class: 'hint' }, ` ${count(edge.connections)}×, last ${shortTime(edge.last_seen)}, ${edge.nodes.join(', ')}`));

/** What something for review says, with its ends where they are not clear from where it stands. */
export const reviewLine = item => [
  element('b', {}, plain(item.reason)), ' ',
  item.dst ? `${item.src} → ${item.dst}${item.protocol ? ` on ${item.protocol.toUpperCase()}${item.port ? ` ${item.port}` : ''}` : ''}: ` : '',
  item.detail, item.connections > 0 ? ` (${plural(item.connections, 'connection')})` : '', '.',
];

export const badge = state => element('span', { class: `badge ${state}` }, stateText[state] ?? state);

function list(title, items, total, line, kind) {
  return items.length === 0 ? [] : [
    element('h3', {}, `${title} (${count(total)})`),
    element('ul', { class: kind }, ...items.map(item => element('li', {}, ...line(item))),
      items.length < total ? element('li', { class: 'hint' }, `and ${count(total - items.length)} more, under Review`) : null),
  ];
}

function file({ name, text }) {
  const pre = element('pre', { tabindex: '0', 'aria-label': `Text of ${name}` }, text);
  const copy = element('button', { onclick: () => copyText(text, copy, pre) }, 'Copy');
  return [
    element('div', { class: 'title' }, element('h3', {}, name), element('span', {}, copy, ' ', element('button', { onclick: () => download(name, text) }, 'Download'))),
    pre,
  ];
}

async function copyText(text, button, pre) {
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = 'Copied';
  } catch {
    // The clipboard is closed to pages on plain http at other than local addresses: select the text, so that Ctrl+C does it.
    getSelection().selectAllChildren(pre);
    button.textContent = 'Selected: press Ctrl+C';
  }
  setTimeout(() => {
    button.textContent = 'Copy';
  }, 2500);
}

function download(name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
  element('a', { href: address, download: name.replaceAll('/', '.') }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
