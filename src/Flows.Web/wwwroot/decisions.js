import { ask } from './api.js';
import { count, element, shortTime } from './dom.js';
import { sheet } from './sheet.js';
import { plain } from './words.js';

const rowsMost = 1000;

const draftName = row => row.cluster === null ? row.draft : `${row.draft} (${row.cluster})`;
const verdict = row => element('span', { class: `badge ${row.verdict}` }, plain(row.verdict));

const draftColumns = [
  { name: 'Draft', value: draftName },
  { name: 'From (UTC)', value: row => shortTime(row.first_hour) },
  { name: 'Last seen (UTC)', value: row => shortTime(row.last_seen) },
  ...['allowed', 'denied', 'unsure', 'not_needed'].map(name => ({ name: plain(name), number: true, value: row => count(row[name]) })),
];

const ruleColumns = [
  { name: 'Verdict', value: verdict },
  { name: 'Decided by', value: row => row.verdict === 'not_needed' ? plain(row.decided_by) : row.decided_by, wide: true },
  { name: 'Connections', number: true, value: row => count(row.connections) },
  { name: 'Edges', number: true, value: row => count(row.edges) },
  { name: 'Last seen (UTC)', value: row => shortTime(row.last_seen) },
];

const denialColumns = [
  { name: 'Last seen (UTC)', value: row => shortTime(row.last_seen) },
  { name: 'Verdict', value: verdict },
  { name: 'From', value: row => row.src, wide: true },
  { name: 'To', value: row => row.dst, wide: true },
  { name: 'Port', value: row => `${row.protocol}/${row.dst_port}` },
  { name: 'Connections', number: true, value: row => count(row.connections) },
  { name: 'Why', value: row => row.why, wide: true },
];

/** What drafts that are watched would have done to what came in: the latest draft unless another is chosen, denials first. */
export async function decisionsPage({ since, until }, { draft }, change) {
  const span = { since, until, limit: rowsMost };
  const [drafts, rules, denials] = (await Promise.all(['drafts', 'decision_rules', 'decisions'].map(name => ask(`query/${name}`, span)))).map(answer => answer.rows);
  if (drafts.length === 0) {
    return [
      element('p', {}, 'No draft is watched, or nothing came in since.'),
      element('p', { class: 'hint' }, 'A draft is a set of policies that is not enforced: what it would do to what comes in is written down, so that it can be believed before it is. Begin with:'),
      element('pre', {}, 'flows policy suggest --store DIR --out policies/\nflows serve --store DIR --draft-policies policies/'),
    ];
  }
  const chosen = drafts.find(row => draftName(row) === draft) ?? drafts[0];
  const own = row => draftName(row) === draftName(chosen);
  const denied = denials.filter(own);
  return [
    sheet({ caption: 'Drafts', columns: draftColumns, rows: drafts, idOf: draftName, chosen: draftName(chosen), choose: id => change({ draft: id }) }),
    element('h3', {}, 'What decided'),
    sheet({ caption: `By rule, of draft ${draftName(chosen)}`, columns: ruleColumns, rows: rules.filter(own) }),
    element('h3', {}, 'What it would have denied, the latest first'),
    denied.length === 0 ? element('p', { class: 'hint' }, 'Nothing that is needed.')
      : sheet({ caption: `Denied by draft ${draftName(chosen)}`, columns: denialColumns, rows: denied }),
    denials.length === rowsMost ? element('p', { class: 'hint' }, `Only the latest ${count(rowsMost)} of all drafts were looked at; a shorter span has the others.`) : null,
  ];
}
