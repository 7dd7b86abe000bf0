import { ask } from './api.js';
import { element } from './dom.js';

let shownKey = '';
let policies = [];
let review = [];

// No policy's name: Kubernetes allows no asterisk.
const others = '*';

/** Shows the suggested policies: the list, and the chosen one with its text and its reasons. */
export async function showPolicies(list, article, { level, since, until, policy }, choose, force) {
  // The engine writes policies for workloads and for namespaces; the finer levels of the map mean workloads.
  const wanted = level === 'namespace' ? 'namespace' : 'workload';
  const key = JSON.stringify([wanted, since, until]);
  if (force || key !== shownKey) {
    list.replaceChildren(element('p', { class: 'hint' }, 'Deriving…'));
    article.replaceChildren();
    try {
      const answer = await ask('policies', { level: wanted, since, until });
      policies = answer.policies;
      review = answer.review;
      shownKey = key;
    } catch (fault) {
      shownKey = '';
      list.replaceChildren(element('p', { class: 'hint' }, fault.message));
      return;
    }
  }

  const chosen = policy === others && review.length > 0 ? null : policies.find(one => idOf(one) === policy) ?? policies[0] ?? null;
  list.replaceChildren(
    policies.length === 0
      ? element('p', { class: 'hint' }, 'No policy can be suggested yet: that takes answered connections whose direction is certain, between named ends.')
      : element('h3', {}, `Suggested policies (${policies.length})`),
    ...policies.map(one => row(idOf(one), `${one.rules} ${one.rules === 1 ? 'rule' : 'rules'}`, one.review.length, one === chosen, choose)),
    ...review.length === 0 ? [] : [element('h3', {}, 'Of no policy'), row(others, 'Left out of every policy', review.length, chosen === null, choose)]);
  article.replaceChildren(...chosen ? texts(chosen) : review.length === 0 ? [] : [
    element('div', { class: 'title' }, element('h2', {}, 'Left out of every policy')),
    element('p', { class: 'hint' }, 'Seen, but no rule was made from it and no suggested policy governs its ends.'),
    element('ul', { class: 'review' }, ...review.map(sentence => element('li', {}, sentence))),
  ]);
}

const row = (id, text, open, current, choose) => element('button', { class: 'row', 'aria-current': current ? 'true' : undefined, onclick: () => choose(id) },
  element('span', { class: 'peer' }, id === others ? text : id),
  id === others ? null : element('span', { class: 'number' }, text),
  open > 0 ? element('span', { class: 'badge unanswered' }, `${open} to review`) : null);

const idOf = policy => policy.namespace ? `${policy.namespace}/${policy.name}` : policy.name;

function texts(policy) {
  const copy = element('button', { onclick: () => copyText(policy.yaml, copy) }, 'Copy');
  return [
    element('div', { class: 'title' }, element('h2', {}, idOf(policy)), copy),
    ...section('Decide before applying', policy.review, 'review'),
    ...section('Why: what was observed', policy.evidence, 'evidence'),
    element('h3', {}, 'NetworkPolicy'),
    element('pre', { tabindex: '0', 'aria-label': 'Policy as YAML' }, policy.yaml),
  ];
}

const section = (title, sentences, kind) => sentences.length === 0 ? []
  : [element('h3', {}, title), element('ul', { class: kind }, ...sentences.map(sentence => element('li', {}, sentence)))];

async function copyText(text, button) {
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = 'Copied';
  } catch {
    // The clipboard is closed to pages on plain http at other than local addresses: select the text, so that Ctrl+C does it.
    getSelection().selectAllChildren(button.closest('article').querySelector('pre'));
    button.textContent = 'Selected: press Ctrl+C';
  }
  setTimeout(() => {
    button.textContent = 'Copy';
  }, 2500);
}
