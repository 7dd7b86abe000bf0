import { bytes, count, element, shortTime } from './dom.js';
import { portText, portsLabel, stateOf, stateText } from './links.js';
import { fullName } from './names.js';

const columns = [
  { name: 'From', value: (link, nodes) => fullName(nodes.get(link.from)) },
  { name: 'To', value: (link, nodes) => fullName(nodes.get(link.to)) },
  { name: 'Dialled', value: link => link.services.join(' ') },
  { name: 'Ports', value: link => link.ports.length > 3 ? portsLabel(link) : link.ports.map(portText).join(' '), order: link => link.ports[0]?.port ?? 0 },
  { name: 'State', value: link => stateText[stateOf(link)], badge: stateOf },
  { name: 'Connections', value: link => count(link.connections), order: link => link.connections, number: true },
  { name: 'Sent', value: link => bytes(link.fwd_bytes), order: link => link.fwd_bytes, number: true },
  { name: 'Received', value: link => bytes(link.rev_bytes), order: link => link.rev_bytes, number: true },
  { name: 'Last seen (UTC)', value: link => shortTime(link.last_seen), order: link => link.last_seen },
  { name: 'First seen (UTC)', value: link => shortTime(link.first_seen), order: link => link.first_seen },
];

/** The links as rows: the same choice as the map shows, sorted as the reader likes. */
export class LinkTable {
  #head;
  #body;
  #choose;
  #links = [];
  #nodes = new Map();
  #sorted = { column: 5, down: true };
  #selected = '';

  constructor(table, choose) {
    this.#head = table.tHead;
    this.#body = table.tBodies[0];
    this.#choose = choose;
  }

  show(links, nodes) {
    this.#links = links;
    this.#nodes = nodes;
    this.#draw();
  }

  /** Marks the row of a link, or all rows of a node. */
  select(id) {
    this.#selected = id;
    for (const row of this.#body.rows) {
      row.setAttribute('aria-selected', String(id !== '' && [row.dataset.id, row.dataset.from, row.dataset.to].includes(id)));
    }
    this.#body.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' });
  }

  #draw() {
    this.#head.replaceChildren(element('tr', {}, ...columns.map((column, index) => {
      const order = index !== this.#sorted.column ? 'none' : this.#sorted.down ? 'descending' : 'ascending';
      return element('th', { scope: 'col', class: column.number ? 'number' : '', 'aria-sort': order },
        element('button', { class: 'plain', onclick: () => this.#sort(index) }, column.name));
    })));

    const { column, down } = this.#sorted;
    const order = link => (columns[column].order ?? columns[column].value)(link, this.#nodes);
    const compare = (a, b) => typeof a === 'number' ? a - b : a.localeCompare(b);
    const links = [...this.#links].sort((a, b) => compare(order(a), order(b)) * (down ? -1 : 1));
    this.#body.replaceChildren(...links.map(link => this.#row(link)));
    this.select(this.#selected);
  }

  #row(link) {
    const choose = () => this.#choose(link.id);
    return element('tr', {
      tabindex: '0', 'data-id': link.id, 'data-from': link.from, 'data-to': link.to, onclick: choose,
      onkeydown: event => this.#key(event, choose), title: link.ports.slice(0, 20).map(portText).join(' '),
    }, ...columns.map(column => element('td', { class: column.number ? 'number' : '' },
      column.badge ? element('span', { class: `badge ${column.badge(link)}` }, column.value(link)) : column.value(link, this.#nodes))));
  }

  #key(event, choose) {
    const step = { ArrowDown: 'nextElementSibling', ArrowUp: 'previousElementSibling' }[event.key];
    if (step) {
      event.preventDefault();
      event.currentTarget[step]?.focus();
    } else if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      choose();
    }
  }

  #sort(column) {
    this.#sorted = { column, down: column === this.#sorted.column ? !this.#sorted.down : Boolean(columns[column].number) };
    this.#draw();
    this.#head.rows[0].cells[column].firstChild.focus();
  }
}
