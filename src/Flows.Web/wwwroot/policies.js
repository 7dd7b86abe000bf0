import { ask } from './api.js';
import { element } from './dom.js';

let shownKey = '';
let policies = [];

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
      shownKey = key;
    } catch (fault) {
      shownKey = '';
      list.replaceChildren(element('p', { class: 'hint' }, fault.message));
      return;
    }
  }

  const chosen = policies.find(one => idOf(one) === policy) ?? policies[0];
  if (chosen === undefined) {
    list.replaceChildren(element('p', { class: 'hint' }, 'No policy can be suggested yet: that takes answered connections whose direction is certain, between named ends.'));
    article.replaceChildren();
    return;
  }

  list.replaceChildren(...policies.map(one => element('button', {
    class: 'row', 'aria-current': one === chosen ? 'true' : undefined, onclick: () => choose(idOf(one)),
  },
  element('span', { class: 'peer' }, idOf(one)),
  element('span', { class: 'number' }, `${one.rules} ${one.rules === 1 ? 'rule' : 'rules'}`),
  one.review.length > 0 ? element('span', { class: 'badge refused' }, `review ${one.review.length}`) : null)));
  article.replaceChildren(...texts(chosen));
}

const idOf = policy => policy.namespace ? `${policy.namespace}/${policy.name}` : policy.name;

function texts(policy) {
  const copy = element('button', { onclick: () => copyText(policy.yaml, copy) }, 'Copy');
  return [
    element('div', { class: 'title' }, element('h2', {}, idOf(policy)), copy),
    ...section('Decide before applying', policy.review, 'review'),
    element('pre', { tabindex: '0', 'aria-label': 'Policy as YAML' }, policy.yaml),
    ...section('Evidence', policy.evidence, 'evidence'),
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
