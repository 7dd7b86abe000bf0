import { ask } from './api.js';
import { count, element } from './dom.js';
import { percent } from './share.js';
import { pager } from './sheet.js';
import { badge } from './segment.js';
import { adviceText, plural } from './words.js';

const pageSize = 200;

/** In which order to enforce the policies, and what each step changes. */
export async function rolloutPage(question, { offset }, change) {
  const answer = await ask('policies/plan', { ...question, offset, limit: pageSize });
  if (answer.total === 0) {
    return [element('p', { class: 'hint' }, 'There is nothing to roll out yet.')];
  }
  return [
    element('p', { class: 'hint' }, 'First what takes away most reach at no known risk; then what should be watched for longer; last what would deny something needed. '
      + 'Reach is counted at the governed end: clients that may come in, and ports that may be dialled.'),
    element('ol', { class: 'steps', start: String(answer.offset + 1) }, ...answer.steps.map(step => stepCard(step, change))),
    pager({ total: answer.total, offset: answer.offset, shown: answer.steps.length, size: pageSize }, to => change({ offset: to > 0 ? String(to) : '' })),
  ];
}

const stepCard = (step, change) => element('li', {},
  element('p', { class: 'says' },
    element('span', { class: `badge ${step.advice}` }, adviceText[step.advice]), ' ',
    ...step.policies.flatMap((id, index) => [index ? ', ' : '', element('button', { class: 'plain link', onclick: () => change({ part: 'segments', policy: id, offset: '' }) }, id)])),
  element('p', { class: 'evidence' },
    element('span', {}, `reach ${count(step.reach_before)} → ${count(step.reach_after)}`, bar(step)),
    step.readiness ? element('span', {}, badge(step.readiness.state), step.readiness.unseen_probability === null ? '' : ` a new edge in the next hour: at most ${percent(step.readiness.unseen_probability)}`)
      : element('span', {}, 'readiness unknown'),
    element('span', { class: step.denied > 0 ? 'bad' : '' }, step.denied > 0 ? `would deny ${plural(step.denied, 'needed connection')}` : 'denies nothing that is needed')),
  element('ul', {}, ...step.changes.concat(step.denied_because).map(sentence => element('li', {}, sentence))));

/** How much of the reach stays: a meter, which screen readers say. */
const bar = step => element('meter', { min: '0', max: String(Math.max(1, step.reach_before)), value: String(step.reach_after), title: `${step.reach_after} of ${step.reach_before} stay` });
