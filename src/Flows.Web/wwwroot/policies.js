import { ask } from './api.js';
import { byId, count, element } from './dom.js';
import { decisionsPage } from './decisions.js';
import { reviewPage } from './review.js';
import { rolloutPage } from './rollout.js';
import { policyPage } from './segment.js';
import { pageSize, segmentList } from './segments.js';
import { plural } from './words.js';

let listed = { key: '', answer: null };
let headed = '';
let clusters = null;
let turn = 0;

const parts = { review: reviewPage, rollout: rolloutPage, decisions: decisionsPage };

/**
 * Shows what is suggested: segments with the chosen policy, review, roll-out or decisions. What was asked last is not asked again unless forced; of two
 * questions under way the later one is shown.
 */
export async function showPolicies(now, change, force) {
  const mine = ++turn;
  for (const tab of document.querySelectorAll('[data-part]')) {
    const current = tab.dataset.part === now.part;
    tab.setAttribute('aria-selected', String(current));
    tab.tabIndex = current ? 0 : -1;
  }
  const [list, page] = [byId('policy-list'), byId('policy')];
  const segments = now.part === 'segments';
  list.hidden = !segments;
  page.parentElement.classList.toggle('single', !segments);
  const still = () => mine === turn;
  const place = segments && listed.answer === null ? list : page;
  // Not over a list that came meanwhile, while the chosen policy is still on its way.
  const waited = () => still() && (place === page || listed.answer === null);
  const patience = setTimeout(() => waited() && place.replaceChildren(element('p', { class: 'hint', role: 'status' }, 'Deriving policies from what was seen…')), 200);
  try {
    const question = { level: now.plevel, target: now.target, cluster: await clusterOf(now, force), since: now.since, until: now.until };
    if (!still()) {
      return;
    }
    byId('archive').href = `api/v1/policies/archive?${new URLSearchParams(Object.entries(question).filter(([, value]) => value))}`;
    await (segments ? showSegments(question, now, change, force, still) : showPart(question, now, change, force, still, page));
  } catch (fault) {
    if (still()) {
      listed = { key: '', answer: null };
      list.replaceChildren();
      page.replaceChildren(element('p', { class: 'fault', role: 'alert' }, fault.message));
    }
  } finally {
    clearTimeout(patience);
  }
}

async function showPart(question, now, change, force, still, page) {
  const shown = await (parts[now.part] ?? reviewPage)({ ...question, fresh: force ? 'true' : '' }, now, change);
  if (still()) {
    page.replaceChildren(...shown.filter(Boolean));
    delete page.dataset.shown;
    page.scrollTop = 0;
  }
  if (now.part !== 'decisions' && JSON.stringify(question) !== headed) {
    const answer = await ask('policies', { ...question, limit: 1 });
    if (still()) {
      head(question, answer, now, change);
    }
  }
}

/** What holds for the whole suggestion. */
function head(question, answer, now, change) {
  headed = JSON.stringify(question);
  byId('policy-facts').replaceChildren(...facts(answer, now, change));
  byId('policy-alerts').replaceChildren(...alerts(answer));
}

async function showSegments(question, now, change, force, still) {
  const asked = { ...question, sort: now.sort, state: now.pstate, q: now.q, offset: now.offset, limit: pageSize };
  const key = JSON.stringify(asked);
  if (force || key !== listed.key) {
    const answer = await ask('policies', { ...asked, fresh: force ? 'true' : '' });
    if (!still()) {
      return;
    }
    listed = { key, answer };
    head(question, answer, now, change);
  }
  const { answer } = listed;
  const chosen = answer.policies.some(one => one.id === now.policy) || now.policy ? now.policy : answer.policies[0]?.id ?? '';
  const at = byId('policy-list').scrollTop;
  byId('policy-list').replaceChildren(...segmentList(answer, { ...now, policy: chosen }, change).filter(Boolean));
  byId('policy-list').scrollTop = at;
  if (answer.policies.length === 0) {
    byId('policy').replaceChildren(...nothing(answer, now, change));
    return;
  }
  await showPolicy(chosen, question, still);
}

async function showPolicy(id, question, still) {
  const page = byId('policy');
  let shown;
  try {
    const { policies, target } = await ask('policies', { ...question, policy: id });
    shown = policyPage(policies[0], target);
  } catch (fault) {
    shown = [element('p', { class: 'fault', role: 'alert' }, fault.message)];
  }
  if (still()) {
    page.replaceChildren(...shown.filter(Boolean));
    if (page.dataset.shown !== id) {
      page.scrollTop = 0;
    }
    page.dataset.shown = id;
  }
}

/** The numbers of the whole suggestion; states are filters. */
function facts(answer, now, change) {
  const { states, replay } = answer;
  const state = (name, text) => states[name] === 0 ? null
    : element('button', { class: `badge ${name}`, 'aria-pressed': String(now.pstate === name), onclick: () => change({ part: 'segments', pstate: now.pstate === name ? '' : name, offset: '' }) }, `${count(states[name])} ${text}`);
  return [
    state('stable', 'stable'), state('stabilising', 'stabilising'), state('learning', 'learning'),
    replay === null ? element('span', {}, 'not replayed: this target cannot be read back')
      : element('span', { class: replay.denied > 0 ? 'bad' : '', title: 'The written policies, read back and run over what was seen' },
        `replayed over ${plural(replay.needed, 'needed edge')}: ${replay.denied === 0 ? 'denies none' : `denies ${count(replay.denied)}`}`),
  ].filter(Boolean);
}

/** What must not be overlooked: invented evidence, needs that the text would deny, and what the target cannot say. */
function alerts({ warnings, warning_count, replay, losses, target }) {
  return [
    warnings.length > 0 ? alert('bad', `${plural(warning_count, 'warning')}: ${warnings[0]}`, warnings.slice(1).map(text => [text]), warning_count - 1) : null,
    replay?.denied > 0 ? alert('bad', `As written for ${target}, the policies would deny ${plural(replay.denied, 'needed edge')}`, replay.because.map(text => [text]), replay.denied) : null,
    losses.total > 0 ? alert(losses.exact ? '' : 'warn',
      `${target} cannot say all of it: ${plural(losses.total, 'note or loss', 'notes and losses')}${losses.exact ? ', none of which changes what passes' : ''}`,
      losses.items.map(loss => [element('b', {}, `${loss.effect}: `), `${loss.policy} ${loss.place} ${loss.what}`]), losses.total) : null,
  ].filter(Boolean);
}

/** One line that opens to the first of many. */
const alert = (kind, text, items, total) => items.length === 0 ? element('p', { class: `alert ${kind}` }, text)
  : element('details', { class: `alert ${kind}` }, element('summary', {}, text),
    element('ul', {}, ...items.map(item => element('li', {}, ...item)), items.length < total ? element('li', {}, `and ${count(total - items.length)} more`) : null));

function nothing(answer, now, change) {
  const narrowed = now.q || now.pstate;
  return [
    element('p', {}, narrowed ? 'No policy matches.'
      : answer.target === 'nftables' && !['host', 'auto'].includes(answer.level) ? 'nftables rules govern hosts: choose the level Hosts or Automatic.'
      : 'No policy can be suggested yet: that takes answered connections whose direction is certain, between named ends.'),
    narrowed ? element('button', { onclick: () => change({ q: '', pstate: '', offset: '' }) }, 'Show all') : null,
    answer.review > 0 && !narrowed ? element('button', { onclick: () => change({ part: 'review' }) }, `See the ${count(answer.review)} items for review`) : null,
  ].filter(Boolean);
}

/** The cluster that is meant: the chosen one, or of several the first. Fills the choice, which is hidden where there is none. */
async function clusterOf({ cluster }, force) {
  if (clusters === null || force) {
    clusters = (await ask('query/clusters', { limit: 1000 })).rows.map(row => row.cluster);
    byId('cluster').replaceChildren(...clusters.map(name => element('option', { value: name }, name || '(no name)')));
    byId('cluster').parentElement.hidden = clusters.length < 2;
  }
  const chosen = cluster || (clusters.length > 1 ? clusters[0] : '');
  byId('cluster').value = chosen;
  return chosen;
}
