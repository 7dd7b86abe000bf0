import { ask } from './api.js';
import { count, element, shortTime } from './dom.js';
import { pager, sheet } from './sheet.js';
import { plain } from './words.js';

const pageSize = 200;

const columns = [
  { name: 'Reason', value: item => plain(item.reason) },
  { name: 'From', value: item => item.src, wide: true },
  { name: 'To', value: item => item.dst, wide: true },
  { name: 'Port', value: item => item.protocol ? `${item.protocol}${item.port ? `/${item.port}` : ''}` : '' },
  { name: 'Connections', number: true, value: item => item.connections ? count(item.connections) : '' },
  { name: 'Last seen (UTC)', value: item => item.last_seen ? shortTime(item.last_seen) : '' },
  { name: 'Seen by', value: item => item.nodes.join(', ') },
  { name: 'Why', value: item => item.detail, wide: true },
];

/** What was left out of the rules, or should be checked in them: by reason, in pages. */
export async function reviewPage(question, { reason, q, offset }, change) {
  const answer = await ask('policies/review', { ...question, reason, q, offset, limit: pageSize });
  const all = answer.reasons.reduce((sum, one) => sum + one.count, 0);
  const filter = (word, text) => element('button', { 'aria-pressed': String(reason === word), onclick: () => change({ reason: word, offset: '' }) }, text);
  return [
    element('p', { class: 'hint' }, 'Nothing that was seen is dropped silently: this is what no rule was made from, or what a person should check in the rules.'),
    element('div', { class: 'chips', role: 'group', 'aria-label': 'Reasons' }, filter('', `All ${count(all)}`),
      ...answer.reasons.map(one => filter(one.reason, `${plain(one.reason)} ${count(one.count)}`))),
    sheet({ caption: 'For review', columns, rows: answer.items }),
    pager({ total: answer.total, offset: answer.offset, shown: answer.items.length, size: pageSize }, to => change({ offset: to > 0 ? String(to) : '' })),
  ];
}
