import { ago, count, element, time } from './dom.js';
import { percent } from './share.js';
import { badge } from './segment.js';
import { pager, sheet } from './sheet.js';

export const pageSize = 200;

const columns = [
  { name: 'Segment', value: policy => [element('b', {}, policy.segment), policy.segment === policy.id ? null : element('small', {}, policy.name)], sort: 'name', wide: true },
  { name: 'State', value: ({ readiness }) => readiness ? badge(readiness.state) : '', sort: 'readiness', down: true, hint: 'How far the segment is known; the readiest first' },
  {
    name: 'Risk', number: true, sort: 'risk', down: true, hint: 'At most this likely the next hour brings an edge that was never seen, and that the policy would deny (95 %)',
    value: ({ readiness }) => readiness ? `≤ ${percent(readiness.unseen_next_hour.high)}` : '',
  },
  { name: 'In', number: true, value: policy => policy.ingress_rules ?? 'open', hint: 'Rules for who may come in' },
  { name: 'Out', number: true, value: policy => policy.egress_rules ?? 'open', hint: 'Rules for where it may go' },
  { name: 'Connections', number: true, value: policy => count(policy.connections), sort: 'connections', down: true },
  { name: 'Last new edge', value: ({ readiness }) => readiness ? element('time', { datetime: readiness.last_new, title: `${time(readiness.last_new)} UTC` }, ago(readiness.last_new)) : '' },
  { name: 'Review', number: true, value: policy => policy.review + policy.losses || '' },
].map(column => ({ ...column, value: policy => flat(column.value(policy)) }));

/** Cells take one thing: several become a span. */
const flat = value => Array.isArray(value) ? element('span', { class: 'name' }, ...value) : value;

/** The segments in pages, the chosen one marked. */
export const segmentList = (answer, { sort, policy }, change) => [
  sheet({
    caption: 'Suggested policies', columns, rows: answer.policies, sorted: sort, idOf: one => one.id, chosen: policy,
    sort: by => change({ sort: by, offset: '' }), choose: id => change({ policy: id }),
  }),
  pager({ total: answer.total, offset: answer.offset, shown: answer.policies.length, size: pageSize }, offset => change({ offset: offset > 0 ? String(offset) : '' })),
];
