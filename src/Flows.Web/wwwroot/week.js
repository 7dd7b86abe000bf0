// Hours of the week as the server lists them ("Mon 08-10, Mon 14, Tue 08-10, Tue 14") are long: days that are alike are told together.

const days = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

/** "Mon-Tue 08-10 14": runs of days with the same hours, in the order of the week. */
export function shortWeek(text) {
  if (text === '' || text === 'always') {
    return text;
  }
  const hours = new Map();
  for (const part of text.split(', ')) {
    const [day, span] = part.split(' ');
    hours.set(day, hours.has(day) ? `${hours.get(day)} ${span}` : span);
  }
  const runs = [];
  for (const day of days.filter(one => hours.has(one))) {
    const last = runs.at(-1);
    if (last && last.hours === hours.get(day) && days.indexOf(last.to) === days.indexOf(day) - 1) {
      last.to = day;
    } else {
      runs.push({ from: day, to: day, hours: hours.get(day) });
    }
  }
  return runs.map(run => `${run.from === run.to ? run.from : `${run.from}-${run.to}`} ${run.hours}`).join(', ');
}
