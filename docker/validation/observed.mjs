/**
 * A view of a value that knows which of its fields have been read.
 *
 * @returns the view, and a function that tells the paths of the fields that nobody has read so far: of an unread
 *   object its own path, not those of what is in it
 */
export function observed(value) {
  const read = new Set();
  return { proxy: view(value, '', read), unread: () => unreadOf(value, '', read) };
}

function view(value, path, read) {
  if (typeof value !== 'object' || value === null) return value;
  return new Proxy(value, {
    get(target, name) {
      const field = Reflect.get(target, name);
      if (typeof name === 'symbol' || !Object.hasOwn(target, name)) return field;
      read.add(`${path}/${name}`);
      return view(field, `${path}/${name}`, read);
    },
  });
}

function unreadOf(value, path, read) {
  if (typeof value !== 'object' || value === null) return [];
  return Object.keys(value).flatMap((name) => {
    const below = `${path}/${name}`;
    return read.has(below) ? unreadOf(value[name], below, read) : [below];
  });
}
