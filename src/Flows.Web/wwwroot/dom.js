// Text reaches the page only through here, and only as text: names come from strangers.

/** An element with properties, and children that are elements or text. */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith('on')) {
      made.addEventListener(name.slice(2), value);
    } else if (name === 'class') {
      made.className = value;
    } else if (value !== undefined && value !== false) {
      made.setAttribute(name, value === true ? '' : value);
    }
  }
  made.append(...children.filter(child => child !== null && child !== undefined));
  return made;
}

export const byId = id => document.getElementById(id);

/** 18204 as 18 204: thin spaces, so that numbers of a column line up in every language. */
export const count = number => String(number).replace(/\B(?=(\d{3})+$)/g, '\u2009');

export function bytes(number) {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let unit = 0;
  while (number >= 1000 && unit < units.length - 1) {
    number /= 1000;
    unit++;
  }
  return `${unit === 0 ? number : number.toFixed(number < 10 ? 1 : 0)} ${units[unit]}`;
}

/** 2026-01-31 10:00:00, UTC as the server keeps it. */
export const time = text => text.slice(0, 19).replace('T', ' ');

/** 31 Jan 10:00:00, with the year where it is not this one. */
export function shortTime(text) {
  const [, year, month, day, clock] = /^(\d+)-(\d+)-(\d+)T([\d:]+)/.exec(text);
  const name = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'][month - 1];
  return `${Number(day)} ${name} ${Number(year) === new Date().getUTCFullYear() ? '' : `${year} `}${clock}`;
}

/** How long ago, roughly: 40 s ago, 3 min ago, 5 h ago, 12 days ago. */
export function ago(text) {
  const seconds = Math.max(0, (Date.now() - Date.parse(text)) / 1000);
  const [size, unit] = seconds < 60 ? [1, 's'] : seconds < 3600 ? [60, 'min'] : seconds < 2 * 86400 ? [3600, 'h'] : [86400, 'days'];
  return `${Math.floor(seconds / size)} ${unit} ago`;
}
