import { count, element } from './dom.js';

/**
 * A table of rows: columns are { name, value, number, wide, sort }. A column that names a sort asks for it when its head is pressed; rows can be chosen
 * with mouse, Enter and arrow keys where there is something to choose.
 */
export function sheet({ caption, columns, rows, sorted = '', sort, choose, chosen, idOf }) {
  const body = element('tbody', {}, ...rows.map(row => line(row)));
  return element('table', { class: 'sheet' },
    element('caption', {}, caption),
    element('thead', {}, element('tr', {}, ...columns.map(head))), body);

  function head(column) {
    const order = column.sort ? (column.sort === sorted ? column.down ? 'descending' : 'ascending' : 'none') : undefined;
    return element('th', { scope: 'col', class: column.number ? 'number' : '', 'aria-sort': order, title: column.hint },
      column.sort && sort ? element('button', { class: 'plain', onclick: () => sort(column.sort) }, column.name) : column.name);
  }

  function line(row) {
    const cells = columns.map(column => element('td', { class: [column.number ? 'number' : '', column.wide ? 'wide' : ''].join(' ').trim() }, column.value(row)));
    if (!choose) {
      return element('tr', {}, ...cells);
    }
    const id = idOf(row);
    return element('tr', { tabindex: '0', 'data-id': id, 'aria-selected': String(id === chosen), onclick: () => choose(id), onkeydown: event => key(event, id) }, ...cells);
  }

  function key(event, id) {
    const step = { ArrowDown: 'nextElementSibling', ArrowUp: 'previousElementSibling' }[event.key];
    if (step) {
      event.preventDefault();
      event.currentTarget[step]?.focus();
    } else if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      choose(id);
    }
  }
}

/** "1-200 of 1 234" with steps to the pages around; nothing where all is shown. */
export function pager({ total, offset, shown, size }, go) {
  if (shown === total) {
    return null;
  }
  const step = (to, text) => element('button', { onclick: () => go(to), disabled: to < 0 || to >= total }, text);
  return element('nav', { class: 'pager', 'aria-label': 'Pages' },
    step(offset - size, 'Previous'),
    element('span', {}, shown === 0 ? `none of ${count(total)}` : `${count(offset + 1)} to ${count(offset + shown)} of ${count(total)}`),
    step(offset + size, 'Next'));
}
